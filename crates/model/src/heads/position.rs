//! Position of the agent from a latent: tells how much of it the latent holds.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use crate::layers::{Activation, linear};

/// Longest latent for which there are as many hidden units as numbers in the latent.
const VECTOR: usize = 512;
/// Hidden units for longer latents: those of a grid of tokens, which say where a thing is by which tokens tell of it.
const GRID_HIDDEN: usize = 128;

/// MLP `dim -> dim -> 2`, but 128 hidden units for latents of more than 512 numbers, with `ReLU` (`eb_jepa`, position head).
#[derive(Module, Debug)]
pub struct PositionHead {
    hidden: Linear,
    output: Linear,
}

impl PositionHead {
    /// A head for latents of length `dim`.
    pub fn new(dim: usize, device: &Device) -> Self {
        let hidden = if dim <= VECTOR { dim } else { GRID_HIDDEN };
        Self { hidden: LinearConfig::new(dim, hidden).init(device), output: LinearConfig::new(hidden, 2).init(device) }
    }

    /// # Shapes
    /// - latents: `[n, dim]`
    /// - output: `[n, 2]`
    pub fn forward(&self, latents: Tensor<2>) -> Tensor<2> {
        linear(&self.output, linear(&self.hidden, latents, Activation::Relu), Activation::Identity)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn centre_and_edges_map_to_zero_and_one() {
        let scale = PositionScale::new(65, 33);
        let pixels = Tensor::<2>::from_floats([[32.0, 16.0], [0.0, 32.0], [64.0, 0.0]], &Device::flex());
        let got = scale.normalise(pixels.clone()).into_data().try_into_vec_as::<f32>().expect("floats");
        assert_eq!(got, [0.0, 0.0, -1.0, 1.0, 1.0, -1.0]);
        let back = scale.to_pixels(scale.normalise(pixels.clone()));
        assert_eq!(back.into_data(), pixels.into_data());
    }
}
