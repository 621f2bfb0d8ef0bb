//! The tokens of latents that keep where things are.

use prevision_model::ActionJepa;

use crate::Latents;

/// Every token of every latent, as its deviation from the mean of its place, row by row; and the length of a token. A latent that
/// is one vector is one token, and stays as it is.
///
/// # Shapes
/// - latents: `[clips, steps, dim]`; the static part, if any, first
/// - output: `[clips * steps * places, channels]`, static channels first
pub(crate) fn tokens(model: &ActionJepa, latents: &Latents) -> (Vec<f32>, usize) {
    let [rows, columns] = model.encoder.grid();
    let (places, fixed, dim) = (rows * columns, model.static_dim(), latents.dim());
    if places == 1 {
        return (latents.values().to_vec(), dim);
    }
    let mut mean = vec![0.0_f64; dim];
    for row in latents.rows() {
        mean.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    let count = latents.rows().len() as f64;
    let (still, moving) = (fixed / places, (dim - fixed) / places);
    let mut values = Vec::with_capacity(latents.values().len());
    for row in latents.rows() {
        let deviation = |index: usize| row[index] - (mean[index] / count) as f32;
        for place in 0..places {
            values.extend((place * still..(place + 1) * still).map(deviation));
            values.extend((fixed + place * moving..fixed + (place + 1) * moving).map(deviation));
        }
    }
    (values, still + moving)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use prevision_model::frame_encoder::PatchesConfig;
    use prevision_model::predictor::ResidualConvConfig;
    use prevision_model::{ActionJepaConfig, ActionPredictorConfig, FrameEncoderConfig, HeadFlags, InputShape};

    use super::*;

    #[test]
    fn static_channels_come_first_and_places_lose_their_mean() {
        let patches = |channels| {
            FrameEncoderConfig::Patches(PatchesConfig { patch: 8, channels, hidden: 2, ..PatchesConfig::default() })
        };
        let input = InputShape { channels: 3, frames: 2, height: 8, width: 16, action_dim: 2, state_dim: 0 };
        let config = ActionJepaConfig {
            encoder: patches(2),
            static_encoder: Some(patches(1)),
            predictor: ActionPredictorConfig::ResidualConv(ResidualConvConfig::default()),
            ..ActionJepaConfig::default()
        };
        let model = config.init(&input, &HeadFlags::default(), &Device::flex());
        // Two places: static 1 + 1 numbers, then dynamic 2 + 2; two latents, the second all 2 more but for its last number.
        let first = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let second = [3.0, 4.0, 5.0, 6.0, 7.0, 6.0];
        let latents = Latents::from_values([first, second].concat(), 2, 6);
        let (values, width) = tokens(&model, &latents);
        assert_eq!(width, 3);
        assert_eq!(values, [-1.0, -1.0, -1.0, -1.0, -1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
    }
}
