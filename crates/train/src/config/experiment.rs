//! The whole experiment.

use prevision_data::DataConfig;
use prevision_model::ModelConfig;
use prevision_objective::ObjectiveConfig;
use serde::{Deserialize, Serialize};

use super::{EvalConfig, OptimizerConfig, PlanConfig, ScheduleConfig, TrainConfig};

/// Everything that decides what a run computes. A file holds only what differs from the defaults.
///
/// Relative paths are relative to the folder the program runs in, not to the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExperimentConfig {
    /// Seed of every random choice. Default 0.
    pub seed: u64,
    /// The clips.
    pub data: DataConfig,
    /// The networks.
    pub model: ModelConfig,
    /// The losses.
    pub objective: ObjectiveConfig,
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

impl ExperimentConfig {
    /// Checks every value that can be checked without opening a file.
    ///
    /// # Errors
    /// A sentence with the key, what was given and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        if i64::try_from(self.seed).is_err() {
            return Err(format!("seed is {}, but must be {} or less", self.seed, i64::MAX));
        }
        self.data.validate()?;
        self.model.validate().map_err(|message| format!("model.{message}"))?;
        self.objective.validate()?;
        match &self.model {
            ModelConfig::Masked(_) => self.objective.validate_masked()?,
            ModelConfig::ActionConditioned(model) => {
                if self.objective.static_similarity > 0.0 && model.static_encoder.is_none() {
                    return Err(format!(
                        "objective.static_similarity is {}, but the model has no static part: set model.static_encoder.kind",
                        self.objective.static_similarity
                    ));
                }
            }
        }
        self.optimizer.validate()?;
        self.schedule.validate(self.train.steps, self.optimizer.lr)?;
        if let (Some(momentum), None) = (self.schedule.final_momentum, self.model.target_momentum()) {
            return Err(format!(
                "schedule.final_momentum is {momentum}, but the model has no momentum target: set model.target.kind = \"momentum\""
            ));
        }
        self.train.validate()?;
        self.eval.validate()?;
        self.plan.validate()
    }

    /// The whole configuration, defaults included, as TOML that [`load`](super::load) reads back.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("every configuration is a tree of tables, numbers and strings")
    }
}
