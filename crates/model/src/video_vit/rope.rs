//! Rotary positions over time, row and column (V-JEPA 2, `src/models/utils/modules.py`, `rotate_queries_or_keys`).
//!
//! Of a head's channels the first third turns with time, the second with the row, the third with the column; what is left over after
//! cutting to whole pairs is untouched. Adjacent channels `(2k, 2k+1)` form a pair.

use burn::tensor::{Device, Tensor, TensorData};
use prevision_kernels::Rotation;

use super::PositionKind;
use crate::masks::TokenIds;

/// Rows and columns of the grid that scaled positions are those of: 256 pixels in patches of 16.
const SCALED_SIDE: f64 = 16.0;

/// The rotation for tokens `ids` of a grid `[time, height, width]` (all tokens in order when `None`), or `None` for a kind of
/// positions that does not rotate.
pub(crate) fn for_kind(
    kind: PositionKind,
    ids: Option<&TokenIds>,
    grid: [usize; 3],
    head_dim: usize,
    device: &Device,
) -> Option<Rotation> {
    if matches!(kind, PositionKind::SinCos | PositionKind::Learned) {
        return None;
    }
    let all = || Tensor::arange(0..grid.iter().product::<usize>() as i64, device).unsqueeze();
    Some(rotation(ids.cloned().unwrap_or_else(all), grid, head_dim, kind))
}

/// The same rotation with tokens that do not turn before the others, or behind them.
pub(crate) fn with_still(rotation: Rotation, count: usize, behind: bool) -> Rotation {
    let still = |table: Tensor<3>, value: f32| {
        let [batch, _, head_dim] = table.dims();
        let still = Tensor::full([batch, count, head_dim], value, &table.device());
        Tensor::cat(if behind { vec![table, still] } else { vec![still, table] }, 1)
    };
    Rotation { cosine: still(rotation.cosine, 1.0), sine: still(rotation.sine, 0.0) }
}

/// The rotation for tokens `ids`, `[batch or 1, tokens]`, of a grid `[time, height, width]`.
fn rotation(ids: TokenIds, [_, height, width]: [usize; 3], head_dim: usize, kind: PositionKind) -> Rotation {
    // From the first to the last row of the grid that the weights were trained with.
    let scaled = kind == PositionKind::RopeScaled;
    let scale = |side: usize| if scaled { (SCALED_SIDE - 1.0) / (side.max(2) - 1) as f64 } else { 1.0 };
    let tiled = kind == PositionKind::RopeTiled;
    let device = ids.device();
    let frame = (height * width) as i64;
    let within = ids.clone().remainder_scalar(frame);
    let coordinates: Tensor<3> = Tensor::stack(
        vec![
            (ids - within.clone()).div_scalar(frame).float(),
            (within.clone() - within.clone().remainder_scalar(width as i64)).div_scalar(width as i64).float()
                * scale(height),
            within.remainder_scalar(width as i64).float() * scale(width),
        ],
        2,
    );
    // One product spreads the three coordinates over the channels: every column has at most one entry, so it is exact.
    let frequencies =
        Tensor::<2>::from_data(TensorData::new(frequency_matrix(head_dim, tiled), [3, head_dim]), &device);
    let angles: Tensor<3> = coordinates.matmul(frequencies.unsqueeze());
    Rotation { cosine: angles.clone().cos(), sine: angles.sin() }
}

/// Channels that turn with one axis: the largest even number not above a third of the head.
fn axis_channels(head_dim: usize) -> usize {
    2 * (head_dim / 3 / 2)
}

