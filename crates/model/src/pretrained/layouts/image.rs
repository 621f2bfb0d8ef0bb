//! What the image models of `transformers` have in common.

use serde_json::{Value, json};

use super::{ConfigReader, Place};
use crate::VideoVitConfig;
use crate::pretrained::{Checkpoint, ImportError};

/// Checks the keys that have one value here.
///
/// # Errors
/// The first that has another.
pub(super) fn check(config: &ConfigReader<'_>) -> Result<(), ImportError> {
    config.only("hidden_act", &json!("gelu"))?;
    config.only("qkv_bias", &json!(true))?;
    config.only("num_channels", &json!(3))
}

/// Looks behind the first of these that stands before a name: that of the backbone in a model with a classifier.
pub(super) fn look_within(checkpoint: &mut Checkpoint, prefixes: [&str; 2]) {
    let found = prefixes.into_iter().find(|prefix| checkpoint.names().any(|name| name.starts_with(prefix)));
    if let Some(prefix) = found {
        checkpoint.set_prefix(prefix);
    }
}

/// Where a parameter that is in no block lies.
pub(super) fn outside_blocks(encoder: &VideoVitConfig, path: &str) -> Place {
    let VideoVitConfig { dim, patch, position_side: side, .. } = *encoder;
    match path {
        "tubelet_embed.projection.weight" => {
            Place::shaped("embeddings.patch_embeddings.projection.weight", [dim, 3, patch, patch])
        }
        "tubelet_embed.projection.bias" => Place::one("embeddings.patch_embeddings.projection.bias"),
        "learned.table" => {
            let places = usize::from(encoder.class_token) + side * side;
            Place::shaped("embeddings.position_embeddings", [1, places, dim])
        }
        "class" => Place::shaped("embeddings.cls_token", [1, 1, dim]),
        "registers" => Place::shaped("embeddings.register_tokens", [1, encoder.registers, dim]),
        path => Place::one(path.replace("norm.", "layernorm.")),
    }
}

/// Keys of `config.json` that all of them have.
pub(super) fn describe(encoder: &VideoVitConfig, architecture: &str, kind: &str) -> Value {
    json!({
        "architectures": [architecture],
        "model_type": kind,
        "torch_dtype": "float32",
        "hidden_size": encoder.dim,
        "num_hidden_layers": encoder.depth,
        "num_attention_heads": encoder.heads,
        "patch_size": encoder.patch,
        "image_size": encoder.patch * encoder.position_side,
        "layer_norm_eps": encoder.epsilon,
        "hidden_act": "gelu",
        "qkv_bias": true,
        "num_channels": 3,
    })
}
