//! Products of float32 matrices on vectors of eight numbers: the right operand is laid out in panels in the order in which the
//! processor reads them, and a block of up to 6 x 16 sums stays in its registers (Goto and van de Geijn 2008, "Anatomy of
//! High-Performance Matrix Multiplication"). The left operand, of which one number is read at a time, stays where it is unless its
//! columns are apart.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::level::Work;
use super::round::Round;
use super::*;

/// The longest part of a product's depth: a panel of the right operand then has 32 KiB. Shorter parts are added up in memory more often.
const DEPTH: usize = 512;
/// Columns of the result below which the epilogue of a block takes longer than its sums, and `gemm` is faster.
const WIDE: usize = 96;
/// Rows of the result that one task computes at most.
const TASK_ROWS: usize = 72;
/// Multiplications of a product that is not worth sharing among cores.
const SMALL: usize = 1 << 19;
/// Numbers of a right operand that are not worth sharing among cores.
const SMALL_RIGHT: usize = 1 << 15;

/// Whether products with `columns` columns of the result are done here.
pub(super) fn suits(level: Level, columns: usize) -> bool {
    level.has_fma_alone() && columns >= WIDE
}

/// The depths of a product's parts: as few as may be, of nearly one length.
fn parts(depth: usize) -> impl Iterator<Item = (usize, usize)> {
    let length = depth.div_ceil(depth.div_ceil(DEPTH)).max(1);
    (0..depth).step_by(length).map(move |start| (start, (start + length).min(depth)))
}

/// `out = finish(a b)` on all cores.
pub(super) fn product(precision: Precision, a: Matrix<'_>, b: Matrix<'_>, out: &mut [f32], epilogue: &impl Epilogue) {
    let n = b.columns();
    let columns = b.transposed();
    let shared = a.rows() * n * a.columns() > SMALL;
    with_scratch(|scratch| {
        for depth in parts(a.columns()) {
            let panel = (depth.1 - depth.0) * COLUMNS;
            let right = scratch.get::<f32>(n.div_ceil(COLUMNS) * panel);
            let lay_out = |(index, panel): (usize, &mut [f32])| {
                // SAFETY: the level says that the processor has the features.
                unsafe { pack::<COLUMNS>(precision, &columns, index * COLUMNS, depth, panel) };
            };
            if shared && right.len() > SMALL_RIGHT {
                right.par_chunks_mut(panel).enumerate().for_each(lay_out);
            } else {
                right.chunks_mut(panel).enumerate().for_each(lay_out);
            }
            let right = &*right;
            let part = |index: usize| &right[index * panel..][..panel];
            in_tasks(shared, precision, a, depth, part, out, n, epilogue);
        }
    });
}

/// `out = finish(a b)`, `b` of `n` columns as [`pack_right`] gives it; on all cores if it is worth it and `shared` allows it.
pub(super) fn product_packed(
    shared: bool,
    precision: Precision,
    a: Matrix<'_>,
    panels: &[f32],
    n: usize,
    out: &mut [f32],
    epilogue: &impl Epilogue,
) {
    let panel = a.columns() * COLUMNS;
    let shared = shared && a.rows() * n * a.columns() > SMALL;
    for depth in parts(a.columns()) {
        let part = |index: usize| &panels[index * panel..][depth.0 * COLUMNS..depth.1 * COLUMNS];
        in_tasks(shared, precision, a, depth, part, out, n, epilogue);
    }
}

/// Computes all rows of the result, or adds this part of the depth to them, as [`rows`] says.
fn in_tasks<'a>(
    shared: bool,
    precision: Precision,
    a: Matrix<'_>,
    depth: (usize, usize),
    right: impl Fn(usize) -> &'a [f32] + Copy + Sync,
    out: &mut [f32],
    n: usize,
    epilogue: &impl Epilogue,
) {
    // Tasks of one height, and as many for each core.
    let tasks = a.rows().div_ceil(TASK_ROWS);
    let tasks = if shared { tasks.next_multiple_of(rayon::current_num_threads()) } else { tasks };
    let height = a.rows().div_ceil(tasks);
    let task = |(task, out): (usize, &mut [f32])| {
        // SAFETY: the level says that the processor has the features.
        unsafe { rows(precision, a, task * height, depth, right, out, n, epilogue) };
    };
    if shared {
        out.par_chunks_mut(height * n).enumerate().for_each(task);
    } else {
        out.chunks_mut(height * n).enumerate().for_each(task);
    }
}