/// Row `a` holds the frequencies of axis `a` (time, row, column) in its own channels, zero elsewhere.
fn frequency_matrix(head_dim: usize, tiled: bool) -> Vec<f32> {
    let size = axis_channels(head_dim);
    let half = size / 2;
    let mut values = vec![0.0; 3 * head_dim];
    for axis in 0..3 {
        for channel in 0..size {
            let index = if tiled { channel % half } else { channel / 2 };
            values[axis * head_dim + axis * size + channel] = 10_000_f64.powf(-(index as f64) / half as f64) as f32;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Turns `x`, `[tokens, head_dim]`.
    fn turn(x: &[f32], rotation: &Rotation) -> Vec<f32> {
        let table = |table: &Tensor<3>| table.clone().into_data().try_into_vec_as::<f32>().unwrap();
        let (cosine, sine) = (table(&rotation.cosine), table(&rotation.sine));
        let partner = |i: usize| if i.is_multiple_of(2) { -x[i + 1] } else { x[i - 1] };
        (0..x.len()).map(|i| x[i] * cosine[i] + partner(i) * sine[i]).collect()
    }

    fn kind(tiled: bool) -> PositionKind {
        if tiled { PositionKind::RopeTiled } else { PositionKind::Rope }
    }

    /// Turns `[1, 2, 3, 4, 5, .., 12]` at token `id` of a grid `[2, 2, 2]`; four channels per axis.
    fn turned(id: i64, tiled: bool) -> Vec<f32> {
        let device = Device::flex();
        let ids = TokenIds::from_data([[id]], &device);
        let x: Vec<f32> = (1..=12).map(|i| i as f32).collect();
        turn(&x, &rotation(ids, [2, 2, 2], 12, kind(tiled)))
    }

    fn assert_close(actual: &[f32], expected: &[f32]) {
        for (a, e) in actual.iter().zip(expected) {
            assert!((a - e).abs() < 2e-6, "{actual:?} is not {expected:?}");
        }
    }

    #[test]
    fn upstream_literals() {
        // Token 4 is at time 1, row 0, column 0: only the first four channels turn.
        assert_close(&turned(4, true)[..4], &[-1.142_64, 2.009_9, -1.744_977, 4.029_8]);
        assert_close(&turned(4, false)[..4], &[-1.142_64, 1.922_076, 2.959_851, 4.029_8]);
        assert_eq!(turned(4, true)[4..], [5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0]);
    }

    #[test]
    fn each_axis_turns_its_own_channels() {
        // Token 3 is at time 0, row 1, column 1.
        let actual = turned(3, false);
        assert_eq!(actual[..4], [1.0, 2.0, 3.0, 4.0]);
        let (s, c) = 1.0_f32.sin_cos();
        assert_close(&actual[4..6], &[5.0 * c - 6.0 * s, 6.0 * c + 5.0 * s]);
        let (s, c) = 0.01_f32.sin_cos();
        assert_close(&actual[10..12], &[11.0 * c - 12.0 * s, 12.0 * c + 11.0 * s]);
    }

    #[test]
    fn scaled_positions_span_the_grid_of_training() {
        let device = Device::flex();
        let x: Vec<f32> = (1..=12).map(|i| i as f32).collect();
        let turned = |id: i64, grid, kind| turn(&x, &rotation(TokenIds::from_data([[id]], &device), grid, 12, kind));
        // The last token of a grid of 4 by 6 turns as that of one of 16 by 16.
        let scaled = turned(23, [1, 4, 6], PositionKind::RopeScaled);
        assert_close(&scaled, &turned(255, [1, 16, 16], PositionKind::Rope));
        assert_eq!(turned(0, [1, 1, 1], PositionKind::RopeScaled), x, "a single place does not turn");
    }

    #[test]
    fn channels_per_axis_equal_upstream() {
        assert_eq!([64, 80, 32].map(axis_channels), [20, 26, 10]);
    }

    #[test]
    fn proper_rotation_depends_on_differences_alone() {
        let device = Device::flex();
        let vector = |id: i64, tiled: bool, first: f32| {
            let x: Vec<f32> = (0..12).map(|i| (first + i as f32).sin()).collect();
            turn(&x, &rotation(TokenIds::from_data([[id]], &device), [4, 4, 4], 12, kind(tiled)))
        };
        let product = |a: i64, b: i64, tiled: bool| -> f32 {
            vector(a, tiled, 0.3).iter().zip(vector(b, tiled, 1.7)).map(|(a, b)| a * b).sum()
        };
        // Tokens (0,0,0)-(1,1,1) and (1,2,1)-(2,3,2) are the same step apart.
        assert!((product(0, 21, false) - product(25, 46, false)).abs() < 1e-5);
        assert!(
            (product(0, 21, true) - product(25, 46, true)).abs() > 1e-3,
            "the tiled form is known not to be relative"
        );
    }
}
