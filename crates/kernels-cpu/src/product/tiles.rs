//! Products on tiles of bfloat16.
//!
//! # Safety
//! What is unsafe here has the precondition that tiles are *supported*: the processor has AMX and AVX-512, and the
//! system has granted the tile registers. The functions of this module are called at the level `amx` alone, which says
//! so.
#![allow(unsafe_code)]

use super::super::amx::{BLOCK, Tiles};
use super::super::level::with_avx512;
use super::super::pack::{Side, pack};
use super::block::store_row;
use super::*;

/// Rows of each task: tasks of one height, all but the last of whole blocks, and if they are shared as many for each core.
fn task_rows(rows: usize, shared: bool) -> usize {
    rows_of_task(rows, shared).next_multiple_of(BLOCK)
}

/// Depth up to which a product is done in one go, and the depth of a part of a longer one.
const DEPTH_WHOLE: usize = 1024;
const DEPTH_PART: usize = 256;
/// Rows of a deep product that are laid out together.
const DEEP_ROWS: usize = 128;

/// The depths of a product's parts.
fn parts((start, end): (usize, usize)) -> impl Iterator<Item = (usize, usize)> {
    let length = if end - start <= DEPTH_WHOLE { end - start } else { DEPTH_PART };
    (start..end).step_by(length).map(move |start| (start, (start + length).min(end)))
}

pub(super) fn product(precision: Precision, a: Matrix<'_>, b: Matrix<'_>, out: &mut [f32], epilogue: &impl Epilogue) {
    let (k, n) = (a.columns(), b.columns());
    let (columns, height, whole) = (b.transposed(), task_rows(a.rows(), true), (0, k));
    if deep::suits(k, out.len()) {
        deep(precision, a, b, out, epilogue);
        return;
    }
    with_scratch(|scratch| {
        for depth in parts(whole) {
            let panel = precision.panel(depth.1 - depth.0);
            let right = scratch.get::<u16>(n.div_ceil(BLOCK) * panel);
            each(right.chunks_mut(panel).enumerate(), |(index, panel)| {
                // SAFETY: tiles are supported.
                unsafe { pack(&columns, index * BLOCK, depth, Side::Right, precision, panel) };
            });
            let right = &*right;
            each(out.chunks_mut(height * n).enumerate(), |(task, rows)| {
                // SAFETY: tiles are supported.
                unsafe { block(precision, a, task * height, depth, whole, right, n, rows, epilogue) };
            });
        }
    });
}

/// A product that is much deeper than its result is large: tasks share its depth.
fn deep(precision: Precision, a: Matrix<'_>, b: Matrix<'_>, out: &mut [f32], epilogue: &impl Epilogue) {
    let (n, columns) = (b.columns(), b.transposed());
    let part = |whole: (usize, usize), sums: &mut [f32]| {
        with_scratch(|scratch| {
            for depth in parts(whole) {
                let panel = precision.panel(depth.1 - depth.0);
                let right = scratch.get::<u16>(n.div_ceil(BLOCK) * panel);
                for (index, panel) in right.chunks_exact_mut(panel).enumerate() {
                    // SAFETY: tiles are supported.
                    unsafe { pack(&columns, index * BLOCK, depth, Side::Right, precision, panel) };
                }
                for (task, rows) in sums.chunks_mut(DEEP_ROWS * n).enumerate() {
                    // SAFETY: tiles are supported.
                    unsafe { block(precision, a, task * DEEP_ROWS, depth, whole, right, n, rows, &Sums) };
                }
            }
        });
    };
    // SAFETY: AVX-512 is supported where tiles are.
    deep::shared_depth(a.columns(), n, part, |add_up| unsafe { with_avx512(add_up) }, out, epilogue);
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
    let (height, whole) = (task_rows(out.len() / n, shared), (0, a.columns()));
    let task = |(task, rows): (usize, &mut [f32])| {
        // SAFETY: tiles are supported.
        unsafe { block(precision, a, task * height, whole, whole, panels, n, rows, epilogue) };
    };
    if shared {
        each(out.chunks_mut(height * n).enumerate(), task);
    } else {
        out.chunks_mut(height * n).enumerate().for_each(task);
    }
}

/// Computes the rows `first ..` that `out` holds, or adds a part of the depth to them; `whole` is the depth that is added up there.
///
/// # Safety
/// Tiles are supported.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,fma")]
unsafe fn block(
    precision: Precision,
    a: Matrix<'_>,
    first: usize,
    depth: (usize, usize),
    whole: (usize, usize),
    right: &[u16],
    n: usize,
    out: &mut [f32],
    epilogue: &impl Epilogue,
) {
    let panel = precision.panel(depth.1 - depth.0);
    let steps = (depth.1 - depth.0).div_ceil(super::super::amx::DEPTH);
    let (begins, ends) = (depth.0 == whole.0, depth.1 == whole.1);
    let rows = out.len() / n;
    with_scratch(|scratch| {
        let left = scratch.get::<u16>(rows.div_ceil(BLOCK) * panel);
        for (index, panel) in left.chunks_exact_mut(panel).enumerate() {
            // SAFETY: tiles are supported.
            unsafe { pack(&a, first + index * BLOCK, depth, Side::Left, precision, panel) };
        }
        // SAFETY: tiles are supported.
        let mut tiles = unsafe { Tiles::new() };
        // While the tiles of a block are multiplied, the sums of the one before are finished: neither waits for the other.
        let mut sums = [const { Block([0.0; BLOCK * BLOCK]) }; 2];
        let [mut made, mut before] = sums.each_mut();
        let mut unfinished = None;
        let finish = Finish { first, n, begins, ends, epilogue };
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
                            tiles.product_split(steps, left.as_ptr(), right.as_ptr(), &mut made.0);
                        }
                        Precision::Bfloat16 => {
                            tiles.product_rounded(steps, left.as_ptr(), right.as_ptr(), &mut made.0);
                        }
                    }
                }
                if let Some(place) = unfinished.replace([top, column]) {
                    finish.block(place, &mut before.0, out);
                }
                std::mem::swap(&mut made, &mut before);
            }
        }
        if let Some(place) = unfinished {
            finish.block(place, &mut before.0, out);
        }
    });
}

/// How the sums of a block become rows of the result.
struct Finish<'a, E> {
    /// The row that the result begins with.
    first: usize,
    /// Columns of the result.
    n: usize,
    /// Whether the sums are those of the first and of the last part of the depth.
    begins: bool,
    ends: bool,
    epilogue: &'a E,
}

impl<E: Epilogue> Finish<'_, E> {
    /// Finishes the sums of the block at a row of `out` and a column.
    #[inline(always)]
    fn block(&self, [top, column]: [usize; 2], sums: &mut [f32; BLOCK * BLOCK], out: &mut [f32]) {
        let n = self.n;
        let columns = BLOCK.min(n - column);
        let (rows, _) = sums.as_chunks_mut::<BLOCK>();
        for (row, sums) in (top..out.len() / n).zip(rows) {
            let target = &mut out[row * n + column..][..columns];
            store_row::<true, BLOCK>(self.epilogue, self.first + row, column, self.begins, self.ends, sums, target);
        }
    }
}

#[repr(align(64))]
struct Block([f32; BLOCK * BLOCK]);
