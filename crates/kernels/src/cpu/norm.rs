//! Layer norm over the last axis, with an affine map that is the same for all rows or a row's own (adaptive layer norm), and its
//! gradients.

use rayon::prelude::*;

use super::Level;
use super::level::{Work, at};
use super::linear::sum_rows;
use super::math::fma;
use super::sums::sum;

/// Rows that one task works on.
const TASK_ROWS: usize = 64;

/// The map after the normalisation: `normalised * scale + shift`.
#[derive(Clone, Copy, Debug)]
pub enum Affine<'a> {
    /// None.
    Identity,
    /// Scale and, if any, shift of every row, `[width]` each.
    Shared {
        /// Multiplies.
        scale: &'a [f32],
        /// Is added.
        shift: Option<&'a [f32]>,
    },
}

/// Mean and inverse standard deviation of a row.
pub type Statistics = [f32; 2];

/// Writes the norm of every row of `x`, `[rows, width]`, to `out`, and what the backward pass needs to `statistics`, `[rows]`.
///
/// # Panics
/// If the shapes do not fit.
pub fn forward(
    level: Level,
    x: &[f32],
    width: usize,
    epsilon: f32,
    affine: Affine<'_>,
    statistics: &mut [Statistics],
    out: &mut [f32],
) {
    struct Rows<'a> {
        x: &'a [f32],
        width: usize,
        epsilon: f32,
        affine: Affine<'a>,
        statistics: &'a mut [Statistics],
        out: &'a mut [f32],
    }
    impl Work for Rows<'_> {
        type Output = ();
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            let width = self.width;
            let rows = self.x.chunks_exact(width).zip(self.out.chunks_exact_mut(width)).zip(self.statistics);
            for ((x, out), statistics) in rows {
                let (x, out) = (&x[..width], &mut out[..width]);
                let mean = sum(width, |i| x[i]) / width as f32;
                let variance = sum(width, |i| (x[i] - mean) * (x[i] - mean)) / width as f32;
                let inverse = 1.0 / (variance + self.epsilon).sqrt();
                *statistics = [mean, inverse];
                match self.affine {
                    Affine::Identity => (0..width).for_each(|i| out[i] = (x[i] - mean) * inverse),
                    Affine::Shared { scale, shift: None } => {
                        let scale = &scale[..width];
                        (0..width).for_each(|i| out[i] = (x[i] - mean) * inverse * scale[i]);
                    }
                    Affine::Shared { scale, shift: Some(shift) } => {
                        let (scale, shift) = (&scale[..width], &shift[..width]);
                        (0..width).for_each(|i| out[i] = fma::<FUSED>((x[i] - mean) * inverse, scale[i], shift[i]));
                    }
                }
            }
        }
    }
    if out.is_empty() {
        return;
    }
    assert_eq!(x.len(), out.len());
    assert_eq!(x.len(), width * statistics.len());
    out.par_chunks_mut(TASK_ROWS * width)
        .zip(x.par_chunks(TASK_ROWS * width))
        .zip(statistics.par_chunks_mut(TASK_ROWS))
        .for_each(|((out, x), statistics)| at(level, Rows { x, width, epsilon, affine, statistics, out }));
}

/// Where the gradients of a norm go.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// `[rows, width]`
    pub x: &'a mut [f32],
    /// `[width]`, of the scale
    pub scale: Option<&'a mut [f32]>,
    /// `[width]`, of the shift
    pub shift: Option<&'a mut [f32]>,
}

/// Writes the gradients of the norm of `x`, `[rows, width]`, from `gradient`, that of its output.
///
/// # Panics
/// If the shapes do not fit.
pub fn backward(
    level: Level,
    x: &[f32],
    width: usize,
    scale: Option<&[f32]>,
    statistics: &[Statistics],
    gradient: &[f32],
    out: Gradients<'_>,
) {
    struct Rows<'a> {
        x: &'a [f32],
        width: usize,
        scale: Option<&'a [f32]>,
        statistics: &'a [Statistics],
        gradient: &'a [f32],
        out: &'a mut [f32],
        /// Sums of this task: of the scale's gradient, then of the shift's.
        sums: &'a mut [f32],
    }
    impl Work for Rows<'_> {
        type Output = ();
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            let width = self.width;
            let (scale_sums, shift_sums) = self.sums.split_at_mut(width);
            let shift_sums = &mut shift_sums[..width];
            let rows = self.x.chunks_exact(width).zip(self.gradient.chunks_exact(width));
            let rows = rows.zip(self.out.chunks_exact_mut(width)).zip(self.statistics);
            for (((x, g), out), &[mean, inverse]) in rows {
                let (x, g, out) = (&x[..width], &g[..width], &mut out[..width]);
                // `out` holds the gradient of the normalised row first.
                match self.scale {
                    Some(scale) => {
                        let scale = &scale[..width];
                        for i in 0..width {
                            let normal = (x[i] - mean) * inverse;
                            scale_sums[i] = fma::<FUSED>(g[i], normal, scale_sums[i]);
                            shift_sums[i] += g[i];
                            out[i] = g[i] * scale[i];
                        }
                    }
                    None => out.copy_from_slice(g),
                }
                let along_one = sum(width, |i| out[i]) / width as f32;
                let along_normal = sum(width, |i| out[i] * ((x[i] - mean) * inverse)) / width as f32;
                for i in 0..width {
                    let normal = (x[i] - mean) * inverse;
                    out[i] = inverse * (out[i] - along_one - normal * along_normal);
                }
            }
        }
    }
    if width == 0 {
        return;
    }
    assert_eq!(x.len(), gradient.len());
    assert_eq!(x.len(), out.x.len());
    assert_eq!(x.len(), width * statistics.len());
    let tasks = statistics.len().div_ceil(TASK_ROWS);
    let mut sums = vec![0.0; tasks * 2 * width];
    out.x
        .par_chunks_mut(TASK_ROWS * width)
        .zip(x.par_chunks(TASK_ROWS * width))
        .zip(gradient.par_chunks(TASK_ROWS * width))
        .zip(statistics.par_chunks(TASK_ROWS))
        .zip(sums.par_chunks_mut(2 * width))
        .for_each(|((((out, x), gradient), statistics), sums)| {
            at(level, Rows { x, width, scale, statistics, gradient, out, sums });
        });
    let mut total = vec![0.0; 2 * width];
    sum_rows(level, &sums, &mut total);
    if let Some(scale) = out.scale {
        scale.copy_from_slice(&total[..width]);
    }
    if let Some(shift) = out.shift {
        shift.copy_from_slice(&total[width..]);
    }
}
