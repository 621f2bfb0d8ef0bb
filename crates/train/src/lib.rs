//! Optimisation, schedules, checkpoints, resume and metrics.
//!
//! - [`Task`]: a model with its losses, all that the loop knows of either; [`tasks`] has the built-in ones
//! - [`train_on`]: the training loop, for any task on any data set
//! - [`RunFolder`]: where a run writes; [`AnyTask::load`] reads weights back
//! - [`config`]: the sections of an experiment that are read here
//! - [`optimizer`] and [`schedule`]: `AdamW`, clipping by the global norm, learning rate and momentum over training
//! - [`Team`]: processes that train one model together
//! - [`Control`]: progress, and stopping
//! - [`drawn`]: fresh weights that depend on a seed alone

mod any_task;
mod budget;
pub mod config;
mod control;
mod error;
mod init;
mod metrics;
pub mod optimizer;
mod recorder;
mod run;
pub mod schedule;
mod stages;
mod summary;
mod task;
pub mod tasks;
mod team;
mod train;

pub use any_task::{AnyTask, Loaded, Stepper, Steps};
pub use config::{LearningRateConfig, OptimizerConfig, ScheduleConfig, Settings, TrainConfig};
pub use control::{Control, Progress};
pub use error::TrainError;
pub use init::drawn;
pub use run::{Checkpoint, CheckpointState, RunFolder};
pub use stages::Stages;
pub use summary::{TrainSummary, peak_memory_bytes};
pub use task::Task;
pub use tasks::{ModelContext, Models, built_in_models};
pub use team::{Alone, Team, TeamError};
pub use train::train_on;
