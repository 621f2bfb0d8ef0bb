//! A pre-norm transformer block.

use burn::module::{Initializer, Module, Param};
use burn::tensor::{Device, Tensor};
use prevision_kernels::{Mask, Rotation};

use super::{Attention, Mlp};
use crate::initialisation::{TRANSFORMER_EPSILON, TRANSFORMER_STD};
use crate::layers::{LayerNorm, scaled_residual};

/// What a learned scale of a residual branch starts at (`DINOv2`).
const INITIAL_SCALE: f64 = 1.0;

/// Sizes of a [`Block`].
#[derive(Clone, Copy, Debug)]
pub struct BlockConfig {
    /// Width of a token.
    pub dim: usize,
    /// Attention heads.
    pub heads: usize,
    /// Hidden width of the MLP over `dim`.
    pub mlp_ratio: f64,
    /// Whether half of the MLP's hidden layer gates the other half (`SwiGLU`).
    pub gated: bool,
    /// Whether each residual branch is scaled by learned numbers (Touvron et al. 2021, `LayerScale`).
    pub layer_scale: bool,
    /// What norms add to the variance.
    pub epsilon: f64,
}

impl BlockConfig {
    /// Plain blocks: neither gated nor scaled, with the usual norms.
    pub fn plain(dim: usize, heads: usize, mlp_ratio: f64) -> Self {
        Self { dim, heads, mlp_ratio, gated: false, layer_scale: false, epsilon: TRANSFORMER_EPSILON }
    }

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
        let scale =
            || self.layer_scale.then(|| Initializer::Constant { value: INITIAL_SCALE }.init([self.dim], device));
        Block {
            norm1: LayerNorm::new(self.dim, self.epsilon, device),
            attn: Attention::new(self.dim, self.heads, output_std, device),
            scale1: scale(),
            norm2: LayerNorm::new(self.dim, self.epsilon, device),
            mlp: Mlp::new(self.dim, self.hidden(), self.gated, output_std, device),
            scale2: scale(),
        }
    }
}

/// `x += scale1 * attention(norm1(x)); x += scale2 * mlp(norm2(x))`.
#[derive(Module, Debug)]
pub struct Block {
    /// Before attention.
    pub norm1: LayerNorm,
    /// Self-attention.
    pub attn: Attention,
    /// Of what attention adds, `[dim]`; `None`: 1.
    pub scale1: Option<Param<Tensor<1>>>,
    /// Before the MLP.
    pub norm2: LayerNorm,
    /// The perceptron.
    pub mlp: Mlp,
    /// Of what the perceptron adds, `[dim]`; `None`: 1.
    pub scale2: Option<Param<Tensor<1>>>,
}

impl Block {
    /// # Shapes
    /// - x: `[batch, tokens, dim]`
    /// - output: `[batch, tokens, dim]`
    pub fn forward(&self, x: Tensor<3>, rotation: Option<&Rotation>) -> Tensor<3> {
        self.forward_masked(x, &Mask::Full, rotation)
    }

    /// As [`forward`](Self::forward), where a token sees what the mask leaves it.
    ///
    /// # Shapes
    /// As [`forward`](Self::forward).
    pub fn forward_masked(&self, x: Tensor<3>, mask: &Mask, rotation: Option<&Rotation>) -> Tensor<3> {
        let mixed = self.attn.mix(self.norm1.forward(x.clone()), mask, rotation);
        self.behind_attention(mixed, x)
    }

    /// As [`forward`](Self::forward), of one token alone, which sees all.
    ///
    /// # Shapes
    /// - x: `[batch, tokens, dim]`
    /// - output: `[batch, 1, dim]`
    pub fn forward_one(&self, x: Tensor<3>, token: usize, rotation: Option<&Rotation>) -> Tensor<3> {
        let mixed = self.attn.mix(self.norm1.forward(x.clone()), &Mask::Full, rotation);
        self.behind_attention(mixed.narrow(1, token, 1), x.narrow(1, token, 1))
    }

    fn behind_attention(&self, mixed: Tensor<3>, x: Tensor<3>) -> Tensor<3> {
        let x = scaled_residual(&self.attn.proj, self.scale1.as_ref(), mixed, x);
        self.mlp.forward_residual(&self.norm2, self.scale2.as_ref(), x)
    }
}
