//! Matrix products with a function of the result's rows applied while they are in the cache.

use rayon::prelude::*;

use super::scratch::{Scratch, with_scratch};
use super::{Level, Matrix, Precision};

/// What is done to the sums of a product before they are stored.
pub trait Epilogue: Sync {
    /// Turns the sums of row `row`, columns from `column` on, into what is stored.
    fn finish<const FUSED: bool>(&self, row: usize, column: usize, sums: &mut [f32]);
}

/// The sums themselves.
#[derive(Clone, Copy, Debug)]
pub struct Sums;

impl Epilogue for Sums {
    #[inline(always)]
    fn finish<const FUSED: bool>(&self, _: usize, _: usize, _: &mut [f32]) {}
}

/// Depth up to which a product is done in one go, and the depth of a part of a longer one.
const DEPTH_WHOLE: usize = 1024;
const DEPTH_PART: usize = 256;
/// Rows of the result that one task computes.
const TASK_ROWS: usize = 64;

/// `out = finish(a b)`, `[m, n]` with rows one after the other.
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
    let (m, k, n) = (a.rows(), a.columns(), b.columns());
    assert_eq!(k, b.rows(), "the depth of the operands");
    assert_eq!(out.len(), m * n, "the length of the result [{m}, {n}]");
    if out.is_empty() {
        return;
    }
    if k == 0 {
        out.par_chunks_mut(n).enumerate().for_each(|(row, sums)| {
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
    vectors::product(level, precision, a, b, out, epilogue);
}

/// A right operand that several products on one thread share.
pub(crate) struct Right<'a> {
    matrix: Matrix<'a>,
    precision: Precision,
    panels: &'a [u16],
}

impl<'a> Right<'a> {
    /// Prepares `matrix`, `[k, n]`, in `scratch`.
    pub(crate) fn new(level: Level, precision: Precision, matrix: Matrix<'a>, scratch: &'a mut Scratch) -> Self {
        #[cfg(target_arch = "x86_64")]
        if level.has_tiles() {
            return Self { matrix, precision, panels: tiles::pack_right(precision, matrix, scratch) };
        }
        Self { matrix, precision, panels: &[] }
    }
}

/// `out = a b` on this thread alone, `[m, n]` with rows one after the other.
pub(crate) fn product_on_thread(level: Level, a: Matrix<'_>, b: &Right<'_>, out: &mut [f32]) {
    let (m, k, n) = (a.rows(), a.columns(), b.matrix.columns());
    debug_assert_eq!(k, b.matrix.rows());
    debug_assert_eq!(out.len(), m * n);
    if out.is_empty() || k == 0 {
        out.fill(0.0);
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if level.has_tiles() {
        tiles::on_thread(a, b, out);
        return;
    }
    vectors::sums(level, b.precision, a, b.matrix, out, gemm::Parallelism::None);
}

/// The depths of a product's parts.
fn parts(depth: usize) -> impl Iterator<Item = (usize, usize)> {
    let length = if depth <= DEPTH_WHOLE { depth } else { DEPTH_PART };
    (0..depth).step_by(length).map(move |start| (start, (start + length).min(depth)))
}

#[cfg(target_arch = "x86_64")]
mod tiles {
    #![allow(unsafe_code)]

    use super::super::amx::{BLOCK, Tiles};
    use super::super::pack::{Side, pack};
    use super::*;

    pub(super) fn product(
        precision: Precision,
        a: Matrix<'_>,
        b: Matrix<'_>,
        out: &mut [f32],
        epilogue: &impl Epilogue,
    ) {
        let (k, n) = (a.columns(), b.columns());
        let columns = b.transposed();
        with_scratch(|scratch| {
            for depth in parts(k) {
                let panel = precision.panel(depth.1 - depth.0);
                let right = scratch.get::<u16>(n.div_ceil(BLOCK) * panel);
                right.par_chunks_mut(panel).enumerate().for_each(|(index, panel)| {
                    // SAFETY: the level says that the processor has the features.
                    unsafe { pack(&columns, index * BLOCK, depth, Side::Right, precision, panel) };
                });
                let right = &*right;
                out.par_chunks_mut(TASK_ROWS * n).enumerate().for_each(|(task, rows)| {
                    // SAFETY: as above.
                    unsafe { block(precision, a, task * TASK_ROWS, depth, right, n, rows, epilogue) };
                });
            }
        });
    }

    /// The whole depth of a right operand, packed by this thread.
    pub(super) fn pack_right<'a>(precision: Precision, matrix: Matrix<'_>, scratch: &'a mut Scratch) -> &'a [u16] {
        let (k, n) = (matrix.rows(), matrix.columns());
        let columns = matrix.transposed();
        let panel = precision.panel(k).max(1);
        let panels = scratch.get::<u16>(n.div_ceil(BLOCK) * panel);
        for (index, panel) in panels.chunks_exact_mut(panel).enumerate() {
            // SAFETY: the level says that the processor has the features.
            unsafe { pack(&columns, index * BLOCK, (0, k), Side::Right, precision, panel) };
        }
        panels
    }

    pub(super) fn on_thread(a: Matrix<'_>, b: &Right<'_>, out: &mut [f32]) {
        let (k, n) = (a.columns(), b.matrix.columns());
        for (task, rows) in out.chunks_mut(TASK_ROWS * n).enumerate() {
            // SAFETY: the level says that the processor has the features.
            unsafe { block(b.precision, a, task * TASK_ROWS, (0, k), b.panels, n, rows, &Sums) };
        }
    }

    /// Computes the rows `first ..` that `out` holds.
    ///
    /// # Safety
    /// The processor and the system allow tiles.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,fma")]
    unsafe fn block(
        precision: Precision,
        a: Matrix<'_>,
        first: usize,
        depth: (usize, usize),
        right: &[u16],
        n: usize,
        out: &mut [f32],
        epilogue: &impl Epilogue,
    ) {
        let panel = precision.panel(depth.1 - depth.0);
        let steps = (depth.1 - depth.0).div_ceil(super::super::amx::DEPTH);
        let (begins, ends) = (depth.0 == 0, depth.1 == a.columns());
        let rows = out.len() / n;
        with_scratch(|scratch| {
            let left = scratch.get::<u16>(rows.div_ceil(BLOCK) * panel);
            for (index, panel) in left.chunks_exact_mut(panel).enumerate() {
                // SAFETY: the features are the caller's.
                unsafe { pack(&a, first + index * BLOCK, depth, Side::Left, precision, panel) };
            }
            // SAFETY: the level of the caller.
            let mut tiles = unsafe { Tiles::new() };
            let mut sums = Block([0.0; BLOCK * BLOCK]);
            for (i, left) in left.chunks_exact(panel).enumerate() {
                let top = i * BLOCK;
                for (j, right) in right.chunks_exact(panel).enumerate() {
                    let column = j * BLOCK;
                    let columns = BLOCK.min(n - column);
                    for row in top..rows.min(top + BLOCK) {
                        prefetch(&out[row * n + column..][..columns]);
                    }
                    // SAFETY: both panels hold `steps` steps of this precision.
                    unsafe {
                        match precision {
                            Precision::Float32 => {
                                tiles.product_split(steps, left.as_ptr(), right.as_ptr(), &mut sums.0);
                            }
                            Precision::Bfloat16 => {
                                tiles.product_rounded(steps, left.as_ptr(), right.as_ptr(), &mut sums.0);
                            }
                        }
                    }
                    for (row, sums) in sums.0.chunks_exact_mut(BLOCK).take(rows - top).enumerate() {
                        let row = top + row;
                        let target = &mut out[row * n + column..row * n + column + columns];
                        if let (true, true, Some(target)) = (begins, ends, target.as_mut_array::<BLOCK>()) {
                            epilogue.finish::<true>(first + row, column, sums);
                            target.copy_from_slice(sums);
                            continue;
                        }
                        let sums = &mut sums[..columns];
                        if !begins {
                            for (sum, before) in sums.iter_mut().zip(&*target) {
                                *sum += before;
                            }
                        }
                        if ends {
                            epilogue.finish::<true>(first + row, column, sums);
                        }
                        target.copy_from_slice(sums);
                    }
                }
            }
        });
    }

    /// Fetches the cache lines of numbers that are about to be written.
    #[inline(always)]
    fn prefetch(numbers: &[f32]) {
        use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
        for line in numbers.chunks(16) {
            // SAFETY: the address is valid, and the instruction changes nothing but caches.
            unsafe { _mm_prefetch::<_MM_HINT_ET0>(line.as_ptr().cast()) };
        }
    }

    #[repr(align(64))]
    struct Block([f32; BLOCK * BLOCK]);
}

mod vectors {
    #![allow(unsafe_code)]

    use super::super::level::{Work, at};
    use super::*;

    pub(super) fn product(
        level: Level,
        precision: Precision,
        a: Matrix<'_>,
        b: Matrix<'_>,
        out: &mut [f32],
        epilogue: &impl Epilogue,
    ) {
        let n = b.columns();
        sums(level, precision, a, b, out, gemm::Parallelism::Rayon(0));
        out.par_chunks_mut(TASK_ROWS * n).enumerate().for_each(|(task, rows)| {
            at(level, Finish { epilogue, first: task * TASK_ROWS, n, rows });
        });
    }

    pub(super) fn sums(
        level: Level,
        precision: Precision,
        a: Matrix<'_>,
        b: Matrix<'_>,
        out: &mut [f32],
        parallelism: gemm::Parallelism,
    ) {
        let (m, k, n) = (a.rows(), a.columns(), b.columns());
        let (mut a_rounded, mut b_rounded) = (Vec::new(), Vec::new());
        let (a, b) = match precision {
            Precision::Float32 => (a, b),
            Precision::Bfloat16 => (rounded(level, a, &mut a_rounded), rounded(level, b, &mut b_rounded)),
        };
        let [a_rows, a_columns] = a.strides().map(|stride| stride as isize);
        let [b_rows, b_columns] = b.strides().map(|stride| stride as isize);
        // SAFETY: the views were checked to be inside their slices, and `out` holds `m n` numbers.
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                out.as_mut_ptr(),
                1,
                n as isize,
                false,
                a.data().as_ptr(),
                a_columns,
                a_rows,
                b.data().as_ptr(),
                b_columns,
                b_rows,
                0.0,
                1.0,
                false,
                false,
                false,
                parallelism,
            );
        }
    }

    struct Finish<'a, E> {
        epilogue: &'a E,
        first: usize,
        n: usize,
        rows: &'a mut [f32],
    }

    impl<E: Epilogue> Work for Finish<'_, E> {
        type Output = ();

        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            for (row, sums) in self.rows.chunks_exact_mut(self.n).enumerate() {
                self.epilogue.finish::<FUSED>(self.first + row, 0, sums);
            }
        }
    }

    /// The matrix in `room`, every number rounded to bfloat16, ties to even; rows stay rows in memory, and columns columns.
    fn rounded<'a>(level: Level, matrix: Matrix<'_>, room: &'a mut Vec<f32>) -> Matrix<'a> {
        let (rows, columns) = (matrix.rows(), matrix.columns());
        let [row_stride, column_stride] = matrix.strides();
        if row_stride == 1 && column_stride != 1 {
            return rounded(level, matrix.transposed(), room).transposed();
        }
        room.reserve_exact(rows * columns);
        for row in 0..rows {
            if column_stride == 1 {
                room.extend_from_slice(&matrix.data()[row * row_stride..][..columns]);
            } else {
                room.extend((0..columns).map(|column| matrix.get(row, column)));
            }
        }
        at(level, Round(room));
        Matrix::new(room, rows, columns)
    }

    /// Rounds numbers to bfloat16.
    struct Round<'a>(&'a mut [f32]);

    impl Work for Round<'_> {
        type Output = ();

        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            for value in self.0 {
                let bits = value.to_bits();
                *value = f32::from_bits(bits.wrapping_add(0x7fff + (bits >> 16 & 1)) & 0xffff_0000);
            }
        }
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
        product(level, precision, a, b, &mut out, &Sums);
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
}
