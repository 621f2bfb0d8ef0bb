//! Videos as rows of tubelets.

use burn::tensor::Tensor;

use crate::array::Array;
use crate::cpu::Runtime;
use crate::cpu::tubelets::{Cut, Numbers};
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
    let [_, _, time, height, width] = video.dims();
    assert!(
        time.is_multiple_of(frames) && height.is_multiple_of(patch) && width.is_multiple_of(patch),
        "a video {:?} in tubelets of {frames} x {patch} x {patch}",
        video.dims()
    );
    if !runs_on(&video) {
        return composed(video, frames, patch);
    }
    let cut = Cut { frames, patch, grid: [height / patch, width / patch] };
    let sizes = video.dims();
    apply(vec![video.into_dispatch()], Tubelets { cut, sizes })
}

/// The same as operations of Burn.
pub(crate) fn composed(video: Tensor<5>, frames: usize, patch: usize) -> Tensor<3> {
    let [batch, channels, time, height, width] = video.dims();
    let (t, h, w) = (time / frames, height / patch, width / patch);
    video.reshape([batch, channels, t, frames, h, patch, w, patch]).permute([0, 2, 4, 6, 1, 3, 5, 7]).reshape([
        batch,
        t * h * w,
        channels * frames * patch * patch,
    ])
}

#[derive(Debug)]
struct Tubelets {
    cut: Cut,
    /// `[batch, channels, time, height, width]`
    sizes: [usize; 5],
}

impl Operation for Tubelets {
    fn forward(&self, runtime: Runtime, inputs: &[Array], _: bool) -> (Array, Vec<Array>) {
        let [batch, channels, time, ..] = self.sizes;
        let source = Numbers { values: inputs[0].values(), sizes: self.sizes };
        let out = Array::filled([batch, self.cut.tokens(time), self.cut.depth(channels)], |out| {
            self.cut.rows(runtime.level, &source, None, 0, out);
        });
        (out, Vec::new())
    }

    fn needs(&self, _: usize) -> bool {
        false
    }

    fn backward(
        &self,
        _: Runtime,
        _: &[Option<Array>],
        _: &[Array],
        gradient: Array,
        _: &[bool],
    ) -> Vec<Option<Array>> {
        vec![Some(Array::filled(self.sizes, |video| self.cut.join(gradient.values(), self.sizes, video)))]
    }
}
