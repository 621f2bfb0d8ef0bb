//! `LeWM` as stable-worldmodel has it (`wm/lewm`): what its `save_pretrained` writes, and what `load_pretrained` reads.

use prevision_core::frames::resize::Kernel;
use serde_json::{Value, json};

use super::config::ConfigReader;
use super::{Layout, Place, image, in_block};
use crate::predictor::LewmConfig;
use crate::pretrained::spec::{IMAGENET, Input, Resize, ResizeTo};
use crate::pretrained::world::{VitNames, WorldSpec};
use crate::pretrained::{Checkpoint, ImportError, PretrainedSpec};
use crate::{PositionKind, VideoVitConfig};

/// A tensor that every checkpoint has.
const KNOWN_BY: &str = "predictor.pos_embedding";
/// A tensor of a block as `transformers` named it before version 5.
const OLDER: &str = "encoder.encoder.layer.0.layernorm_before.weight";
/// Width, blocks and heads of the sizes that stable-pretraining knows (`backbone/utils.py`, `vit_hf`).
const SIZES: [(&str, [usize; 3]); 5] = [
    ("tiny", [192, 12, 3]),
    ("small", [384, 12, 6]),
    ("base", [768, 12, 12]),
    ("large", [1024, 24, 16]),
    ("huge", [1280, 32, 16]),
];

pub(super) struct Lewm;

