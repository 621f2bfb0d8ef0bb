//! The keys of the world, `[env.maze]`.

use prevision_core::config;
use prevision_core::config::check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::collision::Collision;
use super::distractor::DistractorMotion;
use super::expert::Expert;
use super::floor::Floor;
use super::layout::RoomLayout;
use super::plan::{LayoutChoice, PlanOptions};
use super::scene;
use super::walk::Walk;
use super::{ACTION_NORM, Maze};
use crate::registry::{Purpose, World};
use crate::two_rooms::LayoutSplit;
use crate::{EnvError, Environment, Factor, FactorKind, FactorSampler, Factors, Policy, TimeStep, Variation};

/// How a maze is set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Options {
    /// Which floor plans there are.
    #[serde(flatten)]
    pub plans: PlanOptions,
    /// Side of a room, or of a block of a plan, in the units of the world: actions are at most 2 of them long. Default 16, so that 4 by 4
    /// rooms are drawn with a pixel to each unit.
    pub room: f64,
    /// What happens when a move meets a wall. Default `stop`.
    pub collision: Collision,
    /// Number of coloured dots that play no part. Default 0.
    pub distractors: usize,
    /// Whether they move. Default `drift`.
    pub distractor_motion: DistractorMotion,
    /// Least and largest length of the shortest route of a task, in steps of 2 units. Default 10 and 100.
    pub route_steps: [f64; 2],
    /// Which factors of variation differ between episodes.
    pub variation: Variation,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            plans: PlanOptions::default(),
            room: 16.0,
            collision: Collision::Stop,
            distractors: 0,
            distractor_motion: DistractorMotion::Drift,
            route_steps: [10.0, 100.0],
            variation: Variation::default(),
        }
    }
}

/// Checks the keys that say how long routes are.
pub(crate) fn check_route_steps([shortest, longest]: [f64; 2]) -> Result<(), String> {
    check("route_steps.0", shortest).at_least(1.0)?.done()?;
    check("route_steps.1", longest).at_least(shortest)?.done()
}

impl config::Options for Options {
    fn validate(&self) -> Result<(), String> {
        self.plans.validate()?;
        check("room", self.room).within(4.0, 256.0)?.done()?;
        check("distractors", self.distractors as f64).within(0.0, 1_000.0)?.done()?;
        check_route_steps(self.route_steps)?;
        self.variation.check(&factors())
    }
}

/// Nominal radius with which the agent is drawn, in units.
pub(crate) const AGENT_RADIUS: f32 = 2.0;

/// What can differ between the episodes of a maze.
pub fn factors() -> Factors {
    let mut factors = scene::appearance(AGENT_RADIUS);
    factors.push(doors());
    factors.push(Factor::number("agent.speed", FactorKind::Physics, 1.0, [0.5, 1.5]).training([0.8, 1.2]));
    Factors::new(factors)
}

/// Width of the doors of rooms, as a share of what is free between two walls.
pub(crate) fn doors() -> Factor {
    Factor::number("door.width", FactorKind::Physics, 0.4, [0.2, 0.8]).training([0.3, 0.5])
}

/// A number that a policy knows of an episode: what its first moment tells, or else what all episodes have.
pub(crate) fn told(first: &TimeStep, name: &str, sampler: &FactorSampler) -> f32 {
    let told = first.info.get(&format!("factor.{name}")).and_then(|value| value.first());
    told.copied().unwrap_or_else(|| sampler.sample(0).number(name))
}

/// A maze, set up.
#[derive(Debug, Clone)]
pub struct MazeWorld {
    pub(super) options: Options,
    pub(super) sampler: FactorSampler,
}

impl MazeWorld {
    /// Set up by these options.
    ///
    /// # Errors
    /// The key at fault, if a value is not allowed.
    pub fn new(options: Options) -> Result<Self, String> {
        config::Options::validate(&options)?;
        let sampler = FactorSampler::new(factors(), options.variation.clone())?;
        Ok(Self { options, sampler })
    }

    /// The floor of an episode, from what its first moment tells.
    pub(super) fn floor_of(&self, first: &TimeStep) -> Result<Floor, String> {
        let (plans, room) = (&self.options.plans, self.options.room);
        let layout = told_layout(plans, first)?;
        let walls = plans.walls(layout.as_ref(), room, f64::from(told(first, "door.width", &self.sampler)));
        Ok(plans.floor(&walls, room, 0.0))
    }

    /// How far an action of norm 1 goes in an episode, in units.
    pub(super) fn speed_of(&self, first: &TimeStep) -> f32 {
        told(first, "agent.speed", &self.sampler)
    }

    /// Lengths of the routes of tasks, in units.
    pub(super) fn route_lengths(&self) -> [f64; 2] {
        self.options.route_steps.map(|steps| steps * f64::from(ACTION_NORM))
    }
}

/// The rooms of an episode, from what a moment of it tells.
pub(crate) fn told_layout(plans: &PlanOptions, first: &TimeStep) -> Result<Option<RoomLayout>, String> {
    match (plans.layout, first.info.get("layout")) {
        (LayoutChoice::Random, Some(numbers)) => RoomLayout::from_numbers(plans.rooms, numbers).map(Some),
        (LayoutChoice::Random, None) => Err("it needs to be told the layout, the place of each door".to_owned()),
        // The same for every split and seed.
        (LayoutChoice::FourRooms | LayoutChoice::Plan, _) => Ok(plans.sample(LayoutSplit::All, 0, 0)),
    }
}

impl World for MazeWorld {
    fn environment(&self, purpose: Purpose) -> Result<Box<dyn Environment>, EnvError> {
        Ok(Box::new(Maze::new(self.clone(), purpose)?))
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