/// The whole depth of a right operand, packed by this thread.
pub(super) fn pack_right<'a>(precision: Precision, matrix: Matrix<'_>, scratch: &'a mut Scratch) -> &'a [f32] {
    let panels = scratch.get::<f32>(matrix.columns().next_multiple_of(COLUMNS) * matrix.rows());
    pack_into(precision, matrix, panels);
    panels
}

/// [`lay_out_right`], as this processor does it best.
pub(super) fn pack_into(precision: Precision, matrix: Matrix<'_>, panels: &mut [f32]) {
    let k = matrix.rows();
    let columns = matrix.transposed();
    for (index, panel) in panels.chunks_exact_mut((k * COLUMNS).max(1)).enumerate() {
        // SAFETY: the level says that the processor has the features.
        unsafe { pack::<COLUMNS>(precision, &columns, index * COLUMNS, (0, k), panel) };
    }
}

/// Computes the rows `first ..` that `out` holds, or adds this part of the depth to them. `right` gives the panels of the right
/// operand.
///
/// # Safety
/// The processor has AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
unsafe fn rows<'a>(
    precision: Precision,
    a: Matrix<'_>,
    first: usize,
    depth: (usize, usize),
    right: impl Fn(usize) -> &'a [f32],
    out: &mut [f32],
    n: usize,
    epilogue: &impl Epilogue,
) {
    let length = depth.1 - depth.0;
    let (begins, ends) = (depth.0 == 0, depth.1 == a.columns());
    let count = out.len() / n;
    let blocks = blocks(count);
    let [row_stride, column_stride] = a.strides();
    let in_place = column_stride == 1 && precision == Precision::Float32;
    with_scratch(|scratch| {
        let left: &[f32] = if in_place {
            &a.data()[first * row_stride + depth.0..]
        } else {
            let left = scratch.get::<f32>(blocks.len() * ROWS * length);
            for ((top, _), panel) in blocks.clone().zip(left.chunks_exact_mut(ROWS * length)) {
                // SAFETY: the features are the caller's.
                unsafe { pack::<ROWS>(precision, &a, first + top, depth, panel) };
            }
            left
        };
        let mut sums = [[0.0; COLUMNS]; ROWS];
        for column in (0..n).step_by(COLUMNS) {
            let right = right(column / COLUMNS);
            let columns = COLUMNS.min(n - column);
            for (index, (top, end)) in blocks.clone().enumerate() {
                let (left, strides) = if in_place {
                    (&left[top * row_stride..], [row_stride, 1])
                } else {
                    (&left[index * ROWS * length..], [1, ROWS])
                };
                for row in top..end {
                    prefetch(&out[row * n + column..][..columns]);
                    if ends {
                        epilogue.prefetch(first + row, column);
                    }
                }
                // SAFETY: the features are the caller's.
                unsafe { block(end - top, left, strides, right, &mut sums) };
                for (row, sums) in (top..end).zip(&mut sums) {
                    let target = &mut out[row * n + column..][..columns];
                    // Numbers of a known length that nothing else refers to make vectors of an epilogue's loops.
                    if let Some(target) = target.as_mut_array::<COLUMNS>() {
                        let mut values = *sums;
                        finish(epilogue, first + row, column, begins, ends, &mut values, target);
                    } else if let (Some(target), Some(sums)) = (target.as_mut_array::<8>(), sums.first_chunk::<8>()) {
                        let mut values = *sums;
                        finish(epilogue, first + row, column, begins, ends, &mut values, target);
                    } else {
                        finish(epilogue, first + row, column, begins, ends, &mut sums[..columns], target);
                    }
                }
            }
        }
    });
}

