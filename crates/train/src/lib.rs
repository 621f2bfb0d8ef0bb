//! Experiment configuration, optimisation, schedules, checkpoints, resume and metrics.

pub mod config;

pub use config::{
    Collision, CostConfig, EvalConfig, Layout, LearningRateConfig, MomentumConfig, OptimizerConfig, PlanConfig,
    ScheduleConfig, SolverConfig, TrainConfig, Warmup,
};
