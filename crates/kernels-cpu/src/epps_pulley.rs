//! How far the columns of a matrix are from a standard normal, by the test of Epps and Pulley, and its gradient.
//!
//! The points of the test are odd multiples of a third, so that the sines and cosines of all of them follow from those of the first
//! and of its double, by the theorem of addition.

use rayon::prelude::*;

use super::Level;
use super::level::{Vectorised, at};
use super::linear::sum_rows;
use super::math::{fma, sin_cos};

/// The points `t > 0` of the grid of 10 points on `[-3, 3]`; its other half mirrors them.
pub const POINTS: [f64; 5] = [1.0 / 3.0, 1.0, 5.0 / 3.0, 7.0 / 3.0, 3.0];
/// The distance of neighbouring points.
const SPACING: f64 = 2.0 / 3.0;
/// Number of points.
const COUNT: usize = POINTS.len();
/// Rows that one task adds up.
const TASK_ROWS: usize = 128;
/// Columns that are worked on side by side.
const LANES: usize = 16;

/// The characteristic function of the standard normal at a point.
pub fn gaussian(point: usize) -> f64 {
    (-POINTS[point] * POINTS[point] / 2.0).exp()
}

/// What the square of a difference at a point counts: the trapezoid rule's weight, twice for the mirrored point, times the Gaussian.
pub fn weight(point: usize) -> f64 {
    let edge = if point + 1 == COUNT { 0.5 } else { 1.0 };
    2.0 * SPACING * edge * gaussian(point)
}

/// Sine and cosine at all points for some columns.
#[inline(always)]
fn at_points<const FUSED: bool>(x: &[f32; LANES], mut each: impl FnMut(usize, usize, f32, f32)) {
    for (lane, x) in x.iter().enumerate() {
        let (mut sine, mut cosine) = sin_cos::<FUSED>(x * (1.0 / 3.0));
        // The double angle.
        let (turn_sine, turn_cosine) = (2.0 * sine * cosine, fma::<FUSED>(-2.0 * sine, sine, 1.0));
        for point in 0..COUNT {
            each(point, lane, sine, cosine);
            let next = fma::<FUSED>(sine, turn_cosine, cosine * turn_sine);
            cosine = fma::<FUSED>(cosine, turn_cosine, -(sine * turn_sine));
            sine = next;
        }
    }
}

/// The numbers of a row from `column` on, zeros beyond its end.
#[inline(always)]
fn lanes(row: &[f32], column: usize) -> [f32; LANES] {
    if let Some(whole) = row[column..].first_chunk::<LANES>() {
        return *whole;
    }
    let mut values = [0.0; LANES];
    let rest = &row[column..];
    values[..rest.len()].copy_from_slice(rest);
    values
}

