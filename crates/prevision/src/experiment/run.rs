//! A run folder with its experiment: what `eval` and `plan` begin with.

use std::path::Path;

use anyhow::Result;
use burn::tensor::Device;
use prevision_train::{Loaded, RunFolder, TrainError};

use super::Experiment;
use crate::Parts;

/// A run that was trained.
pub struct TrainedRun {
    /// Its folder.
    pub folder: RunFolder,
    /// Its experiment, with what was laid over it.
    pub experiment: Experiment,
}

impl TrainedRun {
    /// Opens a run and lays `overrides` over its experiment.
    ///
    /// # Errors
    /// If there is no run, or its experiment with the overrides is wrong.
    pub fn open(root: &Path, overrides: &[String], parts: &Parts) -> Result<Self> {
        let folder = RunFolder::open(root)?;
        let experiment = Experiment::load(&folder.path("config.toml"), overrides, parts)?;
        Ok(Self { folder, experiment })
    }

    /// The model of the newest checkpoint, on `device`, off the tape.
    ///
    /// # Errors
    /// If the run has no checkpoint, or a file of it cannot be read or does not fit the model.
    pub fn load(&self, parts: &Parts, device: &Device) -> Result<Loaded> {
        let checkpoint = self.folder.latest_checkpoint()?.ok_or_else(|| TrainError::NoRun {
            path: self.folder.root().to_owned(),
            message: "it has no checkpoint; train it first".to_owned(),
        })?;
        let task = self.experiment.task(parts).map_err(TrainError::Experiment)?;
        Ok(task.load(&checkpoint, &self.experiment.data.normalise, device)?)
    }
}
