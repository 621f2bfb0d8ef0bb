//! Matrix products with a function of the result's rows applied while they are in the cache.

mod block;
mod blocked;
mod deep;
mod left;
mod panels;
mod route;
#[cfg(target_arch = "x86_64")]
mod tiles;

use std::marker::PhantomData;

use super::parallel::{each, threads};

pub(crate) use panels::write_numbers;
pub use route::route;

use super::scratch::{Scratch, with_scratch};
use super::vectors::with_vectors;
use super::{Level, Matrix, Precision};
use blocked::Product;
use panels::WritePanels;

/// What is done to the sums of a product before they are stored.
pub trait Epilogue: Sync {
    /// Turns the sums of row `row`, columns from `column` on, into what is stored.
    fn finish<const FUSED: bool>(&self, row: usize, column: usize, sums: &mut [f32]);

    /// Has the processor fetch what [`Self::finish`] will read of a row, `columns` columns from `column` on, while the sums are made.
    fn prefetch(&self, _row: usize, _column: usize, _columns: usize) {}
}

/// Fetches the cache lines of numbers that will be needed soon.
#[inline(always)]
#[allow(unsafe_code)]
pub(crate) fn prefetch(numbers: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in numbers.chunks(16) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the address is valid, and the instruction changes nothing but caches.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = numbers;
}

/// Rows of the result that one task computes at most.
const TASK_ROWS: usize = 72;

/// Rows of each task, of some: tasks of one height, and if they are shared as many for each core.
pub(crate) fn rows_of_task(rows: usize, shared: bool) -> usize {
    let cores = if shared { threads() } else { 1 };
    rows.div_ceil(rows.div_ceil(TASK_ROWS).next_multiple_of(cores).max(1)).max(1)
}

/// The sums themselves.
#[derive(Clone, Copy, Debug)]
pub struct Sums;

impl Epilogue for Sums {
    #[inline(always)]
    fn finish<const FUSED: bool>(&self, _: usize, _: usize, _: &mut [f32]) {}
}

/// `out = finish(a b)`, `[m, n]` with rows one after the other, as [`route`] says for such a product.
///
/// # Panics
/// If the shapes do not fit.
pub fn product(
    level: Level,
    precision: Precision,
    a: Matrix<'_>,
    b: Matrix<'_>,
    out: &mut [f32],
    epilogue: &impl Epilogue,
) {
    let (level, precision) = route(level, precision, [b.rows(), b.columns()]);
    product_at(level, precision, a, b, out, epilogue);
}

/// As [`product`], on the highest instructions of the level, for measurements.
///
/// # Panics
/// If the shapes do not fit.
pub fn product_at(
    level: Level,
    precision: Precision,
    a: Matrix<'_>,
    b: Matrix<'_>,
    out: &mut [f32],
    epilogue: &impl Epilogue,
) {
    let (m, k, n) = (a.rows(), a.columns(), b.columns());
    assert_eq!(k, b.rows(), "the depth of the operands");
    assert_eq!(out.len(), m * n, "the length of the result [{m}, {n}]");
    if out.is_empty() {
        return;
    }
    if k == 0 {
        each(out.chunks_mut(n).enumerate(), |(row, sums)| {
            sums.fill(0.0);
            epilogue.finish::<false>(row, 0, sums);
        });
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if level.has_tiles() {
        tiles::product(precision, a, b, out, epilogue);
        return;
    }
    with_vectors(level, precision, Product { precision, a, b, packed: None, shared: true, out, epilogue });
}

/// A right operand that several products on one thread share, in the order in which they read it.
pub(crate) struct Right<'a> {
    /// Those it is laid out for.
    level: Level,
    precision: Precision,
    matrix: Matrix<'a>,
    buffer: &'a Scratch,
}

impl<'a> Right<'a> {
    /// Prepares `matrix`, `[k, n]`, in `room`.
    pub(crate) fn new(level: Level, precision: Precision, matrix: Matrix<'a>, buffer: &'a mut Scratch) -> Self {
        let (level, precision) = route(level, precision, [matrix.rows(), matrix.columns()]);
        lay_out(level, precision, matrix, buffer);
        Self { level, precision, matrix, buffer }
    }
}

/// Lays a right operand out as this level's products read it.
fn lay_out(level: Level, precision: Precision, matrix: Matrix<'_>, buffer: &mut Scratch) {
    #[cfg(target_arch = "x86_64")]
    if level.has_tiles() {
        tiles::pack_right(precision, matrix, buffer);
        return;
    }
    with_vectors(level, precision, WritePanels { precision, matrix, buffer });
}

/// `out = a b` on this thread alone, `[m, n]` with rows one after the other.
pub(crate) fn product_on_thread(a: Matrix<'_>, b: &Right<'_>, out: &mut [f32]) {
    product_with(b, false, a, out, &Sums);
}

