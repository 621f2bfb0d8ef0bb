//! The multi-view (`LeVJEPA`) model with its losses.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use prevision_core::config::check::message;
use prevision_core::{Normalise, Spaces};
use prevision_model::{ClipBatch, FrozenModel, FrozenMultiView, MultiViewConfig, MultiViewJepa, ViewSampler};
use prevision_objective::{Draw, LossTerms, Prediction, Seen};

use super::ModelContext;
use crate::{AnyTask, Task};

/// Training of a [`MultiViewJepa`].
///
/// The prediction is upstream's invariance (`main.py`, `multiview_forward`): the embedding of every view, the global one among them, aims at
/// that of the global view, and the gradient reaches both. Regularisers see the embeddings view by view.
pub struct MultiViewTask {
    model: MultiViewConfig,
    context: ModelContext,
}

/// Makes the task for the registry.
pub(super) fn make(model: MultiViewConfig, context: &ModelContext) -> Result<Box<dyn AnyTask>, String> {
    Ok(Box::new(MultiViewTask::new(model, context)?))
}

impl MultiViewTask {
    /// The task of a valid configuration.
    ///
    /// # Errors
    /// The key below `[model]` that does not fit the objective.
    pub fn new(model: MultiViewConfig, context: &ModelContext) -> Result<Self, String> {
        if let Some(term) = context.objective.first_that_needs(|needs| needs.time) {
            let allowed = format!("\"action-conditioned\", or one of a like kind, for objective.{term}");
            return Err(message("kind", "\"multi-view\"", allowed));
        }
        Ok(Self { model, context: context.clone() })
    }
}

impl Task for MultiViewTask {
    type Model = MultiViewJepa;

    fn validate(&self, spaces: &Spaces) -> Result<(), String> {
        self.model.validate_spaces(spaces)?;
        self.context.objective.validate(spaces)
    }

    fn init(&self, _: &Spaces, device: &Device) -> MultiViewJepa {
        self.model.init(device)
    }

    fn terms(&self, model: &MultiViewJepa, batch: ClipBatch, draw: &Draw) -> LossTerms {
        let video = batch.observations.only_camera();
        let [clips, _, _, height, width] = video.dims();
        let sampler =
            ViewSampler::new(&self.model.views, self.model.encoder.tubelet, self.model.encoder.patch, draw.seed);
        let views = sampler.sample(video, &(draw.first..draw.first + clips), draw.number);
        let latents = model.embed(&views);
        let [_, count, dim] = latents.dims();
        let global = latents.clone().narrow(1, 0, 1).expand([clips, count, dim]);
        let view = |view: usize| latents.clone().narrow(1, view, 1).squeeze_dim(1);
        self.context.objective.terms(&Seen {
            predictions: vec![Prediction { predicted: latents.clone(), target: global }],
            one_step: None,
            spread: (0..count).map(view).collect(),
            latents: Some(latents),
            batch: &batch,
            heads: None,
            static_width: 0,
            frame: [height, width],
            draw: *draw,
        })
    }

    fn latents(&self, model: &MultiViewJepa, batch: &ClipBatch) -> Option<Tensor<2>> {
        let video = batch.observations.only_camera().clone().without_autodiff();
        Some(model.valid().encode(video).flatten(0, 1))
    }

    fn frozen(
        &self,
        model: MultiViewJepa,
        spaces: &Spaces,
        normalise: &Normalise,
        device: &Device,
    ) -> Option<Arc<dyn FrozenModel>> {
        let grid = self.model.grid(spaces);
        Some(Arc::new(FrozenMultiView::new(model, spaces.clone(), *normalise, grid, device.clone())))
    }
}
