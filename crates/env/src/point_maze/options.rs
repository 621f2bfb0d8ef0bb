//! The keys of the world, `[env.point-maze]`.

use prevision_core::config;
use prevision_core::config::check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dynamics::{BALL_RADIUS, Motion};
use super::policies::{Expert, Walk};
use super::{PointMaze, STEP_SECONDS, SUBSTEPS};
use crate::maze::options::{check_route_steps, doors, told, told_layout};
use crate::maze::{Floor, PlanOptions, RoomLayout, scene};
use crate::registry::{Purpose, World};
use crate::{EnvError, Environment, Factor, FactorKind, FactorSampler, Factors, Policy, TimeStep, Variation};

/// Speed in m/s at which the lengths of routes are told in steps.
pub(crate) const CRUISE: f32 = 2.5;
/// Nominal radius with which the ball is drawn, in m: twice its own, as Gymnasium-Robotics draws it.
pub(super) const DRAWN_RADIUS: f32 = 0.2;

/// How a point maze is set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Options {
    /// Which floor plans there are.
    #[serde(flatten)]
    pub plans: PlanOptions,
    /// Side of a room, or of a block of a plan, in m. Default 2; plans of Gymnasium-Robotics have 1.
    pub room: f64,
    /// Least and largest length of the shortest route of a task, in steps at 2.5 m/s, of 0.125 m each. Default 10 and 100.
    pub route_steps: [f64; 2],
    /// Which factors of variation differ between episodes.
    pub variation: Variation,
}

impl Default for Options {
    fn default() -> Self {
        Self { plans: PlanOptions::default(), room: 2.0, route_steps: [10.0, 100.0], variation: Variation::default() }
    }
}

impl config::Options for Options {
    fn validate(&self) -> Result<(), String> {
        self.plans.validate()?;
        check("room", self.room).within(1.0, 100.0)?.done()?;
        check_route_steps(self.route_steps)?;
        self.variation.check(&factors())
    }
}

/// What can differ between the episodes of a point maze.
pub fn factors() -> Factors {
    let mut factors = scene::appearance(DRAWN_RADIUS);
    factors.extend([
        // A door of the narrowest rooms stays wider than the ball.
        Factor { bounds: [vec![0.35], vec![0.8]], nominal: vec![0.5], ..doors() }.training([0.4, 0.6]),
        Factor::number("motor.gear", FactorKind::Physics, 100.0, [50.0, 150.0]).training([80.0, 120.0]),
        Factor::number("joint.damping", FactorKind::Physics, 1.0, [0.0, 10.0]).training([0.5, 4.0]),
    ]);
    Factors::new(factors)
}

/// A point maze, set up.
#[derive(Debug, Clone)]
pub struct PointMazeWorld {
    pub(super) options: Options,
    pub(super) sampler: FactorSampler,
}

impl PointMazeWorld {
    /// Set up by these options.
    ///
    /// # Errors
    /// The key at fault, if a value is not allowed.
    pub fn new(options: Options) -> Result<Self, String> {
        config::Options::validate(&options)?;
        let sampler = FactorSampler::new(factors(), options.variation.clone())?;
        Ok(Self { options, sampler })
    }

    /// The floor for the middle of the ball, and the walls as they are seen.
    pub(super) fn floor(&self, layout: Option<&RoomLayout>, door_width: f32) -> (Floor, Vec<crate::maze::Wall>) {
        let (plans, room) = (&self.options.plans, self.options.room);
        let walls = plans.walls(layout, room, f64::from(door_width));
        (plans.floor(&walls, room, f64::from(BALL_RADIUS)), walls)
    }

    /// The floor of an episode, from what its first moment tells.
    pub(super) fn floor_of(&self, first: &TimeStep) -> Result<Floor, String> {
        let layout = told_layout(&self.options.plans, first)?;
        Ok(self.floor(layout.as_ref(), told(first, "door.width", &self.sampler)).0)
    }

    /// What moves the ball in an episode, from what its first moment tells.
    pub(super) fn motion_of(&self, first: &TimeStep) -> Motion {
        let [gear, damping] = ["motor.gear", "joint.damping"].map(|name| told(first, name, &self.sampler));
        Motion { gear, damping }
    }

    /// Lengths of the routes of tasks, in m.
    pub(super) fn route_lengths(&self) -> [f64; 2] {
        self.options.route_steps.map(|steps| steps * f64::from(CRUISE * STEP_SECONDS * SUBSTEPS as f32))
    }
}

impl World for PointMazeWorld {
    fn environment(&self, purpose: Purpose) -> Result<Box<dyn Environment>, EnvError> {
        Ok(Box::new(PointMaze::new(self.clone(), purpose)?))
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
