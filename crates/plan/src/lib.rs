//! Costs, solvers, receding horizon and closed-loop episodes.
//!
//! A plan is found and executed in this order:
//!
//! 1. a [`Solver`](solver::Solver) proposes candidate action sequences for every episode at once, from the
//!    [`noise`] it is given, [coloured](colour) in time if wanted and [limited](limit) to what the environment accepts;
//! 2. a [`Score`](score::Score) says what each would cost: [`ModelScore`](model_score::ModelScore) imagines the latents
//!    that would follow and applies a [`Cost`](cost::Cost), a distance to the latents of the goal;
//! 3. [`RecedingHorizon`](receding::RecedingHorizon) executes the beginning of the best plan, and plans again from there;
//! 4. [`run_episodes`] does so in an environment for many tasks and counts how many reach their goal.

pub mod action_plan;
pub mod colour;
pub mod cost;
mod episodes;
mod error;
mod film;
pub mod limit;
mod memory;
pub mod model_score;
pub mod noise;
mod observe;
pub mod receding;
mod results;
pub mod score;
pub mod setup;
pub mod solver;
mod trial;
mod wilson;

pub use action_plan::ActionPlan;
pub use episodes::{PlanProgress, run_episodes};
pub use error::PlanError;
pub use results::{Distance, EpisodeResult, PlanResults};
pub use wilson::wilson;
