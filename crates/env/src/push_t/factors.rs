//! What can differ between episodes.

use std::f32::consts::{FRAC_PI_4, TAU};

use super::dynamics::Build;
use super::shape::Shape;
use crate::canvas::Colour;
use crate::{Factor, FactorKind, FactorValues, Factors};

/// The factors that differ from task to task whether or not anything else varies, as upstream.
pub const OF_TASKS: [&str; 3] = ["agent.start_position", "block.start_position", "block.angle"];

/// The seventeen factors, by upstream's names and bounds.
///
/// `goal.scale`, which nothing reads upstream, is the size of the green pose that is drawn: 30 is the block's own.
pub fn factors() -> Factors {
    let appearance = |name: &str, nominal, bounds| Factor::number(name, FactorKind::Appearance, nominal, bounds);
    let physics = |name: &str, nominal, bounds| Factor::number(name, FactorKind::Physics, nominal, bounds);
    let point = |name: &str, kind, nominal: [f32; 2], [low, high]: [f32; 2]| {
        Factor::vector(name, kind, nominal.to_vec(), [vec![low; 2], vec![high; 2]])
    };
    Factors::new(vec![
        Factor::colour("background.color", [255, 255, 255]),
        Factor::colour("goal.color", [144, 238, 144]),
        appearance("goal.scale", 30.0, [20.0, 60.0]).training([25.0, 40.0]),
        appearance("goal.angle", FRAC_PI_4, [-TAU, TAU]),
        point("goal.position", FactorKind::Appearance, [256.0; 2], [50.0, 450.0]).training([150.0, 350.0]),
        Factor::colour("block.color", [119, 136, 153]),
        physics("block.scale", 30.0, [20.0, 60.0]).training([25.0, 40.0]),
        physics("block.shape", 2.0, [1.0, 7.0]).whole().training([1.0, 5.0]),
        physics("block.angle", 0.0, [-TAU, TAU]),
        point("block.start_position", FactorKind::Physics, [400.0, 100.0], [100.0, 400.0]),
        Factor::colour("agent.color", [65, 105, 225]),
        physics("agent.scale", 40.0, [20.0, 60.0]).training([30.0, 50.0]),
        physics("agent.shape", 0.0, [0.0, 7.0]).whole().training([0.0, 4.0]),
        physics("agent.angle", 0.0, [-TAU, TAU]),
        point("agent.start_position", FactorKind::Physics, [256.0, 400.0], [50.0, 450.0]),
        point("agent.velocity", FactorKind::Physics, [0.0; 2], [0.0, 512.0]).training([0.0, 256.0]),
        appearance("rendering.render_goal", 1.0, [0.0, 1.0]).whole(),
    ])
}

/// Shapes and sizes from the values of an episode.
pub(super) fn build(values: &FactorValues) -> Build {
    let shape = |name: &str| Shape::ALL[values.number(name) as usize];
    Build {
        agent: shape("agent.shape"),
        agent_scale: f64::from(values.number("agent.scale")),
        agent_angle: f64::from(values.number("agent.angle")),
        block: shape("block.shape"),
        block_scale: f64::from(values.number("block.scale")),
    }
}

/// What is drawn how, from the values of an episode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Look {
    pub(super) background: Colour,
    pub(super) agent: Colour,
    pub(super) block: Colour,
    pub(super) goal: Colour,
    /// Where the green pose is, or that none is drawn.
    pub(super) pose: Option<Pose>,
}

/// A pose of the block that is drawn in the colour of the goal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pose {
    pub(super) position: [f64; 2],
    pub(super) angle: f64,
    /// Scale of its shape.
    pub(super) scale: f64,
}

/// The scale of `goal.scale` at which the green pose is as large as the block.
const OWN_SIZE: f64 = 30.0;

impl Look {
    pub(super) fn of(values: &FactorValues) -> Self {
        let number = |name: &str| f64::from(values.number(name));
        let pose = pose(values);
        let scaled = Pose { scale: pose.scale * number("goal.scale") / OWN_SIZE, ..pose };
        Self {
            background: values.colour("background.color"),
            agent: values.colour("agent.color"),
            block: values.colour("block.color"),
            goal: values.colour("goal.color"),
            pose: (values.number("rendering.render_goal") != 0.0).then_some(scaled),
        }
    }
}

/// The goal pose with the block's own size.
pub(super) fn pose(values: &FactorValues) -> Pose {
    let number = |name: &str| f64::from(values.number(name));
    Pose { position: pair(values, "goal.position"), angle: number("goal.angle"), scale: number("block.scale") }
}

/// A factor of two numbers.
pub(super) fn pair(values: &FactorValues, name: &str) -> [f64; 2] {
    let numbers = values.get(name);
    [f64::from(numbers[0]), f64::from(numbers[1])]
}
