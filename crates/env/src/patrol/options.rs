//! The keys of the world, `[env.patrol]`.

use prevision_core::config;
use prevision_core::config::check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Patrol;
use super::expert::Expert;
use super::rail::{GUARD_RADIUS, Rail};
use super::walk::Walk;
use crate::maze::options::told;
use crate::maze::{Collision, Floor, Wall, enclosure, scene};
use crate::registry::{Purpose, World};
use crate::two_rooms::{Layout, LayoutChoice, LayoutSplit, geometry};
use crate::{EnvError, Environment, Factor, FactorKind, FactorSampler, Factors, Policy, TimeStep, Variation};

/// Width and height of the world in units.
pub(super) const EXTENT: f64 = 64.0;
/// Nominal radius with which the agent is drawn, in units.
const AGENT_RADIUS: f32 = 1.6;

/// How the two rooms and their patrol are set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Width and height of a frame in pixels, for the 64 units of the world. Default 64.
    pub size: usize,
    /// A floor plan drawn for each episode, or always the same one. Default `random`.
    pub layout: LayoutChoice,
    /// Which of the random floor plans are used. Unset: `training` in recordings, `held-out` when plans are judged.
    pub layouts: Option<LayoutSplit>,
    /// What happens when a move meets a wall. Default `stop`.
    pub collision: Collision,
    /// Which factors of variation differ between episodes.
    pub variation: Variation,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            size: 64,
            layout: LayoutChoice::Random,
            layouts: None,
            collision: Collision::Stop,
            variation: Variation::default(),
        }
    }
}

impl config::Options for Options {
    fn validate(&self) -> Result<(), String> {
        check("size", self.size as f64).within(8.0, 4_096.0)?.done()?;
        self.variation.check(&factors())
    }
}

/// What can differ between the episodes of a patrol.
pub fn factors() -> Factors {
    let physics =
        |name, nominal, bounds, training| Factor::number(name, FactorKind::Physics, nominal, bounds).training(training);
    let mut factors = scene::appearance(AGENT_RADIUS);
    factors.extend([
        Factor::colour("patrol.color", [52, 92, 190]),
        physics("door.width", 9.0, [6.0, 16.0], [8.0, 12.0]),
        physics("agent.speed", 1.0, [0.8, 1.5], [0.9, 1.2]),
        physics("patrol.speed", 0.8, [0.3, 1.6], [0.5, 1.1]),
        physics("patrol.range", 14.0, [8.0, 24.0], [10.0, 18.0]),
    ]);
    Factors::new(factors)
}

/// Two rooms with a patrol, set up.
#[derive(Debug, Clone)]
pub struct PatrolWorld {
    pub(super) options: Options,
    pub(super) sampler: FactorSampler,
}

impl PatrolWorld {
    /// Set up by these options.
    ///
    /// # Errors
    /// The key at fault, if a value is not allowed.
    pub fn new(options: Options) -> Result<Self, String> {
        config::Options::validate(&options)?;
        let sampler = FactorSampler::new(factors(), options.variation.clone())?;
        Ok(Self { options, sampler })
    }

    /// Which of the random floor plans are used for a purpose.
    pub(super) fn split(&self, purpose: Purpose) -> LayoutSplit {
        self.options.layouts.unwrap_or(match purpose {
            Purpose::Recording => LayoutSplit::Training,
            Purpose::Evaluation => LayoutSplit::HeldOut,
        })
    }

    /// What a policy knows of an episode from its first moment: the floor, the rail of the patrol, and how far the longest action goes.
    pub(super) fn known(&self, first: &TimeStep) -> Result<(Floor, Rail, f32), String> {
        let Some(&[wall, door]) = first.info.get("layout").map(Vec::as_slice) else {
            return Err("it needs to be told the layout: column of the wall and row of the door".to_owned());
        };
        let layout = Layout { wall_x: wall as u8, door_y: door as u8 };
        let [width, speed, pace, range] =
            ["door.width", "agent.speed", "patrol.speed", "patrol.range"].map(|name| told(first, name, &self.sampler));
        let reach = super::ACTION_NORM * speed;
        Ok((Floor::new([EXTENT; 2], EXTENT / 4.0, walls(layout, width)), rail(layout, range, pace), reach))
    }
}

/// The walls of a layout with a door of this width: the borders and the wall of [`two_rooms`](crate::two_rooms).
pub(super) fn walls(layout: Layout, door_width: f32) -> Vec<Wall> {
    let (low, high) = (f64::from(geometry::BORDER_LOW), f64::from(geometry::BORDER_HIGH));
    let mut walls = enclosure([EXTENT; 2], low);
    let [left, right] = layout.faces().map(f64::from);
    let (door, half) = (f64::from(layout.door_y), 0.5 * f64::from(door_width));
    for [upper, lower] in [[low - 1.0, door - half], [door + half, high + 1.0]] {
        // A door at a border leaves nothing of the wall on that side.
        if upper < lower {
            walls.push(Wall { low: [left, upper], high: [right, lower] });
        }
    }
    walls
}

/// The rail of a layout: the middle of the wall, `range` up and down from the middle of the door, as far as the borders let.
pub(super) fn rail(layout: Layout, range: f32, speed: f32) -> Rail {
    let door = f32::from(layout.door_y);
    let (low, high) = (geometry::BORDER_LOW + GUARD_RADIUS, geometry::BORDER_HIGH - GUARD_RADIUS);
    Rail { x: f32::from(layout.wall_x), ends: [(door - range).max(low), (door + range).min(high)], speed }
}

impl World for PatrolWorld {
    fn environment(&self, purpose: Purpose) -> Result<Box<dyn Environment>, EnvError> {
        Ok(Box::new(Patrol::new(self.clone(), purpose)))
    }

    fn policies(&self) -> &[&str] {
        &[Walk::NAME, Expert::NAME]
    }

    fn policy(&self, name: &str, _steps: usize) -> Option<Box<dyn Policy>> {
        match name {
            Walk::NAME => Some(Box::new(Walk::new(self.clone()))),
            Expert::NAME => Some(Box::new(Expert::new(self.clone()))),
            _ => None,
        }
    }
}
