//! The two-layer perceptron of a transformer block.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use prevision_kernels::{FeedForward, feed_forward};

use crate::initialisation::{TRANSFORMER_STD, normal_linear};
use crate::layers::{Activation, LayerNorm, bias, linear, scaled, scaled_residual};

/// Linear, exact GELU, linear; or gated: the hidden layer is `silu(first half) * second half` (Shazeer 2020, `SwiGLU`).
#[derive(Module, Debug)]
pub struct Mlp {
    /// Into the hidden layer, of twice its width if it is gated.
    pub fc1: Linear,
    /// Out of the hidden layer.
    pub fc2: Linear,
    gated: bool,
}

impl Mlp {
    /// `output_std` is the standard deviation of the second layer's initial weights.
    pub fn new(dim: usize, hidden: usize, gated: bool, output_std: f64, device: &Device) -> Self {
        let inner = if gated { 2 * hidden } else { hidden };
        Self {
            fc1: normal_linear(dim, inner, TRANSFORMER_STD, device),
            fc2: normal_linear(hidden, dim, output_std, device),
            gated,
        }
    }

    /// `x + scale * mlp(norm(x))`, with a scale of 1 if there is none.
    ///
    /// # Shapes
    /// - scale: `[dim]`
    /// - x: `[batch, tokens, dim]`
    /// - output: `[batch, tokens, dim]`
    pub fn forward_residual(&self, norm: &LayerNorm, scale: Option<&Param<Tensor<1>>>, x: Tensor<3>) -> Tensor<3> {
        if self.gated {
            let inner = linear(&self.fc1, norm.forward(x.clone()), Activation::Identity);
            let [gate, value] = inner.chunk(2, 2).try_into().expect("two halves");
            return scaled_residual(&self.fc2, scale, burn::tensor::activation::silu(gate) * value, x);
        }
        let layers = FeedForward {
            scale: norm.gamma.val(),
            shift: norm.beta.val(),
            epsilon: norm.epsilon(),
            first: (self.fc1.weight.val(), bias(&self.fc1)),
            second: scaled(&self.fc2, scale),
            activation: Activation::Gelu,
        };
        feed_forward(x, layers)
    }
}
