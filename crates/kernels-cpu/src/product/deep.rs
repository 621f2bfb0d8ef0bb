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
    let part = |whole: (usize, usize), sums: &mut [f32]| {
        with_scratch(|scratch| {
            for depth in parts(whole) {
                let buffer = scratch.get::<V::Element>(panel_length::<V, COLUMNS>(depth.1 - depth.0));
                let part = Part { precision, a, depth, whole, n, far: false, epilogue: &Sums };
                let right = OnDemand::<V, COLUMNS> { precision, b, depth, few: a.rows() <= FEW_ROWS, buffer };
                part.rows::<V, ROWS, COLUMNS>(0, right, sums);
            }
        });
    };
    // SAFETY: the vectors are supported.
    shared_depth(a.columns(), n, part, |add_up| unsafe { V::vectorise(add_up) }, out, epilogue);
}

/// Shares a product's depth among tasks: `part` computes the sums of a range of it, on its thread alone, and `add_up` compiles what adds
/// them up for the processor.
pub(super) fn shared_depth<E: Epilogue>(
    depth: usize,
    n: usize,
    part: impl Fn((usize, usize), &mut [f32]) + Sync,
    add_up: impl Fn(AddUp<'_, E>) + Sync,
    out: &mut [f32],
    epilogue: &E,
) {
    // Many tasks for many cores, but no more sums than they are worth.
    let tasks = (depth / DEEP).min(SUMS / out.len()).max(2);
    let length = depth.div_ceil(tasks).next_multiple_of(2);
    with_scratch(|scratch| {
        let sums = scratch.get::<f32>(depth.div_ceil(length) * out.len());
        each(sums.chunks_mut(out.len()).enumerate(), |(task, sums)| {
            part((task * length, ((task + 1) * length).min(depth)), sums);
        });
        let (sums, one) = (&*sums, out.len());
        each(out.chunks_mut(TASK_ROWS * n).enumerate(), |(index, out)| {
            add_up(AddUp { sums, one, first: index * TASK_ROWS, n, epilogue, out });
        });
    });
}

/// Adds parts of some rows of a result up.
pub(super) struct AddUp<'a, E> {
    /// Of every part, one after the other.
    sums: &'a [f32],
    /// Numbers of a part.
    one: usize,
    first: usize,
    n: usize,
    epilogue: &'a E,
    out: &'a mut [f32],
}

impl<E: Epilogue> Vectorised for AddUp<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { sums, one, first, n, epilogue, out } = self;
        out.fill(0.0);
        for part in sums.chunks_exact(one) {
            out.iter_mut().zip(&part[first * n..]).for_each(|(sum, part)| *sum += part);
        }
        for (row, sums) in out.chunks_exact_mut(n).enumerate() {
            epilogue.finish::<FUSED>(first + row, 0, sums);
        }
    }
}
