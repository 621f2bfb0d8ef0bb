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
        let Some(Found { part, encoder }) = encoder_of(checkpoint) else { return Ok(None) };
        let wrapper = part.split_once('.').map(|(_, wrapper)| wrapper).unwrap_or_default();
        let predictor = checkpoint.shape(&format!("predictor.{wrapper}predictor_embed.weight")).map(|embed| {
            MaskedPredictorConfig {
                width: embed[0],
                depth: count(checkpoint, &format!("predictor.{wrapper}predictor_blocks."), NORM),
                heads: PREDICTOR_HEADS,
                mask_tokens: count(checkpoint, &format!("predictor.{wrapper}mask_tokens."), ""),
                ..MaskedPredictorConfig::default()
            }
        });
        let crop = 256;
        let resize = Resize { to: ResizeTo::Shorter(crop * 256 / 224), kernel: Kernel::Bilinear };
        let input = input(checkpoint, 64, resize, crop)?;
        Ok(Some(PretrainedSpec { part: Some(part), ..PretrainedSpec::new(self.name(), encoder, predictor, input) }))
    }

    fn place(&self, spec: &PretrainedSpec, path: &str) -> Option<Place> {
        let part = spec.part.as_deref()?;
        let wrapper = part.split_once('.')?.1;
        let (network, path) = path.split_once('.')?;
        if network == "encoder" {
            return Some(of_encoder(spec, part, path));
        }
        let predictor = spec.predictor.as_ref()?;
        if path == "mask_tokens" {
            let name = |token| format!("predictor.{wrapper}mask_tokens.{token}");
            let parts = (0..predictor.mask_tokens).map(name).collect();
            return Some(Place { parts, shape: Some(vec![1, 1, predictor.width]), plus: None });
        }
        let name = if path.starts_with("blocks.") || path.starts_with("norm.") || path.starts_with("proj.") {
            format!("predictor_{path}")
        } else {
            path.replace("embed.", "predictor_embed.")
        };
        Some(Place::one(format!("predictor.{wrapper}{name}")))
    }

    fn left_out(&self, name: &str) -> Option<&'static str> {
        left_out(name)
    }

    fn describe(&self, _: &PretrainedSpec) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}

/// The encoder that a file has.
pub(super) struct Found {
    /// What stands before the names of its tensors.
    pub(super) part: String,
    pub(super) encoder: VideoVitConfig,
}

/// The encoder of a pickle of the authors, by the shapes of its tensors; `None` if there is none.
pub(super) fn encoder_of(checkpoint: &Checkpoint) -> Option<Found> {
    let parts = ENCODERS.iter().flat_map(|encoder| WRAPPERS.map(|wrapper| format!("{encoder}.{wrapper}")));
    let (part, kernel) = parts.into_iter().find_map(|part| {
        let shape = checkpoint.shape(&format!("{part}patch_embed.proj.weight"))?;
        (shape.len() == 5).then(|| (part, shape.to_vec()))
    })?;
    let (dim, tubelet, patch) = (kernel[0], kernel[2], kernel[3]);
    let hidden = checkpoint.shape(&format!("{part}blocks.0.mlp.fc1.weight")).map_or(4 * dim, |shape| shape[0]);
    let head = if dim == HUGE.0 { HUGE.1 } else { HEAD };
    let encoder = VideoVitConfig {
        dim,
        depth: count(checkpoint, &format!("{part}blocks."), NORM),
        heads: (dim / head).max(1),
        mlp_ratio: hidden as f64 / dim as f64,
        patch,
        tubelet,
        positions: PositionKind::RopeTiled,
        ..VideoVitConfig::default()
    };
    Some(Found { part, encoder })
}

fn count(checkpoint: &Checkpoint, before: &str, after: &str) -> usize {
    (0..MOST).take_while(|number| checkpoint.shape(&format!("{before}{number}{after}")).is_some()).count()
}

/// Where a parameter of the encoder lies.
pub(super) fn of_encoder(spec: &PretrainedSpec, part: &str, path: &str) -> Place {
    let VideoVitConfig { dim, tubelet, patch, .. } = spec.encoder;
    match path {
        "tubelet_embed.projection.weight" => {
            Place::shaped(format!("{part}patch_embed.proj.weight"), [dim, 3, tubelet, patch, patch])
        }
        "tubelet_embed.projection.bias" => Place::one(format!("{part}patch_embed.proj.bias")),
        path => Place::one(format!("{part}{path}")),
    }
}

/// Why a tensor beside the networks that are taken is not used.
pub(super) fn left_out(name: &str) -> Option<&'static str> {
    let known = [
        ("opt.", "of the optimiser"),
        ("scaler.", "of the optimiser"),
        ("encoder.", "another copy of the encoder"),
        ("target_encoder.", "another copy of the encoder"),
        ("ema_encoder.", "another copy of the encoder"),
    ];
    known.iter().find(|(start, _)| name.starts_with(start)).map(|(_, why)| *why)
}
