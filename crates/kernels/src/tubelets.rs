//! Videos as rows of tubelets.

use burn::tensor::Tensor;

use crate::array::Array;
use crate::cpu::tubelets::Tubelets;
use crate::operation::{Operation, apply, runs_on};

/// Cuts videos into tubelets of `frames` frames and `patch` x `patch` pixels; with `frames` 1 into the patches of every frame.
///
/// # Shapes
/// - video: `[batch, channels, time, height, width]`
/// - output: `[batch, tokens, channels * frames * patch * patch]`, tokens in (time, height, width) order, numbers in (channel, frame,
///   row, column) order
///
/// # Panics
/// If an axis is not a multiple of the tubelet.
pub(crate) fn tubelets(video: Tensor<5>, frames: usize, patch: usize) -> Tensor<3> {
    let sizes = Tubelets { video: video.dims(), frames, patch };
    // Says so if there is a rest.
    let _ = sizes.grid();
    if runs_on(&video) { apply(vec![video.into_dispatch()], sizes) } else { composed(video, frames, patch) }
}

/// The same as operations of Burn.
pub(crate) fn composed(video: Tensor<5>, frames: usize, patch: usize) -> Tensor<3> {
    let sizes = Tubelets { video: video.dims(), frames, patch };
    let ([batch, channels, ..], [t, h, w]) = (sizes.video, sizes.grid());
    video.reshape([batch, channels, t, frames, h, patch, w, patch]).permute([0, 2, 4, 6, 1, 3, 5, 7]).reshape([
        batch,
        t * h * w,
        sizes.depth(),
    ])
}

impl Operation for Tubelets {
    fn forward(&self, inputs: &[Array], _: bool) -> (Array, Vec<Array>) {
        let tokens = self.grid().iter().product();
        let out = Array::filled([self.video[0], tokens, self.depth()], |out| self.split(inputs[0].values(), out));
        (out, Vec::new())
    }

    fn needs(&self, _: usize) -> bool {
        false
    }

    fn backward(&self, _: &[Option<Array>], _: &[Array], gradient: Array, _: &[bool]) -> Vec<Option<Array>> {
        vec![Some(Array::filled(self.video, |video| self.join(gradient.values(), video)))]
    }
}
