//! The two-layer perceptron of a transformer block.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};

use crate::initialisation::{TRANSFORMER_STD, normal_linear};
use crate::layers::{Activation, linear};

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

    /// # Shapes
    /// - x: `[batch, tokens, dim]`
    /// - output: `[batch, tokens, dim]`
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        linear(&self.fc2, self.hidden(x), Activation::Identity)
    }

    /// The activated hidden layer.
    ///
    /// # Shapes
    /// - x: `[batch, tokens, dim]`
    /// - output: `[batch, tokens, hidden]`
    pub fn hidden(&self, x: Tensor<3>) -> Tensor<3> {
        linear(&self.fc1, x, Activation::Gelu)
    }
}
