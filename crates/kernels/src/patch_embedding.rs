//! Videos to tokens: a convolution whose kernel equals its stride, as one product over tubelets.

use burn::tensor::ops::PadMode;
use burn::tensor::{Shape, Tensor};

use crate::array::Array;
use crate::cpu::linear::{sum_rows, weight_gradient};
use crate::cpu::tubelets::{Cut, Numbers};
use crate::cpu::{self, Activation, Runtime};
use crate::linear::{before_activation, kept, linear, matrix};
use crate::operation::{Operation, apply, runs_on};
use crate::operations::count_products;
use crate::tubelets::tubelets;
use crate::video::{RgbClips, Video};
use crate::{TokenIds, gather_tokens};

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
/// Of the others nothing is read. RGB bytes are normalised on the way, some tubelets at a time, and once more for the gradient of the
/// weight: the tape keeps bytes alone.
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
    video: impl Into<Video>,
    patches: Tubelets<'_>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Activation,
) -> Tensor<3> {
    let video = video.into();
    let sizes = video.dims();
    let ([batch, channels, time, ..], Tubelets { frames, side, grid, keep }) = (sizes, patches);
    let mut inputs = vec![weight.clone().into_dispatch()];
    inputs.extend(bias.clone().map(Tensor::into_dispatch));
    let bytes = match video {
        Video::Bytes(bytes) if runs_on(&weight) => Some(bytes),
        // Off the tape, so that there is no gradient of them.
        Video::Numbers(video) if runs_on(&video) && !video.device().is_autodiff() && !weight.device().is_autodiff() => {
            inputs.push(video.into_dispatch());
            None
        }
        video => return composed(video, patches, weight, bias, activation),
    };
    let cut = Cut { frames, patch: side, grid };
    let kept = keep.map(|ids| {
        let ([rows, n], values) = (ids.dims(), ids.to_data().iter::<i64>().map(|id| id as usize).collect());
        assert!(rows == batch || rows == 1, "token ids of {rows} videos for {batch}");
        Kept { ids: values, n }
    });
    let [rows, outputs] = weight.dims();
    assert_eq!(rows, cut.depth(channels), "rows of the weight for tubelets of {channels} x {frames} x {side} x {side}");
    let tokens = kept.as_ref().map_or(cut.tokens(time), |kept| kept.n);
    count_products(1, [batch * tokens, rows, outputs]);
    let (shape, bias) = ([batch, tokens, outputs], bias.is_some());
    apply(inputs, PatchEmbedding { bytes, sizes, cut, kept, shape, bias, activation })
}

/// The same as operations on tensors.
pub(crate) fn composed(
    video: Video,
    patches: Tubelets<'_>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Activation,
) -> Tensor<3> {
    let Tubelets { frames, side, grid: [rows, columns], keep } = patches;
    let [batch, _, _, height, width] = video.dims();
    let (right, below) = (columns * side - width, rows * side - height);
    let video = match video {
        Video::Numbers(video) => video,
        Video::Bytes(clips) => clips.to_tensor(&weight.device()),
    };
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

/// Inputs: weight, bias if any, the video if it is numbers.
#[derive(Debug)]
struct PatchEmbedding {
    /// The video, if it is bytes.
    bytes: Option<RgbClips>,
    /// Its sizes, `[batch, channels, time, height, width]`.
    sizes: [usize; 5],
    cut: Cut,
    kept: Option<Kept>,
    /// `[batch, tokens, outputs]`
    shape: [usize; 3],
    bias: bool,
    activation: Activation,
}

impl PatchEmbedding {
    /// The tubelets of each clip.
    fn ids(&self) -> Option<(&[usize], usize)> {
        self.kept.as_ref().map(|kept| (kept.ids.as_slice(), kept.n))
    }
}

impl Operation for PatchEmbedding {
    fn forward(&self, runtime: Runtime, inputs: &[Array], training: bool) -> (Array, Vec<Array>) {
        let kernel = cpu::patch_embedding::PatchEmbedding {
            cut: self.cut,
            ids: self.ids(),
            weight: matrix(&inputs[0]),
            bias: self.bias.then(|| inputs[1].values()),
            activation: self.activation,
        };
        let (level, numbers) = (runtime.level, inputs.get(1 + usize::from(self.bias)));
        kept(self.activation, training, Shape::from(self.shape), |inner, out| match (&self.bytes, numbers) {
            (Some(bytes), _) => kernel.forward(level, runtime.precision, &bytes.view(), inner, out),
            (None, Some(numbers)) => {
                let source = Numbers { values: numbers.values(), sizes: self.sizes };
                kernel.forward(level, runtime.precision, &source, inner, out);
            }
            (None, None) => unreachable!("a video is bytes or numbers"),
        })
    }

    fn needs(&self, _: usize) -> bool {
        false
    }

    fn backward(
        &self,
        runtime: Runtime,
        _: &[Option<Array>],
        kept: &[Array],
        gradient: Array,
        wanted: &[bool],
    ) -> Vec<Option<Array>> {
        let Some(bytes) = &self.bytes else { unreachable!("numbers come off the tape alone") };
        let (level, [batch, tokens, outputs], depth) = (runtime.level, self.shape, self.cut.depth(self.sizes[1]));
        let inner = before_activation(level, self.activation, kept, gradient);
        let weight = wanted[0].then(|| {
            let tubelets = Array::filled([batch * tokens, depth], |out| {
                self.cut.rows(level, &bytes.view(), self.ids(), 0, out);
            });
            Array::filled([depth, outputs], |out| {
                weight_gradient(level, runtime.precision, matrix(&tubelets), matrix(&inner), out);
            })
        });
        let bias = || wanted[1].then(|| Array::filled([outputs], |out| sum_rows(level, inner.values(), out)));
        if self.bias { vec![weight, bias()] } else { vec![weight] }
    }
}
