//! Frozen encoders, as probes know them.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use prevision_core::{Normalise, Spaces};
use prevision_model::pretrained::Pretrained;
use prevision_model::{ClipBatch, FrozenModel, Pixels, Wanted};

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
    /// - output: `[b, n, d]`
    fn tokens(&self, clips: &ClipBatch) -> Tensor<3>;
}

/// The encoder of a model that was trained here: what its predictions aim at. For a masked model that is the target encoder, layer-normed
/// where training normalised the targets.
pub struct ModelEncoder(pub Arc<dyn FrozenModel>);

impl FrozenEncoder for ModelEncoder {
    fn shape(&self) -> ClipShape {
        let frames = self.0.spaces().frames;
        ClipShape { frames, tubelet: (frames / (self.0.longest_horizon().0 + 1)).max(1) }
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

    fn tokens(&self, clips: &ClipBatch) -> Tensor<3> {
        let tokens = self.0.forecast(clips, Wanted { context: false, steps: 0 }).targets;
        if self.0.sees_moments_alone() {
            return with_times(tokens);
        }
        let [rows, moments, places, width] = tokens.dims();
        tokens.reshape([rows, moments * places, width])
    }
}

/// The encoder of a file of `prevision import`. Encoders of pictures see frames one by one.
pub struct PretrainedEncoder {
    model: Pretrained,
    frames: usize,
    device: Device,
}

impl PretrainedEncoder {
    /// `model` is on `device` and sees clips of so many frames, or of as many as it was trained on.
    ///
    /// # Errors
    /// If it is an encoder of clips, and frames are no multiple of a tubelet.
    pub fn new(model: Pretrained, frames: Option<usize>, device: Device) -> Result<Self, EvalError> {
        let frames = frames.unwrap_or(model.spec.input.frames);
        let tubelet = model.spec.encoder.tubelet;
        if frames == 0 || !frames.is_multiple_of(tubelet) {
            let message =
                format!("data.frames is {frames}, but must be a multiple of {tubelet}, the frames of a tubelet");
            return Err(EvalError::Config(message));
        }
        Ok(Self { model, frames, device })
    }

    /// Whether it was trained on single pictures.
    fn sees_pictures(&self) -> bool {
        self.model.spec.input.frames == 1
    }
}

impl FrozenEncoder for PretrainedEncoder {
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

    fn tokens(&self, clips: &ClipBatch) -> Tensor<3> {
        let video = clips.observations.only_camera().clone();
        let depth = [self.model.spec.encoder.depth];
        let encode = |video: Pixels| self.model.features(video, None, &depth).remove(0).tokens;
        if !self.sees_pictures() {
            return encode(video);
        }
        let [rows, _, moments, ..] = video.dims();
        let tokens = encode(video.single_frames());
        let [_, places, width] = tokens.dims();
        with_times(tokens.reshape([rows, moments, places, width]))
    }
}

/// Tokens of moments that were encoded one by one, with sines and cosines of their time added, so that heads can tell them apart; one moment
/// stays as it is. V-JEPA 2 adds them to the tokens of segments (`evals/video_classification_frozen/modelcustom/vit_encoder_multiclip.py`).
///
/// # Shapes
/// - tokens: `[b, t, places, d]`
/// - output: `[b, t * places, d]`
fn with_times(tokens: Tensor<4>) -> Tensor<3> {
    let [rows, moments, places, width] = tokens.dims();
    let tokens = if moments == 1 {
        tokens
    } else {
        let codes: Vec<f32> = (0..moments).flat_map(|moment| time_code(moment, width)).collect();
        let codes = Tensor::<4>::from_data(TensorData::new(codes, [1, moments, 1, width]), &tokens.device());
        tokens + codes.expand([rows, moments, places, width])
    };
    tokens.reshape([rows, moments * places, width])
}

/// Sines of `moment * 10000^(-2i/width)`, then the cosines; an odd last place is 0.
fn time_code(moment: usize, width: usize) -> Vec<f32> {
    let half = width / 2;
    let angle = |i: usize| moment as f64 * 10_000_f64.powf(-(i as f64) / half as f64);
    let sines = (0..half).map(|i| angle(i).sin() as f32);
    let cosines = (0..half).map(|i| angle(i).cos() as f32);
    sines.chain(cosines).chain(std::iter::repeat_n(0.0, width % 2)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::read;

    #[test]
    fn moments_that_look_alike_are_told_apart_by_their_time() {
        let device = Device::flex();
        let alone = Tensor::<4>::from_floats([[[[5.0, 6.0, 7.0]]]], &device);
        assert_eq!(read(with_times(alone.clone())).unwrap(), [5.0, 6.0, 7.0]);
        let two = read(with_times(alone.repeat_dim(1, 2))).unwrap();
        assert_eq!(two[..3], [5.0, 7.0, 7.0]);
        assert!((two[3] - 5.841_471).abs() < 1e-6 && (two[4] - 6.540_302_3).abs() < 1e-6 && two[5] == 7.0, "{two:?}");
    }
}
