//! Slower models: the latents that the actions of whole strides lead to.

use burn::prelude::*;
use prevision_core::Spaces;
use prevision_core::config::Options;
use prevision_model::{HeadFlags, Level};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::prediction::{PredictionLoss, prediction};
use crate::seen::mean;
use crate::term::two_frames;
use crate::{Frames, Needs, Seen, Term};

/// The mean squared error of what a slower model predicts from the first latent of every clip, over as many strides as a clip has.
///
/// # Shapes
/// - latents: `[batch, time, dim]`
/// - actions: `[batch, time or more, a]`
/// - output: `[1]`
///
/// # Panics
/// If a clip is shorter than a stride.
pub fn level(level: &Level, latents: Tensor<3>, actions: Tensor<3>) -> Tensor<1> {
    let [batch, time, dim] = latents.dims();
    let stride = level.stride();
    let strides = (time - 1) / stride;
    assert!(strides > 0, "clips of {time} frames have no stride of {stride} steps");
    let start = latents.clone().narrow(1, 0, 1).reshape([batch, dim]);
    let predicted = level.rollout(start, actions.narrow(1, 0, strides * stride));
    let targets = (1..=strides).map(|count| latents.clone().narrow(1, count * stride, 1)).collect();
    prediction(predicted, Tensor::cat(targets, 1), PredictionLoss::L2)
}

/// The prediction of the slower models, a mean over them. Only they learn; the latents are detached.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LevelsTerm {}

impl Options for LevelsTerm {}

impl Term for LevelsTerm {
    fn needs(&self) -> Needs {
        let heads = HeadFlags { levels: true, ..HeadFlags::default() };
        Needs { frames: Frames::All, heads, time: true, ..Needs::default() }
    }

    fn validate(&self, key: &str, spaces: &Spaces) -> Result<(), String> {
        two_frames(key, spaces)
    }

    fn value(&self, seen: &Seen<'_>) -> Tensor<1> {
        let latents = seen.latents().detach();
        let actions = seen.batch.actions.clone().expect("clips with actions");
        let levels = &seen.heads().levels;
        mean(levels.iter().map(|slower| level(slower, latents.clone(), actions.clone())))
    }
}

#[cfg(test)]
mod tests {
    use prevision_model::frame_encoder::{FrameShape, PatchesConfig};
    use prevision_model::{FrameEncoderConfig, LevelConfig};

    use super::*;
    use crate::check::scalar;

    #[test]
    fn is_the_mean_squared_error_of_every_stride() {
        let device = Device::flex();
        let patches = PatchesConfig { patch: 2, hidden: 2, channels: 1, ..PatchesConfig::default() };
        let frame = FrameShape { channels: 3, height: 2, width: 4 };
        let encoder = FrameEncoderConfig::Patches(patches).init(frame, &device);
        let slower = LevelConfig { stride: 2, action: 2, hidden: 3, rounds: 1 }.init(&encoder, None, 1, &device);
        let latents = Tensor::<3>::random([3, 6, 2], burn::tensor::Distribution::Default, &device);
        let actions = Tensor::<3>::random([3, 6, 1], burn::tensor::Distribution::Default, &device);
        let start = latents.clone().narrow(1, 0, 1).squeeze_dim(1);
        let predicted = slower.rollout(start, actions.clone().narrow(1, 0, 4));
        let values = |tensor: Tensor<3>| tensor.into_data().try_into_vec_as::<f32>().unwrap();
        let (predicted, encoded) = (values(predicted), values(latents.clone()));
        let mut sum = 0.0;
        for (index, value) in predicted.iter().enumerate() {
            let (clip, stride, number) = (index / 4, index / 2 % 2, index % 2);
            let target = encoded[(clip * 6 + 2 * (stride + 1)) * 2 + number];
            sum += f64::from(value - target).powi(2);
        }
        let found = scalar(level(&slower, latents, actions));
        assert!((found - sum / 12.0).abs() < 1e-6, "{found} {}", sum / 12.0);
    }
}