/// `out = finish(a b)`, on all cores if it is worth it and `shared` allows it.
fn product_with(b: &Right<'_>, shared: bool, a: Matrix<'_>, out: &mut [f32], epilogue: &impl Epilogue) {
    let Right { level, precision, matrix: b, buffer } = *b;
    let (m, k, n) = (a.rows(), a.columns(), b.columns());
    assert_eq!(k, b.rows(), "the depth of the operands");
    assert_eq!(out.len(), m * n, "the length of the result [{m}, {n}]");
    if out.is_empty() || k == 0 {
        product_at(level, precision, a, b, out, epilogue);
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if level.has_tiles() {
        tiles::product_packed(shared, precision, a, buffer, n, out, epilogue);
        return;
    }
    with_vectors(level, precision, Product { precision, a, b, packed: Some(buffer), shared, out, epilogue });
}

/// A right operand that is kept in the order in which products read it, for many of them.
#[derive(Debug)]
pub struct Packed {
    asked: (Level, Precision),
    /// Those it is laid out for.
    level: Level,
    precision: Precision,
    sizes: [usize; 2],
    buffer: Scratch,
}

impl Packed {
    /// Prepares `matrix`, `[k, n]`.
    pub fn new(level: Level, precision: Precision, matrix: Matrix<'_>) -> Self {
        let (mut buffer, sizes) = (Scratch::default(), [matrix.rows(), matrix.columns()]);
        let asked = (level, precision);
        let (level, precision) = route(level, precision, sizes);
        lay_out(level, precision, matrix, &mut buffer);
        Self { asked, level, precision, sizes, buffer }
    }

    /// The level and the precision that it was prepared for.
    pub fn prepared_for(&self) -> (Level, Precision) {
        self.asked
    }

    /// `out = finish(a matrix)`, as [`product`] does it. `matrix` and `precision` are those that this was made of.
    ///
    /// # Panics
    /// If the shapes do not fit, or the precision is another one.
    pub fn product(
        &self,
        precision: Precision,
        a: Matrix<'_>,
        matrix: Matrix<'_>,
        out: &mut [f32],
        epilogue: &impl Epilogue,
    ) {
        product_with(&self.right(precision, matrix), true, a, out, epilogue);
    }

    /// As [`Self::product`], on this thread alone.
    pub(crate) fn product_on_thread(
        &self,
        precision: Precision,
        a: Matrix<'_>,
        matrix: Matrix<'_>,
        out: &mut [f32],
        epilogue: &impl Epilogue,
    ) {
        product_with(&self.right(precision, matrix), false, a, out, epilogue);
    }

    fn right<'a>(&'a self, precision: Precision, matrix: Matrix<'a>) -> Right<'a> {
        assert_eq!(self.asked.1, precision, "the precision of a packed operand");
        assert_eq!([matrix.rows(), matrix.columns()], self.sizes, "the sizes of a packed operand");
        Right { level: self.level, precision: self.precision, matrix, buffer: &self.buffer }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(length: usize, seed: u64) -> Vec<f32> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        (0..length)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 40) as f32 / (1 << 23) as f32 - 1.0
            })
            .collect()
    }

    /// The largest error over the norm of what is multiplied.
    fn error(level: Level, precision: Precision, [m, k, n]: [usize; 3], transposed: [bool; 2]) -> f64 {
        let (a, b) = (random(m * k, 1), random(k * n, 2));
        let view = |data, rows, columns, transposed| {
            if transposed { Matrix::new(data, columns, rows).transposed() } else { Matrix::new(data, rows, columns) }
        };
        let (a, b) = (view(&a, m, k, transposed[0]), view(&b, k, n, transposed[1]));
        let mut out = vec![f32::NAN; m * n];
        product_at(level, precision, a, b, &mut out, &Sums);
        let mut worst = 0.0_f64;
        for row in 0..m {
            for column in 0..n {
                let terms = (0..k).map(|i| f64::from(a.get(row, i)) * f64::from(b.get(i, column)));
                let (sum, norm) = terms.fold((0.0, 1e-30), |(sum, norm), term| (sum + term, norm + term * term));
                worst = worst.max((sum - f64::from(out[row * n + column])).abs() / f64::sqrt(norm));
            }
        }
        worst
    }

    #[test]
    fn every_shape_and_order() {
        for level in Level::available() {
            for shape in [
                [1, 1, 1],
                [2, 3, 5],
                [33, 31, 65],
                [64, 64, 32],
                [70, 40, 100],
                [5, 1100, 7],
                [97, 130, 40],
                [16, 0, 3],
            ] {
                for transposed in [[false, false], [false, true], [true, false], [true, true]] {
                    let error = error(level, Precision::Float32, shape, transposed);
                    assert!(error < 3e-6, "{level:?} {shape:?} {transposed:?}: {error}");
                    let error = self::error(level, Precision::Bfloat16, shape, transposed);
                    assert!(error < 1e-2, "{level:?} {shape:?} {transposed:?}: {error}");
                }
            }
        }
    }

    #[test]
    fn narrow_products_stay_in_float32_where_there_are_tiles() {
        for level in Level::available() {
            for (sizes, stays) in
                [([70, 8, 200], true), ([70, 48, 16], true), ([70, 48, 17], false), ([70, 64, 1], false)]
            {
                let [m, k, n] = sizes;
                let (a, b) = (random(m * k, 1), random(k * n, 2));
                let (a, b) = (Matrix::new(&a, m, k), Matrix::new(&b, k, n));
                let [mut asked, mut float32] = [(); 2].map(|()| vec![f32::NAN; m * n]);
                product(level, Precision::Bfloat16, a, b, &mut asked, &Sums);
                product(level, Precision::Float32, a, b, &mut float32, &Sums);
                assert_eq!(asked == float32, stays && level.has_tiles(), "{level:?} {sizes:?}");
            }
        }
    }
}
