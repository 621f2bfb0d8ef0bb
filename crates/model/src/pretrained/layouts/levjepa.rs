//! `LeVJEPA` as its authors publish it (`galilai-group/LeVJEPA-VideoMix-Large`): an encoder of frames with a class token and block-causal
//! attention, whose names are those of V-JEPA's code.

use prevision_core::frames::resize::Kernel;
use serde_json::{Value, json};

use super::config::input;
use super::{ConfigReader, Layout, Place};
use crate::pretrained::spec::{Resize, ResizeTo};
use crate::pretrained::{Checkpoint, ImportError, PretrainedSpec};
use crate::{AttentionKind, PositionKind, VideoVitConfig};

/// What `modeling_levjepa.py` adds to the variance of every norm; `config.json` does not say it.
const EPSILON: f64 = 1e-6;
/// Names of [`AttentionKind`].
const FULL: &str = "full";
const BLOCK_CAUSAL: &str = "block_causal";

pub(super) struct Levjepa;

impl Layout for Levjepa {
    fn name(&self) -> &'static str {
        "levjepa"
    }

    fn recognise(&self, checkpoint: &mut Checkpoint) -> Result<Option<PretrainedSpec>, ImportError> {
        let Some(config) = ConfigReader::of_kind(checkpoint, &[self.name()]) else { return Ok(None) };
        config.only("use_rope", &json!(true))?;
        config.only("qkv_bias", &json!(true))?;
        config.only("in_chans", &json!(3))?;
        let attention = match config.text("attn_mode", FULL)? {
            FULL => AttentionKind::Full,
            BLOCK_CAUSAL => AttentionKind::BlockCausal,
            other => return Err(config.wrong("attn_mode", &json!(other), "full or block_causal")),
        };
        let encoder = VideoVitConfig {
            dim: config.count("embed_dim", 1024)?,
            depth: config.count("depth", 24)?,
            heads: config.count("num_heads", 16)?,
            mlp_ratio: config.number("mlp_ratio", 4.0)?,
            patch: config.count("patch_size", 16)?,
            tubelet: config.count("tubelet_size", 1)?,
            attention,
            positions: PositionKind::RopeTiled,
            class_token: true,
            epsilon: EPSILON,
            ..VideoVitConfig::default()
        };
        let (crop, frames) = (config.count("img_size", 224)?, config.count("num_frames", 16)?);
        // The model card: the shorter side, bicubic, and ImageNet's colours; there is no preprocessor_config.json.
        let resize = Resize { to: ResizeTo::Shorter(crop), kernel: Kernel::Bicubic };
        let input = input(checkpoint, frames, resize, crop)?;
        Ok(Some(PretrainedSpec::new(self.name(), encoder, None, input)))
    }

    fn place(&self, spec: &PretrainedSpec, path: &str) -> Option<Place> {
        let VideoVitConfig { dim, tubelet, patch, .. } = spec.encoder;
        Some(match path.strip_prefix("encoder.")? {
            "tubelet_embed.projection.weight" => {
                Place::shaped("encoder.patch_embed.proj.weight", [dim, 3, tubelet, patch, patch])
            }
            "tubelet_embed.projection.bias" => Place::one("encoder.patch_embed.proj.bias"),
            "class" => Place::shaped("encoder.cls_token", [1, 1, dim]),
            _ => Place::one(path),
        })
    }

    fn left_out(&self, _: &str) -> Option<&'static str> {
        None
    }

    fn describe(&self, spec: &PretrainedSpec) -> Vec<(&'static str, Value)> {
        let encoder = &spec.encoder;
        let config = json!({
            "architectures": ["LeVJEPAModel"],
            "model_type": self.name(),
            "torch_dtype": "float32",
            "embed_dim": encoder.dim,
            "depth": encoder.depth,
            "num_heads": encoder.heads,
            "mlp_ratio": encoder.mlp_ratio,
            "patch_size": encoder.patch,
            "tubelet_size": encoder.tubelet,
            "img_size": spec.input.crop,
            "num_frames": spec.input.frames,
            "in_chans": 3,
            "qkv_bias": true,
            "use_rope": true,
            // `recognise` knows these two alone.
            "attn_mode": if encoder.attention == AttentionKind::Full { FULL } else { BLOCK_CAUSAL },
        });
        vec![("config.json", config)]
    }
}
