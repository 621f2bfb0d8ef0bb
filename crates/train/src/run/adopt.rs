//! Runs whose weights were trained elsewhere.

use std::path::Path;

use burn::module::Module;
use prevision_core::Spaces;

use super::{CheckpointState, RunFolder};
use crate::optimizer::Optimizer;
use crate::{Settings, TrainError};

impl RunFolder {
    /// Makes a run folder of a model that was trained elsewhere, for clips of these streams, with a checkpoint after no step. It is
    /// evaluated, planned with, and resumed like any other.
    ///
    /// # Errors
    /// [`TrainError::RunExists`] if there is anything in the folder; if it cannot be written.
    pub fn adopt<M: Module>(root: &Path, model: &M, spaces: Spaces, settings: &Settings) -> Result<Self, TrainError> {
        let run = Self::create(root)?;
        let (config, seed) = (&settings.resolved, settings.seed);
        run.write("config.toml", config.to_string().as_bytes())?;
        let state = CheckpointState { step: 0, frames: 0, seconds: 0.0, seed, spaces };
        let optimizer = Optimizer::new(&settings.optimizer);
        run.save_checkpoint(model, &optimizer, &state, config, settings.train.keep_checkpoints)?;
        Ok(run)
    }
}
