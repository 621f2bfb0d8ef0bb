//! What a training is told beside its task and its data set.

use prevision_core::config::check::ensure;
use prevision_data::DataConfig;
use toml::Table;

use super::{OptimizerConfig, ScheduleConfig, TrainConfig};

/// The sections that the training loop reads, and the whole configuration as it is to be written into the run folder.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Seed of every random choice. Default 0.
    pub seed: u64,
    /// How clips are batched; the data set is handed over beside it.
    pub data: DataConfig,
    /// The optimiser.
    pub optimizer: OptimizerConfig,
    /// What changes over training.
    pub schedule: ScheduleConfig,
    /// Budget, logging and checkpoints.
    pub train: TrainConfig,
    /// The whole experiment with every default in place. It is written into the run folder, and compared with that of the run when
    /// it is resumed.
    pub resolved: Table,
}

impl Settings {
    /// Checks every value that can be checked without the data.
    ///
    /// # Errors
    /// A sentence with the key, what was given and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        // TOML has no larger integers.
        let largest = i64::MAX;
        ensure(i64::try_from(self.seed).is_ok(), "seed", self.seed, format_args!("{largest} or less"))?;
        self.data.validate()?;
        self.optimizer.validate()?;
        self.schedule.validate(self.train.steps, self.optimizer.lr)?;
        self.train.validate()
    }
}
