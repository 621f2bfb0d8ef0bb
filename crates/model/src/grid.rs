//! Grids of tokens, row by row.

use burn::module::Module;
use burn::tensor::Tensor;
use prevision_kernels::grid;
pub(crate) use prevision_kernels::grid::NEIGHBOURS;

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

    /// The 3x3 neighbourhood of every token, with zeros beyond the edge.
    ///
    /// # Shapes
    /// - tokens: `[batch, places, channels]`
    /// - output: `[batch, places, 9 * channels]`
    pub(crate) fn neighbourhoods(&self, tokens: Tensor<3>) -> Tensor<3> {
        grid::neighbourhoods(tokens, [self.rows, self.columns], 0.0)
    }

    /// Shortest paths over the grid, see [`grid::shortest_paths`]; nothing leads beyond the edge, where the field is `outside`.
    ///
    /// # Shapes
    /// - field, output: `[batch, places]`
    /// - ways: `[batch, places, 9]`
    pub(crate) fn shortest_paths(&self, field: Tensor<2>, ways: Tensor<3>, outside: f32) -> Tensor<2> {
        grid::shortest_paths(field, ways, [self.rows, self.columns], self.rows + self.columns, outside)
    }
}
