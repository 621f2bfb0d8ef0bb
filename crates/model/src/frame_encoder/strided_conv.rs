//! A small convolutional encoder made to be fast on a CPU.
//!
//! The first layer is a patch convolution (kernel = stride) done as one matrix product, so that the costly full-resolution
//! convolutions of an Impala network never happen; the rest are 3x3 convolutions of stride 2 on an already small grid.

use burn::module::{Initializer, Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::ops::PadMode;
use burn::tensor::{Device, Tensor, assert_shape};
use serde::{Deserialize, Serialize};

use crate::validate::{check, positive};
use crate::{Activation, InputShape};

/// Configuration of a [`StridedConv`] encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StridedConvConfig {
    /// Side of a patch in pixels; frames are zero-padded at the right and bottom to a multiple of it. Default 4.
    pub patch: usize,
    /// Channels of the patch layer, then of each 3x3 convolution of stride 2. Default `[32, 64, 64]`.
    pub widths: Vec<usize>,
    /// Length of a latent vector. Default 256.
    pub dim: usize,
    /// Non-linearity after every layer. Default `relu`.
    pub activation: Activation,
}

impl Default for StridedConvConfig {
    fn default() -> Self {
        Self {
            patch: 4,
            widths: vec![32, 64, 64],
            dim: 256,
            activation: Activation::Relu,
        }
    }
}

impl StridedConvConfig {
    /// Builds the encoder for frames of this shape.
    pub fn init(&self, input: &InputShape, device: &Device) -> StridedConv {
        let mut size = [
            input.height.div_ceil(self.patch),
            input.width.div_ceil(self.patch),
        ];
        let patches = PatchConvolution::new(input.channels, self.widths[0], self.patch, device);
        let mut convolutions = Vec::with_capacity(self.widths.len() - 1);
        for pair in self.widths.windows(2) {
            let convolution = Conv2dConfig::new([pair[0], pair[1]], [3, 3])
                .with_stride([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(device);
            convolutions.push(convolution);
            size = size.map(|length| (length - 1) / 2 + 1);
        }
        let channels = self.widths[self.widths.len() - 1];
        StridedConv {
            patches,
            convolutions,
            projection: LinearConfig::new(channels * size[0] * size[1], self.dim).init(device),
            norm: LayerNormConfig::new(self.dim).init(device),
            activation: self.activation,
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        positive("patch", self.patch)?;
        positive("dim", self.dim)?;
        let valid = !self.widths.is_empty() && !self.widths.contains(&0);
        check(
            valid,
            "widths",
            format!("{:?}", self.widths),
            "at least one positive number",
        )
    }
}

/// Patch convolution, strided convolutions, flatten, linear, layer norm.
#[derive(Module, Debug)]
pub struct StridedConv {
    patches: PatchConvolution,
    convolutions: Vec<Conv2d>,
    projection: Linear,
    /// The norm at the output.
    pub norm: LayerNorm,
    #[module(skip)]
    activation: Activation,
}

impl StridedConv {
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - output: `[batch * time, dim]`
    pub fn forward(&self, video: Tensor<5>) -> Tensor<2> {
        let mut x = self.activation.forward(self.patches.forward(video));
        for convolution in &self.convolutions {
            x = self.activation.forward(convolution.forward(x));
        }
        let features: Tensor<2> = x.flatten(1, 3);
        let [inputs, _] = self.projection.weight.dims();
        assert_shape!(features, [_, inputs]);
        self.norm.forward(self.projection.forward(features))
    }
}

/// A convolution whose kernel equals its stride, as a matrix product over flattened patches.
#[derive(Module, Debug)]
struct PatchConvolution {
    /// `[width, channels * patch * patch]`, flattened like a convolution kernel `[width, channels, patch, patch]`.
    weight: Param<Tensor<2>>,
    /// `[width]`
    bias: Param<Tensor<1>>,
    patch: usize,
}

impl PatchConvolution {
    fn new(channels: usize, width: usize, patch: usize, device: &Device) -> Self {
        let inputs = channels * patch * patch;
        let bound = 1.0 / (inputs as f64).sqrt();
        let initializer = Initializer::Uniform {
            min: -bound,
            max: bound,
        };
        Self {
            weight: initializer.init([width, inputs], device),
            bias: initializer.init([width], device),
            patch,
        }
    }

    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - output: `[batch * time, width, ceil(height / patch), ceil(width / patch)]`
    fn forward(&self, video: Tensor<5>) -> Tensor<4> {
        let [batch, channels, time, height, width] = video.dims();
        let patch = self.patch;
        let [rows, columns] = [height.div_ceil(patch), width.div_ceil(patch)];
        let video = if rows * patch == height && columns * patch == width {
            video
        } else {
            video.pad(
                (0, columns * patch - width, 0, rows * patch - height),
                PadMode::Constant(0.0),
            )
        };
        let [outputs, inputs] = self.weight.dims();
        assert_eq!(
            inputs,
            channels * patch * patch,
            "patch layer takes {inputs} inputs, video has {channels} channels in patches of {patch}"
        );
        let patches = video
            .reshape([batch, channels, time, rows, patch, columns, patch])
            .permute([0, 2, 1, 4, 6, 3, 5])
            .reshape([batch * time, inputs, rows * columns]);
        let tokens = self.weight.val().unsqueeze::<3>().matmul(patches)
            + self.bias.val().reshape([1, outputs, 1]);
        tokens.reshape([batch * time, outputs, rows, columns])
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;
    use burn::tensor::module::conv2d;
    use burn::tensor::ops::ConvOptions;

    use super::*;

    #[test]
    fn patch_layer_equals_a_convolution_of_the_padded_frame() {
        let device = Device::flex();
        let layer = PatchConvolution::new(3, 5, 4, &device);
        let video = Tensor::<5>::random([2, 3, 2, 9, 14], Distribution::Default, &device);
        let kernel = layer.weight.val().reshape([5, 3, 4, 4]);
        let frames = video
            .clone()
            .swap_dims(1, 2)
            .reshape([4, 3, 9, 14])
            .pad((0, 2, 0, 3), PadMode::Constant(0.0));
        let expected = conv2d(
            frames,
            kernel,
            Some(layer.bias.val()),
            ConvOptions::new([4, 4], [0, 0], [1, 1], 1),
        );
        let actual = layer.forward(video);
        assert_eq!(actual.dims(), [4, 5, 3, 4]);
        let error: f32 = (actual - expected).abs().max().into_scalar();
        assert!(error < 1e-5, "largest error {error}");
    }

    #[test]
    fn default_parameters_and_output() {
        let device = Device::flex();
        let input = InputShape {
            channels: 3,
            frames: 2,
            height: 65,
            width: 65,
            action_dim: 2,
            state_dim: 2,
        };
        let encoder = StridedConvConfig::default().init(&input, &device);
        // 48*32+32 + 9*32*64+64 + 9*64*64+64 + 64*5*5*256+256 + 2*256
        assert_eq!(encoder.num_params(), 467_360);
        let latents = encoder.forward(Tensor::<5>::random(
            [2, 3, 2, 65, 65],
            Distribution::Default,
            &device,
        ));
        assert_eq!(latents.dims(), [4, 256]);
    }
}
