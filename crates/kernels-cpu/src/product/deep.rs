//! Products that are much deeper than their results are large.
#![allow(unsafe_code)]

use super::super::level::Vectorised;
use super::super::vectors::Vectors;
use super::blocked::{Part, parts};
use super::panels::{OnDemand, panel_length};
use super::*;

/// The depth of a task of a deep product, at least.
const DEEP: usize = 1024;
/// Numbers of the result of a deep product, at most.
const SMALL_RESULT: usize = 1 << 19;
/// Numbers of all sums of a deep product, about.
const SUMS: usize = 1 << 21;
/// Rows for which the right operand of a deep product is not laid out.
const FEW_ROWS: usize = 96;

/// Whether a product of this depth, whose result has so many numbers, is one of these.
pub(super) fn suits(depth: usize, result: usize) -> bool {
    depth >= 2 * DEEP && result <= SMALL_RESULT
}

/// A product that is much deeper than its result is large: tasks share its depth, lay out what they need, and never wait for each other.
/// The cut does not depend on their number.
pub(super) fn deep<V: Vectors, const ROWS: usize, const COLUMNS: usize>(
    precision: Precision,
    a: Matrix<'_>,
    b: Matrix<'_>,
    out: &mut [f32],
    epilogue: &impl Epilogue,
) {
    let n = b.columns();
    // Many tasks for many cores, but no more sums than they are worth.
    let tasks = (a.columns() / DEEP).min(SUMS / out.len()).max(2);
    let length = a.columns().div_ceil(tasks).next_multiple_of(2);
    with_scratch(|scratch| {
        let sums = scratch.get::<f32>(a.columns().div_ceil(length) * out.len());
        sums.par_chunks_mut(out.len()).enumerate().for_each(|(task, sums)| {
            let whole = (task * length, ((task + 1) * length).min(a.columns()));
            with_scratch(|scratch| {
                for depth in parts(whole) {
                    let buffer = scratch.get::<V::Element>(panel_length::<V, COLUMNS>(depth.1 - depth.0));
                    let part = Part { precision, a, depth, whole, n, far: false, epilogue: &Sums };
                    let right = OnDemand::<V, COLUMNS> { precision, b, depth, few: a.rows() <= FEW_ROWS, buffer };
                    part.rows::<V, ROWS, COLUMNS>(0, right, sums);
                }
            });
        });
        let (sums, one) = (&*sums, out.len());
        out.par_chunks_mut(TASK_ROWS * n).enumerate().for_each(|(index, out)| {
            let (first, count) = (index * TASK_ROWS, out.len());
            let parts = sums.chunks_exact(one).map(|sums| &sums[first * n..][..count]);
            // SAFETY: the vectors are supported.
            unsafe { V::vectorise(AddUp { parts, first, n, epilogue, out }) };
        });
    });
}

/// Adds parts of some rows of a result up.
struct AddUp<'a, E, P> {
    parts: P,
    first: usize,
    n: usize,
    epilogue: &'a E,
    out: &'a mut [f32],
}

impl<'a, E: Epilogue, P: Iterator<Item = &'a [f32]>> Vectorised for AddUp<'a, E, P> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { parts, first, n, epilogue, out } = self;
        out.fill(0.0);
        for part in parts {
            out.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        for (row, sums) in out.chunks_exact_mut(n).enumerate() {
            epilogue.finish::<FUSED>(first + row, 0, sums);
        }
    }
}
