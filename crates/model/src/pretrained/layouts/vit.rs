//! ViT and I-JEPA as `transformers` has them (`ViTModel`, `IJepaModel`).

use prevision_core::frames::resize::Kernel;
use serde_json::{Value, json};

use super::config::input;
use super::{ConfigReader, Layout, Place, image, in_block};
use crate::pretrained::spec::{Resize, ResizeTo};
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
        image::check(&config)?;
        let (dim, patch) = (config.count("hidden_size", 768)?, config.count("patch_size", 16)?);
        let side = config.count("image_size", 224)?;
        let kind = config.kind();
        let encoder = VideoVitConfig {
            dim,
            depth: config.count("num_hidden_layers", 12)?,
            heads: config.count("num_attention_heads", 12)?,
            mlp_ratio: config.count("intermediate_size", 3072)? as f64 / dim as f64,
            patch,
            tubelet: 1,
            positions: PositionKind::Learned,
            position_side: side / patch,
            class_token: kind == VIT,
            epsilon: config.number("layer_norm_eps", 1e-12)?,
            ..VideoVitConfig::default()
        };
        let resize = Resize { to: ResizeTo::Exactly([side; 2]), kernel: Kernel::Bilinear };
        let input = input(checkpoint, 1, resize, side)?;
        image::look_within(checkpoint, ["vit.", "ijepa."]);
        Ok(Some(PretrainedSpec::new(self.name(), encoder, None, input)))
    }

    fn place(&self, spec: &PretrainedSpec, path: &str) -> Option<Place> {
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
        Some(image::outside_blocks(&spec.encoder, path))
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
        let (architecture, kind) = if encoder.class_token { ("ViTModel", VIT) } else { ("IJepaModel", IJEPA) };
        let mut config = image::describe(encoder, architecture, kind);
        config["intermediate_size"] = json!((encoder.dim as f64 * encoder.mlp_ratio).round() as usize);
        vec![("config.json", config), ("preprocessor_config.json", super::config::image_processor(&spec.input))]
    }
}
