//! `DINOv2`, with registers and without, as `transformers` has it (`Dinov2Model`, `Dinov2WithRegistersModel`).

use prevision_core::frames::resize::Kernel;
use serde_json::{Value, json};

use super::config::input;
use super::{ConfigReader, Layout, Place, image, in_block};
use crate::pretrained::spec::{Resize, ResizeTo};
use crate::pretrained::{Checkpoint, ImportError, PretrainedSpec};
use crate::{AttentionKind, PositionKind, VideoVitConfig};

const PLAIN: &str = "dinov2";
/// What the config of a gated model says: the ratio of the layer without a gate.
const GATED_RATIO: f64 = 4.0;
const WITH_REGISTERS: &str = "dinov2_with_registers";

pub(super) struct Dinov2;

impl Layout for Dinov2 {
    fn name(&self) -> &'static str {
        PLAIN
    }

    fn recognise(&self, checkpoint: &mut Checkpoint) -> Result<Option<PretrainedSpec>, ImportError> {
        let Some(config) = ConfigReader::of_kind(checkpoint, &[PLAIN, WITH_REGISTERS]) else { return Ok(None) };
        image::check(&config)?;
        let (dim, patch) = (config.count("hidden_size", 768)?, config.count("patch_size", 14)?);
        let gated = config.flag("use_swiglu_ffn", false)?;
        let ratio = config.number("mlp_ratio", 4.0)?;
        if gated && ratio != GATED_RATIO {
            return Err(config.wrong("mlp_ratio", &json!(ratio), "4 with use_swiglu_ffn, as published"));
        }
        // Two thirds of it, rounded up to a multiple of eight: as many weights as without a gate.
        let hidden = ((dim as f64 * ratio) as usize * 2 / 3).next_multiple_of(8);
        let registers = if config.kind() == WITH_REGISTERS { config.count("num_register_tokens", 4)? } else { 0 };
        let encoder = VideoVitConfig {
            dim,
            depth: config.count("num_hidden_layers", 12)?,
            heads: config.count("num_attention_heads", 12)?,
            mlp_ratio: if gated { hidden as f64 / dim as f64 } else { ratio },
            patch,
            tubelet: 1,
            attention: AttentionKind::Full,
            positions: PositionKind::Learned,
            position_side: config.count("image_size", 224)? / patch,
            class_token: true,
            registers,
            gated,
            layer_scale: true,
            epsilon: config.number("layer_norm_eps", 1e-6)?,
        };
        let resize = Resize { to: ResizeTo::Shorter(256), kernel: Kernel::Bicubic };
        let input = input(checkpoint, 1, resize, 224)?;
        image::look_within(checkpoint, ["dinov2.", "dinov2_with_registers."]);
        Ok(Some(PretrainedSpec::new(self.name(), encoder, None, input)))
    }

    fn place(&self, spec: &PretrainedSpec, path: &str) -> Option<Place> {
        let path = path.strip_prefix("encoder.")?;
        if let Some((layer, path)) = in_block(path) {
            let layer = format!("encoder.layer.{layer}.");
            return Some(if let Some(kind) = path.strip_prefix("attn.qkv") {
                Place::stacked(&format!("{layer}attention.attention."), ["query", "key", "value"], kind)
            } else if let Some(kind) = path.strip_prefix("attn.proj") {
                Place::one(format!("{layer}attention.output.dense{kind}"))
            } else if let Some(number) = path.strip_prefix("scale") {
                Place::one(format!("{layer}layer_scale{number}.lambda1"))
            } else if spec.encoder.gated {
                let path = path.replace("mlp.fc1", "mlp.weights_in").replace("mlp.fc2", "mlp.weights_out");
                Place::one(format!("{layer}{path}"))
            } else {
                Place::one(format!("{layer}{path}"))
            });
        }
        Some(image::outside_blocks(&spec.encoder, path))
    }

    fn left_out(&self, name: &str) -> Option<&'static str> {
        match name {
            "embeddings.mask_token" => Some("of pretraining; features do without it"),
            _ if name.starts_with("classifier.") => Some("of the classifier; features do without it"),
            _ => None,
        }
    }

    fn describe(&self, spec: &PretrainedSpec) -> Vec<(&'static str, Value)> {
        let encoder = &spec.encoder;
        let registers = encoder.registers > 0;
        let (architecture, kind) =
            if registers { ("Dinov2WithRegistersModel", WITH_REGISTERS) } else { ("Dinov2Model", PLAIN) };
        let mut config = image::describe(encoder, architecture, kind);
        let ratio = if encoder.gated { GATED_RATIO } else { encoder.mlp_ratio };
        // A whole number in its configs.
        config["mlp_ratio"] = if ratio.fract() == 0.0 { json!(ratio as u64) } else { json!(ratio) };
        config["use_swiglu_ffn"] = json!(encoder.gated);
        if registers {
            config["num_register_tokens"] = json!(encoder.registers);
        }
        vec![("config.json", config), ("preprocessor_config.json", super::config::image_processor(&spec.input))]
    }
}
