//! Layer norm over the last axis, with an affine map that is the same for all rows or a row's own (adaptive layer norm), and its
//! gradients.

use super::parallel::each;

use super::Level;
use super::level::{Vectorised, at};
use super::linear::sum_rows;
use super::math::fma;
use super::sums::{sum_of, sum_of_pairs};

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
    /// As `Shared`, and then a scale and a shift of the row's own: `(normalised * scale + shift) * (1 + own scale) + own shift`.
    Adaptive {
        /// Multiplies, `[width]`.
        scale: &'a [f32],
        /// Is added, `[width]`.
        shift: &'a [f32],
        /// Scale and shift of the row.
        own: Modulation<'a>,
    },
}

/// Scale and shift of each row's own, two parts of a row of several parts of the norm's width.
#[derive(Clone, Copy, Debug)]
pub struct Modulation<'a> {
    /// `[rows, parts * width]`
    pub values: &'a [f32],
    /// Number of parts.
    pub parts: usize,
    /// Which part is the scale.
    pub scale: usize,
    /// Which part is the shift; another one.
    pub shift: usize,
}

impl<'a> Modulation<'a> {
    /// Scale and shift of a row.
    #[inline(always)]
    fn row(&self, row: usize, width: usize) -> (&'a [f32], &'a [f32]) {
        let part = |part: usize| &self.values[(row * self.parts + part) * width..][..width];
        (part(self.scale), part(self.shift))
    }
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
    if out.is_empty() {
        return;
    }
    assert_eq!(x.len(), out.len());
    assert_eq!(x.len(), width * statistics.len());
    each(
        out.chunks_mut(TASK_ROWS * width)
            .zip(x.chunks(TASK_ROWS * width))
            .zip(statistics.chunks_mut(TASK_ROWS))
            .enumerate(),
        |(task, ((out, x), statistics))| {
            at(level, Forward { first: task * TASK_ROWS, x, width, epsilon, affine, statistics, out });
        },
    );
}

/// [`forward`] of some rows, on this thread.
pub(super) struct Forward<'a> {
    /// Number of the first row.
    pub(super) first: usize,
    pub(super) x: &'a [f32],
    pub(super) width: usize,
    pub(super) epsilon: f32,
    pub(super) affine: Affine<'a>,
    pub(super) statistics: &'a mut [Statistics],
    pub(super) out: &'a mut [f32],
}

impl Vectorised for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let width = self.width;
        let rows = self.x.chunks_exact(width).zip(self.out.chunks_exact_mut(width)).zip(self.statistics);
        for (row, ((x, out), statistics)) in rows.enumerate() {
            let (x, out) = (&x[..width], &mut out[..width]);
            let mean = sum_of(x, |x| x) / width as f32;
            let variance = sum_of(x, |x| (x - mean) * (x - mean)) / width as f32;
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
                Affine::Adaptive { scale, shift, own } => {
                    let (own_scale, own_shift) = own.row(self.first + row, width);
                    let affine = x.iter().zip(&scale[..width]).zip(&shift[..width]);
                    let places = affine.zip(own_scale.iter().zip(own_shift)).zip(out);
                    // A closure of this size is not inlined, and what is not is not compiled for these vectors.
                    for ((((x, scale), shift), (own_scale, own_shift)), out) in places {
                        let affine = fma::<FUSED>((x - mean) * inverse, *scale, *shift);
                        *out = fma::<FUSED>(affine, 1.0 + own_scale, *own_shift);
                    }
                }
            }
        }
    }
}

/// Where the gradients of a norm go.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// `[rows, width]`
    pub x: &'a mut [f32],
    /// What is added to that, of its shape: the gradient of a branch beside the norm.
    pub residual: Option<&'a [f32]>,
    /// `[width]`, of the scale
    pub scale: Option<&'a mut [f32]>,
    /// `[width]`, of the shift
    pub shift: Option<&'a mut [f32]>,
    /// `[rows, parts * width]`, of the rows' own scales and shifts; zeros in all other parts
    pub own: Option<&'a mut [f32]>,
}

/// [`backward`] of some rows, on this thread.
struct Backward<'a> {
    first: usize,
    x: &'a [f32],
    width: usize,
    affine: Affine<'a>,
    statistics: &'a [Statistics],
    gradient: &'a [f32],
    residual: Option<&'a [f32]>,
    out: &'a mut [f32],
    own: &'a mut [f32],
    /// Sums of this task: of the scale's gradient, then of the shift's.
    sums: &'a mut [f32],
}

