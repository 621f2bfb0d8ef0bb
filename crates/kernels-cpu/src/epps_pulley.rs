//! How far the columns of a matrix are from a standard normal, by the test of Epps and Pulley, and its gradient.
//!
//! The points of the test are evenly spaced, so that the sines and cosines of all of them follow from those of the first, by the theorem
//! of addition.

use super::parallel::each;

use super::Level;
use super::level::{Vectorised, at};
use super::linear::sum_rows;
use super::math::{fma, sin_cos};

/// At which points the test compares characteristic functions; they are even, so that those above 0 are enough. At 0 all of them
/// are 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knots {
    /// 10 points on `[-3, 3]` (`eb_jepa`).
    Ten,
    /// 33 points on `[-3, 3]`, which are 17 on `[0, 3]` (`LeJEPA` and `LeWM`).
    ThirtyThree,
}

impl Knots {
    /// Number of points above 0.
    pub fn count(self) -> usize {
        match self {
            Self::Ten => 5,
            Self::ThirtyThree => 16,
        }
    }

    /// The distance of neighbouring points.
    fn spacing(self) -> f64 {
        match self {
            Self::Ten => 2.0 / 3.0,
            Self::ThirtyThree => 3.0 / 16.0,
        }
    }

    /// The points above 0, in ascending order.
    pub fn points(self) -> impl Iterator<Item = f64> {
        (0..self.count()).map(move |point| self.point(point))
    }

    /// One of the points above 0.
    pub fn point(self, point: usize) -> f64 {
        let first = match self {
            Self::Ten => 1.0 / 3.0,
            Self::ThirtyThree => 3.0 / 16.0,
        };
        first + self.spacing() * point as f64
    }

    /// The characteristic function of the standard normal at a point.
    pub fn gaussian(self, point: usize) -> f64 {
        (-self.point(point).powi(2) / 2.0).exp()
    }

    /// What the square of a difference at a point counts: the trapezoid rule's weight, twice for the mirrored point, times the Gaussian.
    pub fn weight(self, point: usize) -> f64 {
        let edge = if point + 1 == self.count() { 0.5 } else { 1.0 };
        2.0 * self.spacing() * edge * self.gaussian(point)
    }
}

/// Rows that one task adds up.
const TASK_ROWS: usize = 128;
/// Columns that are worked on side by side.
const LANES: usize = 16;

