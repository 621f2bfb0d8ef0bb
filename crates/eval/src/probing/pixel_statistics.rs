//! What pixels themselves say: the statistics that an encoder must do better than.

use prevision_core::FrameBuffer;

/// Cells along each side of a frame.
const CELLS: usize = 4;
/// Mean and deviation of red, green and blue, and of their changes.
const STATISTICS: usize = 12;
/// Numbers that say which tubelet, row and column a token is of: sines and cosines of so many frequencies each.
const FREQUENCIES: [usize; 3] = [4, 3, 3];
/// Numbers of a token.
pub(super) const WIDTH: usize = STATISTICS + 2 * (FREQUENCIES[0] + FREQUENCIES[1] + FREQUENCIES[2]);

/// Statistics of a clip: of each tubelet, of each cell of a grid of 4 x 4, 12 numbers: mean and standard deviation of red, green and blue over
/// all its pixels, from 0 to 1, and mean and standard deviation of their change since the frame before, over the frames that have one in
/// the clip.
#[derive(Debug, PartialEq)]
pub(super) struct PixelStatistics {
    /// Tubelet by tubelet, row by row, column by column: `[tubelets * 16, 12]`.
    values: Vec<f32>,
    tubelets: usize,
}

impl PixelStatistics {
    /// Those of frames in tubelets of so many.
    pub(super) fn of(frames: &FrameBuffer, tubelet: usize) -> Self {
        let tubelets = frames.frames / tubelet;
        let mut values = Vec::with_capacity(tubelets * CELLS * CELLS * STATISTICS);
        for first in (0..tubelets).map(|index| index * tubelet) {
            for cell in 0..CELLS * CELLS {
                values.extend(cell_statistics(frames, first..first + tubelet, cell / CELLS, cell % CELLS));
            }
        }
        Self { values, tubelets }
    }

    /// All numbers, for heads that see one vector.
    pub(super) fn vector(&self) -> &[f32] {
        &self.values
    }

    /// A token for each cell of each tubelet: its numbers, then sines and cosines of where it is, `[tubelets * 16, WIDTH]`.
    pub(super) fn tokens(&self) -> Vec<f32> {
        let cells = CELLS * CELLS;
        let rows = self.values.chunks_exact(STATISTICS).enumerate();
        rows.flat_map(|(token, statistics)| {
            let (tubelet, cell) = (token / cells, token % cells);
            let places = [
                tubelet as f64 / self.tubelets as f64,
                (cell / CELLS) as f64 / CELLS as f64,
                (cell % CELLS) as f64 / CELLS as f64,
            ];
            let code = places.into_iter().zip(FREQUENCIES).flat_map(|(place, count)| code(place, count));
            statistics.iter().copied().chain(code).collect::<Vec<_>>()
        })
        .collect()
    }
}

/// Sine and cosine of `pi * 2^k * place` for `k` below `count`.
fn code(place: f64, count: usize) -> impl Iterator<Item = f32> {
    (0..count).flat_map(move |k| {
        let angle = std::f64::consts::PI * f64::from(1_u32 << k) * place;
        [angle.sin() as f32, angle.cos() as f32]
    })
}

fn cell_statistics(
    frames: &FrameBuffer,
    range: std::ops::Range<usize>,
    row: usize,
    column: usize,
) -> [f32; STATISTICS] {
    let (height, width) = (frames.height, frames.width);
    let rows = row * height / CELLS..(row + 1) * height / CELLS;
    let columns = column * width / CELLS..(column + 1) * width / CELLS;
    let (mut colours, mut changes) = ([Sums::default(); 3], [Sums::default(); 3]);
    for frame in range {
        let before = frame.checked_sub(1).map(|before| frames.frame(before));
        let now = frames.frame(frame);
        for y in rows.clone() {
            let line = (y * width + columns.start) * 3..(y * width + columns.end) * 3;
            for (place, &value) in now[line.clone()].iter().enumerate() {
                colours[place % 3].add(f64::from(value));
                if let Some(before) = before {
                    changes[place % 3].add(f64::from(value) - f64::from(before[line.start + place]));
                }
            }
        }
    }
    let mut found = [0.0; STATISTICS];
    for (place, sums) in colours.iter().chain(&changes).enumerate() {
        let [mean, deviation] = sums.mean_and_deviation();
        let group = place / 3 * 6 + place % 3;
        (found[group], found[group + 3]) = (mean, deviation);
    }
    found
}

#[derive(Clone, Copy, Default)]
struct Sums {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Sums {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        self.sum += value;
        self.squares += value * value;
    }

    /// As shares of 255; 0 of nothing.
    fn mean_and_deviation(&self) -> [f32; 2] {
        let count = self.count.max(1.0);
        let mean = self.sum / count;
        let variance = (self.squares / count - mean * mean).max(0.0);
        [(mean / 255.0) as f32, (variance.sqrt() / 255.0) as f32]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_told_apart_in_place_and_time() {
        // Two frames of 4 x 4 pixels, one a cell: the last one turns from black to red.
        let mut frames = FrameBuffer::new(2, 4, 4);
        frames.frame_mut(1)[45] = 255;
        let found = PixelStatistics::of(&frames, 2);
        assert_eq!(found.vector().len(), 16 * STATISTICS);
        assert_eq!(found.vector()[..15 * STATISTICS], [0.0; 15 * STATISTICS]);
        // Red: mean and deviation of 0 and 1, then of a single change by 1.
        let last = &found.vector()[15 * STATISTICS..];
        assert_eq!(last, [0.5, 0.0, 0.0, 0.5, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let tokens = found.tokens();
        assert_eq!(tokens.len(), 16 * WIDTH);
        assert_eq!(tokens[15 * WIDTH..][..STATISTICS], *last);
        assert_ne!(tokens[..WIDTH], tokens[WIDTH..2 * WIDTH], "their place differs");
    }

    #[test]
    fn without_a_frame_before_nothing_changes() {
        let frames = FrameBuffer { data: vec![51; 2 * 8 * 8 * 3], ..FrameBuffer::new(2, 8, 8) };
        let found = PixelStatistics::of(&frames, 1);
        assert_eq!(found.vector().len(), 32 * STATISTICS);
        assert!((found.vector()[0] - 0.2).abs() < 1e-6);
        assert_eq!(found.vector()[3..STATISTICS], [0.0; 9]);
    }
}
