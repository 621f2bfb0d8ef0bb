//! The loss of a masked (V-JEPA) model.

use burn::prelude::*;
use prevision_model::{MaskPair, MaskedJepa, gather_tokens, token_ids};

use crate::prediction::normalise;
use crate::terms::{LossTerms, Sum};
use crate::{ObjectiveConfig, prediction};

impl ObjectiveConfig {
    /// The masked latent prediction loss of V-JEPA 2 (`app/vjepa/train.py`), averaged over the masks.
    ///
    /// The target encoder sees the whole clip once, off the tape; its latents are layer-normed without affine parameters
    /// when `prediction.normalise_targets` asks for it. For every mask the context encoder sees only the context
    /// tokens, and the predictor guesses the target tokens.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - every term: `[1]`
    ///
    /// # Panics
    /// If there is no mask.
    pub fn masked_terms(&self, model: &MaskedJepa, video: Tensor<5>, masks: &[MaskPair]) -> LossTerms {
        assert!(!masks.is_empty(), "a masked objective needs at least one mask");
        let mut sum = Sum::default();
        sum.add("prediction", self.prediction.weight, || self.masked_error(model, &video, masks));
        sum.finish()
    }

    fn masked_error(&self, model: &MaskedJepa, video: &Tensor<5>, masks: &[MaskPair]) -> Tensor<1> {
        let targets = model.targets(video.clone());
        let targets = if self.prediction.normalise_targets { normalise(targets) } else { targets };
        let device = targets.device();
        let sum = masks
            .iter()
            .map(|mask| {
                let predicted = model.predict(video.clone(), mask);
                let target = gather_tokens(targets.clone(), &token_ids(&mask.target, &device));
                prediction(predicted, target, self.prediction.loss, false)
            })
            .reduce(|a, b| a + b);
        sum.expect("at least one mask") / masks.len() as f64
    }
}
