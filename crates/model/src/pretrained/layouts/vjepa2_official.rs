//! V-JEPA 2 as its authors publish it: `vitl.pt` and its like, pickles of a dictionary with `encoder`, `predictor` and `target_encoder`.

use prevision_core::frames::resize::Kernel;
use serde_json::Value;

use super::config::input;
use super::{Layout, Place};
use crate::pretrained::spec::{Resize, ResizeTo};
use crate::pretrained::{Checkpoint, ImportError, PretrainedSpec};
use crate::{MaskedPredictorConfig, PositionKind, VideoVitConfig};

/// Copies of the encoder in one file, the one that is taken first. Published probes are of the target encoder.
const ENCODERS: [&str; 3] = ["target_encoder", "ema_encoder", "encoder"];
/// Wrappers around a network whose names stand before those of its tensors.
const WRAPPERS: [&str; 3] = ["module.backbone.", "module.", ""];
/// Width of a head; that of ViT-H is told by its width.
const HEAD: usize = 64;
const HUGE: (usize, usize) = (1280, 80);
/// Heads of the predictor: the tensors do not tell.
const PREDICTOR_HEADS: usize = 12;
/// More blocks or mask vectors than there can be.
const MOST: usize = 10_000;
/// What every block has.
const NORM: &str = ".norm1.weight";

pub(super) struct Vjepa2Official;

impl Layout for Vjepa2Official {
    fn name(&self) -> &'static str {
        "vjepa2-official"
    }

    fn recognise(&self, checkpoint: &mut Checkpoint) -> Result<Option<PretrainedSpec>, ImportError> {
        const KERNEL: &str = "patch_embed.proj.weight";
        let found = ENCODERS.iter().flat_map(|encoder| WRAPPERS.iter().map(move |wrapper| (encoder, wrapper)));
        let found = found.filter_map(|(encoder, wrapper)| {
            let shape = checkpoint.shape(&format!("{encoder}.{wrapper}{KERNEL}"))?;
            (shape.len() == 5).then(|| ((*encoder, *wrapper), shape.to_vec()))
        });
        let Some(((encoder, wrapper), kernel)) = found.collect::<Vec<_>>().into_iter().next() else { return Ok(None) };
        // What the released 2.1 models have beside.
        if checkpoint.names().any(|name| name.contains("norms_block") || name.contains("patch_embed_img")) {
            return Err(ImportError::Unknown {
                path: checkpoint.path().to_owned(),
                message: "of V-JEPA 2.1 (it has norms_block and patch_embed_img), which is not built; V-JEPA 2 is"
                    .to_owned(),
            });
        }
        let within = |name: &str| format!("{encoder}.{wrapper}{name}");
        let count = |before: &str, after: &str| {
            (0..MOST).take_while(|number| checkpoint.shape(&format!("{before}{number}{after}")).is_some()).count()
        };
        let (dim, tubelet, patch) = (kernel[0], kernel[2], kernel[3]);
        let hidden = checkpoint.shape(&within("blocks.0.mlp.fc1.weight")).map_or(4 * dim, |shape| shape[0]);
        let head = if dim == HUGE.0 { HUGE.1 } else { HEAD };
        let encoder_config = VideoVitConfig {
            dim,
            depth: count(&within("blocks."), NORM),
            heads: (dim / head).max(1),
            mlp_ratio: hidden as f64 / dim as f64,
            patch,
            tubelet,
            positions: PositionKind::RopeTiled,
            ..VideoVitConfig::default()
        };
        let predictor = checkpoint.shape(&format!("predictor.{wrapper}predictor_embed.weight")).map(|embed| {
            MaskedPredictorConfig {
                width: embed[0],
                depth: count(&format!("predictor.{wrapper}predictor_blocks."), NORM),
                heads: PREDICTOR_HEADS,
                mask_tokens: count(&format!("predictor.{wrapper}mask_tokens."), ""),
                ..MaskedPredictorConfig::default()
            }
        });
        let crop = 256;
        let resize = Resize { to: ResizeTo::Shorter(crop * 256 / 224), kernel: Kernel::Bilinear };
        let input = input(checkpoint, 64, resize, crop)?;
        let mut spec = PretrainedSpec::new(self.name(), encoder_config, predictor, input);
        spec.part = Some(format!("{encoder}.{wrapper}"));
        Ok(Some(spec))
    }

    fn place(&self, spec: &PretrainedSpec, path: &str) -> Option<Place> {
        let part = spec.part.as_deref()?;
        let wrapper = part.split_once('.')?.1;
        let (network, path) = path.split_once('.')?;
        let tubelet = [spec.encoder.dim, 3, spec.encoder.tubelet, spec.encoder.patch, spec.encoder.patch];
        if network == "encoder" {
            return Some(match path {
                "tubelet_embed.projection.weight" => Place::shaped(format!("{part}patch_embed.proj.weight"), tubelet),
                "tubelet_embed.projection.bias" => Place::one(format!("{part}patch_embed.proj.bias")),
                path => Place::one(format!("{part}{path}")),
            });
        }
        let predictor = spec.predictor.as_ref()?;
        if path == "mask_tokens" {
            let name = |token| format!("predictor.{wrapper}mask_tokens.{token}");
            let parts = (0..predictor.mask_tokens).map(name).collect();
            return Some(Place { parts, shape: Some(vec![1, 1, predictor.width]) });
        }
        let name = if path.starts_with("blocks.") || path.starts_with("norm.") || path.starts_with("proj.") {
            format!("predictor_{path}")
        } else {
            path.replace("embed.", "predictor_embed.")
        };
        Some(Place::one(format!("predictor.{wrapper}{name}")))
    }

    fn left_out(&self, name: &str) -> Option<&'static str> {
        let known = [
            ("opt.", "of the optimiser"),
            ("scaler.", "of the optimiser"),
            ("encoder.", "another copy of the encoder"),
            ("target_encoder.", "another copy of the encoder"),
            ("ema_encoder.", "another copy of the encoder"),
        ];
        known.iter().find(|(start, _)| name.starts_with(start)).map(|(_, why)| *why)
    }

    fn describe(&self, _: &PretrainedSpec) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}
