//! Several episodes side by side.

use prevision_core::FrameBuffer;
use rayon::prelude::*;

use crate::{EnvError, Environment, EnvironmentSpec, Goal, Legality, Mark, TimeStep};

/// Rows from which on a step is worth more than one thread.
const ROWS_FOR_THREADS: usize = 4;

/// Worlds of one kind, each at its own episode: a row of a batch.
pub trait Worlds {
    /// Fixed properties of each of them.
    fn spec(&self) -> &EnvironmentSpec;

    /// Number of rows.
    fn rows(&self) -> usize;

    /// Starts an episode in a row: that of the seed, in a chosen state if one is given.
    ///
    /// # Errors
    /// As [`Environment::reset_to`].
    fn reset(&mut self, row: usize, seed: u64, state: Option<&[f32]>) -> Result<TimeStep, EnvError>;

    /// Applies an action in each of these rows, given as vectors of a model's form ([`Space::width`](prevision_core::Space::width)).
    ///
    /// # Errors
    /// As [`Environment::step`], of the first row that fails.
    fn step(&mut self, rows: &[usize], actions: &[&[f32]]) -> Result<Vec<TimeStep>, EnvError>;

    /// The goal of a row's episode.
    fn goal(&self, row: usize) -> Option<Goal>;

    /// Judges a row's episode afterwards, see [`Environment::legality`].
    fn legality(&self, row: usize, states: &[Vec<f32>]) -> Legality;

    /// Where the agent of a row is, see [`Environment::position`].
    fn position(&self, row: usize) -> Option<[f32; 2]>;

    /// One frame of a row for people, see [`Environment::render`].
    fn render(&self, row: usize, marks: &[Mark<'_>], scale: usize) -> Option<FrameBuffer>;
}

/// Environments side by side, on all cores.
///
/// # Panics
/// [`Worlds::spec`] and [`Worlds::step`], if there is no environment; [`Worlds::step`], if a row is named twice.
impl Worlds for Vec<Box<dyn Environment>> {
    fn spec(&self) -> &EnvironmentSpec {
        self[0].spec()
    }

    fn rows(&self) -> usize {
        self.len()
    }

    fn reset(&mut self, row: usize, seed: u64, state: Option<&[f32]>) -> Result<TimeStep, EnvError> {
        match state {
            Some(state) => self[row].reset_to(seed, state),
            None => self[row].reset(seed),
        }
    }

    fn step(&mut self, rows: &[usize], actions: &[&[f32]]) -> Result<Vec<TimeStep>, EnvError> {
        let spec = Worlds::spec(self);
        let Some(space) = spec.spaces.action.clone() else {
            return Err(EnvError::Unsupported { world: spec.name.clone(), what: "take actions" });
        };
        let step = |environment: &mut Box<dyn Environment>, action: &[f32]| environment.step(space.action(action));
        if rows.len() < ROWS_FOR_THREADS {
            return rows.iter().zip(actions).map(|(row, action)| step(&mut self[*row], action)).collect();
        }
        // Which action each environment takes, if any.
        let mut taken: Vec<Option<usize>> = vec![None; self.len()];
        for (place, row) in rows.iter().enumerate() {
            taken[*row] = Some(place);
        }
        let stepped = self.par_iter_mut().zip(&taken);
        let mut stepped: Vec<Option<Result<TimeStep, EnvError>>> =
            stepped.map(|(environment, place)| place.map(|place| step(environment, actions[place]))).collect();
        rows.iter().map(|row| stepped[*row].take().expect("a row steps once at a time")).collect()
    }

    fn goal(&self, row: usize) -> Option<Goal> {
        self[row].goal()
    }

    fn legality(&self, row: usize, states: &[Vec<f32>]) -> Legality {
        self[row].legality(states)
    }

    fn position(&self, row: usize) -> Option<[f32; 2]> {
        self[row].position()
    }

    fn render(&self, row: usize, marks: &[Mark<'_>], scale: usize) -> Option<FrameBuffer> {
        self[row].render(marks, scale)
    }
}