/// Stores sums of a row, or adds them to those of the depth before.
#[inline(always)]
fn finish(
    epilogue: &impl Epilogue,
    row: usize,
    column: usize,
    begins: bool,
    ends: bool,
    sums: &mut [f32],
    target: &mut [f32],
) {
    if !begins {
        sums.iter_mut().zip(&*target).for_each(|(sum, before)| *sum += before);
    }
    if ends {
        epilogue.finish::<true>(row, column, sums);
    }
    target.copy_from_slice(sums);
}

/// Lays out lines `first ..` of `matrix`, `WIDTH` of them (zeros beyond the last), columns `depth.0 .. depth.1`, so that the `WIDTH`
/// numbers of a column stand together. Lines are the rows of a left operand, and the columns of a right one, which is given
/// transposed.
///
/// # Safety
/// The processor has AVX2.
///
/// # Panics
/// If the panel does not hold `WIDTH` numbers for each column.
#[target_feature(enable = "avx2,fma")]
unsafe fn pack<const WIDTH: usize>(
    precision: Precision,
    matrix: &Matrix<'_>,
    first: usize,
    depth: (usize, usize),
    panel: &mut [f32],
) {
    let length = depth.1 - depth.0;
    assert_eq!(panel.len(), length * WIDTH, "a panel of {length} x {WIDTH}");
    let [line_stride, stride] = matrix.strides();
    let (panel_columns, _) = panel.as_chunks_mut::<WIDTH>();
    if first + WIDTH > matrix.rows() {
        let lines = matrix.rows().saturating_sub(first).min(WIDTH);
        for (column, numbers) in panel_columns.iter_mut().enumerate() {
            for (line, number) in numbers.iter_mut().enumerate() {
                *number = if line < lines { matrix.get(first + line, depth.0 + column) } else { 0.0 };
            }
        }
    } else if line_stride == 1 {
        for (column, numbers) in panel_columns.iter_mut().enumerate() {
            numbers.copy_from_slice(&matrix.data()[first + (depth.0 + column) * stride..][..WIDTH]);
        }
    } else if stride == 1 {
        let lines = std::array::from_fn(|line| &matrix.data()[(first + line) * line_stride + depth.0..][..length]);
        // SAFETY: the features are the caller's.
        unsafe { turn::<WIDTH>(&lines, panel) };
    } else {
        for (column, numbers) in panel_columns.iter_mut().enumerate() {
            for (line, number) in numbers.iter_mut().enumerate() {
                *number = matrix.get(first + line, depth.0 + column);
            }
        }
    }
    if precision == Precision::Bfloat16 {
        Round(panel).run::<true>();
    }
}

/// Writes the numbers of each column of some lines together.
///
/// # Safety
/// The processor has AVX2.
#[target_feature(enable = "avx2,fma")]
unsafe fn turn<const WIDTH: usize>(lines: &[&[f32]; WIDTH], panel: &mut [f32]) {
    const SIDE: usize = 8;
    let length = panel.len() / WIDTH;
    let whole = length / SIDE * SIDE;
    for start in (0..whole).step_by(SIDE) {
        for top in (0..WIDTH).step_by(SIDE) {
            let count = SIDE.min(WIDTH - top);
            let square = std::array::from_fn(|line| {
                if line < count {
                    let numbers: &[f32; SIDE] = lines[top + line][start..].first_chunk().expect("a whole square");
                    // SAFETY: eight numbers are read.
                    unsafe { _mm256_loadu_ps(numbers.as_ptr()) }
                } else {
                    _mm256_setzero_ps()
                }
            });
            for (column, numbers) in transposed(square).into_iter().enumerate() {
                let target = &mut panel[(start + column) * WIDTH + top..];
                if let Some(target) = target.first_chunk_mut::<SIDE>() {
                    // What is beyond the lines is of the next column, which comes later.
                    // SAFETY: eight numbers are written.
                    unsafe { _mm256_storeu_ps(target.as_mut_ptr(), numbers) };
                } else {
                    let mut room = [0.0; SIDE];
                    // SAFETY: eight numbers are written.
                    unsafe { _mm256_storeu_ps(room.as_mut_ptr(), numbers) };
                    target.copy_from_slice(&room[..count]);
                }
            }
        }
    }
    for column in whole..length {
        let numbers = &mut panel[column * WIDTH..][..WIDTH];
        numbers.iter_mut().zip(lines).for_each(|(number, line)| *number = line[column]);
    }
}

