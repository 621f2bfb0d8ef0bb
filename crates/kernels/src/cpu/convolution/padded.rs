//! An image between zeros, in the order in which vectors of neighbouring pixels under one place of a kernel stand together.

use super::super::Precision;
use super::super::level::Work as _;
use super::super::product::Round;

/// Images with zeros around them, in memory `[channels, rows, phases, pitch]`: column `i phases + phase` is at `[.., phase, i]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Padded {
    pub(super) channels: usize,
    pub(super) size: [usize; 2],
    /// Zeros above and on the left.
    pub(super) margin: [usize; 2],
    pub(super) rows: usize,
    pub(super) phases: usize,
    pub(super) pitch: usize,
}

impl Padded {
    pub(super) fn len(&self) -> usize {
        self.channels * self.rows * self.phases * self.pitch
    }

    /// Where a number stands.
    pub(super) fn place(&self, channel: usize, row: usize, column: usize) -> usize {
        ((channel * self.rows + row) * self.phases + column % self.phases) * self.pitch + column / self.phases
    }

    /// Lays an image out.
    #[inline(always)]
    pub(super) fn fill(&self, precision: Precision, image: &[f32], out: &mut [f32]) {
        let [height, width] = self.size;
        let line = self.phases * self.pitch;
        for (image, out) in image.chunks_exact((height * width).max(1)).zip(out.chunks_exact_mut(self.rows * line)) {
            let above = self.margin[0].min(self.rows);
            let below = (above + height).min(self.rows);
            out[..above * line].fill(0.0);
            out[below * line..].fill(0.0);
            let out = &mut out[above * line..below * line];
            for phase in 0..self.phases {
                // Place `i` has column `i phases + phase - margin`.
                let first = self.margin[1].saturating_sub(phase).div_ceil(self.phases).min(self.pitch);
                let last = (width + self.margin[1]).saturating_sub(phase).div_ceil(self.phases);
                let last = last.clamp(first, self.pitch);
                let column = (first * self.phases + phase).saturating_sub(self.margin[1]);
                for (image, out) in image.chunks_exact(width.max(1)).zip(out.chunks_exact_mut(line)) {
                    let out = &mut out[phase * self.pitch..][..self.pitch];
                    out[..first].fill(0.0);
                    out[last..].fill(0.0);
                    let (out, image) = (&mut out[first..last], &image[column.min(width)..]);
                    match self.phases {
                        1 => out.copy_from_slice(&image[..out.len()]),
                        2 => out.iter_mut().zip(image.iter().step_by(2)).for_each(|(out, value)| *out = *value),
                        phases => {
                            out.iter_mut().zip(image.iter().step_by(phases)).for_each(|(out, value)| *out = *value);
                        }
                    }
                }
            }
        }
        if precision == Precision::Bfloat16 {
            Round(out).run::<true>();
        }
    }
}
