//! Products on tiles of bfloat16.
//!
//! # Safety
//! What is unsafe here has the precondition that tiles are *supported*: the processor has AMX and AVX-512, and the
//! system has granted the tile registers. The functions of this module are called at the level `amx` alone, which says
//! so.
#![allow(unsafe_code)]

use super::super::amx::{BLOCK, Tiles};
use super::super::pack::{Side, pack};
use super::*;

/// Rows of the result that one task computes.
const TASK_ROWS: usize = 64;
/// Depth up to which a product is done in one go, and the depth of a part of a longer one.
const DEPTH_WHOLE: usize = 1024;
const DEPTH_PART: usize = 256;
/// The depths of a product's parts.
fn parts(depth: usize) -> impl Iterator<Item = (usize, usize)> {
    let length = if depth <= DEPTH_WHOLE { depth } else { DEPTH_PART };
    (0..depth).step_by(length).map(move |start| (start, (start + length).min(depth)))
}

pub(super) fn product(precision: Precision, a: Matrix<'_>, b: Matrix<'_>, out: &mut [f32], epilogue: &impl Epilogue) {
    let (k, n) = (a.columns(), b.columns());
    let columns = b.transposed();
    with_scratch(|scratch| {
        for depth in parts(k) {
            let panel = precision.panel(depth.1 - depth.0);
            let right = scratch.get::<u16>(n.div_ceil(BLOCK) * panel);
            right.par_chunks_mut(panel).enumerate().for_each(|(index, panel)| {
                // SAFETY: tiles are supported.
                unsafe { pack(&columns, index * BLOCK, depth, Side::Right, precision, panel) };
            });
            let right = &*right;
            out.par_chunks_mut(TASK_ROWS * n).enumerate().for_each(|(task, rows)| {
                // SAFETY: tiles are supported.
                unsafe { block(precision, a, task * TASK_ROWS, depth, right, n, rows, epilogue) };
            });
        }
    });
}

/// The whole depth of a right operand, packed by this thread.
pub(super) fn pack_right(precision: Precision, matrix: Matrix<'_>, scratch: &mut Scratch) {
    let (k, n) = (matrix.rows(), matrix.columns());
    let columns = matrix.transposed();
    let panel = precision.panel(k).max(1);
    let panels = scratch.get::<u16>(n.div_ceil(BLOCK) * panel);
    for (index, panel) in panels.chunks_exact_mut(panel).enumerate() {
        // SAFETY: tiles are supported.
        unsafe { pack(&columns, index * BLOCK, (0, k), Side::Right, precision, panel) };
    }
}

/// `out = finish(a b)`, `b` of `n` columns as [`pack_right`] gives it; on all cores if `shared`.
pub(super) fn product_packed(
    shared: bool,
    precision: Precision,
    a: Matrix<'_>,
    panels: &Scratch,
    n: usize,
    out: &mut [f32],
    epilogue: &impl Epilogue,
) {
    let panels = panels.kept::<u16>(n.div_ceil(BLOCK) * precision.panel(a.columns()));
    let task = |(task, rows): (usize, &mut [f32])| {
        // SAFETY: tiles are supported.
        unsafe { block(precision, a, task * TASK_ROWS, (0, a.columns()), panels, n, rows, epilogue) };
    };
    if shared {
        out.par_chunks_mut(TASK_ROWS * n).enumerate().for_each(task);
    } else {
        out.chunks_mut(TASK_ROWS * n).enumerate().for_each(task);
    }
}

/// Computes the rows `first ..` that `out` holds.
///
/// # Safety
/// Tiles are supported.
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
            // SAFETY: tiles are supported.
            unsafe { pack(&a, first + index * BLOCK, depth, Side::Left, precision, panel) };
        }
        // SAFETY: tiles are supported.
        let mut tiles = unsafe { Tiles::new() };
        let mut sums = Block([0.0; BLOCK * BLOCK]);
        for (i, left) in left.chunks_exact(panel).enumerate() {
            let top = i * BLOCK;
            for (j, right) in right.chunks_exact(panel).enumerate() {
                let column = j * BLOCK;
                let columns = BLOCK.min(n - column);
                for row in top..rows.min(top + BLOCK) {
                    prefetch(&out[row * n + column..][..columns]);
                    if ends {
                        epilogue.prefetch(first + row, column, columns);
                    }
                }
                // SAFETY: tiles are supported; both panels are `Precision::panel` long, which is `steps` steps of this
                // precision.
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

#[repr(align(64))]
struct Block([f32; BLOCK * BLOCK]);
