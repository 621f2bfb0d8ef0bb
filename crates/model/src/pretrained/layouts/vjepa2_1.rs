//! V-JEPA 2.1 as its authors publish it: `vjepa2_1_vitb_dist_vitG_384.pt` and its like. The encoder of videos alone.
//!
//! Beside V-JEPA 2 it has rows and columns that are scaled to the grid of training, a vector that is added to the tokens of videos, a norm for
//! each of four levels, of which the last is that of the output, and an embedding of single pictures (arXiv 2603.14482; upstream
//! `app/vjepa_2_1/models/vision_transformer.py`).

use prevision_core::frames::resize::Kernel;
use serde_json::Value;

use super::config::input;
use super::vjepa2_official::{Found, encoder_of, left_out, of_encoder};
use super::{Layout, Place};
use crate::pretrained::spec::{Resize, ResizeTo};
use crate::pretrained::{Checkpoint, ImportError, PretrainedSpec};
use crate::{PositionKind, VideoVitConfig};

/// Levels with a norm of their own.
const LEVELS: usize = 4;
/// Pixels and frames of released weights, which the tensors do not tell.
const CROP: usize = 384;
const FRAMES: usize = 64;

pub(super) struct Vjepa21;

impl Layout for Vjepa21 {
    fn name(&self) -> &'static str {
        "vjepa2.1-official"
    }

    fn recognise(&self, checkpoint: &mut Checkpoint) -> Result<Option<PretrainedSpec>, ImportError> {
        let Some(Found { part, encoder }) = encoder_of(checkpoint) else { return Ok(None) };
        if checkpoint.shape(&format!("{part}norms_block.0.weight")).is_none() {
            return Ok(None);
        }
        let encoder = VideoVitConfig { positions: PositionKind::RopeScaled, ..encoder };
        let resize = Resize { to: ResizeTo::Shorter(CROP * 256 / 224), kernel: Kernel::Bilinear };
        let input = input(checkpoint, FRAMES, resize, CROP)?;
        Ok(Some(PretrainedSpec { part: Some(part), ..PretrainedSpec::new(self.name(), encoder, None, input) }))
    }

    fn place(&self, spec: &PretrainedSpec, path: &str) -> Option<Place> {
        let (part, path) = (spec.part.as_deref()?, path.strip_prefix("encoder.")?);
        Some(match path {
            // What is added to every token is a part of the bias.
            "tubelet_embed.projection.bias" => {
                Place { plus: Some(format!("{part}video_mod_embed")), ..of_encoder(spec, part, path) }
            }
            "norm.weight" | "norm.bias" => {
                Place::one(format!("{part}{}", path.replace("norm.", &format!("norms_block.{}.", LEVELS - 1))))
            }
            path => of_encoder(spec, part, path),
        })
    }

    fn left_out(&self, name: &str) -> Option<&'static str> {
        let of_pictures = "of single pictures, which are seen as clips that stand still";
        let known = [
            ("norms_block.", "the norm of an earlier level"),
            ("patch_embed_img.", of_pictures),
            ("img_mod_embed", of_pictures),
        ];
        if name.starts_with("predictor.") {
            return Some("of the predictor, which sees four levels at once and is not built");
        }
        let of_encoder = known.iter().find(|(part, _)| name.contains(part)).map(|(_, why)| *why);
        of_encoder.or_else(|| left_out(name))
    }

    fn describe(&self, _: &PretrainedSpec) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}
