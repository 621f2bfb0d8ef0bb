//! What every world offers to a planner.

use prevision_video::FrameBuffer;

use crate::EnvError;

/// Fixed properties of a world.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentSpec {
    /// Name by which [`make`](crate::make) knows the world.
    pub name: &'static str,
    /// Numbers in one action.
    pub action_dim: usize,
    /// Largest Euclidean norm of an action; a longer one is shortened to it by [`Environment::step`].
    pub action_norm: f64,
    /// Numbers in one state.
    pub state_dim: usize,
    /// Width of an observation in pixels.
    pub width: usize,
    /// Height of an observation in pixels.
    pub height: usize,
    /// Steps after which an evaluation episode ends.
    pub max_steps: usize,
}

/// Paths drawn over a frame for people; positions are (x, y) in pixels of the observation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Overlay<'a> {
    /// Where the agent has been, oldest first.
    pub trail: &'a [[f32; 2]],
    /// Where a plan says it will go, soonest first; drawn in a second colour.
    pub imagined: &'a [[f32; 2]],
}

/// A world with one agent and one goal.
///
/// A task (layout, start and goal) is a pure function of the seed given to [`reset`](Self::reset), and so is everything that
/// follows from the same actions.
pub trait Environment: Send {
    /// Fixed properties of the world.
    fn spec(&self) -> &EnvironmentSpec;

    /// Starts the task of this seed.
    ///
    /// # Errors
    /// When the world cannot be set up, for instance because a process behind it does not answer.
    fn reset(&mut self, seed: u64) -> Result<(), EnvError>;

    /// Applies one action of `action_dim` numbers. An action longer than `action_norm` is shortened to it; an action with a
    /// number that is not finite moves nothing.
    ///
    /// # Panics
    /// When the action has another length than `action_dim`.
    fn step(&mut self, action: &[f32]);

    /// The current observation, RGB `[height, width, 3]`, as in a recording.
    fn observe(&self) -> Vec<u8>;

    /// The observation that would be seen at the goal, RGB `[height, width, 3]`.
    fn goal_observation(&self) -> Vec<u8>;

    /// The true state, `[state_dim]`.
    fn state(&self) -> Vec<f32>;

    /// The true state at the goal, `[state_dim]`.
    fn goal_state(&self) -> Vec<f32>;

    /// Distance from the current state to the goal, in pixels.
    fn distance(&self) -> f64;

    /// Whether the current state counts as having reached the goal.
    fn success(&self) -> bool;

    /// One frame for people: RGB, `scale` times the observation's width and height, anti-aliased.
    ///
    /// # Panics
    /// When `scale` is 0.
    fn render(&self, overlay: &Overlay<'_>, scale: usize) -> FrameBuffer;
}
