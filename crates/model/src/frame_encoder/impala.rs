//! The Impala encoder of `eb_jepa` (`examples/ac_video_jepa`), after Espeholt et al. 2018, "IMPALA", figure 3.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, assert_shape};
use prevision_kernels::{ConvolutionLayer, convolutions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FrameShape;
use crate::layers::{Activation as Kernel, LayerNorm, NORM_EPSILON, linear};
use prevision_core::config::check::{ensure, positive};

/// Configuration of an [`Impala`] encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ImpalaConfig {
    /// Channels of each stack; every stack halves height and width. Default `[16, 32, 32]`.
    pub widths: Vec<usize>,
    /// Length of a latent vector. Default 512.
    pub dim: usize,
}

impl Default for ImpalaConfig {
    fn default() -> Self {
        Self { widths: vec![16, 32, 32], dim: 512 }
    }
}

impl ImpalaConfig {
    /// Builds the encoder for frames of this shape.
    pub fn init(&self, input: FrameShape, device: &Device) -> Impala {
        let mut channels = input.channels;
        let mut size = [input.height, input.width];
        let mut stacks = Vec::with_capacity(self.widths.len());
        for &width in &self.widths {
            stacks.push(Stack::new(channels, width, device));
            channels = width;
            size = size.map(|length| (length - 1) / 2 + 1);
        }
        Impala {
            stacks,
            projection: LinearConfig::new(channels * size[0] * size[1], self.dim).init(device),
            norm: LayerNorm::new(self.dim, NORM_EPSILON, device),
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        positive("dim", self.dim)?;
        let valid = !self.widths.is_empty() && !self.widths.contains(&0);
        ensure(valid, "widths", format!("{:?}", self.widths), "at least one positive number")
    }
}

/// Stacks of convolution, max pooling and residual blocks; then flatten, linear, layer norm.
#[derive(Module, Debug)]
pub struct Impala {
    stacks: Vec<Stack>,
    projection: Linear,
    /// The norm at the output.
    pub norm: LayerNorm,
}

impl Impala {
    /// # Shapes
    /// - frames: `[n, channels, height, width]`
    /// - output: `[n, dim]`
    pub fn forward(&self, frames: Tensor<4>) -> Tensor<2> {
        let mut x = frames;
        for stack in &self.stacks {
            x = stack.forward(x);
        }
        let features: Tensor<2> = relu(x).flatten(1, 3);
        let [inputs, _] = self.projection.weight.dims();
        assert_shape!(features, [_, inputs]);
        self.norm.forward(linear(&self.projection, features, Kernel::Identity))
    }
}

/// Convolution, max pooling that halves the size, two residual blocks.
#[derive(Module, Debug)]
struct Stack {
    convolution: Conv2d,
    pool: MaxPool2d,
    blocks: Vec<Residual>,
}

impl Stack {
    fn new(channels: usize, width: usize, device: &Device) -> Self {
        Self {
            convolution: same_convolution(channels, width, device),
            pool: MaxPool2dConfig::new([3, 3])
                .with_strides([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(),
            blocks: (0..2).map(|_| Residual::new(width, device)).collect(),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut x = self.pool.forward(convolutions(x, &[layer(&self.convolution, Kernel::Identity)]));
        for block in &self.blocks {
            x = block.forward(x);
        }
        x
    }
}

/// `ReLU(x + conv(ReLU(conv(x))))`.
#[derive(Module, Debug)]
struct Residual {
    first: Conv2d,
    second: Conv2d,
}

impl Residual {
    fn new(width: usize, device: &Device) -> Self {
        Self { first: same_convolution(width, width, device), second: same_convolution(width, width, device) }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let layers = [layer(&self.first, Kernel::Relu), layer(&self.second, Kernel::Identity)];
        relu(convolutions(x.clone(), &layers) + x)
    }
}

/// A 3x3 convolution that keeps height and width, for the kernel.
fn layer(layer: &Conv2d, activation: Kernel) -> ConvolutionLayer {
    ConvolutionLayer {
        weight: layer.weight.val(),
        bias: layer.bias.as_ref().map(Param::val),
        stride: layer.stride,
        padding: [1, 1],
        activation,
    }
}

fn same_convolution(channels: usize, width: usize, device: &Device) -> Conv2d {
    Conv2dConfig::new([channels, width], [3, 3]).with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1)).init(device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_equal_upstream() {
        let input = FrameShape { channels: 2, height: 65, width: 65 };
        let encoder = ImpalaConfig::default().init(input, &Device::flex());
        assert_eq!(encoder.num_params(), 1_426_096);
    }

    #[test]
    fn encodes_to_normalised_vectors() {
        let device = Device::flex();
        let input = FrameShape { channels: 2, height: 9, width: 13 };
        let encoder = ImpalaConfig { widths: vec![4, 4], dim: 8 }.init(input, &device);
        let frames = Tensor::<4>::random([3, 2, 9, 13], burn::tensor::Distribution::Default, &device);
        let latents = encoder.forward(frames);
        assert_eq!(latents.dims(), [3, 8]);
        let mean: f32 = latents.mean().into_scalar();
        assert!(mean.abs() < 1e-5, "mean of normalised latents is {mean}");
    }
}
