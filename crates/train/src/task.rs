//! A task: a model, its losses, and what happens after a step. All that the training loop knows of either.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use prevision_core::{Normalise, Spaces};
use prevision_model::{ClipBatch, FrozenModel, FrozenWorldModel, WorldModel};
use prevision_objective::{Draw, LossTerms};

/// What is trained. One implements it for a Burn module of one's own, and trains with the same loop, checkpoints, metrics and
/// report as the built-in models.
pub trait Task: Send + Sync + 'static {
    /// The module that learns.
    type Model: Module + 'static;

    /// Checks that the task can be done on clips of these streams, before anything is written.
    ///
    /// # Errors
    /// The key at fault, its value and what the clips allow.
    fn validate(&self, spaces: &Spaces) -> Result<(), String>;

    /// A model with fresh weights, drawn from the device's generator, which was seeded before. On the tape if the device is.
    fn init(&self, spaces: &Spaces, device: &Device) -> Self::Model;

    /// A fresh model with what it takes from elsewhere, such as the weights of an encoder: when a training begins, not when it goes on from a
    /// checkpoint.
    ///
    /// # Errors
    /// The key below `[model]` at fault, and why it cannot be had.
    fn prepare(&self, model: Self::Model) -> Result<Self::Model, String> {
        Ok(model)
    }

    /// The loss of a batch and its terms. Random choices depend on `draw` alone.
    fn terms(&self, model: &Self::Model, batch: ClipBatch, draw: &Draw) -> LossTerms;

    /// What happens to the model after a step of the optimiser, as a target encoder that follows. `done` is the share of the training
    /// that is done with the step, above 0 up to 1.
    #[must_use]
    fn after_step(&self, model: Self::Model, done: f64) -> Self::Model {
        let _ = done;
        model
    }

    /// The momentum of the target encoder that [`after_step`](Self::after_step) moves, for the metrics; `None` without one.
    fn momentum(&self, done: f64) -> Option<f64> {
        let _ = done;
        None
    }

    /// Latents of clips, one row for each frame or token, `[n, dim]`, off the tape: for the histogram of their standard deviations.
    fn latents(&self, model: &Self::Model, batch: &ClipBatch) -> Option<Tensor<2>> {
        let _ = (model, batch);
        None
    }

    /// Where the model sees the agent at each moment of the only clip of a batch, `[t, 2]`, x and y in pixels of the camera: to be
    /// marked in a picture.
    fn positions(&self, model: &Self::Model, batch: &ClipBatch) -> Option<Tensor<2>> {
        let _ = (model, batch);
        None
    }

    /// The trained model as planning knows it, if it imagines what follows actions. `model` is off the tape and on `device`.
    fn world_model(
        &self,
        model: Self::Model,
        spaces: &Spaces,
        normalise: &Normalise,
        device: &Device,
    ) -> Option<Arc<dyn WorldModel>> {
        let _ = (model, spaces, normalise, device);
        None
    }

    /// The trained model as evaluation knows it. `model` is off the tape and on `device`. By default the world model, measured.
    fn frozen(
        &self,
        model: Self::Model,
        spaces: &Spaces,
        normalise: &Normalise,
        device: &Device,
    ) -> Option<Arc<dyn FrozenModel>> {
        let world_model = self.world_model(model, spaces, normalise, device)?;
        Some(Arc::new(FrozenWorldModel(world_model)))
    }
}
