//! A frozen model as evaluation knows it: what it encodes, and what it predicts of the rest of a clip.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use prevision_core::{Normalise, Spaces};

use crate::ClipBatch;
use crate::world_model::{Latents, Past, WorldModel};

/// What is asked of a batch of clips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The latents of the context encoder.
    pub context: bool,
    /// How many steps to predict; 0 for none.
    pub steps: usize,
}

/// Latents of clips, and what a model predicts of them.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// Latents of the context encoder, `[b, t, tokens, d]`; `None` where they are the targets, or were not asked for.
    pub context: Option<Tensor<4>>,
    /// What predictions aim at, for every moment of the clips, `[b, t, tokens, d]`.
    pub targets: Tensor<4>,
    /// How many of the moments, the first ones, the model saw before it predicted.
    pub observed: usize,
    /// The predicted latents of the moments after those, `[b, steps, tokens, d]`; `None` without steps.
    pub predicted: Option<Tensor<4>>,
}

/// A trained model, off the tape, that can be measured.
pub trait FrozenModel: Send + Sync {
    /// The clips it was trained on.
    fn spaces(&self) -> &Spaces;

    /// What pixels become before it sees them.
    fn normalise(&self) -> &Normalise;

    /// Where its weights are.
    fn device(&self) -> Device;

    /// Most steps ahead that a clip allows, and what a step is: `steps`, `tubelets`.
    fn longest_horizon(&self) -> (usize, &'static str);

    /// Moments that a clip is encoded to.
    fn moments(&self) -> usize {
        self.longest_horizon().0 + 1
    }

    /// Whether it predicts anything at all: an encoder on its own does not.
    fn predicts(&self) -> bool {
        true
    }

    /// Encodes clips and predicts the last `wanted.steps` of their moments.
    ///
    /// # Panics
    /// If the clips are too short or have no actions that it needs.
    fn forecast(&self, batch: &ClipBatch, wanted: Wanted) -> Forecast;

    /// One vector for each moment, by which futures are told apart, `[b, t, n]`: all tokens one after the other, unless the model
    /// knows better.
    ///
    /// # Shapes
    /// - tokens: `[b, t, tokens, d]`
    fn summary(&self, tokens: Tensor<4>) -> Tensor<3> {
        let [rows, time, count, width] = tokens.dims();
        tokens.reshape([rows, time, count * width])
    }

    /// How many tokens, the first ones, stay while an episode lasts.
    fn static_tokens(&self) -> usize {
        0
    }
}

/// Any world model, measured: it predicts from the first moment of a clip with the true actions, and aims at its own encodings.
pub struct FrozenWorldModel(pub Arc<dyn WorldModel>);

impl FrozenModel for FrozenWorldModel {
    fn spaces(&self) -> &Spaces {
        &self.0.spec().spaces
    }

    fn normalise(&self) -> &Normalise {
        &self.0.spec().normalise
    }

    fn device(&self) -> Device {
        self.0.device()
    }

    fn longest_horizon(&self) -> (usize, &'static str) {
        (self.spaces().frames.saturating_sub(1), "steps")
    }

    fn forecast(&self, batch: &ClipBatch, wanted: Wanted) -> Forecast {
        let latents = self.0.encode(&batch.observations);
        let predicted = (wanted.steps > 0).then(|| predict(self.0.as_ref(), &latents, batch, wanted.steps));
        Forecast { context: None, targets: latents.tokens, observed: 1, predicted }
    }

    fn static_tokens(&self) -> usize {
        self.0.spec().static_tokens
    }
}

/// Predicts `steps` latents after the first one with the clips' own actions, `[b, steps, tokens, d]`.
///
/// # Panics
/// If the clips have too few actions.
pub(crate) fn predict(model: &dyn WorldModel, latents: &Latents, batch: &ClipBatch, steps: usize) -> Tensor<4> {
    let actions = batch.actions.clone().expect("a world model needs clips with actions");
    let [rows, _, width] = actions.dims();
    let actions = actions.narrow(1, 0, steps).reshape([rows, 1, steps, width]);
    model.imagine(&Past { latents: latents.moments(0, 1), actions: None }, actions).tokens
}
