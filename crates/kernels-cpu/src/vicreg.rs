//! Variance and covariance of the columns of a matrix, as VICReg penalises them, and the gradients.

use super::parallel::{collect, each};

use super::level::{Vectorised, at};
use super::linear::sum_rows;
use super::math::fma;
use super::{Level, Matrix, Precision, Sums, product};

/// Rows that one task works on.
const TASK_ROWS: usize = 128;

/// Writes the mean of every column of `x`, rows of the length of `means`.
fn column_means(level: Level, x: &[f32], means: &mut [f32]) {
    sum_rows(level, x, means);
    let rows = x.len() / means.len();
    for mean in &mut *means {
        *mean /= rows as f32;
    }
}

/// The mean over the columns of `x`, `[rows, columns]`, of `max(0, margin - sqrt(variance + epsilon))`, with the unbiased variance.
/// Writes the columns' means and the factors of the backward pass to `means` and `factors`, `[columns]`.
///
/// # Panics
/// If the lengths do not fit, or there are fewer than two rows.
pub fn variance(level: Level, x: &[f32], margin: f32, epsilon: f32, means: &mut [f32], factors: &mut [f32]) -> f32 {
    struct Rows<'a> {
        x: &'a [f32],
        means: &'a [f32],
        sums: &'a mut [f32],
    }
    impl Vectorised for Rows<'_> {
        type Output = ();
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            let columns = self.means.len();
            for row in self.x.chunks_exact(columns) {
                let (row, means, sums) = (&row[..columns], &self.means[..columns], &mut self.sums[..columns]);
                for i in 0..columns {
                    let centred = row[i] - means[i];
                    sums[i] = fma::<FUSED>(centred, centred, sums[i]);
                }
            }
        }
    }
    let columns = means.len();
    assert_eq!(columns, factors.len());
    if columns == 0 {
        return f32::NAN;
    }
    assert!(x.len().is_multiple_of(columns) && x.len() >= 2 * columns, "{} numbers in rows of {columns}", x.len());
    let rows = x.len() / columns;
    column_means(level, x, means);
    let mut sums = vec![0.0; rows.div_ceil(TASK_ROWS) * columns];
    each(sums.chunks_mut(columns).zip(x.chunks(TASK_ROWS * columns)), |(sums, x)| at(level, Rows { x, means, sums }));
    sum_rows(level, &sums, factors);
    let mut total = 0.0;
    for factor in factors {
        let deviation = (*factor / (rows - 1) as f32 + epsilon).sqrt();
        total += f64::from((margin - deviation).max(0.0));
        *factor = if deviation < margin { -1.0 / ((columns * (rows - 1)) as f32 * deviation) } else { 0.0 };
    }
    (total / columns as f64) as f32
}

/// Writes the gradient of `x`, `[rows, columns]`, from that of [`variance`].
///
/// # Panics
/// If the lengths differ.
pub fn variance_gradient(level: Level, x: &[f32], means: &[f32], factors: &[f32], gradient: f32, out: &mut [f32]) {
    struct Rows<'a> {
        x: &'a [f32],
        means: &'a [f32],
        factors: &'a [f32],
        gradient: f32,
        out: &'a mut [f32],
    }
    impl Vectorised for Rows<'_> {
        type Output = ();
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            let columns = self.means.len();
            for (row, out) in self.x.chunks_exact(columns).zip(self.out.chunks_exact_mut(columns)) {
                let (row, means, out) = (&row[..columns], &self.means[..columns], &mut out[..columns]);
                let factors = &self.factors[..columns];
                (0..columns).for_each(|i| out[i] = self.gradient * factors[i] * (row[i] - means[i]));
            }
        }
    }
    let columns = means.len();
    assert_eq!(x.len(), out.len());
    assert_eq!(columns, factors.len());
    if x.is_empty() {
        return;
    }
    each(out.chunks_mut(TASK_ROWS * columns).zip(x.chunks(TASK_ROWS * columns)), |(out, x)| {
        at(level, Rows { x, means, factors, gradient, out });
    });
}

/// The mean of the squares of the covariances of different columns of `x`, `[rows, columns]`. Writes the columns less their means to
/// `centred`, `[rows, columns]`, and the covariances, with zeros on the diagonal, to `matrix`, `[columns, columns]`.
///
/// # Panics
/// If the lengths do not fit, or there are fewer than two rows or columns.
pub fn covariance(level: Level, x: &[f32], columns: usize, centred: &mut [f32], matrix: &mut [f32]) -> f32 {
    struct Rows<'a> {
        x: &'a [f32],
        means: &'a [f32],
        out: &'a mut [f32],
    }
    impl Vectorised for Rows<'_> {
        type Output = ();
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            let columns = self.means.len();
            for (row, out) in self.x.chunks_exact(columns).zip(self.out.chunks_exact_mut(columns)) {
                let (row, means, out) = (&row[..columns], &self.means[..columns], &mut out[..columns]);
                (0..columns).for_each(|i| out[i] = row[i] - means[i]);
            }
        }
    }
    assert!(columns >= 2, "the covariance of {columns} columns");
    assert!(x.len().is_multiple_of(columns) && x.len() >= 2 * columns, "{} numbers in rows of {columns}", x.len());
    assert_eq!(x.len(), centred.len());
    let rows = x.len() / columns;
    let mut means = vec![0.0; columns];
    column_means(level, x, &mut means);
    each(centred.chunks_mut(TASK_ROWS * columns).zip(x.chunks(TASK_ROWS * columns)), |(out, x)| {
        at(level, Rows { x, means: &means, out });
    });
    let centred = Matrix::new(centred, rows, columns);
    product(level, Precision::Float32, centred.transposed(), centred, matrix, &Sums);
    let scale = 1.0 / (rows - 1) as f32;
    let sums: Vec<f32> = collect(matrix.chunks_mut(columns).enumerate(), |(row, covariances)| {
        covariances[row] = 0.0;
        at(level, Squares(covariances, scale))
    });
    (sums.into_iter().map(f64::from).sum::<f64>() / (columns * (columns - 1)) as f64) as f32
}

/// Scales numbers and adds up their squares.
struct Squares<'a>(&'a mut [f32], f32);

impl Vectorised for Squares<'_> {
    type Output = f32;
    #[inline(always)]
    fn run<const FUSED: bool>(self) -> f32 {
        self.0.iter_mut().for_each(|value| *value *= self.1);
        let values = &*self.0;
        super::sums::sum_of(values, |value| value * value)
    }
}

/// Writes the gradient of `x`, `[rows, columns]`, from that of [`covariance`].
///
/// # Panics
/// If the lengths do not fit.
pub fn covariance_gradient(
    level: Level,
    centred: &[f32],
    matrix: &[f32],
    columns: usize,
    gradient: f32,
    out: &mut [f32],
) {
    struct Scale<'a>(&'a mut [f32], f32);
    impl Vectorised for Scale<'_> {
        type Output = ();
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            self.0.iter_mut().for_each(|value| *value *= self.1);
        }
    }
    let rows = centred.len() / columns;
    // The gradient of the columns less their means has no mean of its own: it is a product with them.
    let (centred, matrix) = (Matrix::new(centred, rows, columns), Matrix::new(matrix, columns, columns));
    product(level, Precision::Float32, centred, matrix, out, &Sums);
    let factor = 4.0 * f64::from(gradient) / ((rows - 1) as f64 * (columns * (columns - 1)) as f64);
    each(out.chunks_mut(TASK_ROWS * columns), |out| at(level, Scale(out, factor as f32)));
}