impl Layout for Lewm {
    fn name(&self) -> &'static str {
        "lewm"
    }

    fn recognise(&self, checkpoint: &mut Checkpoint) -> Result<Option<PretrainedSpec>, ImportError> {
        // The authors' own repository calls it JEPA.
        let Some(config) = ConfigReader::of_target(checkpoint, &["LeWM", "JEPA"]) else {
            let weights = checkpoint.config().is_none() && checkpoint.shape(KNOWN_BY).is_some();
            let message = "weights of a LeWM without the config.json that stable-worldmodel's save_pretrained writes beside \
                           them: it says how many heads there are";
            return if weights { Err(ImportError::broken(checkpoint.path(), message)) } else { Ok(None) };
        };
        let (encoder, side) = encoder(&config.section("encoder", &["vit_hf", "ViTModel"])?)?;
        let embedder = config.section("action_encoder", &["Embedder"])?;
        let dim = encoder.dim;
        embedder.only_count("emb_dim", 10, dim)?;
        let predictor = config.section("predictor", &["Predictor", "ARPredictor"])?;
        for key in ["input_dim", "hidden_dim", "output_dim"] {
            predictor.only_count(key, dim, dim)?;
        }
        let world = WorldSpec {
            predictor: LewmConfig {
                history: predictor.count("num_frames", 3)?,
                depth: predictor.count("depth", 6)?,
                heads: predictor.count("heads", 16)?,
                head_width: predictor.count("dim_head", 64)?,
                hidden: predictor.count("mlp_dim", 2048)?,
                action_width: embedder.count("smoothed_dim", 10)?,
                action_hidden: embedder.count("mlp_scale", 4)? * dim,
                projector: projector(&config, "pred_proj", dim)?,
            },
            projector: projector(&config, "projector", dim)?,
            action: embedder.count("input_dim", 10)?,
            names: if checkpoint.shape(OLDER).is_some() { VitNames::Older } else { VitNames::Current },
        };
        let LewmConfig { heads, head_width, .. } = world.predictor;
        if (heads, head_width) == (1, dim) {
            return Err(predictor.wrong(
                "heads",
                &json!(1),
                "more than one: one as wide as the latent has no output layer",
            ));
        }
        let resize = Resize { to: ResizeTo::Whole(side), kernel: Kernel::Bilinear };
        let input = Input { frames: 1, resize, crop: side, mean: IMAGENET.0, std: IMAGENET.1 };
        Ok(Some(PretrainedSpec { world: Some(world), ..PretrainedSpec::new(self.name(), encoder, None, input) }))
    }

    fn place(&self, spec: &PretrainedSpec, path: &str) -> Option<Place> {
        let world = spec.world.as_ref()?;
        if let Some(path) = path.strip_prefix("encoder.") {
            let place = of_encoder(spec, world.names, path)?;
            return Some(Place {
                parts: place.parts.into_iter().map(|part| format!("encoder.{part}")).collect(),
                ..place
            });
        }
        let path = path.strip_prefix("world.")?;
        if let Some(path) = path.strip_prefix("projector.") {
            return of_projector("projector", path);
        }
        let path = path.strip_prefix("predictor.")?;
        if let Some(path) = path.strip_prefix("projector.") {
            return of_projector("pred_proj", path);
        }
        of_predictor(spec.encoder.dim, world, path)
    }

    fn left_out(&self, name: &str) -> Option<&'static str> {
        match name {
            "encoder.embeddings.mask_token" => Some("of another way to pretrain; latents do without it"),
            _ if name.ends_with(".num_batches_tracked") => Some("a count that running means do without"),
            _ if name.starts_with("encoder.pooler.") => Some("a layer on the class token that latents do without"),
            _ => None,
        }
    }

    fn exported(&self, spec: &PretrainedSpec) -> PretrainedSpec {
        let world = spec.world.clone().map(|world| WorldSpec { names: VitNames::Current, ..world });
        PretrainedSpec { world, ..spec.clone() }
    }

    fn weights(&self) -> &'static str {
        "weights.pt"
    }

    fn describe(&self, spec: &PretrainedSpec) -> Vec<(&'static str, Value)> {
        let Some(world) = &spec.world else { return Vec::new() };
        let (encoder, predictor) = (&spec.encoder, &world.predictor);
        let module = |name: &str| format!("stable_worldmodel.wm.lewm.module.{name}");
        let projector = |hidden: usize| {
            json!({
                "_target_": module("MLP"),
                "input_dim": encoder.dim,
                "hidden_dim": hidden,
                "output_dim": encoder.dim,
                "norm_fn": { "_target_": "torch.nn.BatchNorm1d", "_partial_": true },
            })
        };
        let mut vit = image::describe(encoder, "ViTModel", "vit");
        for key in ["architectures", "model_type", "torch_dtype"] {
            vit.as_object_mut().map(|keys| keys.remove(key));
        }
        vit["_target_"] = json!("transformers.ViTConfig");
        vit["intermediate_size"] = json!((encoder.dim as f64 * encoder.mlp_ratio).round() as usize);
        let config = json!({
            "_target_": "stable_worldmodel.wm.lewm.LeWM",
            "encoder": { "_target_": "transformers.ViTModel", "config": vit, "add_pooling_layer": false },
            "predictor": {
                "_target_": module("Predictor"),
                "num_frames": predictor.history,
                "depth": predictor.depth,
                "heads": predictor.heads,
                "dim_head": predictor.head_width,
                "mlp_dim": predictor.hidden,
                "input_dim": encoder.dim,
                "hidden_dim": encoder.dim,
                "output_dim": encoder.dim,
                "dropout": 0.1,
            },
            "action_encoder": {
                "_target_": module("Embedder"),
                "input_dim": world.action,
                "smoothed_dim": predictor.action_width,
                "emb_dim": encoder.dim,
                "mlp_scale": predictor.action_hidden / encoder.dim,
            },
            "projector": projector(world.projector),
            "pred_proj": projector(predictor.projector),
        });
        vec![("config.json", config)]
    }
}

/// The vision transformer, and the side of its pictures: made by stable-pretraining's `vit_hf`, or by `transformers` itself.
fn encoder(config: &ConfigReader<'_>) -> Result<(VideoVitConfig, usize), ImportError> {
    let (config, [dim, depth, heads], hidden) = if config.target() == "vit_hf" {
        let size = config.text("size", "tiny")?;
        let allowed = SIZES.map(|(name, _)| name).join(", ");
        let known = SIZES.iter().find(|(name, _)| *name == size);
        let (_, sizes) = known.ok_or_else(|| config.wrong("size", &json!(size), &allowed))?;
        (config.clone(), *sizes, 4 * sizes[0])
    } else {
        (config.section("config", &["ViTConfig"])?, [768, 12, 12], 3072)
    };
    image::check(&config)?;
    let dim = config.count("hidden_size", dim)?;
    let (patch, side) = (config.count("patch_size", 16)?, config.count("image_size", 224)?);
    let encoder = VideoVitConfig {
        dim,
        depth: config.count("num_hidden_layers", depth)?,
        heads: config.count("num_attention_heads", heads)?,
        mlp_ratio: config.count("intermediate_size", hidden)? as f64 / dim as f64,
        patch,
        tubelet: 1,
        positions: PositionKind::Learned,
        position_side: side / patch,
        class_token: true,
        epsilon: config.number("layer_norm_eps", 1e-12)?,
        ..VideoVitConfig::default()
    };
    Ok((encoder, side))
}

