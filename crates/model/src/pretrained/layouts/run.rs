//! A masked model that was trained here: the checkpoint of a run.

use prevision_core::frames::resize::Kernel;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::vjepa2::Vjepa2;
use super::{Layout, Place};
use crate::pretrained::spec::{Resize, ResizeTo};
use crate::pretrained::{Checkpoint, ImportError, Input, PretrainedSpec};
use crate::{MaskedPredictorConfig, PositionKind, VideoVitConfig};

/// Takes the target encoder, which makes what is predicted, and the predictor.
pub(super) struct Run;

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
        "masked"
    }

    fn recognise(&self, checkpoint: &mut Checkpoint) -> Result<Option<PretrainedSpec>, ImportError> {
        let Some(config) = checkpoint.config().filter(|config| config["model"]["kind"].is_string()) else {
            return Ok(None);
        };
        let broken = |message: String| ImportError::broken(checkpoint.path(), message);
        if config["model"]["kind"] != self.name() {
            let kind = &config["model"]["kind"];
            return Err(broken(format!("model.kind of the run is {kind}, expected \"masked\": it encodes videos")));
        }
        let read = |section: &str, key: &str| broken(format!("{section}.{key} of the run is missing or wrong"));
        let encoder: VideoVitConfig = part(&config["model"]["encoder"]).ok_or_else(|| read("model", "encoder"))?;
        let predictor: MaskedPredictorConfig =
            part(&config["model"]["predictor"]).ok_or_else(|| read("model", "predictor"))?;
        let data: Data = part(&config["data"]).ok_or_else(|| read("data", "size"))?;
        let input = Input {
            frames: data.frames,
            resize: Resize { to: ResizeTo::Shorter(data.size), kernel: Kernel::Bilinear },
            crop: data.size,
            mean: data.normalise.mean,
            std: data.normalise.std,
        };
        // V-JEPA 2 has the same parts: exported as such.
        let same = encoder.positions == PositionKind::RopeTiled && !predictor.residual;
        let family = if same { Vjepa2.name() } else { self.name() };
        Ok(Some(PretrainedSpec::new(family, encoder, Some(predictor), input)))
    }

    fn place(&self, _: &PretrainedSpec, path: &str) -> Option<Place> {
        let (network, rest) = path.split_once('.')?;
        match network {
            "encoder" => Some(Place::one(format!("target.{rest}"))),
            "predictor" => Some(Place::one(path)),
            _ => None,
        }
    }

    fn left_out(&self, name: &str) -> Option<&'static str> {
        name.starts_with("encoder.").then_some("of the context encoder; the target encoder is taken")
    }

    fn describe(&self, _: &PretrainedSpec) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}

fn part<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}
