//! Which action leads from one latent to the next: keeps in the latent what actions move.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};

use crate::initialisation::{TRANSFORMER_STD, normal_linear};
use crate::layers::{Activation, linear};
use crate::world_model::InverseModel;

/// Hidden width, as upstream.
const HIDDEN: usize = 256;

/// MLP `2 dim -> 256 -> 256 -> action` with `ReLU` (`eb_jepa`, inverse dynamics model); weights N(0, 0.02^2), biases zero.
#[derive(Module, Debug)]
pub struct InverseDynamics {
    first: Linear,
    second: Linear,
    output: Linear,
}

impl InverseDynamics {
    /// A head for latents of length `dim` and actions of length `action_dim`.
    pub fn new(dim: usize, action_dim: usize, device: &Device) -> Self {
        Self {
            first: normal_linear(2 * dim, HIDDEN, TRANSFORMER_STD, device),
            second: normal_linear(HIDDEN, HIDDEN, TRANSFORMER_STD, device),
            output: normal_linear(HIDDEN, action_dim, TRANSFORMER_STD, device),
        }
    }

    /// # Shapes
    /// - now, next: `[n, dim]`
    /// - output: `[n, action]`
    pub fn forward(&self, now: Tensor<2>, next: Tensor<2>) -> Tensor<2> {
        let x = linear(&self.first, Tensor::cat(vec![now, next], 1), Activation::Relu);
        linear(&self.output, linear(&self.second, x, Activation::Relu), Activation::Identity)
    }
}

impl InverseModel for InverseDynamics {
    fn action(&self, now: Tensor<3>, next: Tensor<3>) -> Tensor<2> {
        self.forward(now.flatten(1, 2), next.flatten(1, 2))
    }
}
