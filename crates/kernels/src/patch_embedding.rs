//! Videos to tokens: a convolution whose kernel equals its stride, as one product over tubelets.

use burn::tensor::ops::PadMode;
use burn::tensor::{Shape, Tensor};

use crate::array::Array;
use crate::cpu::linear::{Linear, sum_rows, weight_gradient};
use crate::cpu::pixels::Cut;
use crate::cpu::{Activation, Level, Packed, Precision, with_scratch};
use crate::linear::{before_activation, kept, linear, matrix};
use crate::operation::{Operation, apply};
use crate::pixels::{Bytes, Kind};
use crate::tubelets::tubelets;
use crate::{Pixels, TokenIds, gather_tokens, precision};

/// How a video is cut into tubelets, and which of them become tokens.
#[derive(Clone, Copy, Debug)]
pub struct Tubelets<'a> {
    /// Frames of a tubelet.
    pub frames: usize,
    /// Rows and columns of pixels of a tubelet.
    pub side: usize,
    /// Tubelets along height and width. Where they reach beyond the frame, at the right and below, there are zeros.
    pub grid: [usize; 2],
    /// The tubelets of each video, in this order, `[batch, n]`, or the same ones of all, `[1, n]`; `None`: all of them.
    pub keep: Option<&'a TokenIds>,
}

/// `activation(tubelets weight + bias)`: tokens of those tubelets that are kept, in (time, height, width) order unless listed otherwise.
/// Of the others nothing is read. RGB bytes are normalised on the way, and again for the gradient of the weight: their numbers are never
/// all in memory.
///
/// # Shapes
/// - video: `[batch, channels, time, height, width]`
/// - weight: `[channels * frames * side * side, outputs]`, rows in (channel, frame, row, column) order
/// - bias: `[outputs]`
/// - output: `[batch, tokens, outputs]`
///
/// # Panics
/// If frames are left over, the grid does not hold a frame, or a token is none of the video's.
pub fn patch_embedding(
    video: Pixels,
    patches: Tubelets<'_>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Activation,
) -> Tensor<3> {
    let Kind::Bytes(bytes) = video.0 else {
        return composed(video, patches, weight, bias, activation);
    };
    let Tubelets { frames, side, grid, keep } = patches;
    let cut = Cut { frames, patch: side, grid };
    let [batch, time, ..] = bytes.clips().sizes;
    let kept = keep.map(|ids| {
        let ([rows, n], values) = (ids.dims(), ids.to_data().iter::<i64>().map(|id| id as usize).collect());
        assert!(rows == batch || rows == 1, "token ids of {rows} videos for {batch}");
        Kept { ids: values, n }
    });
    let tokens = kept.as_ref().map_or(cut.tokens(time), |kept| kept.n);
    let inputs = [weight.clone().into_dispatch()].into_iter().chain(bias.clone().map(Tensor::into_dispatch)).collect();
    let shape = [batch, tokens, weight.dims()[1]];
    let precision = precision::current();
    apply(inputs, PatchEmbedding { bytes, cut, kept, shape, bias: bias.is_some(), activation, precision })
}

/// The same as operations on tensors.
pub(crate) fn composed(
    video: Pixels,
    patches: Tubelets<'_>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Activation,
) -> Tensor<3> {
    let Tubelets { frames, side, grid: [rows, columns], keep } = patches;
    let [batch, _, _, height, width] = video.dims();
    let (right, below) = (columns * side - width, rows * side - height);
    let video = video.into_tensor();
    let video = if (right, below) == (0, 0) { video } else { video.pad((0, right, 0, below), PadMode::Constant(0.0)) };
    let tubelets = tubelets(video, frames, side);
    let tubelets = match keep {
        Some(ids) if ids.dims()[0] == batch => gather_tokens(tubelets, ids),
        Some(ids) => gather_tokens(tubelets, &ids.clone().repeat_dim(0, batch)),
        None => tubelets,
    };
    linear(tubelets, weight, bias, activation)
}

/// The tokens of videos, `[batch or 1, n]`.
#[derive(Debug)]
struct Kept {
    ids: Vec<usize>,
    n: usize,
}

/// Inputs: weight, bias if any.
#[derive(Debug)]
struct PatchEmbedding {
    bytes: Bytes,
    cut: Cut,
    kept: Option<Kept>,
    /// `[batch, tokens, outputs]`
    shape: [usize; 3],
    bias: bool,
    activation: Activation,
    precision: Precision,
}

impl PatchEmbedding {
    /// Writes tubelets from row `first` on.
    fn tubelets(&self, level: Level, first: usize, out: &mut [f32]) {
        let ids = self.kept.as_ref().map(|kept| (kept.ids.as_slice(), kept.n));
        self.bytes.clips().tubelets(level, &self.cut, ids, first, out);
    }
}

impl Operation for PatchEmbedding {
    fn forward(&self, inputs: &[Array], training: bool) -> (Array, Vec<Array>) {
        /// Numbers of tubelets that stay in the cache until they are multiplied.
        const PART: usize = 1 << 18;
        /// Rows that a product takes well.
        const ROWS: usize = 96;
        let (level, depth, [.., outputs]) = (Level::detect(), self.cut.depth(), self.shape);
        let (weight, bias) = (matrix(&inputs[0]), self.bias.then(|| inputs[1].values()));
        let packed = Packed::new(level, self.precision, weight);
        let rows = (PART / depth / ROWS).max(1) * ROWS;
        kept(self.activation, training, Shape::from(self.shape), |mut inner, out| {
            with_scratch(|scratch| {
                for (part, out) in out.chunks_mut(rows * outputs.max(1)).enumerate() {
                    let length = out.len();
                    let tubelets = scratch.get(length / outputs * depth);
                    self.tubelets(level, part * rows, tubelets);
                    let x = crate::cpu::Matrix::new(tubelets, length / outputs, depth);
                    let inner = inner.as_deref_mut().map(|inner| &mut inner[part * rows * outputs..][..length]);
                    let layer = Linear { x, weight, bias, activation: self.activation };
                    layer.forward(level, self.precision, Some(&packed), None, inner, out);
                }
            });
        })
    }

    fn needs(&self, _: usize) -> bool {
        false
    }

    fn backward(&self, _: &[Option<Array>], kept: &[Array], gradient: Array, wanted: &[bool]) -> Vec<Option<Array>> {
        let (level, depth, [batch, tokens, outputs]) = (Level::detect(), self.cut.depth(), self.shape);
        let inner = before_activation(level, self.activation, kept, gradient);
        let weight = wanted[0].then(|| {
            let tubelets = Array::filled([batch * tokens, depth], |out| self.tubelets(level, 0, out));
            Array::filled([depth, outputs], |out| {
                weight_gradient(level, self.precision, matrix(&tubelets), matrix(&inner), out);
            })
        });
        let bias = || wanted[1].then(|| Array::filled([outputs], |out| sum_rows(level, inner.values(), out)));
        if self.bias { vec![weight, bias()] } else { vec![weight] }
    }
}
