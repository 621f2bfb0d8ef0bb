//! Frozen encoders, as probes know them.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use prevision_core::{Normalise, Spaces};
use prevision_model::pretrained::Pretrained;
use prevision_model::{ClipBatch, FrozenModel, Wanted};

use super::ClipShape;
use crate::EvalError;

/// An encoder of clips, off the tape.
pub trait FrozenEncoder: Send + Sync {
    /// The clips that it sees.
    fn shape(&self) -> ClipShape;

    /// What pixels become before it sees them.
    fn normalise(&self) -> Normalise;

    /// Where its weights are.
    fn device(&self) -> Device;

    /// Refuses clips of other streams than it can see.
    ///
    /// # Errors
    /// A sentence with what it sees and what the clips have.
    fn check(&self, clips: &Spaces) -> Result<(), String>;

    /// Tokens of clips of one camera.
    ///
    /// # Shapes
    /// - output: `[b, t, places, d]`, a moment for each tubelet
    fn tokens(&self, clips: &ClipBatch) -> Tensor<4>;
}

/// The encoder of a model that was trained here: what its predictions aim at. For a masked model that is the target encoder, layer-normed
/// where training normalised the targets.
pub struct ModelEncoder(pub Arc<dyn FrozenModel>);

impl FrozenEncoder for ModelEncoder {
    fn shape(&self) -> ClipShape {
        let frames = self.0.spaces().frames;
        ClipShape { frames, tubelet: (frames / self.0.moments()).max(1) }
    }

    fn normalise(&self) -> Normalise {
        *self.0.normalise()
    }

    fn device(&self) -> Device {
        self.0.device()
    }

    fn check(&self, clips: &Spaces) -> Result<(), String> {
        let trained = self.0.spaces();
        trained.only_camera()?;
        let (trained, found) = (trained.streams(), clips.streams());
        if trained == found {
            return Ok(());
        }
        Err(format!("the model was trained on {trained}, but the clips have {found}"))
    }

    fn tokens(&self, clips: &ClipBatch) -> Tensor<4> {
        self.0.forecast(clips, Wanted { context: false, steps: 0 }).targets
    }
}

/// The encoder of a file of `prevision import`. Encoders of pictures see frames one by one.
pub struct FileEncoder {
    model: Pretrained,
    frames: usize,
    layers: Vec<usize>,
    device: Device,
}

impl FileEncoder {
    /// `model` is on `device` and sees clips of so many frames, or of as many as it was trained on. A token is that after each of these
    /// numbers of blocks, one after the other, as V-JEPA 2 and `DINOv2` evaluate it; of none: after the last block.
    ///
    /// # Errors
    /// If it is an encoder of clips, and frames are no multiple of a tubelet.
    ///
    /// # Panics
    /// Later, if `layers` are not ascending, or more than the model has.
    pub fn new(model: Pretrained, frames: Option<usize>, layers: &[usize], device: Device) -> Result<Self, EvalError> {
        let frames = frames.unwrap_or(model.spec.input.frames);
        let tubelet = model.spec.encoder.tubelet;
        if frames == 0 || !frames.is_multiple_of(tubelet) {
            let message =
                format!("data.frames is {frames}, but must be a multiple of {tubelet}, the frames of a tubelet");
            return Err(EvalError::Config(message));
        }
        let layers = if layers.is_empty() { vec![model.spec.encoder.depth] } else { layers.to_vec() };
        Ok(Self { model, frames, layers, device })
    }

    /// Whether it was trained on single pictures.
    fn sees_pictures(&self) -> bool {
        self.model.spec.input.frames == 1
    }
}

impl FrozenEncoder for FileEncoder {
    fn shape(&self) -> ClipShape {
        ClipShape { frames: self.frames, tubelet: self.model.spec.encoder.tubelet }
    }

    fn normalise(&self) -> Normalise {
        Normalise { mean: self.model.spec.input.mean, std: self.model.spec.input.std }
    }

    fn device(&self) -> Device {
        self.device.clone()
    }

    fn check(&self, clips: &Spaces) -> Result<(), String> {
        let (_, camera) = clips.only_camera()?;
        let patch = self.model.spec.encoder.patch;
        if camera.width.is_multiple_of(patch) && camera.height.is_multiple_of(patch) {
            return Ok(());
        }
        let (width, height) = (camera.width, camera.height);
        Err(format!("clips of {width}x{height} pixels, expected multiples of {patch}, the side of a patch (data.size)"))
    }

    fn tokens(&self, clips: &ClipBatch) -> Tensor<4> {
        let video = clips.observations.only_camera().clone();
        let rows = video.dims()[0];
        let video = if self.sees_pictures() { video.single_frames() } else { video };
        let features = self.model.features(video, None, &self.layers);
        let tokens = Tensor::cat(features.into_iter().map(|features| features.tokens).collect(), 2);
        let ClipShape { frames, tubelet } = self.shape();
        let (moments, [seen, count, width]) = (frames / tubelet, tokens.dims());
        tokens.reshape([rows, moments, seen * count / (rows * moments), width])
    }
}
