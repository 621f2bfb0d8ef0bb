//! What makes up a world of a few joints.

use std::fmt::Debug;

use rand::RngCore;

use crate::canvas::{Canvas, Colour};
use crate::registry::Purpose;
use crate::{FactorValues, Factors};

/// For whom a system is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// For a model, in the colours of the episode.
    Observed,
    /// For people.
    People,
    /// For people, as what is to be reached.
    Goal,
}

/// Chooses the action of a moment, in the world's unit; not yet brought into the action space.
pub(crate) type Controller<M> = Box<dyn Fn(&M) -> Vec<f64> + Send>;

/// A mechanical system in an episode: its measures, its colours, and its target, if it has one.
pub(crate) trait System: Clone + Debug + Send + Sync + 'static {
    /// Name of the world.
    const NAME: &'static str;
    /// Unit of [`distance`](Self::distance).
    const UNIT: &'static str;
    /// Numbers in a state as a world tells of it.
    const STATE: usize;
    /// What a state is, for messages.
    const STATE_TEXT: &'static str;
    /// Largest value of each number of an action; the least is its negative.
    const ACTION: &'static [f32];
    /// What an action is, for messages.
    const ACTION_TEXT: &'static str;
    /// Length that a frame shows each way, in metres.
    const EXTENT: f32;
    /// Angles and speeds.
    type Motion: Copy + Debug + PartialEq + Send + Sync;

    /// What can differ between episodes.
    fn factors() -> Factors;

    /// The system of an episode, before its target is chosen.
    fn new(values: &FactorValues) -> Self;

    /// Draws where an episode begins.
    fn start(&self, purpose: Purpose, rng: &mut dyn RngCore) -> Self::Motion;

    /// Draws the target, in a system that has one.
    fn aim(&mut self, rng: &mut dyn RngCore) {
        let _ = rng;
    }

    /// The motion of a told state; `None` if it is none. A system with a target takes that behind it.
    fn place(&mut self, state: &[f32]) -> Option<Self::Motion>;

    /// What is told of a motion, [`STATE`](Self::STATE) numbers.
    fn state(&self, motion: &Self::Motion) -> Vec<f32>;

    /// The motion at the end of a step with this action.
    fn advance(&self, motion: &Self::Motion, action: &[f64]) -> Self::Motion;

    /// Reward of a step.
    fn reward(&self, before: &Self::Motion, action: &[f64], after: &Self::Motion) -> f64;

    /// The motion that is to be reached by an episode that begins with this one.
    fn goal(&self, start: &Self::Motion) -> Self::Motion;

    /// Distance to what is to be reached.
    fn distance(&self, motion: &Self::Motion) -> f64;

    /// Whether it is reached.
    fn success(&self, motion: &Self::Motion) -> bool;

    /// Colour of what is empty in an observation.
    fn background(&self) -> Colour;

    /// Draws the system over a canvas of [`EXTENT`](Self::EXTENT).
    fn draw(&self, motion: &Self::Motion, shown: Shown, canvas: &mut Canvas);

    /// Where its end is, in the coordinates of the canvas.
    fn tip(&self, motion: &Self::Motion) -> [f32; 2];

    /// Who knows how to reach the goal.
    fn expert(&self, goal: &Self::Motion) -> Controller<Self::Motion>;
}

/// An angle within (-π, π].
pub(crate) fn wrapped(angle: f64) -> f64 {
    use std::f64::consts::{PI, TAU};
    let angle = (angle + PI).rem_euclid(TAU) - PI;
    if angle == -PI { PI } else { angle }
}

/// Whether numbers are those of a state: finite, and no more than a world can be in.
pub(crate) fn all_finite(numbers: &[f32]) -> bool {
    numbers.iter().all(|value| value.is_finite())
}

/// A filled circle, drawn as a line without length: in a world of metres that touches far fewer pixels than [`Canvas::disc`].
pub(crate) fn disc(canvas: &mut Canvas, colour: Colour, opacity: f32, at: [f32; 2], radius: f32) {
    canvas.line(colour, opacity, at, at, 2.0 * radius);
}
