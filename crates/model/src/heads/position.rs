//! Position of the agent from a latent: tells how much of it the latent holds.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use crate::layers::{Activation, linear};

/// Longest latent for which there are as many hidden units as numbers in the latent.
const VECTOR: usize = 512;
/// Hidden units for longer latents: those of a grid of tokens, which say where a thing is by which tokens tell of it.
const GRID_HIDDEN: usize = 128;

/// MLP `dim -> dim -> 2`, but 128 hidden units for latents of more than 512 numbers, with `ReLU` (`eb_jepa`, position head).
#[derive(Module, Debug)]
pub struct PositionHead {
    hidden: Linear,
    output: Linear,
}

impl PositionHead {
    /// A head for latents of length `dim`.
    pub fn new(dim: usize, device: &Device) -> Self {
        let hidden = if dim <= VECTOR { dim } else { GRID_HIDDEN };
        Self { hidden: LinearConfig::new(dim, hidden).init(device), output: LinearConfig::new(hidden, 2).init(device) }
    }

    /// # Shapes
    /// - latents: `[n, dim]`
    /// - output: `[n, 2]`
    pub fn forward(&self, latents: Tensor<2>) -> Tensor<2> {
        linear(&self.output, linear(&self.hidden, latents, Activation::Relu), Activation::Identity)
    }
}
