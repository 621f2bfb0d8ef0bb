//! Grids of tokens, row by row, and the 3x3 neighbourhoods in them.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};

/// Tokens in a neighbourhood, the middle one included.
pub(crate) const NEIGHBOURS: usize = 9;

/// Rows and columns of tokens.
#[derive(Module, Debug)]
pub(crate) struct Grid {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Grid {
    pub(crate) fn new([rows, columns]: [usize; 2]) -> Self {
        Self { rows, columns }
    }

    /// Number of tokens.
    pub(crate) fn places(&self) -> usize {
        self.rows * self.columns
    }

    /// For every token the indices of its neighbourhood, row by row; one beyond the last token where that is outside.
    ///
    /// # Shapes
    /// - output: `[places * 9]`
    pub(crate) fn neighbours(&self, device: &Device) -> Tensor<1, Int> {
        let (rows, columns) = (self.rows as i64, self.columns as i64);
        let inside = |row: i64, column: i64| (0..rows).contains(&row) && (0..columns).contains(&column);
        let mut indices = Vec::with_capacity(self.places() * NEIGHBOURS);
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            for (y, x) in (-1..=1).flat_map(|y| (-1..=1).map(move |x| (row + y, column + x))) {
                indices.push(if inside(y, x) { y * columns + x } else { rows * columns });
            }
        }
        let count = indices.len();
        Tensor::from_data(TensorData::new(indices, [count]), device)
    }
}

/// The neighbourhood of every token; `outside` stands for tokens beyond the edge.
///
/// # Shapes
/// - tokens: `[batch, places, channels]`
/// - neighbours: `[places * 9]`, of [`Grid::neighbours`]
/// - output: `[batch, places, 9 * channels]`
pub(crate) fn gather(tokens: Tensor<3>, neighbours: Tensor<1, Int>, outside: f32) -> Tensor<3> {
    let [batch, places, channels] = tokens.dims();
    let edge = Tensor::full([batch, 1, channels], outside, &tokens.device());
    Tensor::cat(vec![tokens, edge], 1).select(1, neighbours).reshape([batch, places, NEIGHBOURS * channels])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbourhood_is_three_by_three_and_stops_at_the_edge() {
        let device = Device::flex();
        let grid = Grid::new([2, 3]);
        let tokens = Tensor::<1>::from_floats([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &device).reshape([1, 6, 1]);
        let values = gather(tokens, grid.neighbours(&device), -1.0).into_data().try_into_vec_as::<f32>().unwrap();
        assert_eq!(values[..9], [-1.0, -1.0, -1.0, -1.0, 0.0, 1.0, -1.0, 3.0, 4.0]);
        assert_eq!(values[4 * 9..5 * 9], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, -1.0, -1.0, -1.0]);
    }
}
