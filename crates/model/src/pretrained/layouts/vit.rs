//! ViT and I-JEPA as `transformers` has them (`ViTModel`, `IJepaModel`).

use serde_json::{Value, json};

use super::config::input;
use super::{ConfigReader, Layout, Place, in_block};
use crate::pretrained::spec::{Resize, ResizeKernel, ResizeTo};
use crate::pretrained::{Checkpoint, ImportError, PretrainedSpec};
use crate::{PositionKind, VideoVitConfig};

/// With a class token.
const VIT: &str = "vit";
/// Without one.
const IJEPA: &str = "ijepa";

pub(super) struct Vit;

impl Layout for Vit {
    fn name(&self) -> &'static str {
        VIT
    }

    fn recognise(&self, checkpoint: &mut Checkpoint) -> Result<Option<PretrainedSpec>, ImportError> {
        let Some(config) = ConfigReader::of_kind(checkpoint, &[VIT, IJEPA]) else { return Ok(None) };
        config.only("hidden_act", &json!("gelu"))?;
        config.only("qkv_bias", &json!(true))?;
        config.only("num_channels", &json!(3))?;
        let (dim, patch) = (config.count("hidden_size", 768)?, config.count("patch_size", 16)?);
        let image = config.count("image_size", 224)?;
        let kind = config.kind();
        let encoder = VideoVitConfig {
            dim,
            depth: config.count("num_hidden_layers", 12)?,
            heads: config.count("num_attention_heads", 12)?,
            mlp_ratio: config.count("intermediate_size", 3072)? as f64 / dim as f64,
            patch,
            tubelet: 1,
            positions: PositionKind::Learned,
            position_side: image / patch,
            class_token: kind == VIT,
            epsilon: config.number("layer_norm_eps", 1e-12)?,
            ..VideoVitConfig::default()
        };
        let resize = Resize { to: ResizeTo::Exactly([image; 2]), kernel: ResizeKernel::Bilinear };
        let input = input(checkpoint, 1, resize, image)?;
        for prefix in ["vit.", "ijepa."] {
            if checkpoint.names().any(|name| name.starts_with(prefix)) {
                checkpoint.set_prefix(prefix);
            }
        }
        Ok(Some(PretrainedSpec::new(self.name(), encoder, None, input)))
    }

    fn place(&self, spec: &PretrainedSpec, path: &str) -> Option<Place> {
        let (dim, patch) = (spec.encoder.dim, spec.encoder.patch);
        let path = path.strip_prefix("encoder.")?;
        if let Some((layer, path)) = in_block(path) {
            let layer = format!("encoder.layer.{layer}.");
            if let Some(kind) = path.strip_prefix("attn.qkv") {
                let attention = format!("{layer}attention.attention.");
                return Some(Place::stacked(&attention, ["query", "key", "value"], kind));
            }
            let renamed = [
                ("attn.proj", "attention.output.dense"),
                ("mlp.fc1", "intermediate.dense"),
                ("mlp.fc2", "output.dense"),
                ("norm1", "layernorm_before"),
                ("norm2", "layernorm_after"),
            ];
            let (ours, theirs) = renamed.into_iter().find(|(ours, _)| path.starts_with(ours))?;
            return Some(Place::one(format!("{layer}{}", path.replace(ours, theirs))));
        }
        Some(match path {
            "tubelet_embed.projection.weight" => {
                Place::shaped("embeddings.patch_embeddings.projection.weight", [dim, 3, patch, patch])
            }
            "tubelet_embed.projection.bias" => Place::one("embeddings.patch_embeddings.projection.bias"),
            "learned.table" => {
                let places = usize::from(spec.encoder.class_token) + spec.encoder.position_side.pow(2);
                Place::shaped("embeddings.position_embeddings", [1, places, dim])
            }
            "class" => Place::shaped("embeddings.cls_token", [1, 1, dim]),
            path => Place::one(path.replace("norm.", "layernorm.")),
        })
    }

    fn left_out(&self, name: &str) -> Option<&'static str> {
        match name {
            "embeddings.mask_token" => Some("of pretraining; features do without it"),
            _ if name.starts_with("pooler.") => Some("a layer on the class token that features do without"),
            _ if name.starts_with("classifier.") => Some("of the classifier; features do without it"),
            _ => None,
        }
    }

    fn describe(&self, spec: &PretrainedSpec) -> Vec<(&'static str, Value)> {
        let encoder = &spec.encoder;
        let image = encoder.patch * encoder.position_side;
        let config = json!({
            "architectures": [if encoder.class_token { "ViTModel" } else { "IJepaModel" }],
            "model_type": if encoder.class_token { VIT } else { IJEPA },
            "torch_dtype": "float32",
            "hidden_size": encoder.dim,
            "num_hidden_layers": encoder.depth,
            "num_attention_heads": encoder.heads,
            "intermediate_size": (encoder.dim as f64 * encoder.mlp_ratio).round() as usize,
            "patch_size": encoder.patch,
            "image_size": image,
            "layer_norm_eps": encoder.epsilon,
            "hidden_act": "gelu",
            "qkv_bias": true,
            "num_channels": 3,
        });
        vec![("config.json", config), ("preprocessor_config.json", super::config::image_processor(&spec.input))]
    }
}
