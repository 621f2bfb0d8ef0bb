//! The same as compositions of Burn's operations.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::NEIGHBOURS;

pub(super) fn neighbourhoods(tokens: Tensor<3>, grid: [usize; 2], outside: f32) -> Tensor<3> {
    let [batch, places, channels] = tokens.dims();
    let device = tokens.device();
    let edge = Tensor::full([batch, 1, channels], outside, &device);
    let indices = indices(grid, &device);
    Tensor::cat(vec![tokens, edge], 1).select(1, indices).reshape([batch, places, NEIGHBOURS * channels])
}

pub(super) fn shortest_paths(
    field: Tensor<2>,
    ways: Tensor<3>,
    grid: [usize; 2],
    rounds: usize,
    outside: f32,
) -> Tensor<2> {
    let [batch, places] = field.dims();
    let mut field = field.reshape([batch, places, 1]);
    for _ in 0..rounds {
        field = (neighbourhoods(field, grid, outside) + ways.clone()).min_dim(2);
    }
    field.reshape([batch, places])
}

/// For every place the indices of its neighbourhood; one beyond the last place where that is outside, `[places * 9]`.
fn indices([rows, columns]: [usize; 2], device: &Device) -> Tensor<1, Int> {
    let (rows, columns) = (rows as i64, columns as i64);
    let inside = |row: i64, column: i64| (0..rows).contains(&row) && (0..columns).contains(&column);
    let mut indices = Vec::with_capacity((rows * columns) as usize * NEIGHBOURS);
    for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
        for (y, x) in (-1..=1).flat_map(|y| (-1..=1).map(move |x| (row + y, column + x))) {
            indices.push(if inside(y, x) { y * columns + x } else { rows * columns });
        }
    }
    let count = indices.len();
    Tensor::from_data(TensorData::new(indices, [count]), device)
}