/// Sine and cosine at all points for some columns.
#[inline(always)]
fn at_points<const FUSED: bool>(knots: Knots, x: &[f32; LANES], mut each: impl FnMut(usize, usize, f32, f32)) {
    for (lane, x) in x.iter().enumerate() {
        let (mut sine, mut cosine) = sin_cos::<FUSED>(x * knots.point(0) as f32);
        let (turn_sine, turn_cosine) = match knots {
            // The double angle.
            Knots::Ten => (2.0 * sine * cosine, fma::<FUSED>(-2.0 * sine, sine, 1.0)),
            Knots::ThirtyThree => (sine, cosine),
        };
        for point in 0..knots.count() {
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
/// column's empirical characteristic function `phi`. Writes the means of cosine and sine at the points above 0 to `means`,
/// `[2 * points * columns]`.
///
/// # Panics
/// If the lengths do not fit.
pub fn forward(level: Level, knots: Knots, x: &[f32], columns: usize, means: &mut [f32]) -> f32 {
    match knots {
        Knots::Ten => forward_at::<5>(level, knots, x, columns, means),
        Knots::ThirtyThree => forward_at::<16>(level, knots, x, columns, means),
    }
}

fn forward_at<const COUNT: usize>(level: Level, knots: Knots, x: &[f32], columns: usize, means: &mut [f32]) -> f32 {
    struct Rows<'a, const COUNT: usize> {
        knots: Knots,
        x: &'a [f32],
        columns: usize,
        /// `[2, points, columns]`: sums of cosines, then of sines.
        sums: &'a mut [f32],
    }
    impl<const COUNT: usize> Vectorised for Rows<'_, COUNT> {
        type Output = ();
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            let columns = self.columns;
            for column in (0..columns).step_by(LANES) {
                let [mut cosines, mut sines] = [[[0.0_f32; LANES]; COUNT]; 2];
                for row in self.x.chunks_exact(columns) {
                    at_points::<FUSED>(self.knots, &lanes(row, column), |point, lane, sine, cosine| {
                        cosines[point][lane] += cosine;
                        sines[point][lane] += sine;
                    });
                }
                let count = LANES.min(columns - column);
                for (index, sums) in cosines.iter().chain(&sines).enumerate() {
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
    each(sums.chunks_mut(means.len()).zip(x.chunks(TASK_ROWS * columns)), |(sums, x)| {
        at(level, Rows::<COUNT> { knots, x, columns, sums });
    });
    sum_rows(level, &sums, means);
    for mean in &mut *means {
        *mean /= rows as f32;
    }
    let (cosines, sines) = means.split_at(COUNT * columns);
    let term = |point: usize| {
        let part = point * columns..(point + 1) * columns;
        let squares = cosines[part.clone()].iter().zip(&sines[part]).map(|(cosine, sine)| {
            let (real, imaginary) = (f64::from(*cosine) - knots.gaussian(point), f64::from(*sine));
            real * real + imaginary * imaginary
        });
        knots.weight(point) * squares.sum::<f64>()
    };
    ((0..COUNT).map(term).sum::<f64>() / columns as f64) as f32
}

/// Writes the gradient of `x`, from that of the mean statistic and the means of [`forward`].
///
/// # Panics
/// If the lengths do not fit.
pub fn backward(level: Level, knots: Knots, x: &[f32], columns: usize, means: &[f32], gradient: f32, out: &mut [f32]) {
    match knots {
        Knots::Ten => backward_at::<5>(level, knots, x, columns, means, gradient, out),
        Knots::ThirtyThree => backward_at::<16>(level, knots, x, columns, means, gradient, out),
    }
}

fn backward_at<const COUNT: usize>(
    level: Level,
    knots: Knots,
    x: &[f32],
    columns: usize,
    means: &[f32],
    gradient: f32,
    out: &mut [f32],
) {
    struct Rows<'a, const COUNT: usize> {
        knots: Knots,
        x: &'a [f32],
        columns: usize,
        /// `[2, points, columns]`: what cosines and sines count.
        factors: &'a [f32],
        out: &'a mut [f32],
    }
    impl<const COUNT: usize> Vectorised for Rows<'_, COUNT> {
        type Output = ();
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            let columns = self.columns;
            for column in (0..columns).step_by(LANES) {
                let count = LANES.min(columns - column);
                let [mut cosines, mut sines] = [[[0.0_f32; LANES]; COUNT]; 2];
                for (index, factors) in cosines.iter_mut().chain(&mut sines).enumerate() {
                    factors[..count].copy_from_slice(&self.factors[index * columns + column..][..count]);
                }
                for (row, out) in self.x.chunks_exact(columns).zip(self.out.chunks_exact_mut(columns)) {
                    let mut slopes = [0.0_f32; LANES];
                    at_points::<FUSED>(self.knots, &lanes(row, column), |point, lane, sine, cosine| {
                        let slope = fma::<FUSED>(cosines[point][lane], cosine, slopes[lane]);
                        slopes[lane] = fma::<FUSED>(sines[point][lane], sine, slope);
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
    let factor = |point: usize| scale * knots.weight(point) * knots.point(point);
    let of_cosine = sines.iter().enumerate().map(|(index, sine)| factor(index / columns) * f64::from(*sine));
    let of_sine = cosines.iter().enumerate().map(|(index, cosine)| {
        let point = index / columns;
        -factor(point) * (f64::from(*cosine) - knots.gaussian(point))
    });
    let factors: Vec<f32> = of_cosine.chain(of_sine).map(|factor| factor as f32).collect();
    each(out.chunks_mut(TASK_ROWS * columns).zip(x.chunks(TASK_ROWS * columns)), |(out, x)| {
        at(level, Rows::<COUNT> { knots, x, columns, factors: &factors, out });
    });
}
