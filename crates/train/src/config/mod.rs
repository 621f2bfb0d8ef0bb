//! The experiment's configuration: one TOML file, one section per part of the framework.

mod eval;
mod optimizer;
mod plan;
mod range;
mod schedule;
mod solver;
mod train;

pub use eval::EvalConfig;
pub use optimizer::OptimizerConfig;
pub use plan::{Collision, CostConfig, Layout, PlanConfig};
pub use schedule::{LearningRateConfig, MomentumConfig, ScheduleConfig, Warmup};
pub use solver::SolverConfig;
pub use train::TrainConfig;
