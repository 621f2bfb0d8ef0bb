//! What an episode asks for, and when it is reached.

use prevision_core::seed;
use rand::RngCore;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::coverage::coverage;
use super::draw::pose_parts;
use super::dynamics::{Build, State};
use super::factors::{self, OF_TASKS, pose};
use super::space::Space;
use super::vector::{length, sub};
use crate::{FactorSampler, FactorValues};

/// Under [`Rule::Pose`], agent and block must together be nearer to the goal than this, in pixels.
pub const SUCCESS_DISTANCE: f64 = 20.0;
/// Under [`Rule::Pose`], the angle of the block must be nearer to the goal's than this, in radians.
pub const SUCCESS_ANGLE: f64 = std::f64::consts::PI / 9.0;
/// Under [`Rule::Coverage`], the share of the goal that the block must cover.
pub const SUCCESS_COVERAGE: f64 = 0.95;

/// Draws of starts and goals before one with bodies in each other is taken: only values that are set can come to that.
const DRAWS: u64 = 1_000;

/// What counts as success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Agent and block are where they are at the goal: the norm of the four differences of position is below 20 pixels, and that of the
    /// angle, up to what looks the same, below π/9 (stable-worldmodel).
    #[default]
    Pose,
    /// The block covers more than 95 % of the goal pose that is drawn in green, wherever the agent is (gym-pusht).
    Coverage,
}

impl Rule {
    /// Its name in configurations and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pose => "pose",
            Self::Coverage => "coverage",
        }
    }
}

/// A start and a goal.
#[derive(Debug, Clone)]
pub struct Task {
    /// The values of the factors.
    pub values: FactorValues,
    /// Shapes and sizes.
    pub build: Build,
    /// How the episode begins.
    pub start: State,
    /// What is to be reached. Under [`Rule::Coverage`] the block is in the goal pose.
    pub goal: State,
}

impl Task {
    /// The task of this seed. As upstream, start and goal are drawn from the same ranges; unlike there, none is taken in which agent and
    /// block overlap or the block is in a wall.
    pub fn sample(seed: u64, rule: Rule, sampler: &FactorSampler) -> Self {
        let values = sampler.sample(seed);
        let build = factors::build(&values);
        let state = |purpose: &str, fixed: bool| {
            let mut drawn = state_of(&values);
            for draw in 0..DRAWS {
                let seed = seed::rng(seed, purpose, 0, draw).next_u64();
                drawn = state_of(&sampler.sample(seed));
                drawn.velocity = state_of(&values).velocity;
                if fixed {
                    let pose = pose(&values);
                    (drawn.block, drawn.angle) = (pose.position, pose.angle);
                }
                let space = build.space(&drawn);
                if !space.agent_touches() && (fixed || !space.block_leaves()) {
                    break;
                }
            }
            drawn
        };
        let start = state("push-t/start", false);
        let goal = state("push-t/goal", rule == Rule::Coverage);
        Self { values, build, start, goal }
    }

    /// What a recording says of the factors; not of those that the state shows.
    pub fn info(&self) -> std::collections::BTreeMap<String, Vec<f32>> {
        let mut info = self.values.info();
        info.retain(|name, _| !OF_TASKS.iter().any(|shown| name.strip_prefix("factor.") == Some(shown)));
        info
    }

    /// Distance to the goal in pixels: of agent and block together, or under [`Rule::Coverage`] of the block.
    pub fn distance(&self, rule: Rule, now: &State) -> f64 {
        let block = length(sub(now.block, self.goal.block));
        match rule {
            Rule::Pose => {
                let agent = length(sub(now.agent, self.goal.agent));
                (agent * agent + block * block).sqrt()
            }
            Rule::Coverage => block,
        }
    }

    /// How far the block is turned from the goal, up to what looks the same, in radians: at least 0.
    pub fn turn(&self, now: &State) -> f64 {
        let period = self.build.block.symmetry();
        let turn = (now.angle - self.goal.angle).rem_euclid(period);
        turn.min(period - turn)
    }

    /// Share of the goal pose that the block covers.
    pub fn coverage(&self, space: &Space) -> f64 {
        let block: Vec<_> = space.block.parts().collect();
        coverage(&block, &pose_parts(self.build.block, &pose(&self.values)))
    }

    /// Whether the goal is reached under [`Rule::Pose`].
    pub fn posed(&self, now: &State) -> bool {
        self.distance(Rule::Pose, now) < SUCCESS_DISTANCE && self.turn(now) < SUCCESS_ANGLE
    }
}

fn state_of(values: &FactorValues) -> State {
    State {
        agent: factors::pair(values, "agent.start_position"),
        block: factors::pair(values, "block.start_position"),
        angle: f64::from(values.number("block.angle")),
        velocity: factors::pair(values, "agent.velocity"),
    }
}
