//! Position: a head that reads where the agent is from detached latents. It measures, and never shapes, the encoder.

use burn::prelude::*;
use prevision_core::Spaces;
use prevision_core::config::Options;
use prevision_model::{HeadFlags, PositionScale};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Frames, Needs, Seen, Term};

/// The mean squared error of predicted positions, in the units of [`PositionScale`].
///
/// # Shapes
/// - predicted: `[n, 2]`, network units
/// - pixels: `[n, 2]`, the true positions, x then y
/// - output: `[1]`
///
/// # Panics
/// If the shapes differ.
pub fn position(predicted: Tensor<2>, pixels: Tensor<2>, scale: &PositionScale) -> Tensor<1> {
    assert_eq!(predicted.dims(), pixels.dims(), "predicted and true positions must have one shape");
    (predicted - scale.normalise(pixels)).square().mean()
}

/// The error of the position that a head reads from detached latents. The first two numbers of a state are the position in
/// pixels, x then y.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PositionTerm {}

impl Options for PositionTerm {}

impl Term for PositionTerm {
    fn needs(&self) -> Needs {
        let heads = HeadFlags { position: true, ..HeadFlags::default() };
        Needs { frames: Frames::All, heads, time: true, ..Needs::default() }
    }

    fn validate(&self, key: &str, spaces: &Spaces) -> Result<(), String> {
        spaces.only_camera().map_err(|message| format!("{key}: {message}"))?;
        let width = spaces.state_width();
        let needs = "a state of at least 2 numbers (x and y in pixels)";
        if width < 2 { Err(format!("{key} needs {needs}, but the data have {width}")) } else { Ok(()) }
    }

    fn value(&self, seen: &Seen<'_>) -> Tensor<1> {
        let head = seen.heads().position.as_ref().expect("a position head");
        let state = seen.batch.state.clone().expect("clips with a state");
        let frames = seen.latents().dims()[1];
        let pixels = state.narrow(1, 0, frames).narrow(2, 0, 2).flatten(0, 1);
        let [height, width] = seen.frame;
        position(head.forward(seen.detached()), pixels, &PositionScale::new(width, height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{gradient_error, scalar};

    #[test]
    fn exact_positions_cost_nothing_and_one_half_side_costs_one_half() {
        let (device, scale) = (Device::flex(), PositionScale::new(65, 65));
        let pixels = Tensor::<2>::from_floats([[32.0, 32.0]], &device);
        assert_eq!(scalar(position(Tensor::zeros([1, 2], &device), pixels.clone(), &scale)), 0.0);
        let off = Tensor::<2>::from_floats([[1.0, 0.0]], &device);
        assert!((scalar(position(off, pixels, &scale)) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn gradient_matches_finite_differences() {
        let pixels = Tensor::<2>::from_floats([[10.0, 20.0], [40.0, 50.0]], &Device::flex());
        let scale = PositionScale::new(65, 65);
        let error = gradient_error(&[0.3, -0.9, 1.1, 0.25], |x| position(x.reshape([2, 2]), pixels.clone(), &scale));
        assert!(error < 1e-2, "{error}");
    }
}
