//! Position of the agent from a latent: tells how much of it the latent holds.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

/// MLP `dim -> dim -> 2` with `ReLU` (`eb_jepa`, position head).
#[derive(Module, Debug)]
pub struct PositionHead {
    hidden: Linear,
    output: Linear,
}

impl PositionHead {
    /// A head for latents of length `dim`.
    pub fn new(dim: usize, device: &Device) -> Self {
        Self { hidden: LinearConfig::new(dim, dim).init(device), output: LinearConfig::new(dim, 2).init(device) }
    }

    /// # Shapes
    /// - latents: `[n, dim]`
    /// - output: `[n, 2]`
    pub fn forward(&self, latents: Tensor<2>) -> Tensor<2> {
        self.output.forward(relu(self.hidden.forward(latents)))
    }
}
