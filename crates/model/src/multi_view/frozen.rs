//! The multi-view model, frozen: as evaluation knows it.

use burn::tensor::{Device, Tensor};
use prevision_core::{Normalise, Spaces};

use super::MultiViewJepa;
use crate::ClipBatch;
use crate::frozen::{Forecast, FrozenModel, Wanted};

/// A [`MultiViewJepa`] off the tape, with what is fixed about it. It encodes all tokens of a clip and predicts nothing.
pub struct FrozenMultiView {
    model: MultiViewJepa,
    spaces: Spaces,
    normalise: Normalise,
    /// `[time, height, width]` of the tokens of a clip.
    grid: [usize; 3],
    device: Device,
}

impl FrozenMultiView {
    /// `model` is off the tape (`model.valid()`) and on `device`; `grid` is that of its tokens, `[time, height, width]`.
    pub fn new(model: MultiViewJepa, spaces: Spaces, normalise: Normalise, grid: [usize; 3], device: Device) -> Self {
        Self { model, spaces, normalise, grid, device }
    }
}

impl FrozenModel for FrozenMultiView {
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
        (0, "tubelets")
    }

    fn moments(&self) -> usize {
        self.grid[0]
    }

    fn predicts(&self) -> bool {
        false
    }

    fn forecast(&self, batch: &ClipBatch, _: Wanted) -> Forecast {
        let [time, height, width] = self.grid;
        let tokens = self.model.encode(batch.observations.only_camera().clone());
        let [clips, _, dim] = tokens.dims();
        let targets = tokens.reshape([clips, time, height * width, dim]);
        Forecast { context: None, targets, observed: time, predicted: None }
    }

    /// The mean token of every tubelet.
    fn summary(&self, tokens: Tensor<4>) -> Tensor<3> {
        let [clips, tubelets, _, dim] = tokens.dims();
        tokens.mean_dim(2).reshape([clips, tubelets, dim])
    }
}
