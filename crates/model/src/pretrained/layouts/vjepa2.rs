//! V-JEPA 2 as `transformers` has it (`VJEPA2Model`, `VJEPA2ForVideoClassification`).

use prevision_core::frames::resize::Kernel;
use serde_json::{Value, json};

use super::config::input;
use super::{ConfigReader, Layout, Place, in_block};
use crate::heads::AttentiveProbeConfig;
use crate::pretrained::spec::{Resize, ResizeTo};
use crate::pretrained::{Checkpoint, ImportError, PretrainedSpec};
use crate::{MaskedPredictorConfig, PositionKind, VideoVitConfig};

/// What stands before the names of a model with a classifier.
const WITHIN: &str = "vjepa2.";
/// What norms add to the variance.
const EPSILON: f64 = 1e-6;

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
        config.only("layer_norm_eps", &json!(EPSILON))?;
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
        let resize = Resize { to: ResizeTo::Shorter(crop * 256 / 224), kernel: Kernel::Bilinear };
        let input = input(checkpoint, frames, resize, crop)?;
        let part = checkpoint.names().any(|name| name.starts_with(WITHIN)).then(|| WITHIN.to_owned());
        let within = part.as_deref().unwrap_or_default();
        let predictor = checkpoint.shape(&format!("{within}predictor.proj.weight")).is_some().then_some(predictor);
        let classes = checkpoint.shape("classifier.weight").and_then(|shape| shape.first().copied());
        let depth = config.count("num_pooler_layers", 3)?;
        let classifier = classes.map(|classes| AttentiveProbeConfig {
            depth,
            heads: encoder.heads,
            mlp_ratio: encoder.mlp_ratio,
            epsilon: EPSILON,
            classes,
        });
        let labels = config.labels(classes.unwrap_or_default())?;
        Ok(Some(PretrainedSpec {
            classifier,
            labels,
            part,
            ..PretrainedSpec::new(self.name(), encoder, predictor, input)
        }))
    }

    fn place(&self, spec: &PretrainedSpec, path: &str) -> Option<Place> {
        let (network, path) = path.split_once('.')?;
        if network == "classifier" {
            return of_classifier(spec.encoder.dim, path);
        }
        let place = of_model(spec, network, path)?;
        let within = spec.part.as_deref().unwrap_or_default();
        Some(Place { parts: place.parts.into_iter().map(|part| format!("{within}{part}")).collect(), ..place })
    }

    fn left_out(&self, _: &str) -> Option<&'static str> {
        None
    }

    fn describe(&self, spec: &PretrainedSpec) -> Vec<(&'static str, Value)> {
        let (encoder, input) = (&spec.encoder, &spec.input);
        let predictor = spec.predictor.clone().unwrap_or_default();
        let mut config = json!({
            "architectures": [if spec.classifier.is_some() { "VJEPA2ForVideoClassification" } else { "VJEPA2Model" }],
            "model_type": "vjepa2",
            "torch_dtype": "float32",
            "hidden_size": encoder.dim,
            "num_hidden_layers": encoder.depth,
            "num_attention_heads": encoder.heads,
            "mlp_ratio": encoder.mlp_ratio,
            "patch_size": encoder.patch,
            "tubelet_size": encoder.tubelet,
            "layer_norm_eps": EPSILON,
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
        if let Some(classifier) = &spec.classifier {
            describe_classifier(classifier, &spec.labels, &mut config);
        }
        let ResizeTo::Shorter(shorter) = input.resize.to else { return vec![("config.json", config)] };
        let preprocessor = json!({
            "video_processor_type": "VJEPA2VideoProcessor",
            "size": { "shortest_edge": shorter },
            "crop_size": { "height": input.crop, "width": input.crop },
            "image_mean": input.mean,
            "image_std": input.std,
            "resample": if input.resize.kernel == Kernel::Bilinear { 2 } else { 3 },
        });
        vec![("config.json", config), ("video_preprocessor_config.json", preprocessor)]
    }
}

/// Where a parameter of the encoder or of the predictor lies.
fn of_model(spec: &PretrainedSpec, network: &str, path: &str) -> Option<Place> {
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

/// The keys of a classifier.
fn describe_classifier(classifier: &AttentiveProbeConfig, labels: &[String], config: &mut Value) {
    let name = |class: usize| labels.get(class).cloned().unwrap_or_else(|| format!("LABEL_{class}"));
    let classes = || (0..classifier.classes).map(|class| (class, name(class)));
    config["num_pooler_layers"] = json!(classifier.depth);
    config["id2label"] = classes().map(|(class, name)| (class.to_string(), json!(name))).collect();
    config["label2id"] = classes().map(|(class, name)| (name, json!(class))).collect();
}

/// Where a parameter of the classifier lies.
fn of_classifier(dim: usize, path: &str) -> Option<Place> {
    if let Some((layer, path)) = in_block(path) {
        let layer = format!("pooler.self_attention_layers.{layer}.");
        return Some(if let Some(kind) = path.strip_prefix("attn.qkv") {
            Place::stacked(&format!("{layer}self_attn."), ["q_proj", "k_proj", "v_proj"], kind)
        } else {
            Place::one(format!(
                "{layer}{}",
                path.replace("attn.proj", "self_attn.out_proj").replace("norm", "layer_norm")
            ))
        });
    }
    let cross = "pooler.cross_attention_layer.";
    Some(match path.split_once('.') {
        None if path == "query" => Place::shaped("pooler.query_tokens", [1, 1, dim]),
        Some(("classifier", kind)) => Place::one(format!("classifier.{kind}")),
        Some(("pool", path)) => {
            let renamed = [
                ("query.", "cross_attn.q_proj."),
                ("key.", "cross_attn.k_proj."),
                ("value.", "cross_attn.v_proj."),
                ("norm", "layer_norm"),
                ("mlp", "mlp"),
            ];
            let (ours, theirs) = renamed.into_iter().find(|(ours, _)| path.starts_with(ours))?;
            Place::one(format!("{cross}{}", path.replacen(ours, theirs, 1)))
        }
        _ => return None,
    })
}