/// Hidden units of a projector.
fn projector(config: &ConfigReader<'_>, key: &str, dim: usize) -> Result<usize, ImportError> {
    let projector = config.section(key, &["MLP"])?;
    projector.only_count("input_dim", dim, dim)?;
    projector.only_count("output_dim", dim, dim)?;
    projector.names_a("norm_fn", "BatchNorm1d", "LayerNorm")?;
    projector.names_a("act_fn", "GELU", "GELU")?;
    projector.count("hidden_dim", 2048)
}

fn of_encoder(spec: &PretrainedSpec, names: VitNames, path: &str) -> Option<Place> {
    let Some((layer, path)) = in_block(path) else { return Some(image::outside_blocks(&spec.encoder, path)) };
    let (layer, attention, parts, renamed) = match names {
        VitNames::Older => (
            format!("encoder.layer.{layer}."),
            "attention.attention.",
            ["query", "key", "value"],
            ["attention.output.dense", "intermediate.dense", "output.dense"],
        ),
        VitNames::Current => (
            format!("layers.{layer}."),
            "attention.",
            ["q_proj", "k_proj", "v_proj"],
            ["attention.o_proj", "mlp.fc1", "mlp.fc2"],
        ),
    };
    if let Some(kind) = path.strip_prefix("attn.qkv") {
        return Some(Place::stacked(&format!("{layer}{attention}"), parts, kind));
    }
    let ours = ["attn.proj", "mlp.fc1", "mlp.fc2", "norm1", "norm2"];
    let theirs = renamed.into_iter().chain(["layernorm_before", "layernorm_after"]);
    let (ours, theirs) = ours.into_iter().zip(theirs).find(|(ours, _)| path.starts_with(ours))?;
    Some(Place::one(format!("{layer}{}", path.replace(ours, theirs))))
}

fn of_projector(network: &str, path: &str) -> Option<Place> {
    let renamed = [("fc1.", "0."), ("norm.", "1."), ("fc2.", "3.")];
    let (ours, theirs) = renamed.into_iter().find(|(ours, _)| path.starts_with(ours))?;
    Some(Place::one(format!("{network}.net.{}", path.replacen(ours, theirs, 1))))
}

fn of_predictor(dim: usize, world: &WorldSpec, path: &str) -> Option<Place> {
    let LewmConfig { history, action_width, .. } = world.predictor;
    if let Some((layer, path)) = in_block(path) {
        let renamed = [
            ("norm1.", "attn.norm."),
            ("attn.qkv.", "attn.to_qkv."),
            ("attn.proj.", "attn.to_out.0."),
            ("norm2.", "mlp.net.0."),
            ("fc1.", "mlp.net.1."),
            ("fc2.", "mlp.net.4."),
            ("modulation.", "adaLN_modulation.1."),
        ];
        let (ours, theirs) = renamed.into_iter().find(|(ours, _)| path.starts_with(ours))?;
        return Some(Place::one(format!("predictor.transformer.layers.{layer}.{}", path.replacen(ours, theirs, 1))));
    }
    Some(match path {
        "positions" => Place::shaped(KNOWN_BY, [1, history, dim]),
        // A convolution that sees one moment.
        "action.smooth.weight" => Place::shaped("action_encoder.patch_embed.weight", [action_width, world.action, 1]),
        "action.smooth.bias" => Place::one("action_encoder.patch_embed.bias"),
        path if path.starts_with("action.fc1.") => Place::one(path.replace("action.fc1.", "action_encoder.embed.0.")),
        path if path.starts_with("action.fc2.") => Place::one(path.replace("action.fc2.", "action_encoder.embed.2.")),
        path => Place::one(format!("predictor.transformer.{path}")),
    })
}