/// The transpose of a square.
#[target_feature(enable = "avx2")]
#[inline]
fn transposed(rows: [__m256; 8]) -> [__m256; 8] {
    // Pairs of rows, then fours, then halves.
    let pairs: [__m256; 8] = std::array::from_fn(|i| {
        let (a, b) = (rows[i / 2 * 2], rows[i / 2 * 2 + 1]);
        if i % 2 == 0 { _mm256_unpacklo_ps(a, b) } else { _mm256_unpackhi_ps(a, b) }
    });
    let fours: [__m256; 8] = std::array::from_fn(|i| {
        let (a, b) = (pairs[i / 4 * 4 + i % 4 / 2], pairs[i / 4 * 4 + i % 4 / 2 + 2]);
        if i % 2 == 0 { _mm256_shuffle_ps::<0x44>(a, b) } else { _mm256_shuffle_ps::<0xee>(a, b) }
    });
    std::array::from_fn(|i| {
        let (a, b) = (fours[i % 4], fours[i % 4 + 4]);
        if i < 4 { _mm256_permute2f128_ps::<0x20>(a, b) } else { _mm256_permute2f128_ps::<0x31>(a, b) }
    })
}

/// `sums = left right` of `rows` rows of the left operand, with the distances between neighbours in a column and in a row, and a panel
/// of the right one.
///
/// # Safety
/// The processor has AVX2 and FMA.
///
/// # Panics
/// If there are no rows or more than [`ROWS`], or the left operand does not have them.
#[target_feature(enable = "avx2,fma")]
unsafe fn block(rows: usize, left: &[f32], strides: [usize; 2], right: &[f32], sums: &mut [[f32; COLUMNS]; ROWS]) {
    // SAFETY: the features are the caller's.
    unsafe {
        match rows {
            1 => block_of::<1>(left, strides, right, sums),
            2 => block_of::<2>(left, strides, right, sums),
            3 => block_of::<3>(left, strides, right, sums),
            4 => block_of::<4>(left, strides, right, sums),
            5 => block_of::<5>(left, strides, right, sums),
            6 => block_of::<6>(left, strides, right, sums),
            _ => panic!("a block of {rows} rows"),
        }
    }
}

/// [`block`] of so many rows.
#[target_feature(enable = "avx2,fma")]
unsafe fn block_of<const HEIGHT: usize>(
    left: &[f32],
    [row_stride, column_stride]: [usize; 2],
    right: &[f32],
    sums: &mut [[f32; COLUMNS]; ROWS],
) {
    let (right, _) = right.as_chunks::<COLUMNS>();
    if let Some(last) = right.len().checked_sub(1) {
        assert!((HEIGHT - 1) * row_stride + last * column_stride < left.len(), "the numbers of the left operand");
    }
    let mut totals = [[_mm256_setzero_ps(); 2]; HEIGHT];
    let mut place = left.as_ptr();
    for right in right {
        // SAFETY: sixteen numbers are read.
        let right = unsafe { [_mm256_loadu_ps(right.as_ptr()), _mm256_loadu_ps(right.as_ptr().add(8))] };
        for (row, totals) in totals.iter_mut().enumerate() {
            // SAFETY: the last place that is read was found to be inside.
            let left = unsafe { _mm256_broadcast_ss(&*place.add(row * row_stride)) };
            totals[0] = _mm256_fmadd_ps(left, right[0], totals[0]);
            totals[1] = _mm256_fmadd_ps(left, right[1], totals[1]);
        }
        place = place.wrapping_add(column_stride);
    }
    for (totals, sums) in totals.iter().zip(sums) {
        // SAFETY: sixteen numbers are written.
        unsafe {
            _mm256_storeu_ps(sums.as_mut_ptr(), totals[0]);
            _mm256_storeu_ps(sums.as_mut_ptr().add(8), totals[1]);
        }
    }
}
