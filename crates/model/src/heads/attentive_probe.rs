//! Reads classes from the tokens of a frozen encoder.

use burn::module::{Initializer, Module, Param};
use burn::nn::Linear;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::initialisation::{TRANSFORMER_STD, normal_linear};
use crate::layers::{Activation, LayerNorm, linear};
use crate::video_vit::{Block, BlockConfig, Mlp};

/// Sizes of an [`AttentiveProbe`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttentiveProbeConfig {
    /// Blocks of self-attention before tokens are pooled: 3 in V-JEPA 2's.
    pub depth: usize,
    /// Attention heads.
    pub heads: usize,
    /// Hidden width of an MLP over that of a token.
    pub mlp_ratio: f64,
    /// What layer norms add to the variance: 1e-5 as published, 1e-6 in `transformers`.
    pub epsilon: f64,
    /// Number of classes.
    pub classes: usize,
}

impl AttentiveProbeConfig {
    /// A probe of tokens of this width.
    pub fn init(&self, dim: usize, device: &Device) -> AttentiveProbe {
        let plain = BlockConfig::plain(dim, self.heads, self.mlp_ratio);
        let block = BlockConfig { epsilon: self.epsilon, ..plain };
        AttentiveProbe {
            query: Initializer::Normal { mean: 0.0, std: TRANSFORMER_STD }.init([1, dim], device),
            blocks: (1..=self.depth).map(|layer| block.init(layer, device)).collect(),
            pool: Pool {
                norm1: LayerNorm::new(dim, self.epsilon, device),
                query: normal_linear(dim, dim, TRANSFORMER_STD, device),
                key: normal_linear(dim, dim, TRANSFORMER_STD, device),
                value: normal_linear(dim, dim, TRANSFORMER_STD, device),
                norm2: LayerNorm::new(dim, self.epsilon, device),
                mlp: Mlp::new(dim, block.hidden(), false, BlockConfig::output_std(self.depth + 1), device),
                heads: self.heads,
            },
            classifier: normal_linear(dim, self.classes, TRANSFORMER_STD, device),
        }
    }
}

/// Self-attention over the tokens, one learned query that looks at all of them, a linear layer (V-JEPA 2, `src/models/attentive_pooler.py`).
/// Positions are not told: encoders have put them into their tokens.
#[derive(Module, Debug)]
pub struct AttentiveProbe {
    /// `[1, dim]`
    pub query: Param<Tensor<2>>,
    /// Before pooling.
    pub blocks: Vec<Block>,
    /// The query's look at the tokens.
    pub pool: Pool,
    /// `dim` to classes.
    pub classifier: Linear,
}

impl AttentiveProbe {
    /// # Shapes
    /// - tokens: `[batch, n, dim]`
    /// - output: `[batch, classes]`
    pub fn forward(&self, tokens: Tensor<3>) -> Tensor<2> {
        let tokens = self.blocks.iter().fold(tokens, |tokens, block| block.forward(tokens, None));
        linear(&self.classifier, self.pool.forward(self.query.val(), tokens), Activation::Identity)
    }
}

/// Cross-attention without a projection of its output, and a perceptron: `q += attention(q, norm1(tokens)); q += mlp(norm2(q))`.
#[derive(Module, Debug)]
pub struct Pool {
    /// Of the tokens; the query is taken as it is.
    pub norm1: LayerNorm,
    /// Of the query.
    pub query: Linear,
    /// Of the tokens.
    pub key: Linear,
    /// Of the tokens.
    pub value: Linear,
    /// Before the perceptron.
    pub norm2: LayerNorm,
    /// The perceptron.
    pub mlp: Mlp,
    heads: usize,
}

impl Pool {
    /// `[batch, dim]` of a query `[1, dim]` and tokens `[batch, n, dim]`.
    ///
    /// With one query there is less to compute where it goes through the layer of the keys instead of every token, and what it sees through
    /// that of the values: `q (W k)^T = (q W^T) k^T`. The bias of the keys adds the same to all scores, which the softmax does not see.
    fn forward(&self, query: Tensor<2>, tokens: Tensor<3>) -> Tensor<2> {
        let [batch, count, dim] = tokens.dims();
        let (heads, width) = (self.heads, dim / self.heads);
        let tokens = self.norm1.forward(tokens);
        // `[heads, dim, width]`
        let by_head = |layer: &Linear| layer.weight.val().reshape([dim, heads, width]).swap_dims(0, 1);
        let asked = linear(&self.query, query.clone(), Activation::Identity) / (width as f32).sqrt();
        let asked: Tensor<2> = by_head(&self.key).matmul(asked.reshape([heads, width, 1])).reshape([heads, dim]);
        let scores: Tensor<3> =
            tokens.clone().reshape([batch * count, dim]).matmul(asked.transpose()).reshape([batch, count, heads]);
        let weights = softmax(scores.swap_dims(1, 2), 2);
        let looked_at = weights.matmul(tokens).swap_dims(0, 1);
        let seen: Tensor<2> = looked_at.matmul(by_head(&self.value)).swap_dims(0, 1).reshape([batch, dim]);
        let bias = self.value.bias.as_ref().map(|bias| bias.val().unsqueeze::<2>());
        let seen = bias.into_iter().fold(seen, |seen, bias| seen + bias);
        let pooled = (query + seen).unsqueeze_dim::<3>(1);
        self.mlp.forward_residual(&self.norm2, None, pooled).reshape([batch, dim])
    }
}
