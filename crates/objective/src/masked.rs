//! The loss of a masked (V-JEPA) model.

use burn::prelude::*;
use prevision_kernels::Pixels;
use prevision_model::{MaskPair, MaskedJepa, gather_tokens, token_ids};

use crate::prediction::normalise;
use crate::terms::{LossTerms, Sum};
use crate::{ObjectiveConfig, covariance, prediction, variance};

impl ObjectiveConfig {
    /// The masked latent prediction loss of V-JEPA 2 (`app/vjepa/train.py`), averaged over the masks, and the regularisers.
    ///
    /// The target encoder sees the whole clip once, off the tape; its latents are layer-normed without affine parameters
    /// when `prediction.normalise_targets` asks for it. For every mask the context encoder sees only the context
    /// tokens, and the predictor guesses the target tokens. Variance and covariance are those of the context tokens of all clips,
    /// averaged over the masks.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - every term: `[1]`
    ///
    /// # Panics
    /// If there is no mask.
    pub fn masked_terms(&self, model: &MaskedJepa, video: impl Into<Pixels>, masks: &[MaskPair]) -> LossTerms {
        assert!(!masks.is_empty(), "a masked objective needs at least one mask");
        let video = video.into();
        let contexts: Vec<Tensor<3>> = masks.iter().map(|mask| model.encode_context(video.clone(), mask)).collect();
        let over_masks = |term: &dyn Fn(Tensor<2>) -> Tensor<1>| {
            let terms: Vec<_> = contexts.iter().map(|context| term(context.clone().flatten(0, 1))).collect();
            mean(terms)
        };
        let mut sum = Sum::default();
        sum.add("prediction", self.prediction.weight, || self.masked_error(model, &video, masks, &contexts));
        sum.add("variance", self.variance, || over_masks(&|tokens| variance(tokens, self.variance_margin)));
        sum.add("covariance", self.covariance, || over_masks(&covariance));
        sum.finish()
    }

    fn masked_error(
        &self,
        model: &MaskedJepa,
        video: &Pixels,
        masks: &[MaskPair],
        contexts: &[Tensor<3>],
    ) -> Tensor<1> {
        let targets = model.targets(video.clone());
        let targets = if self.prediction.normalise_targets { normalise(targets) } else { targets };
        let device = targets.device();
        let errors = masks.iter().zip(contexts).map(|(mask, context)| {
            let predicted = model.predict(context.clone(), mask);
            let target = gather_tokens(targets.clone(), &token_ids(&mask.target, &device));
            prediction(predicted, target, self.prediction.loss, false)
        });
        mean(errors.collect())
    }
}

/// The mean of one value per mask.
fn mean(values: Vec<Tensor<1>>) -> Tensor<1> {
    let count = values.len() as f64;
    values.into_iter().reduce(|a, b| a + b).expect("at least one mask") / count
}
