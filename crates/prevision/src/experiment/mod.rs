//! The experiment file: the sum of the sections that the crates own.

mod load;
mod renamed;
mod resolve;
mod run;
mod schema;

use std::path::PathBuf;
use std::sync::Arc;

use prevision_core::config::{Part, WeightedParts};
use prevision_data::{ClipDataset, DataConfig, DataError, Source, Split};
use prevision_env::registry::EnvConfig;
use prevision_eval::EvalConfig;
use prevision_objective::Objective;
use prevision_plan::PlanConfig;
use prevision_train::{AnyTask, ModelContext, OptimizerConfig, ScheduleConfig, Settings, TrainConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Table;

use crate::Parts;

pub use run::TrainedRun;

/// Everything that decides what a run computes. A file holds only what differs from the defaults.
///
/// Relative paths are relative to the folder the program runs in, not to the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Experiment {
    /// Seed of every random choice. Default 0.
    pub seed: u64,
    /// The clips.
    pub data: DataConfig,
    /// The networks, see [`schema`](Self::schema).
    #[schemars(skip)]
    pub model: Part,
    /// The losses, see [`schema`](Self::schema).
    #[schemars(skip)]
    pub objective: WeightedParts,
    /// The world.
    pub env: EnvConfig,
    /// The optimiser.
    pub optimizer: OptimizerConfig,
    /// What changes over training.
    pub schedule: ScheduleConfig,
    /// Budget, logging and checkpoints.
    pub train: TrainConfig,
    /// Measurements of the frozen model.
    pub eval: EvalConfig,
    /// Planning with the frozen model.
    pub plan: PlanConfig,
}

impl Default for Experiment {
    fn default() -> Self {
        Self {
            seed: 0,
            data: DataConfig::default(),
            model: Part::new("action-conditioned"),
            objective: WeightedParts::default(),
            env: EnvConfig::default(),
            optimizer: OptimizerConfig::default(),
            schedule: ScheduleConfig::default(),
            train: TrainConfig::default(),
            eval: EvalConfig::default(),
            plan: PlanConfig::default(),
        }
    }
}

/// No experiment could be made of a file and what is laid over it.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It says something wrong.
    #[error("{}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The key, what was given and what is allowed.
        message: String,
    },
}

impl Experiment {
    /// The configured source of clips.
    ///
    /// # Errors
    /// The key at fault, its value and what is allowed.
    pub fn source(&self, parts: &Parts) -> Result<Box<dyn Source>, String> {
        let source = self.data.source(&parts.sources, &parts.formats)?;
        source.validate(&self.data)?;
        Ok(source)
    }

    /// Opens one side of the configured data set.
    ///
    /// # Errors
    /// If the configuration is wrong, or something of the source is missing or empty.
    pub fn dataset(&self, parts: &Parts, split: Split) -> Result<Arc<dyn ClipDataset>, DataError> {
        let source = self.source(parts).map_err(DataError::Config)?;
        prevision_data::open(&self.data, source.as_ref(), split, self.seed)
    }

    /// The configured model with its losses.
    ///
    /// # Errors
    /// The key at fault, its value and what is allowed.
    pub fn task(&self, parts: &Parts) -> Result<Box<dyn AnyTask>, String> {
        let objective = Arc::new(Objective::new(&self.objective, &parts.terms)?);
        let context = ModelContext { objective, final_momentum: self.schedule.final_momentum };
        parts.models.make("model", &self.model.kind, &self.model.keys, &context)
    }

    /// What the training loop is told.
    pub fn settings(&self) -> Settings {
        Settings {
            seed: self.seed,
            data: self.data.clone(),
            optimizer: self.optimizer.clone(),
            schedule: self.schedule.clone(),
            train: self.train.clone(),
            resolved: self.to_table(),
        }
    }

    /// The experiment as tables.
    pub fn to_table(&self) -> Table {
        Table::try_from(self).expect("every configuration is a tree of tables, numbers and strings")
    }
}
