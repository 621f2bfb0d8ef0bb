//! Learned positions of image models, and how they serve frames of another size.

use burn::module::{Initializer, Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use prevision_core::frames::resize::{self, Kernel};

use crate::initialisation::TRANSFORMER_STD;

/// The `a` of the cubic kernel, as in `torch.nn.functional.interpolate(mode="bicubic")`.
const CUBIC: f64 = -0.75;

/// A table of learned positions: one for the class token if there is one, then one for each place of a square grid.
///
/// Frames with another grid get a bicubic interpolation of it (`align_corners = false`), as ViT, `DINOv2` and I-JEPA do in `transformers`; with
/// `antialias` the kernel is the smoother one that is widened where the grid shrinks, as `DINOv2` with registers does.
#[derive(Module, Debug)]
pub struct LearnedPositions {
    /// `[class + side * side, dim]`
    pub table: Param<Tensor<2>>,
    class: bool,
    side: usize,
    antialias: bool,
}

impl LearnedPositions {
    /// A table for a grid of `side` by `side` tokens of this width, and for a class token if `class`.
    pub fn new(side: usize, class: bool, antialias: bool, dim: usize, device: &Device) -> Self {
        let initial = Initializer::Normal { mean: 0.0, std: TRANSFORMER_STD };
        Self { table: initial.init([usize::from(class) + side * side, dim], device), class, side, antialias }
    }

    /// The position of the class token, `[1, dim]`.
    pub fn class(&self) -> Option<Tensor<2>> {
        self.class.then(|| self.table.val().narrow(0, 0, 1))
    }

    /// The positions of a frame's tokens.
    ///
    /// # Shapes
    /// - grid: rows and columns
    /// - output: `[rows * columns, dim]`
    pub fn of_grid(&self, [rows, columns]: [usize; 2]) -> Tensor<2> {
        let (first, places) = (usize::from(self.class), self.side * self.side);
        let table = self.table.val().narrow(0, first, places);
        if [rows, columns] == [self.side; 2] {
            return table;
        }
        let along = |to: usize| if self.antialias { smooth(self.side, to) } else { cubic(self.side, to) };
        let weights = spread(&along(rows), &along(columns), self.side);
        let device = table.device();
        Tensor::<2>::from_data(TensorData::new(weights, [rows * columns, places]), &device).matmul(table)
    }
}

/// For each place of a line the places of the table that it is made of, and their weights.
type Taps = Vec<Vec<(usize, f64)>>;

/// Four taps each, held at the ends.
fn cubic(from: usize, to: usize) -> Taps {
    let near = |x: f64| ((CUBIC + 2.0) * x - (CUBIC + 3.0)) * x * x + 1.0;
    let far = |x: f64| ((CUBIC * x - 5.0 * CUBIC) * x + 8.0 * CUBIC) * x - 4.0 * CUBIC;
    let taps = |place: usize| {
        let at = (place as f64 + 0.5) * from as f64 / to as f64 - 0.5;
        let (whole, part) = (at.floor(), at - at.floor());
        let weights = [far(part + 1.0), near(part), near(1.0 - part), far(2.0 - part)];
        let tap = |index: usize| (whole + index as f64 - 1.0).clamp(0.0, from as f64 - 1.0) as usize;
        weights.into_iter().enumerate().map(|(index, weight)| (tap(index), weight)).collect()
    };
    (0..to).map(taps).collect()
}

/// As many taps as the kernel is wide.
fn smooth(from: usize, to: usize) -> Taps {
    let taps = |(first, weights): (usize, Vec<f64>)| (first..).zip(weights).collect();
    resize::weights(from, to, Kernel::Bicubic).into_iter().map(taps).collect()
}

/// The weight of every place of the table for every place of the grid, `[rows * columns, side * side]`.
fn spread(rows: &[Vec<(usize, f64)>], columns: &[Vec<(usize, f64)>], side: usize) -> Vec<f32> {
    let mut weights = vec![0.0; rows.len() * columns.len() * side * side];
    for (row, down) in rows.iter().enumerate() {
        for (column, across) in columns.iter().enumerate() {
            let to = &mut weights[(row * columns.len() + column) * side * side..][..side * side];
            for (from_row, down) in down {
                for (from_column, across) in across {
                    to[from_row * side + from_column] += (down * across) as f32;
                }
            }
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `F.interpolate(torch.arange(9.).reshape(1, 1, 3, 3) ** 2, size=(2, 5), mode="bicubic")` of `PyTorch` 2.15.
    const EXPECTED: [f32; 10] = [
        0.883_594, 1.624_752, 3.238_281, 5.931_813, 7.784_97, 29.061_472, 33.800_316, 42.050_78, 51.381_256, 57.232_105,
    ];

    #[test]
    fn other_grids_are_interpolated_as_in_pytorch() {
        let device = Device::flex();
        let mut positions = LearnedPositions::new(3, true, false, 1, &device);
        let table: Vec<f32> = [7.0].into_iter().chain((0..9).map(|place| (place * place) as f32)).collect();
        positions.table = Param::from_tensor(Tensor::<1>::from_floats(table.as_slice(), &device).reshape([10, 1]));
        let values = |tensor: Tensor<2>| tensor.into_data().try_into_vec_as::<f32>().unwrap();
        assert_eq!(values(positions.class().unwrap()), [7.0]);
        assert_eq!(values(positions.of_grid([3, 3])), table[1..]);
        let interpolated = values(positions.of_grid([2, 5]));
        for (actual, expected) in interpolated.iter().zip(EXPECTED) {
            assert!((actual - expected).abs() < 1e-4, "{interpolated:?}");
        }
    }
}
