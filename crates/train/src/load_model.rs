//! A trained model, ready for inference.

use burn::module::Module;
use burn::tensor::Device;
use prevision_model::{Jepa, weights};

use crate::config::ExperimentConfig;
use crate::{RunFolder, TrainError};

/// Reads the newest checkpoint of a run: its experiment, and the model on `device`, off the tape. The data are not needed.
///
/// # Errors
/// If the run has no checkpoint, or a file of it cannot be read or does not fit the model.
pub fn load_model(run: &RunFolder, device: &Device) -> Result<(ExperimentConfig, Jepa), TrainError> {
    let checkpoint = run.latest_checkpoint()?.ok_or_else(|| TrainError::NoRun {
        path: run.root().to_owned(),
        message: "it has no checkpoint; train it first".to_owned(),
    })?;
    let device = device.clone().without_autodiff();
    let config = checkpoint.config.clone();
    let mut model = config.model.init(&checkpoint.state.input(), &config.objective.heads(), &device);
    weights::load(&mut model, &checkpoint.weights())?;
    Ok((config, model.valid()))
}
