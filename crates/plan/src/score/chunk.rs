//! Parts of a batch of candidates that are rolled out at once.

use burn::prelude::*;
use prevision_kernels::on_cpu;

/// Rollouts made and measured at once by one core: their latents stay in its cache, and more episodes or samples need no more
/// memory.
const ROWS_PER_CORE: usize = 256;
/// Rollouts made and measured at once on any other device.
const ROWS_PER_DEVICE: usize = 16_384;

/// Rollouts made at once on a device.
pub(super) fn rows_at_once(device: &Device) -> usize {
    if on_cpu(device) { ROWS_PER_CORE } else { ROWS_PER_DEVICE }
}

/// A part of the batch of candidates: whole episodes, or some samples of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) row: usize,
    pub(super) rows: usize,
    pub(super) sample: usize,
    pub(super) samples: usize,
}

/// Cuts `rows x samples` candidates into chunks of at most `most`, in row-major order.
pub(super) fn chunks(rows: usize, samples: usize, most: usize) -> Vec<Chunk> {
    if samples > most {
        let part = samples.div_ceil(samples.div_ceil(most));
        let parts = |row| {
            (0..samples).step_by(part).map(move |sample| Chunk {
                row,
                rows: 1,
                sample,
                samples: part.min(samples - sample),
            })
        };
        return (0..rows).flat_map(parts).collect();
    }
    let episodes = (most / samples).max(1);
    (0..rows).step_by(episodes).map(|row| Chunk { row, rows: episodes.min(rows - row), sample: 0, samples }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_whole_episodes_or_parts_of_one() {
        let cut = |rows, samples, most| -> Vec<[usize; 4]> {
            chunks(rows, samples, most).iter().map(|c| [c.row, c.rows, c.sample, c.samples]).collect()
        };
        assert_eq!(cut(5, 100, 256), [[0, 2, 0, 100], [2, 2, 0, 100], [4, 1, 0, 100]]);
        assert_eq!(cut(2, 300, 256), [[0, 1, 0, 150], [0, 1, 150, 150], [1, 1, 0, 150], [1, 1, 150, 150]]);
        assert_eq!(cut(1, 5, 2), [[0, 1, 0, 2], [0, 1, 2, 2], [0, 1, 4, 1]]);
        assert_eq!(cut(2, 256, 256), [[0, 1, 0, 256], [1, 1, 0, 256]]);
    }
}
