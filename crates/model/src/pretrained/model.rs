//! A pretrained model, and its file.

use std::fmt::Write as _;
use std::path::Path;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use sha2::{Digest, Sha256};

use super::{ImportError, PretrainedSpec, WorldNetworks};
use crate::heads::AttentiveProbe;
use crate::masks::{MaskPair, TokenIds};
use crate::parameters::{self, ParameterPath, VisitParameters};
use crate::video_vit::Features;
use crate::{MaskedPredictor, ModelError, Pixels, VideoVit, weights};

/// Colour channels.
const CHANNELS: usize = 3;

/// The networks of a pretrained model, under the names that its file has.
#[derive(Module, Debug)]
pub struct PretrainedNetworks {
    /// The encoder.
    pub encoder: VideoVit,
    /// The predictor of hidden tokens, if there is one.
    pub predictor: Option<MaskedPredictor>,
    /// The classifier, if there is one.
    pub classifier: Option<AttentiveProbe>,
    /// What imagines what follows actions, if it does.
    pub world: Option<WorldNetworks>,
}

/// A pretrained model: what it is, and its networks.
#[derive(Clone, Debug)]
pub struct Pretrained {
    /// What it is.
    pub spec: PretrainedSpec,
    /// Its networks.
    pub networks: PretrainedNetworks,
}

impl Pretrained {
    /// A model with fresh weights, drawn at first use.
    pub fn fresh(spec: PretrainedSpec, device: &Device) -> Self {
        let encoder = spec.encoder.init(CHANNELS, device);
        let predictor = spec.predictor.as_ref().map(|config| config.init(&spec.encoder, spec.grid(), device));
        let classifier = spec.classifier.as_ref().map(|config| config.init(spec.encoder.dim, device));
        let world = spec.world.as_ref().map(|config| config.init(spec.encoder.dim, device));
        Self { spec, networks: PretrainedNetworks { encoder, predictor, classifier, world } }
    }