/// The mean over the columns of `x`, `[rows, columns]`, of the statistic `integral of exp(-t^2/2) |phi(t) - exp(-t^2/2)|^2 dt` with the
/// column's empirical characteristic function `phi`. Writes the means of cosine and sine at the points to `means`,
/// `[2 * 5 * columns]`.
///
/// # Panics
/// If the lengths do not fit.
pub fn forward(level: Level, x: &[f32], columns: usize, means: &mut [f32]) -> f32 {
    struct Rows<'a> {
        x: &'a [f32],
        columns: usize,
        /// `[2, 5, columns]`: sums of cosines, then of sines.
        sums: &'a mut [f32],
    }
    impl Vectorised for Rows<'_> {
        type Output = ();
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            let columns = self.columns;
            for column in (0..columns).step_by(LANES) {
                let mut sums = [[0.0_f32; LANES]; 2 * COUNT];
                for row in self.x.chunks_exact(columns) {
                    at_points::<FUSED>(&lanes(row, column), |point, lane, sine, cosine| {
                        sums[point][lane] += cosine;
                        sums[COUNT + point][lane] += sine;
                    });
                }
                let count = LANES.min(columns - column);
                for (index, sums) in sums.iter().enumerate() {
                    self.sums[index * columns + column..][..count].copy_from_slice(&sums[..count]);
                }
            }
        }
    }
    assert_eq!(means.len(), 2 * COUNT * columns, "the length of means of {columns} columns");
    means.fill(0.0);
    if x.is_empty() {
        return f32::NAN;
    }
    assert!(x.len().is_multiple_of(columns), "{} numbers in rows of {columns}", x.len());
    let rows = x.len() / columns;
    let mut sums = vec![0.0; rows.div_ceil(TASK_ROWS) * means.len()];
    sums.par_chunks_mut(means.len())
        .zip(x.par_chunks(TASK_ROWS * columns))
        .for_each(|(sums, x)| at(level, Rows { x, columns, sums }));
    sum_rows(level, &sums, means);
    for mean in &mut *means {
        *mean /= rows as f32;
    }
    let (cosines, sines) = means.split_at(COUNT * columns);
    let term = |point: usize| {
        let part = point * columns..(point + 1) * columns;
        let squares = cosines[part.clone()].iter().zip(&sines[part]).map(|(cosine, sine)| {
            let (real, imaginary) = (f64::from(*cosine) - gaussian(point), f64::from(*sine));
            real * real + imaginary * imaginary
        });
        weight(point) * squares.sum::<f64>()
    };
    ((0..COUNT).map(term).sum::<f64>() / columns as f64) as f32
}

/// Writes the gradient of `x`, from that of the mean statistic and the means of [`forward`].
///
/// # Panics
/// If the lengths do not fit.
pub fn backward(level: Level, x: &[f32], columns: usize, means: &[f32], gradient: f32, out: &mut [f32]) {
    struct Rows<'a> {
        x: &'a [f32],
        columns: usize,
        /// `[2, 5, columns]`: what cosines and sines count.
        factors: &'a [f32],
        out: &'a mut [f32],
    }
    impl Vectorised for Rows<'_> {
        type Output = ();
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            let columns = self.columns;
            for column in (0..columns).step_by(LANES) {
                let count = LANES.min(columns - column);
                let mut factors = [[0.0_f32; LANES]; 2 * COUNT];
                for (index, factors) in factors.iter_mut().enumerate() {
                    factors[..count].copy_from_slice(&self.factors[index * columns + column..][..count]);
                }
                for (row, out) in self.x.chunks_exact(columns).zip(self.out.chunks_exact_mut(columns)) {
                    let mut slopes = [0.0_f32; LANES];
                    at_points::<FUSED>(&lanes(row, column), |point, lane, sine, cosine| {
                        let slope = fma::<FUSED>(factors[point][lane], cosine, slopes[lane]);
                        slopes[lane] = fma::<FUSED>(factors[COUNT + point][lane], sine, slope);
                    });
                    out[column..][..count].copy_from_slice(&slopes[..count]);
                }
            }
        }
    }
    assert_eq!(means.len(), 2 * COUNT * columns, "the length of means of {columns} columns");
    assert_eq!(x.len(), out.len());
    if x.is_empty() {
        return;
    }
    // d phi / d x = (-t sin(t x), t cos(t x)) / rows.
    let scale = 2.0 * f64::from(gradient) / x.len() as f64;
    let (cosines, sines) = means.split_at(COUNT * columns);
    let factor = |point: usize| scale * weight(point) * POINTS[point];
    let of_cosine = sines.iter().enumerate().map(|(index, sine)| factor(index / columns) * f64::from(*sine));
    let of_sine = cosines.iter().enumerate().map(|(index, cosine)| {
        let point = index / columns;
        -factor(point) * (f64::from(*cosine) - gaussian(point))
    });
    let factors: Vec<f32> = of_cosine.chain(of_sine).map(|factor| factor as f32).collect();
    out.par_chunks_mut(TASK_ROWS * columns)
        .zip(x.par_chunks(TASK_ROWS * columns))
        .for_each(|(out, x)| at(level, Rows { x, columns, factors: &factors, out }));
}
