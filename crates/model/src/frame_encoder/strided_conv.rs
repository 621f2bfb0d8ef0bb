//! A small convolutional encoder made to be fast on a CPU.
//!
//! Every convolution has a kernel as large as its stride, so that each is one matrix product over tokens and nothing is computed
//! at full resolution: a patch layer, then layers that merge `merge x merge` neighbours, as in the patch merging of Swin
//! transformers (Liu et al., 2021, <https://arxiv.org/abs/2103.14030>, section 3.1). Tokens are put into the order in which they
//! will be merged once, at the input, so that merging is a reshape.

use crate::Pixels;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData, assert_shape};
use prevision_kernels::{Tubelets, patch_embedding};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FrameShape;
use crate::Activation;
use crate::layers::{Activation as Kernel, LayerNorm, NORM_EPSILON, bias, linear};
use prevision_core::config::check::{ensure, positive};

/// Configuration of a [`StridedConv`] encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StridedConvConfig {
    /// Side of a patch in pixels. Frames are zero-padded at the right and bottom until all strides divide them. Default 4.
    pub patch: usize,
    /// Side of the squares of tokens that each layer after the first merges into one. Default 3.
    pub merge: usize,
    /// Channels of the patch layer, then of each merging layer. Default `[32, 64]`.
    pub widths: Vec<usize>,
    /// Units of the layer between the last tokens and the latent. Default 512.
    pub hidden: usize,
    /// Length of a latent vector. Default 256.
    pub dim: usize,
    /// Non-linearity after every layer but the last. Default `relu`.
    pub activation: Activation,
}

impl Default for StridedConvConfig {
    fn default() -> Self {
        Self { patch: 4, merge: 3, widths: vec![32, 64], hidden: 512, dim: 256, activation: Activation::Relu }
    }
}

impl StridedConvConfig {
    /// Builds the encoder for frames of this shape.
    pub fn init(&self, input: FrameShape, device: &Device) -> StridedConv {
        let merges = self.widths.len() - 1;
        let stride = self.patch * self.merge.pow(merges as u32);
        let cells = input.height.div_ceil(stride) * input.width.div_ceil(stride);
        let mut inputs = input.channels * self.patch * self.patch;
        let mut layers = Vec::with_capacity(self.widths.len());
        for &width in &self.widths {
            layers.push(LinearConfig::new(inputs, width).init(device));
            inputs = width * self.merge * self.merge;
        }
        StridedConv {
            layers,
            hidden: LinearConfig::new(cells * self.widths[merges], self.hidden).init(device),
            projection: LinearConfig::new(self.hidden, self.dim).init(device),
            norm: LayerNorm::new(self.dim, NORM_EPSILON, device),
            activation: self.activation,
            patch: self.patch,
            merge: self.merge,
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        positive("patch", self.patch)?;
        ensure((2..=8).contains(&self.merge), "merge", self.merge.to_string(), "from 2 to 8")?;
        positive("hidden", self.hidden)?;
        positive("dim", self.dim)?;
        let valid = (1..=4).contains(&self.widths.len()) && !self.widths.contains(&0);
        ensure(valid, "widths", format!("{:?}", self.widths), "one to four positive numbers")
    }
}

/// Patch layer, merging layers, flatten, hidden layer, linear, layer norm.
#[derive(Module, Debug)]
pub struct StridedConv {
    layers: Vec<Linear>,
    hidden: Linear,
    projection: Linear,
    /// The norm at the output.
    pub norm: LayerNorm,
    #[module(skip)]
    activation: Activation,
    patch: usize,
    merge: usize,
}

impl StridedConv {
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - output: `[batch * time, dim]`
    ///
    /// # Panics
    /// If the video does not have the channels and the size that the encoder was built for.
    pub fn forward(&self, video: Pixels) -> Tensor<2> {
        let mut tokens = self.tokens(video);
        let merged = self.merge * self.merge;
        for layer in &self.layers[1..] {
            let [frames, count, width] = tokens.dims();
            tokens = linear(layer, tokens.reshape([frames, count / merged, merged * width]), self.activation.kernel());
        }
        let features: Tensor<2> = tokens.flatten(1, 2);
        let [inputs, _] = self.hidden.weight.dims();
        assert_shape!(features, [_, inputs]);
        let hidden = linear(&self.hidden, features, self.activation.kernel());
        self.norm.forward(linear(&self.projection, hidden, Kernel::Identity))
    }

