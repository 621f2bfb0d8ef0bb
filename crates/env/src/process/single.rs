//! A process with one row, as an environment.

use prevision_core::{Action, FrameBuffer};

use super::connection::Launch;
use super::worlds::ProcessWorlds;
use crate::{EnvError, Environment, EnvironmentSpec, Goal, Legality, Mark, TimeStep, Worlds};

/// One world in a process of its own.
pub struct ProcessEnvironment {
    worlds: ProcessWorlds,
}

impl ProcessEnvironment {
    /// Starts the process, with one row whatever `launch` says.
    ///
    /// # Errors
    /// As [`ProcessWorlds::start`].
    pub fn start(launch: Launch) -> Result<Self, EnvError> {
        Ok(Self { worlds: ProcessWorlds::start(Launch { rows: 1, ..launch })? })
    }
}

impl Environment for ProcessEnvironment {
    fn spec(&self) -> &EnvironmentSpec {
        self.worlds.spec()
    }

    fn reset(&mut self, seed: u64) -> Result<TimeStep, EnvError> {
        self.worlds.reset(0, seed, None)
    }

    fn reset_to(&mut self, seed: u64, state: &[f32]) -> Result<TimeStep, EnvError> {
        self.worlds.reset(0, seed, Some(state))
    }

    fn step(&mut self, action: Action<'_>) -> Result<TimeStep, EnvError> {
        let vector = match action {
            Action::Vector(vector) => vector.to_vec(),
            Action::Choice(choice) => {
                let count = self.spec().spaces.action.as_ref().map_or(0, prevision_core::Space::width);
                (0..count.max(choice + 1)).map(|place| f32::from(u8::from(place == choice))).collect()
            }
        };
        let mut steps = self.worlds.step(&[0], &[&vector])?;
        Ok(steps.pop().unwrap_or_default())
    }

    fn goal(&self) -> Option<Goal> {
        self.worlds.goal(0)
    }

    fn legality(&self, states: &[Vec<f32>]) -> Legality {
        self.worlds.legality(0, states)
    }

    fn position(&self) -> Option<[f32; 2]> {
        self.worlds.position(0)
    }

    fn render(&self, marks: &[Mark<'_>], scale: usize) -> Option<FrameBuffer> {
        self.worlds.render(0, marks, scale)
    }
}
