//! A model of videos that was trained here: the checkpoint of a run.

use prevision_core::frames::resize::Kernel;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::vjepa2::Vjepa2;
use super::{Layout, Place};
use crate::pretrained::spec::{Resize, ResizeTo};
use crate::pretrained::{Checkpoint, ImportError, Input, PretrainedSpec};
use crate::{AttentionKind, MaskedPredictorConfig, PositionKind, VideoVitConfig};

/// Takes the encoder that features are read from, and the predictor if there is one, of a model of this kind.
pub(super) struct Run {
    kind: &'static str,
}

/// Its target encoder makes what is predicted.
pub(super) const MASKED: Run = Run { kind: "masked" };
/// An encoder alone.
pub(super) const MULTI_VIEW: Run = Run { kind: "multi-view" };

/// What is read of `data`.
#[derive(Deserialize)]
struct Data {
    frames: usize,
    size: usize,
    normalise: Normalise,
}

#[derive(Deserialize)]
struct Normalise {
    mean: [f32; 3],
    std: [f32; 3],
}

impl Layout for Run {
    fn name(&self) -> &'static str {
        self.kind
    }

    fn recognise(&self, checkpoint: &mut Checkpoint) -> Result<Option<PretrainedSpec>, ImportError> {
        let Some(config) = checkpoint.config().filter(|config| config["model"]["kind"].is_string()) else {
            return Ok(None);
        };
        let broken = |message: String| ImportError::broken(checkpoint.path(), message);
        let kind = &config["model"]["kind"];
        if kind != self.kind {
            if [MASKED.kind, MULTI_VIEW.kind].iter().any(|known| kind == known) {
                return Ok(None);
            }
            let expected = format!("\"{}\" or \"{}\": they encode videos", MASKED.kind, MULTI_VIEW.kind);
            return Err(broken(format!("model.kind of the run is {kind}, expected {expected}")));
        }
        let read = |section: &str, key: &str| broken(format!("{section}.{key} of the run is missing or wrong"));
        let encoder: VideoVitConfig = part(&config["model"]["encoder"]).ok_or_else(|| read("model", "encoder"))?;
        let predictor: Option<MaskedPredictorConfig> = if self.kind == MASKED.kind {
            Some(part(&config["model"]["predictor"]).ok_or_else(|| read("model", "predictor"))?)
        } else {
            None
        };
        let data: Data = part(&config["data"]).ok_or_else(|| read("data", "size"))?;
        let input = Input {
            frames: data.frames,
            resize: Resize { to: ResizeTo::Shorter(data.size), kernel: Kernel::Bilinear },
            crop: data.size,
            mean: data.normalise.mean,
            std: data.normalise.std,
        };
        // V-JEPA 2 has the same parts: exported as such.
        let plain = encoder.positions == PositionKind::RopeTiled && encoder.attention == AttentionKind::Full;
        let same = plain && predictor.as_ref().is_some_and(|predictor| !predictor.residual);
        let family = if same { Vjepa2.name() } else { self.kind };
        Ok(Some(PretrainedSpec::new(family, encoder, predictor, input)))
    }

    fn place(&self, spec: &PretrainedSpec, path: &str) -> Option<Place> {
        let (network, rest) = path.split_once('.')?;
        match network {
            "encoder" if spec.predictor.is_some() => Some(Place::one(format!("target.{rest}"))),
            "encoder" | "predictor" => Some(Place::one(path)),
            _ => None,
        }
    }

    fn left_out(&self, name: &str) -> Option<&'static str> {
        match name.split_once('.')?.0 {
            "encoder" => Some("of the context encoder; the target encoder is taken"),
            "projector" => Some("of the projector, with which training compares views"),
            _ => None,
        }
    }

    fn describe(&self, _: &PretrainedSpec) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}

fn part<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}
