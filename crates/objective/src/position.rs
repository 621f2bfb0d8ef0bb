//! Position: a head that reads where the agent is from detached latents. It measures, and never shapes, the encoder.

use burn::prelude::*;

/// Maps pixel positions to about `[-1, 1]` and back, by the size of the frame alone: a pixel coordinate `p` of a side of
/// `n` pixels becomes `(p - c) / c` with `c = (n - 1) / 2`. For 65 pixels that is `(p - 32) / 32`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PositionScale {
    /// Half the frame's width less one, in pixels.
    pub x: f64,
    /// Half the frame's height less one, in pixels.
    pub y: f64,
}

impl PositionScale {
    /// The scale of frames of this size.
    ///
    /// # Panics
    /// If a side is shorter than two pixels.
    pub fn new(width: usize, height: usize) -> Self {
        assert!(width >= 2 && height >= 2, "positions in frames of {width}x{height} pixels cannot be scaled");
        Self { x: (width as f64 - 1.0) / 2.0, y: (height as f64 - 1.0) / 2.0 }
    }

    fn constants(&self, device: &Device) -> Tensor<2> {
        Tensor::from_floats([[self.x as f32, self.y as f32]], device)
    }

    /// Pixels to network units.
    ///
    /// # Shapes
    /// - pixels, output: `[n, 2]`, x then y
    pub fn normalise(&self, pixels: Tensor<2>) -> Tensor<2> {
        let constants = self.constants(&pixels.device());
        (pixels - constants.clone()) / constants
    }

    /// Network units to pixels, the inverse of [`normalise`](Self::normalise).
    ///
    /// # Shapes
    /// - positions, output: `[n, 2]`, x then y
    pub fn to_pixels(&self, positions: Tensor<2>) -> Tensor<2> {
        let constants = self.constants(&positions.device());
        positions * constants.clone() + constants
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{gradient_error, scalar};

    #[test]
    fn centre_and_edges_map_to_zero_and_one() {
        let scale = PositionScale::new(65, 33);
        let pixels = Tensor::<2>::from_floats([[32.0, 16.0], [0.0, 32.0], [64.0, 0.0]], &Device::flex());
        let got = scale.normalise(pixels.clone()).into_data().try_into_vec_as::<f32>().expect("floats");
        assert_eq!(got, [0.0, 0.0, -1.0, 1.0, 1.0, -1.0]);
        let back = scale.to_pixels(scale.normalise(pixels.clone()));
        assert_eq!(back.into_data(), pixels.into_data());
    }

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
