//! Experiment configuration, optimisation, schedules, checkpoints, resume and metrics.
//!
//! - [`config`]: the experiment file, its defaults, overrides and error messages
//! - [`train()`]: the training loop, for either kind of model
//! - [`RunFolder`]: where a run writes; [`load_model`] reads the newest weights back
//! - [`optimizer`] and [`schedule`]: `AdamW`, clipping by the global norm, learning rate and momentum over training
//! - [`Control`]: progress, and stopping

mod budget;
pub mod config;
mod control;
mod error;
mod learner;
mod load_model;
mod metrics;
pub mod optimizer;
mod recorder;
mod run;
pub mod schedule;
mod summary;
mod train;

pub use config::{
    Collision, CostConfig, EvalConfig, ExperimentConfig, Layout, LearningRateConfig, OptimizerConfig, PlanConfig,
    ScheduleConfig, SolverConfig, TrainConfig, load,
};
pub use control::{Control, Progress};
pub use error::TrainError;
pub use learner::{Learner, input_shape};
pub use load_model::load_model;
pub use run::{Checkpoint, CheckpointState, RunFolder};
pub use summary::{TrainSummary, peak_memory_bytes};
pub use train::{train, train_on};
