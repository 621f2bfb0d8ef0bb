//! Multi-head self-attention with optional rotary positions.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Device, Tensor};

use super::rope::Rotation;
use crate::initialisation::{TRANSFORMER_STD, normal_linear};

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
        let [batch, tokens, dim] = x.dims();
        let head_dim = dim / self.heads;
        let qkv = self.qkv.forward(x).reshape([batch, tokens, 3 * self.heads, head_dim]).swap_dims(1, 2);
        let part = |index: usize| qkv.clone().narrow(1, index * self.heads, self.heads);
        let (mut query, mut key, value) = (part(0), part(1), part(2));
        if let Some(rotation) = rotation {
            query = rotation.apply(query);
            key = rotation.apply(key);
        }
        let options = AttentionModuleOptions { is_causal: causal, ..AttentionModuleOptions::default() };
        let mixed = attention(query, key, value, None, None, options);
        self.proj.forward(mixed.swap_dims(1, 2).reshape([batch, tokens, dim]))
    }
}