impl Vectorised for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let width = self.width;
        let (scale_sums, shift_sums) = self.sums.split_at_mut(width);
        let shift_sums = &mut shift_sums[..width];
        let rows = self.x.chunks_exact(width).zip(self.gradient.chunks_exact(width));
        let rows = rows.zip(self.out.chunks_exact_mut(width)).zip(self.statistics);
        for (row, (((x, g), out), &[mean, inverse])) in rows.enumerate() {
            let (x, g, out) = (&x[..width], &g[..width], &mut out[..width]);
            // `out` holds the gradient of the normalised row first.
            match self.affine {
                Affine::Identity => out.copy_from_slice(g),
                Affine::Shared { scale, .. } => {
                    let scale = &scale[..width];
                    for i in 0..width {
                        let normal = (x[i] - mean) * inverse;
                        scale_sums[i] = fma::<FUSED>(g[i], normal, scale_sums[i]);
                        shift_sums[i] += g[i];
                        out[i] = g[i] * scale[i];
                    }
                }
                Affine::Adaptive { scale, shift, own } => {
                    let (scale, shift) = (&scale[..width], &shift[..width]);
                    let (own_scale, _) = own.row(self.first + row, width);
                    let parts = &mut self.own[row * own.parts * width..][..own.parts * width];
                    parts.fill(0.0);
                    let part = |part: usize| part * width..(part + 1) * width;
                    let parts = parts.get_disjoint_mut([part(own.scale), part(own.shift)]);
                    let Ok([scale_gradient, shift_gradient]) = parts else {
                        unreachable!("scale and shift are two parts")
                    };
                    for i in 0..width {
                        let normal = (x[i] - mean) * inverse;
                        scale_gradient[i] = g[i] * fma::<FUSED>(normal, scale[i], shift[i]);
                        shift_gradient[i] = g[i];
                        let inner = g[i] * (1.0 + own_scale[i]);
                        scale_sums[i] = fma::<FUSED>(inner, normal, scale_sums[i]);
                        shift_sums[i] += inner;
                        out[i] = inner * scale[i];
                    }
                }
            }
            let along_one = sum_of(out, |out| out) / width as f32;
            let along_normal = sum_of_pairs(out, x, |out, x| out * ((x - mean) * inverse)) / width as f32;
            for i in 0..width {
                let normal = (x[i] - mean) * inverse;
                out[i] = inverse * (out[i] - along_one - normal * along_normal);
            }
            if let Some(residual) = self.residual {
                let residual = &residual[row * width..][..width];
                (0..width).for_each(|i| out[i] += residual[i]);
            }
        }
    }
}

/// Writes the gradients of the norm of `x`, `[rows, width]`, from `gradient`, that of its output.
///
/// # Panics
/// If the shapes do not fit, or there is no place for the gradients of an adaptive norm's own scales and shifts.
pub fn backward(
    level: Level,
    x: &[f32],
    width: usize,
    affine: Affine<'_>,
    statistics: &[Statistics],
    gradient: &[f32],
    out: Gradients<'_>,
) {
    if width == 0 {
        return;
    }
    assert_eq!(x.len(), gradient.len());
    assert_eq!(x.len(), out.x.len());
    assert!(out.residual.is_none_or(|residual| residual.len() == x.len()), "a residual of the shape of x");
    assert_eq!(x.len(), width * statistics.len());
    let (tasks, out_residual) = (statistics.len().div_ceil(TASK_ROWS), out.residual);
    let mut sums = vec![0.0; tasks * 2 * width];
    let own: Vec<&mut [f32]> = match (out.own, affine) {
        (Some(own), Affine::Adaptive { own: Modulation { parts, .. }, .. }) => {
            assert_eq!(own.len(), parts * x.len());
            own.chunks_mut(TASK_ROWS * parts * width).collect()
        }
        _ => (0..tasks).map(|_| &mut [][..]).collect(),
    };
    each(
        out.x
            .chunks_mut(TASK_ROWS * width)
            .zip(x.chunks(TASK_ROWS * width))
            .zip(gradient.chunks(TASK_ROWS * width))
            .zip(statistics.chunks(TASK_ROWS))
            .zip(sums.chunks_mut(2 * width))
            .zip(own)
            .enumerate(),
        |(task, (((((out, x), gradient), statistics), sums), own))| {
            let first = task * TASK_ROWS;
            let residual = out_residual.map(|residual| &residual[first * width..][..x.len()]);
            at(level, Backward { first, x, width, affine, statistics, gradient, residual, out, own, sums });
        },
    );
    let mut total = vec![0.0; 2 * width];
    sum_rows(level, &sums, &mut total);
    if let Some(scale) = out.scale {
        scale.copy_from_slice(&total[..width]);
    }
    if let Some(shift) = out.shift {
        shift.copy_from_slice(&total[width..]);
    }
}
