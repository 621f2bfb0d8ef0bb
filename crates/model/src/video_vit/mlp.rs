//! The two-layer perceptron of a transformer block.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use prevision_kernels::{FeedForward, feed_forward};

use crate::initialisation::{TRANSFORMER_STD, normal_linear};
use crate::layers::{Activation, LayerNorm, bias};

/// Linear, exact GELU, linear.
#[derive(Module, Debug)]
pub struct Mlp {
    /// Into the hidden layer.
    pub fc1: Linear,
    /// Out of the hidden layer.
    pub fc2: Linear,
}

impl Mlp {
    /// `output_std` is the standard deviation of the second layer's initial weights.
    pub fn new(dim: usize, hidden: usize, output_std: f64, device: &Device) -> Self {
        Self {
            fc1: normal_linear(dim, hidden, TRANSFORMER_STD, device),
            fc2: normal_linear(hidden, dim, output_std, device),
        }
    }

    /// `x + mlp(norm(x))`.
    ///
    /// # Shapes
    /// - x: `[batch, tokens, dim]`
    /// - output: `[batch, tokens, dim]`
    pub fn forward_residual(&self, norm: &LayerNorm, x: Tensor<3>) -> Tensor<3> {
        let layer = |layer: &Linear| (layer.weight.val(), bias(layer));
        let layers = FeedForward {
            scale: norm.gamma.val(),
            shift: norm.beta.val(),
            epsilon: norm.epsilon(),
            first: layer(&self.fc1),
            second: layer(&self.fc2),
            activation: Activation::Gelu,
        };
        feed_forward(x, layers)
    }
}
