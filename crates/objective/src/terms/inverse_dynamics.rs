//! Inverse dynamics: two neighbouring latents must tell the action between them.

use burn::prelude::*;
use prevision_core::Spaces;
use prevision_core::config::Options;
use prevision_model::HeadFlags;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::term::two_frames;
use crate::{Frames, Needs, Seen, Term};

/// The mean squared error between predicted and true actions (PLDM, Sobal et al. 2025; `eb_jepa`). It keeps what the
/// agent controls in the latents; without it, `eb_jepa` measures almost no planning success.
///
/// # Shapes
/// - predicted, actions: `[n, action]`
/// - output: `[1]`
///
/// # Panics
/// If the shapes differ.
pub fn inverse_dynamics(predicted: Tensor<2>, actions: Tensor<2>) -> Tensor<1> {
    assert_eq!(predicted.dims(), actions.dims(), "predicted and true actions must have one shape");
    (predicted - actions).square().mean()
}

/// The error of the action that a head tells from two neighbouring latents.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct InverseDynamicsTerm {}

impl Options for InverseDynamicsTerm {}

impl Term for InverseDynamicsTerm {
    fn needs(&self) -> Needs {
        let heads = HeadFlags { inverse_dynamics: true, ..HeadFlags::default() };
        Needs { frames: Frames::All, heads, time: true, ..Needs::default() }
    }

    fn validate(&self, key: &str, spaces: &Spaces) -> Result<(), String> {
        two_frames(key, spaces)
    }

    fn value(&self, seen: &Seen<'_>) -> Tensor<1> {
        let head = seen.heads().inverse_dynamics.as_ref().expect("an inverse dynamics head");
        let actions = seen.batch.actions.clone().expect("clips with actions");
        let latents = seen.latents();
        let [clips, frames, dim] = latents.dims();
        let pairs = |from: usize| latents.clone().narrow(1, from, frames - 1).reshape([clips * (frames - 1), dim]);
        let actions = actions.narrow(1, 0, frames - 1);
        inverse_dynamics(head.forward(pairs(0), pairs(1)), actions.flatten(0, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{gradient_error, scalar};

    #[test]
    fn is_the_mean_squared_error() {
        let device = Device::flex();
        let actions = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, -1.0]], &device);
        assert_eq!(scalar(inverse_dynamics(actions.clone(), actions.clone())), 0.0);
        assert!((scalar(inverse_dynamics(Tensor::zeros([2, 2], &device), actions)) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn gradient_matches_finite_differences() {
        let actions = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, -1.0]], &Device::flex());
        let error = gradient_error(&[0.3, -0.9, 1.1, 0.25], |x| inverse_dynamics(x.reshape([2, 2]), actions.clone()));
        assert!(error < 1e-2, "{error}");
    }
}
