//! The masked (V-JEPA) model with its losses.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
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
        if let Some(term) = context.objective.first_that_needs(|needs| needs.time) {
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
        let deviations = if self.needs.deviations {
            let [_, _, frames, ..] = video.dims();
            let [_, rows, columns] = self.model.encoder.grid(frames, Camera { height, width });
            masks.iter().zip(&contexts).map(|(mask, context)| deviations(context, mask, rows * columns)).collect()
        } else {
            Vec::new()
        };
        let predicts = self.needs.rollout.is_some();
        let predictions = if predicts { self.predictions(model, video, masks, &contexts) } else { Vec::new() };
        self.context.objective.terms(&Seen {
            latents: None,
            predictions,
            one_step: None,
            deviations,
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

/// How far context tokens are from the mean of those at the same place of their clip, `[batch * n, dim]`.
///
/// # Shapes
/// - context: `[batch, n, dim]`, encoded with the mask
fn deviations(context: &Tensor<3>, mask: &MaskPair, places: usize) -> Tensor<2> {
    let [batch, count, _] = context.dims();
    let mut weights = Vec::with_capacity(batch * count * count);
    for ids in &mask.context {
        let mut at_place = vec![0_u32; places];
        for id in ids {
            at_place[id % places] += 1;
        }
        for (row, id) in ids.iter().enumerate() {
            let share = 1.0 / at_place[id % places] as f32;
            let mean = ids.iter().map(|other| if other % places == id % places { share } else { 0.0 });
            weights.extend(mean.enumerate().map(|(column, share)| if column == row { 1.0 - share } else { -share }));
        }
    }
    let weights = Tensor::<3>::from_data(TensorData::new(weights, [batch, count, count]), &context.device());
    weights.matmul(context.clone()).flatten(0, 1)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Two places; of the first clip both are seen twice, of the second one of them once.
    #[test]
    fn deviations_are_from_the_mean_of_the_same_place() {
        let context =
            Tensor::<3>::from_floats([[[1.0], [10.0], [5.0], [20.0]], [[1.0], [10.0], [5.0], [3.0]]], &Device::flex());
        let mask = MaskPair { context: vec![vec![0, 1, 2, 3], vec![0, 1, 2, 4]], target: vec![vec![4, 5]; 2] };
        let found = deviations(&context, &mask, 2).into_data().try_into_vec_as::<f32>().unwrap();
        let expected = [-2.0, -5.0, 2.0, 5.0, -2.0, 0.0, 2.0, 0.0];
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6), "{found:?}");
    }
}
