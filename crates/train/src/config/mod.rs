//! The experiment's configuration: one TOML file, one section per part of the framework.

mod eval;
mod experiment;
mod load;
mod locate;
mod optimizer;
mod overlay;
mod plan;
mod range;
mod schedule;
mod solver;
mod train;

pub use eval::EvalConfig;
pub use experiment::ExperimentConfig;
pub use load::{load, parse};
pub use optimizer::OptimizerConfig;
pub use plan::{Collision, CostConfig, Layout, PlanConfig, ReachabilityConfig};
pub(crate) use schedule::warmup_share;
pub use schedule::{LearningRateConfig, ScheduleConfig};
pub use solver::SolverConfig;
pub use train::TrainConfig;
