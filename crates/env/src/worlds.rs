//! Several episodes side by side.

use prevision_core::FrameBuffer;

use crate::{EnvError, Environment, EnvironmentSpec, Goal, Mark, TimeStep};

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

    /// Where the agent of a row is, see [`Environment::position`].
    fn position(&self, row: usize) -> Option<[f32; 2]>;

    /// One frame of a row for people, see [`Environment::render`].
    fn render(&self, row: usize, marks: &[Mark<'_>], scale: usize) -> Option<FrameBuffer>;
}

/// Environments one after the other.
///
/// # Panics
/// [`Worlds::spec`] and [`Worlds::step`], if there is no environment.
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
        let spec = Worlds::spec(self).clone();
        let Some(space) = &spec.spaces.action else {
            return Err(EnvError::Unsupported { world: spec.name, what: "take actions" });
        };
        rows.iter().zip(actions).map(|(row, action)| self[*row].step(space.action(action))).collect()
    }

    fn goal(&self, row: usize) -> Option<Goal> {
        self[row].goal()
    }

    fn position(&self, row: usize) -> Option<[f32; 2]> {
        self[row].position()
    }

    fn render(&self, row: usize, marks: &[Mark<'_>], scale: usize) -> Option<FrameBuffer> {
        self[row].render(marks, scale)
    }
}
