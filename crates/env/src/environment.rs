//! What every world offers to whoever acts in it.

use std::collections::BTreeMap;

use prevision_core::{Action, FrameBuffer, Observations, Spaces};

use crate::{EnvError, Factors, Mark};

/// Fixed properties of a world.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EnvironmentSpec {
    /// Name under which the world is registered.
    pub name: String,
    /// What it shows (one moment at a time), which actions it takes, and how many numbers its state has.
    pub spaces: Spaces,
    /// Steps after which an episode of an evaluation ends.
    pub max_steps: usize,
    /// Unit of [`TimeStep::distance`], as people read it: `px`, `m`; `None` if the world knows no distance to a goal.
    pub unit: Option<String>,
    /// Whether steps have a reward worth recording.
    pub rewards: bool,
    /// Name of the rule by which the world moves, where it offers several: `swept`, `end-point`. Results say which it was.
    pub rule: Option<String>,
    /// What can differ between episodes.
    pub factors: Factors,
}

/// One moment of an episode.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TimeStep {
    /// What is seen, one moment of every stream.
    pub observations: Observations,
    /// The true state.
    pub state: Option<Vec<f32>>,
    /// What else is known of the moment, by name: written into recordings, shown to nobody.
    pub info: BTreeMap<String, Vec<f32>>,
    /// Reward of the step that led here; 0 at the start.
    pub reward: f64,
    /// The episode has ended by the world's own rules: no step leads on.
    pub terminated: bool,
    /// The episode was cut short, for instance by a limit of time.
    pub truncated: bool,
    /// Whether the goal is reached, by the world's own rule.
    pub success: bool,
    /// Distance to the goal, in the unit of the world.
    pub distance: Option<f64>,
}

/// What an episode is to reach.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Goal {
    /// What would be seen there, one moment of every stream.
    pub observations: Option<Observations>,
    /// The true state there.
    pub state: Option<Vec<f32>>,
    /// Length of the shortest legal route from the start, in the unit of the world; `None` if the world does not know it.
    pub route: Option<f64>,
}

/// Whether what happened in an episode was possible by the lawful rule of the world.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Legality {
    /// The world does not judge it.
    #[default]
    Unknown,
    /// Every step was.
    Legal,
    /// A step was not, for instance because it went through a wall.
    Illegal {
        /// The first such step, from 1.
        step: usize,
    },
}

impl Legality {
    /// That of states that follow each other: legal if every step from one to the next is lawful.
    pub fn of_steps<S>(states: &[S], lawful: impl Fn(&S, &S) -> bool) -> Self {
        match states.windows(2).position(|pair| !lawful(&pair[0], &pair[1])) {
            Some(place) => Self::Illegal { step: place + 1 },
            None => Self::Legal,
        }
    }
}

/// A world with one agent.
///
/// An episode is a pure function of the seed given to [`reset`](Self::reset) and of the actions.
pub trait Environment: Send {
    /// Fixed properties of the world.
    fn spec(&self) -> &EnvironmentSpec;

    /// Starts the episode of this seed.
    ///
    /// # Errors
    /// When the world cannot be set up, for instance because a process behind it does not answer.
    fn reset(&mut self, seed: u64) -> Result<TimeStep, EnvError>;

    /// Starts the episode of this seed in a chosen state.
    ///
    /// # Errors
    /// As [`reset`](Self::reset), and if the world cannot be put into a state, or not into this one.
    fn reset_to(&mut self, seed: u64, state: &[f32]) -> Result<TimeStep, EnvError> {
        let _ = (seed, state);
        Err(EnvError::Unsupported { world: self.spec().name.clone(), what: "start in a chosen state" })
    }

    /// Applies one action. A vector outside the action space is brought into it; one with a number that is not finite moves nothing.
    ///
    /// # Errors
    /// When the world fails, or the action is none of its kind.
    fn step(&mut self, action: Action<'_>) -> Result<TimeStep, EnvError>;

    /// The goal of the episode; `None` in a world without goals.
    fn goal(&self) -> Option<Goal>;

    /// Judges an episode afterwards: whether these states, the first one at the start, follow each other by the lawful rule of the world,
    /// whichever rule it moves by.
    fn legality(&self, states: &[Vec<f32>]) -> Legality {
        let _ = states;
        Legality::Unknown
    }

    /// Where the agent is, (x, y) in the coordinates that marks have; `None` in a world that is not drawn.
    fn position(&self) -> Option<[f32; 2]> {
        None
    }

    /// One frame for people, RGB, `scale` times the size of an observation, with marks; `None` if the world is not drawn.
    ///
    /// # Panics
    /// When `scale` is 0.
    fn render(&self, marks: &[Mark<'_>], scale: usize) -> Option<FrameBuffer> {
        let _ = (marks, scale);
        None
    }
}
