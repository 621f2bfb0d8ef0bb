//! Multi-head self-attention with optional rotary positions.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use prevision_kernels::{Mask, Rotation, attention};

use crate::initialisation::{TRANSFORMER_STD, normal_linear};
use crate::layers::{Activation, linear};

/// Self-attention with one projection for queries, keys and values (output order q, k, v; each split into heads).
#[derive(Module, Debug)]
pub struct Attention {
    /// `[dim, 3 dim]`
    pub qkv: Linear,
    /// Output projection.
    pub proj: Linear,
    heads: usize,
}

impl Attention {
    /// `output_std` is the standard deviation of the output projection's initial weights.
    pub fn new(dim: usize, heads: usize, output_std: f64, device: &Device) -> Self {
        Self {
            qkv: normal_linear(dim, 3 * dim, TRANSFORMER_STD, device),
            proj: normal_linear(dim, dim, output_std, device),
            heads,
        }
    }

    /// # Shapes
    /// - x: `[batch, tokens, dim]`
    /// - output: `[batch, tokens, dim]`
    ///
    /// With `causal`, token `i` attends to tokens `0..=i`.
    pub fn forward(&self, x: Tensor<3>, rotation: Option<&Rotation>, causal: bool) -> Tensor<3> {
        linear(&self.proj, self.mix(x, rotation, causal), Activation::Identity)
    }

    /// Attention before the output projection; shapes as [`Attention::forward`].
    pub fn mix(&self, x: Tensor<3>, rotation: Option<&Rotation>, causal: bool) -> Tensor<3> {
        let mask = if causal { Mask::BlockCausal(1) } else { Mask::Full };
        attention(linear(&self.qkv, x, Activation::Identity), self.heads, &mask, rotation)
    }
}
