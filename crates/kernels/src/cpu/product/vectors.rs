//! Products by the `gemm` crate, for processors that no product here is written for.
#![allow(unsafe_code)]

use super::super::level::{Work, at};
use super::round::Round;
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
