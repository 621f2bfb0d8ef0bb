//! `[plan]`: the world, the cost and the episodes of closed-loop planning.

use serde::{Deserialize, Serialize};

use super::range::check;
use super::solver::SolverConfig;

/// Configuration of planning with a trained model in an environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlanConfig {
    /// Name of the environment. Default `two-rooms`.
    pub environment: String,
    /// Which layouts the environment draws. Default `random`.
    pub layout: Layout,
    /// What happens when an action runs into a wall. Default `stop`.
    pub collision: Collision,
    /// The search over action sequences, `[plan.solver]`. Default `cem`.
    pub solver: SolverConfig,
    /// Length of a plan, in actions of the model. Default 30.
    pub horizon: usize,
    /// Actions of a plan that are executed before the next plan. Default 1.
    pub execute: usize,
    /// Whether a plan starts from the rest of the one before it. Default true.
    pub warm_start: bool,
    /// Standard deviation of the first sampled actions, in the environment's unit of actions. Default 1.5.
    pub initial_std: f64,
    /// Sampled actions are scaled down to this Euclidean norm. Unset: the environment's own largest norm.
    pub action_norm: Option<f64>,
    /// What is minimised. Default `latent`.
    pub cost: CostConfig,
    /// Whether the cost is summed over the steps of the horizon; otherwise only its last step counts. Default true.
    pub summed: bool,
    /// A price on imagined latents that are farther from the present than actions can lead, by the learned distance.
    pub reachability: ReachabilityConfig,
    /// Steps by which passing a place becomes longer, for the rest of an episode, where a plan was to bring the agent and did not, or
    /// where it came to a stop. Default 0: nothing is remembered. Needs a model with a distance head of kind `field`.
    pub memory: f64,
    /// Largest number of actions in an episode. Unset: the environment's own.
    pub max_steps: Option<usize>,
    /// Whether an episode ends when it arrives. That is cheaper; otherwise every episode runs to its last step, so that
    /// one run gives both the rate of episodes that arrived and of those still there at the end. Default false.
    pub stop_on_arrival: bool,
    /// Number of episodes. Default 50.
    pub episodes: usize,
    /// How many of the episodes are filmed when a folder for videos is given. Default 4.
    pub videos: usize,
}

/// What catches a predictor that leads through walls, `[plan.reachability]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReachabilityConfig {
    /// Price of every step that an imagined latent is too far. Default 0: off. Needs a model with a distance head.
    pub weight: f64,
    /// Steps, as the distance head counts them, that one action can lead at most. Default 2.
    pub steps_per_action: f64,
    /// Steps that are always granted. Default 4.
    pub slack: f64,
}

impl Default for ReachabilityConfig {
    fn default() -> Self {
        Self { weight: 0.0, steps_per_action: 2.0, slack: 4.0 }
    }
}

/// Which layouts the environment draws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Another layout in each episode, from those held out of the recordings.
    #[default]
    Random,
    /// The same layout in each episode.
    Fixed,
}

/// What happens when an action runs into a wall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Collision {
    /// The agent stays where it was, as in the recordings.
    #[default]
    Stop,
    /// The agent stops at the wall with some noise, as in the reference implementation's environment.
    Bounce,
}

/// Distance from an imagined latent to the goal's latent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CostConfig {
    /// Mean squared difference of the latents.
    #[default]
    Latent,
    /// Number of steps as the model's distance head predicts it.
    Distance,
}

impl Default for PlanConfig {
    fn default() -> Self {
        Self {
            environment: "two-rooms".to_owned(),
            layout: Layout::default(),
            collision: Collision::default(),
            solver: SolverConfig::default(),
            horizon: 30,
            execute: 1,
            warm_start: true,
            initial_std: 1.5,
            action_norm: None,
            cost: CostConfig::default(),
            summed: true,
            reachability: ReachabilityConfig::default(),
            memory: 0.0,
            max_steps: None,
            stop_on_arrival: false,
            episodes: 50,
            videos: 4,
        }
    }
}

impl PlanConfig {
    /// Checks the ranges. The environment's name is checked when it is made.
    ///
    /// # Errors
    /// A sentence with the key, what was given and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        self.solver.validate()?;
        check("plan.horizon", self.horizon as f64).at_least(1.0)?;
        check("plan.execute", self.execute as f64).at_least(1.0)?.at_most(self.horizon as f64, "plan.horizon")?;
        check("plan.initial_std", self.initial_std).above(0.0)?;
        check("plan.memory", self.memory).at_least(0.0)?;
        check("plan.reachability.weight", self.reachability.weight).at_least(0.0)?;
        check("plan.reachability.steps_per_action", self.reachability.steps_per_action).above(0.0)?;
        check("plan.reachability.slack", self.reachability.slack).at_least(0.0)?;
        if let Some(norm) = self.action_norm {
            check("plan.action_norm", norm).above(0.0)?;
        }
        if let Some(steps) = self.max_steps {
            check("plan.max_steps", steps as f64).at_least(1.0)?;
        }
        check("plan.episodes", self.episodes as f64).at_least(1.0)?;
        Ok(())
    }
}
