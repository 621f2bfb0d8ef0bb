//! A block of sums in registers, and its way to the result.
#![allow(unsafe_code)]

use super::super::level::Vectorised;
use super::super::vectors::{MOST_ROWS, Vectors, WithHeight, add_products};
use super::Epilogue;
use super::blocked::Part;

/// The sums of some rows and a panel.
pub(super) struct Block<'a, V: Vectors, const COLUMNS: usize> {
    pub(super) left: &'a [V::Element],
    /// Distances between neighbours in a column and in a row of the left operand.
    pub(super) strides: [usize; 2],
    /// Units of the depth.
    pub(super) steps: usize,
    pub(super) right: &'a [V::Element],
    /// Distance between the steps of the right operand.
    pub(super) pitch: usize,
    /// Columns that count.
    pub(super) columns: usize,
    pub(super) sums: &'a mut [[f32; COLUMNS]; MOST_ROWS],
}

impl<V: Vectors, const COLUMNS: usize> WithHeight for Block<'_, V, COLUMNS> {
    #[inline(always)]
    unsafe fn run<const HEIGHT: usize>(self) {
        // SAFETY: the vectors are supported.
        unsafe {
            if self.columns <= V::LANES {
                V::vectorise(BlockOf::<V, COLUMNS, HEIGHT, 1>(self));
            } else {
                V::vectorise(BlockOf::<V, COLUMNS, HEIGHT, 2>(self));
            }
        }
    }
}

/// [`Block`] of so many rows and vectors in each.
struct BlockOf<'a, V: Vectors, const COLUMNS: usize, const HEIGHT: usize, const WIDTH: usize>(Block<'a, V, COLUMNS>);

impl<V: Vectors, const COLUMNS: usize, const HEIGHT: usize, const WIDTH: usize> Vectorised
    for BlockOf<'_, V, COLUMNS, HEIGHT, WIDTH>
{
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Block { left, strides: [row_stride, column_stride], steps, right, pitch, sums, .. } = self.0;
        if let Some(last) = steps.checked_sub(1) {
            assert!((HEIGHT - 1) * row_stride + last * column_stride < left.len(), "the elements of the left operand");
            assert!(last * pitch + COLUMNS <= right.len(), "the elements of the right operand");
        }
        let (left, right) = (left.as_ptr(), right.as_ptr());
        // SAFETY: the vectors are supported; the last elements of both operands are inside by the assertions, and
        // `COLUMNS` are two vectors.
        unsafe {
            let left = |step: usize, row: usize| left.add(step * column_stride + row * row_stride);
            let right = |step: usize| {
                let mut vectors = [V::load(right.add(step * pitch)); WIDTH];
                for (index, vector) in vectors.iter_mut().enumerate().skip(1) {
                    *vector = V::load(right.add(step * pitch + index * V::LANES));
                }
                vectors
            };
            let totals = add_products::<V, HEIGHT, WIDTH>(steps, left, right, [[V::all(0.0); WIDTH]; HEIGHT]);
            for (totals, sums) in totals.into_iter().zip(sums) {
                for (index, total) in totals.into_iter().enumerate() {
                    V::write(total, sums.as_mut_ptr().add(index * V::LANES));
                }
            }
        }
    }
}

/// Takes a block of sums to the result.
pub(super) struct Store<'a, E, const COLUMNS: usize> {
    pub(super) part: Part<'a, E>,
    pub(super) first: usize,
    pub(super) rows: (usize, usize),
    pub(super) column: usize,
    pub(super) sums: &'a mut [[f32; COLUMNS]; MOST_ROWS],
    pub(super) out: &'a mut [f32],
}

impl<E: Epilogue, const COLUMNS: usize> Vectorised for Store<'_, E, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { part: Part { depth, whole, n, epilogue, .. }, first, rows, column, sums, out } = self;
        let (begins, ends) = (depth.0 == whole.0, depth.1 == whole.1);
        let columns = COLUMNS.min(n - column);
        for (row, sums) in (rows.0..rows.1).zip(sums) {
            let target = &mut out[row * n + column..][..columns];
            store_row::<FUSED, COLUMNS>(epilogue, first + row, column, begins, ends, sums, target);
        }
    }
}

/// Finishes the sums of a row, from a column on, and takes them to the result.
#[inline(always)]
pub(super) fn store_row<const FUSED: bool, const COLUMNS: usize>(
    epilogue: &impl Epilogue,
    row: usize,
    column: usize,
    begins: bool,
    ends: bool,
    sums: &mut [f32; COLUMNS],
    target: &mut [f32],
) {
    // Numbers of a known length that nothing else refers to make vectors of an epilogue's loops.
    if let Some(target) = target.as_mut_array::<COLUMNS>() {
        let mut values = *sums;
        finish::<FUSED>(epilogue, row, column, begins, ends, &mut values, target);
    } else if let (Some(target), Some(sums)) = (target.as_mut_array::<8>(), sums.first_chunk::<8>()) {
        let mut values = *sums;
        finish::<FUSED>(epilogue, row, column, begins, ends, &mut values, target);
    } else {
        finish::<FUSED>(epilogue, row, column, begins, ends, &mut sums[..target.len()], target);
    }
}

/// Stores sums of a row, or adds them to those of the depth before.
#[inline(always)]
fn finish<const FUSED: bool>(
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
        epilogue.finish::<FUSED>(row, column, sums);
    }
    target.copy_from_slice(sums);
}
