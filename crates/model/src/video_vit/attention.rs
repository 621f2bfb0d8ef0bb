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
    /// `[dim, 3 * heads * head_width]`
    pub qkv: Linear,
    /// Output projection.
    pub proj: Linear,
    heads: usize,
}

impl Attention {
    /// `output_std` is the standard deviation of the output projection's initial weights.
    pub fn new(dim: usize, heads: usize, output_std: f64, device: &Device) -> Self {
        Self::with_head_width(dim, heads, None, output_std, device)
    }

    /// With heads of this width, `dim` over `heads` if it is not given.
    pub fn with_head_width(
        dim: usize,
        heads: usize,
        head_width: Option<usize>,
        output_std: f64,
        device: &Device,
    ) -> Self {
        let inner = head_width.map_or(dim, |width| heads * width);
        Self {
            qkv: normal_linear(dim, 3 * inner, TRANSFORMER_STD, device),
            proj: normal_linear(inner, dim, output_std, device),
            heads,
        }
    }

    /// Of these layers.
    pub(crate) fn of_layers(qkv: Linear, proj: Linear, heads: usize) -> Self {
        Self { qkv, proj, heads }
    }

    /// Attention of all tokens to those that the mask leaves them, before the output projection.
    ///
    /// # Shapes
    /// - x: `[batch, tokens, dim]`
    /// - output: `[batch, tokens, heads * head_width]`
    pub fn mix(&self, x: Tensor<3>, mask: &Mask, rotation: Option<&Rotation>) -> Tensor<3> {
        attention(linear(&self.qkv, x, Activation::Identity), self.heads, mask, rotation)
    }

    /// Attention of token `i` to tokens `0..=i`, before the output projection.
    ///
    /// # Shapes
    /// - qkv: `[batch, tokens, 3 * heads * head_width]`, the output of the first projection
    /// - output: `[batch, tokens, heads * head_width]`
    pub fn mix_causal(&self, qkv: Tensor<3>) -> Tensor<3> {
        attention(qkv, self.heads, &Mask::BlockCausal(1), None)
    }
}
