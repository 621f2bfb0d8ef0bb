//! The masked model, frozen: as evaluation knows it.
//!
//! The clip's last tubelets are hidden and predicted from the earlier ones; a step is a tubelet. Targets are the target encoder's
//! latents of the whole clip, layer-normed when training normalised them.

use burn::tensor::{Device, Tensor};
use prevision_core::{Normalise, Spaces};

use crate::frozen::{Forecast, FrozenModel, Wanted};
use crate::normalise::normalise_latents;
use crate::{ClipBatch, MaskPair, MaskedJepa};

/// A [`MaskedJepa`] off the tape, with what is fixed about it.
pub struct FrozenMaskedModel {
    model: MaskedJepa,
    spaces: Spaces,
    normalise: Normalise,
    normalise_targets: bool,
    /// `[time, height, width]` of the tokens of a clip.
    grid: [usize; 3],
    device: Device,
}

impl FrozenMaskedModel {
    /// `model` is off the tape (`model.valid()`) and on `device`; `grid` is that of its tokens, `[time, height, width]`.
    pub fn new(
        model: MaskedJepa,
        spaces: Spaces,
        normalise: Normalise,
        normalise_targets: bool,
        grid: [usize; 3],
        device: Device,
    ) -> Self {
        Self { model, spaces, normalise, normalise_targets, grid, device }
    }

    /// Tokens of a clip by their tubelet.
    ///
    /// # Shapes
    /// - tokens: `[b, tubelets * places, d]`
    /// - output: `[b, tubelets, places, d]`
    fn by_tubelet(&self, tokens: Tensor<3>) -> Tensor<4> {
        let [_, height, width] = self.grid;
        let [clips, count, dim] = tokens.dims();
        tokens.reshape([clips, count / (height * width), height * width, dim])
    }
}

impl FrozenModel for FrozenMaskedModel {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn normalise(&self) -> &Normalise {
        &self.normalise
    }

    fn device(&self) -> Device {
        self.device.clone()
    }

    fn longest_horizon(&self) -> (usize, &'static str) {
        (self.grid[0].saturating_sub(1), "tubelets")
    }

    fn forecast(&self, batch: &ClipBatch, wanted: Wanted) -> Forecast {
        let video = batch.observations.only_camera();
        let [tubelets, height, width] = self.grid;
        let (places, clips) = (height * width, video.dims()[0]);
        let targets = self.model.targets(video.clone());
        let targets = if self.normalise_targets { normalise_latents(targets) } else { targets };
        let observed = tubelets - wanted.steps;
        let predicted = (wanted.steps > 0).then(|| {
            let ids = |from: usize, to: usize| vec![(from * places..to * places).collect::<Vec<_>>(); clips];
            let mask = MaskPair { context: ids(0, observed), target: ids(observed, tubelets) };
            self.by_tubelet(self.model.predict(self.model.encode_context(video.clone(), &mask), &mask))
        });
        let context = wanted.context.then(|| self.by_tubelet(self.model.encode(video.clone())));
        Forecast { context, targets: self.by_tubelet(targets), observed, predicted }
    }

    /// The mean token of every tubelet.
    fn summary(&self, tokens: Tensor<4>) -> Tensor<3> {
        let [clips, tubelets, _, dim] = tokens.dims();
        tokens.mean_dim(2).reshape([clips, tubelets, dim])
    }
}
