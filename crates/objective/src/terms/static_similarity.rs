//! Static similarity: the static part of a latent is that of its episode, whichever frame it is read from.

use burn::prelude::*;
use burn::tensor::TensorData;
use prevision_core::config::Options;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Frames, Needs, Seen, Term};

/// The mean over batch, time and dimensions of the squared deviation of latents from the mean of their episode.
///
/// The invariance term of VICReg (Bardes et al. 2022), section 4.1, where the views of a thing are all frames of its episode; the
/// loss on content of `DrNet` (Denton and Birodkar 2017, "Unsupervised Learning of Disentangled Representations from Video",
/// equation 1). What moves differs between the clips of an episode, so only what stays can be told. Needs several
/// clips of an episode in a batch (`data.clips_per_video`) to say more than [`crate::temporal_similarity`].
///
/// # Shapes
/// - latents: `[batch, time, dim]`
/// - episodes: the episode of every clip, `batch` of them
/// - output: `[1]`
///
/// # Panics
/// If there is not one episode for every clip.
pub fn static_similarity(latents: Tensor<3>, episodes: &[usize]) -> Tensor<1> {
    let means = episode_means(latents.clone(), episodes);
    (latents - means).square().mean()
}

/// The mean latent of the episode of every clip, over all frames of its clips in the batch.
///
/// # Shapes
/// - latents: `[batch, time, dim]`
/// - episodes: the episode of every clip, `batch` of them
/// - output: `[batch, 1, dim]`
///
/// # Panics
/// If there is not one episode for every clip.
pub(crate) fn episode_means(latents: Tensor<3>, episodes: &[usize]) -> Tensor<3> {
    let [batch, time, dim] = latents.dims();
    assert_eq!(batch, episodes.len(), "latents [{batch}, {time}, {dim}] need the episode of every clip");
    let weights: Vec<f32> = episodes
        .iter()
        .flat_map(|own| {
            let count = episodes.iter().filter(|&other| other == own).count();
            episodes.iter().map(move |other| if other == own { 1.0 / count as f32 } else { 0.0 })
        })
        .collect();
    let weights = Tensor::<2>::from_data(TensorData::new(weights, [batch, batch]), &latents.device());
    weights.matmul(latents.mean_dim(1).reshape([batch, dim])).reshape([batch, 1, dim])
}

/// The squared deviation of the static part of latents from its mean over the frames of an episode.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StaticSimilarityTerm {}

impl Options for StaticSimilarityTerm {}

impl Term for StaticSimilarityTerm {
    fn needs(&self) -> Needs {
        Needs { frames: Frames::All, time: true, static_part: true, global_batch: true, ..Needs::default() }
    }

    fn value(&self, seen: &Seen<'_>) -> Tensor<1> {
        static_similarity(seen.latents().narrow(2, 0, seen.static_width), &seen.batch.episodes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{gradient_error, scalar};

    #[test]
    fn deviations_are_those_from_the_mean_of_the_episode() {
        let device = Device::flex();
        // Episode 7 has the values 0, 2, 4, 6 (mean 3), episode 5 only 10.
        let latents = Tensor::<3>::from_floats([[[0.0], [2.0]], [[10.0], [10.0]], [[4.0], [6.0]]], &device);
        let expected = (9.0 + 1.0 + 1.0 + 9.0) / 6.0;
        assert!((scalar(static_similarity(latents, &[7, 5, 7])) - expected).abs() < 1e-5);
    }

    #[test]
    fn what_differs_between_episodes_costs_nothing() {
        let latents = Tensor::<3>::from_floats([[[1.0, 2.0]; 3], [[-4.0, 0.5]; 3]], &Device::flex());
        assert!(scalar(static_similarity(latents, &[0, 1])).abs() < 1e-10);
    }

    #[test]
    fn gradient_matches_finite_differences() {
        let values = [0.3, -0.9, 1.1, 0.25, -1.4, 0.5, 0.7, -0.6];
        let error = gradient_error(&values, |x| static_similarity(x.reshape([4, 2, 1]), &[0, 1, 0, 0]));
        assert!(error < 1e-2, "{error}");
    }
}
