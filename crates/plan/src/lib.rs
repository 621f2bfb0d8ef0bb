//! Costs, constraints, solvers, planning as a policy, and closed-loop episodes.
//!
//! A plan is found and executed in this order:
//!
//! 1. a [`Solver`](solver::Solver) proposes candidate action sequences for every episode at once, from the [`noise`] it is given,
//!    [coloured](colour) in time if wanted and brought into the action space;
//! 2. a [`Score`](score::Score) says what each would cost: [`ModelScore`](score::ModelScore) imagines the latents that would follow,
//!    adds up the [`Cost`](cost::Cost)s and the violations of [`Constraint`](constraint::Constraint)s;
//! 3. a [`Planner`], which is a [`Policy`](prevision_env::Policy), executes the beginning of the best plan, and plans again from
//!    there; [`Remembering`] puts a memory around it, [`Adapting`] adapts the model to what is seen, a [`reflex`], distilled from its
//!    plans, proposes where it searches;
//! 4. [`run_episodes`] lets any policy act in worlds for many tasks and counts how many reach their goal; [`Guardrails`] count what
//!    really happened against constraints.
//!
//! [`setup`] makes a planner from the `[plan]` section of a configuration, [`PlanConfig`].

pub mod action_plan;
mod adaptation_config;
mod baselines;
pub mod colour;
mod config;
pub mod constraint;
pub mod cost;
mod episodes;
mod error;
pub mod graph;
pub mod hierarchy;
mod memory_config;
pub mod noise;
mod policy;
mod readout;
pub mod reflex;
mod reflex_config;
mod results;
pub mod score;
pub mod setup;
pub mod solver;
#[cfg(test)]
mod toy_model;
mod wilson;

pub use action_plan::ActionPlan;
pub use adaptation_config::AdaptationConfig;
pub use baselines::baselines;
pub use config::PlanConfig;
#[cfg(feature = "videos")]
pub use episodes::{EpisodeVideos, EpisodeVideosError};
pub use episodes::{
    Guardrail, Guardrails, Moment, PlanProgress, PlanTrace, Rules, Traces, Watch, WatchError, run_episodes,
    run_judged_episodes,
};
pub use error::PlanError;
pub use memory_config::MemoryConfig;
pub use policy::{
    Adapting, Choices, Guidance, Guided, GuidedOptions, Hierarchical, LatentPolicy, Met, Planner, PlannerOptions,
    Proposal, RecedingHorizon, Remembering, WayOptions,
};
pub use reflex_config::ReflexConfig;
pub use results::{Adaptation, Baseline, Distance, EpisodeResult, PlanResults, Violations};
pub use setup::Parts;
pub use wilson::wilson;
