//! Fixed sine-cosine positions over three axes (V-JEPA 1, `src/models/utils/pos_embs.py`).

use burn::tensor::{Device, Tensor, TensorData};

/// The table for a token grid `[time, height, width]`: the width is split into half for time and a quarter each for row and column;
/// each axis of size `d` holds `d/2` sines, then `d/2` cosines, of `position * 10000^(-i / (d/2))`.
///
/// A grid of one frame gives all of the width to row and column (the two-dimensional table of image models).
///
/// # Shapes
/// - output: `[time * height * width, dim]`
pub fn sin_cos_table(grid: [usize; 3], dim: usize, device: &Device) -> Tensor<2> {
    let tokens = grid.iter().product();
    Tensor::from_data(TensorData::new(sin_cos_values(grid, dim), [tokens, dim]), device)
}

fn sin_cos_values([time, height, width]: [usize; 3], dim: usize) -> Vec<f32> {
    let for_time = if time == 1 { 0 } else { even(dim.div_ceil(2)) };
    let for_row = even((dim - for_time).div_ceil(2));
    let for_column = dim - for_time - for_row;
    let axis = |length: usize, size: usize| -> Vec<Vec<f32>> {
        (0..length).map(|position| sin_cos_axis(position, size)).collect()
    };
    let (times, rows, columns) = (axis(time, for_time), axis(height, for_row), axis(width, for_column));
    let mut values = Vec::with_capacity(time * height * width * dim);
    for t in &times {
        for row in &rows {
            for column in &columns {
                values.extend_from_slice(t);
                values.extend_from_slice(row);
                values.extend_from_slice(column);
            }
        }
    }
    values
}

/// Rounds up to an even number.
fn even(size: usize) -> usize {
    size + size % 2
}

/// Sines, then cosines, of one coordinate.
pub(crate) fn sin_cos_axis(position: usize, size: usize) -> Vec<f32> {
    let half = size / 2;
    let angle = |i: usize| position as f64 * 10_000_f64.powf(-(i as f64) / half as f64);
    (0..half).map(|i| angle(i).sin() as f32).chain((0..half).map(|i| angle(i).cos() as f32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_and_order() {
        // Token (1, 0, 1) of a grid [2, 2, 2], width 8: time takes 4 channels, row 2, column 2.
        let table = sin_cos_values([2, 2, 2], 8);
        let (s, c) = 1.0_f64.sin_cos();
        let (s2, c2) = 0.01_f64.sin_cos();
        let expected = [s, s2, c, c2, 0.0, 1.0, s, c];
        for (actual, expected) in table[5 * 8..6 * 8].iter().zip(expected) {
            assert!((f64::from(*actual) - expected).abs() < 1e-7);
        }
    }

    #[test]
    fn one_frame_leaves_all_channels_to_rows_and_columns() {
        let table = sin_cos_values([1, 2, 2], 4);
        let (s, c) = (1.0_f64.sin() as f32, 1.0_f64.cos() as f32);
        assert_eq!(table, [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, s, c, s, c, 0.0, 1.0, s, c, s, c]);
    }
}