    /// The patch layer, its tokens in the order in which they are merged.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - output: `[batch * time, patches, widths[0]]`
    fn tokens(&self, video: Pixels) -> Tensor<3> {
        let [_, _, _, height, width] = video.dims();
        let (patch, merges) = (self.patch, self.layers.len() - 1);
        let side = self.merge.pow(merges as u32);
        let grid = [height, width].map(|length| length.div_ceil(patch * side) * side);
        let order: Vec<i64> =
            merge_order(grid[0], grid[1], self.merge, merges).into_iter().map(|id| id as i64).collect();
        let order = Tensor::from_data(TensorData::new(order, [1, grid[0] * grid[1]]), &video.device());
        let patches = Tubelets { frames: 1, side: patch, grid, keep: Some(&order) };
        let layer = &self.layers[0];
        patch_embedding(video.single_frames(), patches, layer.weight.val(), bias(layer), self.activation.kernel())
    }
}

/// Ids (`row * columns + column`) of the tokens of a grid such that, `levels` times over, each run of `merge * merge` tokens is
/// a square of neighbours, row by row.
fn merge_order(rows: usize, columns: usize, merge: usize, levels: usize) -> Vec<usize> {
    // The coarsest grid in rows, then every cell opened into its square, level by level.
    let side = merge.pow(levels as u32);
    let mut cells: Vec<(usize, usize)> =
        (0..rows / side).flat_map(|row| (0..columns / side).map(move |column| (row, column))).collect();
    for _ in 0..levels {
        cells = cells
            .into_iter()
            .flat_map(|(row, column)| {
                (0..merge * merge).map(move |index| (row * merge + index / merge, column * merge + index % merge))
            })
            .collect();
    }
    cells.into_iter().map(|(row, column)| row * columns + column).collect()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;
    use burn::tensor::module::conv2d;
    use burn::tensor::ops::{ConvOptions, PadMode};

    use super::*;

    const INPUT: FrameShape = FrameShape { channels: 3, height: 9, width: 14 };

    #[test]
    fn order_opens_squares_level_by_level() {
        assert_eq!(merge_order(2, 4, 2, 1), [0, 1, 4, 5, 2, 3, 6, 7]);
        let nested = merge_order(4, 4, 2, 2);
        assert_eq!(nested, [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]);
    }

    /// Both layers against strided convolutions of the padded frame, with the same weights as kernels.
    #[test]
    fn layers_equal_strided_convolutions() {
        let device = Device::flex();
        let config =
            StridedConvConfig { patch: 2, merge: 3, widths: vec![5, 4], hidden: 6, dim: 3, ..Default::default() };
        let encoder = config.init(INPUT, &device);
        let video = Tensor::<5>::random([2, 3, 2, 9, 14], Distribution::Default, &device);
        let frames = video.clone().swap_dims(1, 2).reshape([4, 3, 9, 14]).pad((0, 4, 0, 3), PadMode::Constant(0.0));
        let options = |stride| ConvOptions::new([stride, stride], [0, 0], [1, 1], 1);
        let kernel = encoder.layers[0].weight.val().transpose().reshape([5, 3, 2, 2]);
        let bias = encoder.layers[0].bias.as_ref().map(burn::module::Param::val);
        let first = burn::tensor::activation::relu(conv2d(frames, kernel, bias, options(2)));
        // Tokens carry channels last: [out, row, column, in].
        let kernel = encoder.layers[1].weight.val().transpose().reshape([4, 3, 3, 5]).permute([0, 3, 1, 2]);
        let bias = encoder.layers[1].bias.as_ref().map(burn::module::Param::val);
        let second = burn::tensor::activation::relu(conv2d(first, kernel, bias, options(3)));
        let features = second.permute([0, 2, 3, 1]).reshape([4, 2 * 3 * 4]);
        let hidden = burn::tensor::activation::relu(encoder.hidden.forward(features));
        let expected = encoder.norm.forward(encoder.projection.forward(hidden));
        expected.into_data().assert_approx_eq::<f32>(
            &encoder.forward(video.into()).into_data(),
            burn::tensor::Tolerance::absolute(1e-5),
        );
    }

    #[test]
    fn parameters_are_those_of_the_layers() {
        let input = FrameShape { height: 65, width: 65, ..INPUT };
        let encoder = StridedConvConfig::default().init(input, &Device::flex());
        // 48 -> 32, 288 -> 64, 6 * 6 * 64 -> 512, 512 -> 256, norm
        assert_eq!(encoder.num_params(), 1_568 + 18_496 + 1_180_160 + 131_328 + 512);
    }

    #[test]
    fn bad_values_are_named() {
        let config = StridedConvConfig { merge: 1, ..Default::default() };
        assert!(config.validate().unwrap_err().contains("merge"));
        let config = StridedConvConfig { widths: vec![], ..Default::default() };
        assert!(config.validate().unwrap_err().contains("widths"));
    }
}
