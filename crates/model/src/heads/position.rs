//! Position of the agent from a latent: tells how much of it the latent holds.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};

use crate::grid::{Grid, NEIGHBOURS};
use crate::layers::{Activation, linear};

/// Hidden units of a head on a grid of tokens.
const GRID_HIDDEN: usize = 32;

/// Reads where the agent is, in the units of a [`PositionScale`].
///
/// Of a latent that is one vector: MLP `dim -> dim -> 2` with `ReLU` (`eb_jepa`, position head). On a grid of tokens the same MLP looks at the
/// neighbourhood of every place and says how much the agent seems to be there, and where in it; the mean of the places, by the softmax of
/// how much, is where it is. What is learned in one place holds in all, so that few frames are enough.
#[derive(Module, Debug)]
pub struct PositionHead {
    hidden: Linear,
    output: Linear,
    /// The grid of the tokens, the last ones of a latent; `None`: a latent is one vector.
    grid: Option<Grid>,
}

impl PositionHead {
    /// A head for latents of length `dim`.
    pub fn new(dim: usize, device: &Device) -> Self {
        let (hidden, output) = (LinearConfig::new(dim, dim), LinearConfig::new(dim, 2));
        Self { hidden: hidden.init(device), output: output.init(device), grid: None }
    }

    /// A head for the latents of an encoder, `dim` numbers behind those of a static one.
    pub(crate) fn of_grid(grid: [usize; 2], dim: usize, device: &Device) -> Self {
        let grid = Grid::new(grid);
        let (channels, outputs) = (NEIGHBOURS * dim / grid.places(), 3);
        let hidden = LinearConfig::new(channels, GRID_HIDDEN).init(device);
        Self { hidden, output: LinearConfig::new(GRID_HIDDEN, outputs).init(device), grid: Some(grid) }
    }

    /// # Shapes
    /// - latents: `[n, dim]`
    /// - output: `[n, 2]`
    pub fn forward(&self, latents: Tensor<2>) -> Tensor<2> {
        let Some(grid) = &self.grid else { return self.read(latents) };
        let ([count, width], places) = (latents.dims(), grid.places());
        let [inputs, _] = self.hidden.weight.dims();
        let moving = inputs / NEIGHBOURS * places;
        let tokens = latents.narrow(1, width - moving, moving).reshape([count, places, moving / places]);
        let read = self.read(grid.neighbourhoods(tokens));
        let there = softmax(read.clone().narrow(2, 0, 1), 1);
        let inside = read.narrow(2, 1, 2) * Self::cell(grid, &there.device());
        let at = inside + Self::centres(grid, &there.device());
        (at * there).sum_dim(1).reshape([count, 2])
    }

    /// The MLP, on the last axis.
    fn read<const D: usize>(&self, inputs: Tensor<D>) -> Tensor<D> {
        linear(&self.output, linear(&self.hidden, inputs, Activation::Relu), Activation::Identity)
    }

    /// Width and height of a place, `[1, 1, 2]`.
    fn cell(grid: &Grid, device: &Device) -> Tensor<3> {
        Tensor::from_floats([[[2.0 / grid.columns as f32, 2.0 / grid.rows as f32]]], device)
    }

    /// Where the places are, `[1, places, 2]`.
    fn centres(grid: &Grid, device: &Device) -> Tensor<3> {
        let along = |place: usize, count: usize| (2 * place + 1) as f32 / count as f32 - 1.0;
        let centre = |place: usize| [along(place % grid.columns, grid.columns), along(place / grid.columns, grid.rows)];
        let values: Vec<f32> = (0..grid.places()).flat_map(centre).collect();
        Tensor::from_data(TensorData::new(values, [1, grid.places(), 2]), device)
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
    use burn::module::Param;

    use super::*;

    /// A place that holds the number 1 among zeros is where the agent is.
    #[test]
    fn a_grid_is_read_where_the_agent_is() {
        let device = Device::flex();
        let mut head = PositionHead::of_grid([2, 4], 8, &device);
        // The middle of a neighbourhood, times 30, is how much the agent is there; where in it is nowhere but in the middle.
        let mut first = [[0.0; GRID_HIDDEN]; NEIGHBOURS];
        first[NEIGHBOURS / 2][0] = 1.0;
        let mut second = [[0.0; 3]; GRID_HIDDEN];
        second[0][0] = 30.0;
        head.hidden.weight = Param::from_tensor(Tensor::from_floats(first, &device));
        head.output.weight = Param::from_tensor(Tensor::from_floats(second, &device));
        for layer in [&mut head.hidden, &mut head.output] {
            let width = layer.weight.dims()[1];
            layer.bias = Some(Param::from_tensor(Tensor::zeros([width], &device)));
        }
        // Two static numbers come first.
        let latents = Tensor::<2>::from_floats(
            [[5.0, 5.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0], [5.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]],
            &device,
        );
        let read = head.forward(latents).into_data().try_into_vec_as::<f32>().unwrap();
        for (read, expected) in read.iter().zip([0.75, -0.5, -0.25, 0.5]) {
            assert!((read - expected).abs() < 1e-5, "{read} {expected}");
        }
    }

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
