//! The sections of an experiment that belong to training.

mod optimizer;
mod schedule;
mod settings;
mod train;

pub use optimizer::OptimizerConfig;
pub(crate) use schedule::warmup_share;
pub use schedule::{LearningRateConfig, ScheduleConfig};
pub use settings::Settings;
pub use train::TrainConfig;