    /// Writes it to one file, which says what it is.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let text = serde_json::to_string(&self.spec).expect("a spec is plain data");
        weights::save_described(&self.networks, path, &text)
    }

    /// Reads such a file.
    ///
    /// # Errors
    /// When it cannot be read, or does not hold what it says.
    pub fn load(path: &Path, device: &Device) -> Result<Self, ImportError> {
        let spec = PretrainedSpec::of_file(path)?;
        let mut model = Self::fresh(spec, device);
        weights::load(&mut model.networks, path).map_err(ImportError::Weights)?;
        Ok(model)
    }

    /// Whether a file is such a one.
    pub(super) fn is_one(path: &Path) -> bool {
        let text = weights::description(path).ok().flatten();
        text.is_some_and(|text| serde_json::from_str::<PretrainedSpec>(&text).is_ok())
    }

    /// Encodes clips, after each of these numbers of blocks, in ascending order. A single picture is a clip of one frame: an encoder of
    /// tubelets sees it as often as a tubelet has frames.
    ///
    /// # Shapes
    /// - video: `[batch, 3, time, height, width]`
    /// - keep: `[batch, n]` ids of the tokens that are read, all if `None`
    /// - output: for each layer the class token and the registers, and the tokens `[batch, n, dim]`
    ///
    /// # Panics
    /// If an axis of the video is not a multiple of the tubelet, or there are not so many blocks.
    pub fn features(&self, video: Pixels, keep: Option<&TokenIds>, layers: &[usize]) -> Vec<Features> {
        let tubelet = self.spec.encoder.tubelet;
        let video = if video.dims()[2] == 1 && tubelet > 1 {
            Pixels::from(video.into_tensor().repeat_dim(2, tubelet))
        } else {
            video
        };
        self.networks.encoder.features(video, keep, layers)
    }

    /// The token grid `[time, height, width]` of clips.
    ///
    /// # Panics
    /// If an axis is not a multiple of the tubelet.
    pub fn grid(&self, video: &Pixels) -> [usize; 3] {
        let [batch, channels, time, height, width] = video.dims();
        let time = if time == 1 { self.spec.encoder.tubelet } else { time };
        self.networks.encoder.tubelet_embed.grid([batch, channels, time, height, width])
    }

    /// Predicts tokens from others, with one of the predictor's mask vectors; `None` without a predictor.
    ///
    /// # Shapes
    /// - seen: `[batch, n, dim]`, encoded tokens
    /// - context: `[batch, n]`, their ids in `grid`; target: `[batch, m]`, those of the tokens to predict
    /// - output: `[batch, m, dim]`
    pub fn predict(
        &self,
        seen: Tensor<3>,
        context: &TokenIds,
        target: &TokenIds,
        grid: [usize; 3],
        mask_vector: usize,
    ) -> Option<Tensor<3>> {
        let predictor = self.networks.predictor.clone()?.with_grid(grid);
        let carried = predictor.carry.as_ref().and_then(|_| {
            let mask = MaskPair { context: lists(context), target: lists(target) };
            predictor.carried_ids(&mask, &seen.device())
        });
        Some(predictor.forward_with_mask_token(seen, context, target, carried.as_ref(), mask_vector))
    }

    /// SHA-256 of the weights, in hexadecimal, in the order of their names in the networks.
    pub fn hash(&self) -> String {
        struct Hash(Sha256);
        impl VisitParameters for Hash {
            fn visit<const D: usize>(&mut self, path: &ParameterPath, parameter: &Param<Tensor<D>>) {
                self.0.update(path.as_str());
                let values =
                    parameter.val().without_autodiff().into_data().try_into_vec_as::<f32>().unwrap_or_default();
                let bytes: Vec<u8> = values.into_iter().flat_map(f32::to_le_bytes).collect();
                self.0.update(bytes);
            }
        }
        let mut hash = Hash(Sha256::new());
        parameters::visit(&self.networks, &mut hash);
        hash.0.finalize().iter().fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// The ids of each clip.
fn lists(ids: &TokenIds) -> Vec<Vec<usize>> {
    let [_, count] = ids.dims();
    let ids: Vec<usize> = ids.to_data().iter::<i64>().map(|id| id as usize).collect();
    ids.chunks(count.max(1)).map(<[usize]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pretrained::Input;
    use crate::pretrained::spec::{Resize, ResizeTo};
    use crate::{MaskedPredictorConfig, VideoVitConfig, token_ids};
    use burn::tensor::Distribution;
    use prevision_core::frames::resize::Kernel;

    /// What is predicted as a change is added to what was seen last: before training it is the copy, normed.
    #[test]
    fn a_residual_predictor_starts_at_the_copy() {
        let device = Device::flex();
        let encoder = VideoVitConfig { dim: 24, depth: 1, heads: 2, patch: 4, ..VideoVitConfig::default() };
        let predictor = MaskedPredictorConfig { width: 24, depth: 1, heads: 2, residual: true, ..Default::default() };
        let resize = Resize { to: ResizeTo::Shorter(8), kernel: Kernel::Bilinear };
        let input = Input { frames: 4, resize, crop: 8, mean: [0.5; 3], std: [0.5; 3] };
        let model = Pretrained::fresh(PretrainedSpec::new("masked", encoder, Some(predictor), input), &device);
        let seen = Tensor::<3>::random([2, 4, 24], Distribution::Default, &device);
        // Grids are [2, 2, 2]: the second tubelet from the first, whose tokens are listed as they lie.
        let ids = |ids: Vec<usize>| token_ids(&[ids.clone(), ids], &device);
        let predicted = model.predict(seen.clone(), &ids((0..4).collect()), &ids(vec![5, 6]), [2, 2, 2], 0);
        let copy = model.networks.predictor.as_ref().and_then(|it| it.carry.clone()).expect("residual").forward(seen);
        let difference: f32 = (predicted.expect("a predictor") - copy.narrow(1, 1, 2)).abs().max().into_scalar();
        assert!(difference < 1e-6, "{difference}");
    }
}
