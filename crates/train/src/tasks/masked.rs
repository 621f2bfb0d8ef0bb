//! The masked (V-JEPA) model with its losses.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use prevision_core::config::check::message;
use prevision_core::{Camera, Normalise, Spaces};
use prevision_model::{
    ClipBatch, FrozenMaskedModel, FrozenModel, MaskPair, MaskSampler, MaskedJepa, MaskedJepaConfig, Pixels,
    gather_tokens, normalise_latents, token_ids,
};
use prevision_objective::{Draw, LossTerms, Needs, Prediction, Seen};

use super::ModelContext;
use crate::schedule::momentum;
use crate::{AnyTask, Task};

/// Training of a [`MaskedJepa`].
///
/// The prediction is that of V-JEPA 2 (`app/vjepa/train.py`): for every mask the context encoder sees the context tokens alone, and
/// the predictor guesses the target tokens; the target encoder sees the whole clip once, off the tape. Regularisers see the context
/// tokens of all clips, mask by mask.
pub struct MaskedTask {
    model: MaskedJepaConfig,
    context: ModelContext,
    needs: Needs,
}

/// Makes the task for the registry.
pub(super) fn make(model: MaskedJepaConfig, context: &ModelContext) -> Result<Box<dyn AnyTask>, String> {
    Ok(Box::new(MaskedTask::new(model, context)?))
}

impl MaskedTask {
    /// The task of a valid configuration.
    ///
    /// # Errors
    /// The key below `[model]` that does not fit the objective.
    pub fn new(model: MaskedJepaConfig, context: &ModelContext) -> Result<Self, String> {
        if let Some(term) = context.objective.first_that_needs(|needs| needs.time || needs.latents) {
            let allowed = format!("\"action-conditioned\", or one of a like kind, for objective.{term}");
            return Err(message("kind", "\"masked\"", allowed));
        }
        Ok(Self { model, context: context.clone(), needs: context.objective.needs() })
    }

    /// The terms of a batch under these masks.
    ///
    /// # Panics
    /// If there is no mask.
    pub fn terms_under(&self, model: &MaskedJepa, batch: &ClipBatch, masks: &[MaskPair], draw: &Draw) -> LossTerms {
        let video = batch.observations.only_camera();
        let [.., height, width] = video.dims();
        let contexts: Vec<Tensor<3>> = masks.iter().map(|mask| model.encode_context(video.clone(), mask)).collect();
        let predicts = self.needs.rollout.is_some();
        let predictions = if predicts { self.predictions(model, video, masks, &contexts) } else { Vec::new() };
        self.context.objective.terms(&Seen {
            latents: None,
            predictions,
            one_step: None,
            spread: contexts.into_iter().map(|context| context.flatten(0, 1)).collect(),
            batch,
            heads: None,
            static_width: 0,
            frame: [height, width],
            draw: *draw,
        })
    }

    fn predictions(
        &self,
        model: &MaskedJepa,
        video: &Pixels,
        masks: &[MaskPair],
        contexts: &[Tensor<3>],
    ) -> Vec<Prediction> {
        let targets = model.targets(video.clone());
        let targets = if self.needs.normalised_targets { normalise_latents(targets) } else { targets };
        let device = targets.device();
        let predict = |(mask, context): (&MaskPair, &Tensor<3>)| Prediction {
            predicted: model.predict(context.clone(), mask),
            target: gather_tokens(targets.clone(), &token_ids(&mask.target, &device)),
        };
        masks.iter().zip(contexts).map(predict).collect()
    }
}

impl Task for MaskedTask {
    type Model = MaskedJepa;

    fn validate(&self, spaces: &Spaces) -> Result<(), String> {
        self.model.validate_spaces(spaces)?;
        self.context.objective.validate(spaces)
    }

    fn init(&self, spaces: &Spaces, device: &Device) -> MaskedJepa {
        self.model.init(spaces, device)
    }

    fn terms(&self, model: &MaskedJepa, batch: ClipBatch, draw: &Draw) -> LossTerms {
        let [clips, _, frames, height, width] = batch.observations.only_camera().dims();
        let grid = self.model.encoder.grid(frames, Camera { height, width });
        let sampler = MaskSampler::new(&self.model.masks, grid, draw.seed);
        let masks = sampler.sample(draw.first..draw.first + clips, draw.number);
        self.terms_under(model, &batch, &masks, draw)
    }

    fn after_step(&self, model: MaskedJepa, done: f64) -> MaskedJepa {
        model.update_target(momentum(self.model.momentum, self.context.final_momentum, done))
    }

    fn momentum(&self, done: f64) -> Option<f64> {
        Some(momentum(self.model.momentum, self.context.final_momentum, done))
    }

    fn latents(&self, model: &MaskedJepa, batch: &ClipBatch) -> Option<Tensor<2>> {
        let video = batch.observations.only_camera().clone().without_autodiff();
        Some(model.valid().encode(video).flatten(0, 1))
    }

    fn frozen(
        &self,
        model: MaskedJepa,
        spaces: &Spaces,
        normalise: &Normalise,
        device: &Device,
    ) -> Option<Arc<dyn FrozenModel>> {
        let (grid, normalised) = (self.model.grid(spaces), self.needs.normalised_targets);
        let frozen = FrozenMaskedModel::new(model, spaces.clone(), *normalise, normalised, grid, device.clone());
        Some(Arc::new(frozen))
    }
}
