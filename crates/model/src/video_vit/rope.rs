//! Rotary positions over time, row and column (V-JEPA 2, `src/models/utils/modules.py`, `rotate_queries_or_keys`).
//!
//! Of a head's channels the first third turns with time, the second with the row, the third with the column; what is left over after
//! cutting to whole pairs is untouched. Adjacent channels `(2k, 2k+1)` form a pair.

use burn::tensor::{Device, Tensor, TensorData};

use super::PositionKind;
use crate::masks::TokenIds;

/// Cosines and sines of a set of tokens, used by every layer and head.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// `[batch or 1, 1, tokens, head_dim]`
    cosine: Tensor<4>,
    /// `[batch or 1, 1, tokens, head_dim]`
    sine: Tensor<4>,
    /// `[1, 1, head_dim, head_dim]`: sends a vector to its partner, `(x0, x1) -> (-x1, x0)` for each pair.
    partner: Tensor<4>,
}

impl Rotation {
    /// The rotation for tokens `ids` of a grid `[time, height, width]` (all tokens in order when `None`), or `None` for a kind of
    /// positions that does not rotate.
    pub fn for_kind(
        kind: PositionKind,
        ids: Option<&TokenIds>,
        grid: [usize; 3],
        head_dim: usize,
        device: &Device,
    ) -> Option<Self> {
        let tiled = match kind {
            PositionKind::SinCos => return None,
            PositionKind::Rope => false,
            PositionKind::RopeTiled => true,
        };
        Some(match ids {
            Some(ids) => Self::new(ids.clone(), grid, head_dim, tiled),
            None => Self::new(Tensor::arange(0..grid.iter().product::<usize>() as i64, device).unsqueeze(), grid, head_dim, tiled),
        })
    }

    /// The rotation for tokens `ids`, `[batch or 1, tokens]`, of a grid `[time, height, width]`.
    pub fn new(ids: TokenIds, [_, height, width]: [usize; 3], head_dim: usize, tiled: bool) -> Self {
        let device = ids.device();
        let frame = (height * width) as i64;
        let within = ids.clone().remainder_scalar(frame);
        let coordinates: Tensor<3> = Tensor::stack(
            vec![
                (ids.clone() - within.clone()).div_scalar(frame).float(),
                (within.clone() - within.clone().remainder_scalar(width as i64)).div_scalar(width as i64).float(),
                within.remainder_scalar(width as i64).float(),
            ],
            2,
        );
        // One product spreads the three coordinates over the channels: every column has at most one entry, so it is exact.
        let frequencies = Tensor::<2>::from_data(TensorData::new(frequency_matrix(head_dim, tiled), [3, head_dim]), &device);
        let angles: Tensor<4> = coordinates.matmul(frequencies.unsqueeze()).unsqueeze_dim(1);
        let partner = Tensor::<2>::from_data(TensorData::new(partner_matrix(head_dim), [head_dim, head_dim]), &device);
        Self { cosine: angles.clone().cos(), sine: angles.sin(), partner: partner.unsqueeze() }
    }

    /// Turns queries or keys.
    ///
    /// # Shapes
    /// - x: `[batch, heads, tokens, head_dim]`
    /// - output: `[batch, heads, tokens, head_dim]`
    pub fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        let partner = x.clone().matmul(self.partner.clone());
        x * self.cosine.clone() + partner * self.sine.clone()
    }
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

/// `x * partner`: entry `2k` becomes `-x[2k+1]`, entry `2k+1` becomes `x[2k]`.
fn partner_matrix(head_dim: usize) -> Vec<f32> {
    let mut values = vec![0.0; head_dim * head_dim];
    for pair in 0..head_dim / 2 {
        values[(2 * pair + 1) * head_dim + 2 * pair] = -1.0;
        values[2 * pair * head_dim + 2 * pair + 1] = 1.0;
    }
    values
}
