//! Temporal similarity: latents of neighbouring frames stay close.

use burn::prelude::*;
use prevision_core::Spaces;
use prevision_core::config::Options;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::term::two_frames;
use crate::{Frames, Needs, Seen, Term};

/// The mean over batch, time and dimensions of `(z_{t+1} - z_t)^2` (PLDM, Sobal et al. 2025; `eb_jepa`).
///
/// # Shapes
/// - latents: `[batch, time, dim]`
/// - output: `[1]`
///
/// # Panics
/// If there are fewer than two frames.
pub fn temporal_similarity(latents: Tensor<3>) -> Tensor<1> {
    let [batch, time, dim] = latents.dims();
    assert!(time >= 2, "temporal similarity of latents [{batch}, {time}, {dim}] needs at least two frames");
    let next = latents.clone().narrow(1, 1, time - 1);
    (next - latents.narrow(1, 0, time - 1)).square().mean()
}

/// The squared difference of neighbouring latents.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TemporalSimilarityTerm {}

impl Options for TemporalSimilarityTerm {}

impl Term for TemporalSimilarityTerm {
    fn needs(&self) -> Needs {
        Needs { frames: Frames::All, time: true, ..Needs::default() }
    }

    fn validate(&self, key: &str, spaces: &Spaces) -> Result<(), String> {
        two_frames(key, spaces)
    }

    fn value(&self, seen: &Seen<'_>) -> Tensor<1> {
        temporal_similarity(seen.latents())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{gradient_error, scalar};

    #[test]
    fn is_the_mean_squared_step() {
        let latents = Tensor::<3>::from_floats([[[0.0, 0.0], [1.0, 2.0], [1.0, 5.0]]], &Device::flex());
        assert!((scalar(temporal_similarity(latents)) - (1.0 + 4.0 + 0.0 + 9.0) / 4.0).abs() < 1e-6);
    }

    #[test]
    fn still_latents_cost_nothing() {
        assert_eq!(scalar(temporal_similarity(Tensor::ones([2, 4, 3], &Device::flex()))), 0.0);
    }

    #[test]
    fn gradient_matches_finite_differences() {
        let values = [0.3, -0.9, 1.1, 0.25, -1.4, 0.5, 0.7, -0.6];
        let error = gradient_error(&values, |x| temporal_similarity(x.reshape([1, 4, 2])));
        assert!(error < 1e-2, "{error}");
    }
}
