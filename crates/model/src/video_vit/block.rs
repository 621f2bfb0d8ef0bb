//! A pre-norm transformer block.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use prevision_kernels::Rotation;

use super::{Attention, Mlp};
use crate::initialisation::{TRANSFORMER_STD, transformer_norm};
use crate::layers::{Activation, LayerNorm, linear_residual};

/// Sizes of a [`Block`].
#[derive(Clone, Copy, Debug)]
pub struct BlockConfig {
    /// Width of a token.
    pub dim: usize,
    /// Attention heads.
    pub heads: usize,
    /// Hidden width of the MLP over `dim`.
    pub mlp_ratio: f64,
}

impl BlockConfig {
    /// Hidden width of the MLP: `dim * mlp_ratio`, rounded down (with room for ratios such as 48/11 that are not exact in binary).
    pub fn hidden(&self) -> usize {
        (self.dim as f64 * self.mlp_ratio + 1e-6).floor() as usize
    }

    /// Standard deviation of a residual branch's last layer in block `layer` (counted from 1): 0.02 / sqrt(2 layer).
    pub fn output_std(layer: usize) -> f64 {
        TRANSFORMER_STD / (2.0 * layer as f64).sqrt()
    }

    /// Builds block number `layer`, counted from 1.
    pub fn init(&self, layer: usize, device: &Device) -> Block {
        let output_std = Self::output_std(layer);
        Block {
            norm1: transformer_norm(self.dim, device),
            attn: Attention::new(self.dim, self.heads, output_std, device),
            norm2: transformer_norm(self.dim, device),
            mlp: Mlp::new(self.dim, self.hidden(), output_std, device),
        }
    }
}

/// `x += attention(norm1(x)); x += mlp(norm2(x))`.
#[derive(Module, Debug)]
pub struct Block {
    /// Before attention.
    pub norm1: LayerNorm,
    /// Self-attention.
    pub attn: Attention,
    /// Before the MLP.
    pub norm2: LayerNorm,
    /// The perceptron.
    pub mlp: Mlp,
}

impl Block {
    /// # Shapes
    /// - x: `[batch, tokens, dim]`
    /// - output: `[batch, tokens, dim]`
    pub fn forward(&self, x: Tensor<3>, rotation: Option<&Rotation>) -> Tensor<3> {
        let mixed = self.attn.mix(self.norm1.forward(x.clone()), rotation);
        let x = linear_residual(&self.attn.proj, mixed, x, Activation::Identity);
        self.mlp.forward_residual(&self.norm2, x)
    }
}
