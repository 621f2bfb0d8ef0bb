//! V-JEPA 2 as `transformers` has it (`VJEPA2Model`, `VJEPA2ForVideoClassification`).

use serde_json::{Value, json};

use super::config::input;
use super::{ConfigReader, Layout, Place, in_block};
use crate::pretrained::spec::{Resize, ResizeKernel, ResizeTo};
use crate::pretrained::{Checkpoint, ImportError, PretrainedSpec};
use crate::{MaskedPredictorConfig, PositionKind, VideoVitConfig};

/// What stands before the names of a model with a classifier.
const WITHIN: &str = "vjepa2.";

pub(super) struct Vjepa2;

impl Layout for Vjepa2 {
    fn name(&self) -> &'static str {
        "vjepa2"
    }

    fn recognise(&self, checkpoint: &mut Checkpoint) -> Result<Option<PretrainedSpec>, ImportError> {
        let Some(config) = ConfigReader::of_kind(checkpoint, &["vjepa2"]) else { return Ok(None) };
        config.only("hidden_act", &json!("gelu"))?;
        config.only("qkv_bias", &json!(true))?;
        config.only("in_chans", &json!(3))?;
        config.only("layer_norm_eps", &json!(1e-6))?;
        let encoder = VideoVitConfig {
            dim: config.count("hidden_size", 1024)?,
            depth: config.count("num_hidden_layers", 24)?,
            heads: config.count("num_attention_heads", 16)?,
            mlp_ratio: config.number("mlp_ratio", 4.0)?,
            patch: config.count("patch_size", 16)?,
            tubelet: config.count("tubelet_size", 2)?,
            positions: PositionKind::RopeTiled,
            ..VideoVitConfig::default()
        };
        let predictor = MaskedPredictorConfig {
            width: config.count("pred_hidden_size", 384)?,
            depth: config.count("pred_num_hidden_layers", 12)?,
            heads: config.count("pred_num_attention_heads", 12)?,
            mlp_ratio: config.number("pred_mlp_ratio", 4.0)?,
            mask_tokens: config.count("pred_num_mask_tokens", 10)?,
            residual: false,
        };
        let (crop, frames) = (config.count("crop_size", 256)?, config.count("frames_per_clip", 64)?);
        let resize = Resize { to: ResizeTo::Shorter(crop * 256 / 224), kernel: ResizeKernel::Bilinear };
        let input = input(checkpoint, frames, resize, crop)?;
        if checkpoint.names().any(|name| name.starts_with(WITHIN)) {
            checkpoint.set_prefix(WITHIN);
        }
        let predictor = checkpoint.shape("predictor.proj.weight").is_some().then_some(predictor);
        Ok(Some(PretrainedSpec::new(self.name(), encoder, predictor, input)))
    }

    fn place(&self, spec: &PretrainedSpec, path: &str) -> Option<Place> {
        let (network, path) = path.split_once('.')?;
        let tubelet = [spec.encoder.dim, 3, spec.encoder.tubelet, spec.encoder.patch, spec.encoder.patch];
        if let Some((layer, path)) = in_block(path) {
            let layer = format!("{network}.layer.{layer}.");
            return Some(match path.strip_prefix("attn.qkv") {
                Some(kind) => Place::stacked(&format!("{layer}attention."), ["query", "key", "value"], kind),
                None => Place::one(format!("{layer}{}", path.replace("attn.", "attention."))),
            });
        }
        Some(match (network, path) {
            ("encoder", "tubelet_embed.projection.weight") => {
                Place::shaped("encoder.embeddings.patch_embeddings.proj.weight", tubelet)
            }
            ("encoder", "tubelet_embed.projection.bias") => Place::one("encoder.embeddings.patch_embeddings.proj.bias"),
            ("predictor", "mask_tokens") => {
                let predictor = spec.predictor.as_ref()?;
                Place::shaped("predictor.embeddings.mask_tokens", [predictor.mask_tokens, 1, 1, predictor.width])
            }
            ("predictor", path) if path.starts_with("embed.") => {
                Place::one(path.replace("embed.", "predictor.embeddings.predictor_embeddings."))
            }
            ("predictor", path) if path.starts_with("proj.") => Place::one(format!("predictor.{path}")),
            (network, path) if path.starts_with("norm.") => {
                Place::one(format!("{network}.{}", path.replace("norm.", "layernorm.")))
            }
            _ => return None,
        })
    }

    fn left_out(&self, name: &str) -> Option<&'static str> {
        let classifies = name.starts_with("pooler.") || name.starts_with("classifier.");
        classifies.then_some("of the classifier; features do without it")
    }

    fn describe(&self, spec: &PretrainedSpec) -> Vec<(&'static str, Value)> {
        let (encoder, input) = (&spec.encoder, &spec.input);
        let predictor = spec.predictor.clone().unwrap_or_default();
        let config = json!({
            "architectures": ["VJEPA2Model"],
            "model_type": "vjepa2",
            "torch_dtype": "float32",
            "hidden_size": encoder.dim,
            "num_hidden_layers": encoder.depth,
            "num_attention_heads": encoder.heads,
            "mlp_ratio": encoder.mlp_ratio,
            "patch_size": encoder.patch,
            "tubelet_size": encoder.tubelet,
            "layer_norm_eps": encoder.epsilon,
            "crop_size": input.crop,
            "frames_per_clip": input.frames,
            "hidden_act": "gelu",
            "qkv_bias": true,
            "in_chans": 3,
            "pred_hidden_size": predictor.width,
            "pred_num_hidden_layers": predictor.depth,
            "pred_num_attention_heads": predictor.heads,
            "pred_mlp_ratio": predictor.mlp_ratio,
            "pred_num_mask_tokens": predictor.mask_tokens,
        });
        let ResizeTo::Shorter(shorter) = input.resize.to else { return vec![("config.json", config)] };
        let preprocessor = json!({
            "video_processor_type": "VJEPA2VideoProcessor",
            "size": { "shortest_edge": shorter },
            "crop_size": { "height": input.crop, "width": input.crop },
            "image_mean": input.mean,
            "image_std": input.std,
            "resample": if input.resize.kernel == ResizeKernel::Bilinear { 2 } else { 3 },
        });
        vec![("config.json", config), ("video_preprocessor_config.json", preprocessor)]
    }
}
