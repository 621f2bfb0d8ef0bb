//! Products on vectors: the right operand is laid out in panels in the order in which the processor reads them, and a block of sums stays
//! in its registers (Goto and van de Geijn 2008, "Anatomy of High-Performance Matrix Multiplication"). The left operand, of which one
//! unit is read at a time, stays where it is if it can.
#![allow(unsafe_code)]

use super::super::level::Work;
use super::super::vectors::{MOST_ROWS, OfHeight, OnVectors, Unit, Vectors, add_products, blocks, of_height};
use super::panels::{panel_length, write_panel};
use super::*;

/// The longest part of a product's depth: panels stay in the second cache. Shorter parts are added up in memory more often.
const DEPTH: usize = 512;
/// Rows of the result that one task computes at most.
const TASK_ROWS: usize = 72;
/// Multiplications of a product that is not worth sharing among cores.
const SMALL: usize = 1 << 19;
/// Numbers of a right operand that are not worth sharing among cores.
const SMALL_RIGHT: usize = 1 << 15;
/// Distances in memory that are multiples of this many numbers meet in one set of the first cache.
const ALIAS: usize = 1024;

/// The depths of a product's parts: as few as may be, of nearly one length, all but the last whole units.
fn parts(depth: usize) -> impl Iterator<Item = (usize, usize)> {
    let length = depth.div_ceil(depth.div_ceil(DEPTH)).next_multiple_of(2).max(2);
    (0..depth).step_by(length).map(move |start| (start, (start + length).min(depth)))
}

/// `out = finish(a b)`
pub(super) struct Product<'a, E> {
    pub(super) precision: Precision,
    pub(super) a: Matrix<'a>,
    pub(super) b: Matrix<'a>,
    /// `b` as [`panels::WritePanels`](super::panels::WritePanels) lays it out, if that was done before.
    pub(super) packed: Option<&'a Scratch>,
    /// Whether all cores may take part.
    pub(super) shared: bool,
    pub(super) out: &'a mut [f32],
    pub(super) epilogue: &'a E,
}

impl<E: Epilogue> OnVectors for Product<'_, E> {
    type Output = ();

    fn run<V: Vectors, const ROWS: usize, const COLUMNS: usize>(self) {
        let Self { precision, a, b, packed, shared, out, epilogue } = self;
        let n = b.columns();
        let shared = shared && a.rows() * n * a.columns() > SMALL;
        let task = Task { precision, a, depth: (0, 0), n, shared, epilogue };
        if let Some(packed) = packed {
            let panel = panel_length::<V, COLUMNS>(a.columns());
            let panels = packed.kept::<V::Unit>(n.div_ceil(COLUMNS) * panel);
            for depth in parts(a.columns()) {
                let units = depth.0 / V::Unit::DEPTH * COLUMNS..depth.1.div_ceil(V::Unit::DEPTH) * COLUMNS;
                let part = |index: usize| &panels[index * panel..][units.clone()];
                Task { depth, ..task }.run::<V, ROWS, COLUMNS>(part, out);
            }
            return;
        }
        let columns = b.transposed();
        with_scratch(|scratch| {
            for depth in parts(a.columns()) {
                let panel = panel_length::<V, COLUMNS>(depth.1 - depth.0);
                let right = scratch.get::<V::Unit>(n.div_ceil(COLUMNS) * panel);
                let lay_out = |(index, panel): (usize, &mut [V::Unit])| {
                    write_panel::<V, COLUMNS>(precision, &columns, index * COLUMNS, depth, panel);
                };
                if shared && right.len() > SMALL_RIGHT {
                    right.par_chunks_mut(panel).enumerate().for_each(lay_out);
                } else {
                    right.chunks_mut(panel).enumerate().for_each(lay_out);
                }
                let right = &*right;
                let part = |index: usize| &right[index * panel..][..panel];
                Task { depth, ..task }.run::<V, ROWS, COLUMNS>(part, out);
            }
        });
    }
}

/// A part of the depth of a product.
#[derive(Debug)]
struct Task<'a, E> {
    precision: Precision,
    a: Matrix<'a>,
    depth: (usize, usize),
    /// Columns of the result.
    n: usize,
    shared: bool,
    epilogue: &'a E,
}

impl<E> Clone for Task<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Task<'_, E> {}

impl<E: Epilogue> Task<'_, E> {
    /// Computes all rows of the result, or adds this part of the depth to them. `right` gives the panels of the right operand.
    fn run<'r, V: Vectors, const ROWS: usize, const COLUMNS: usize>(
        self,
        right: impl Fn(usize) -> &'r [V::Unit] + Copy + Sync,
        out: &mut [f32],
    ) {
        // Tasks of one height, and as many for each core.
        let tasks = self.a.rows().div_ceil(TASK_ROWS);
        let tasks = if self.shared { tasks.next_multiple_of(rayon::current_num_threads()) } else { tasks };
        let height = self.a.rows().div_ceil(tasks);
        let rows = |(task, out): (usize, &mut [f32])| {
            self.rows::<V, ROWS, COLUMNS>(task * height, right, out);
        };
        if self.shared {
            out.par_chunks_mut(height * self.n).enumerate().for_each(rows);
        } else {
            out.chunks_mut(height * self.n).enumerate().for_each(rows);
        }
    }

    /// Computes the rows `first ..` that `out` holds, or adds this part of the depth to them.
    fn rows<'r, V: Vectors, const ROWS: usize, const COLUMNS: usize>(
        self,
        first: usize,
        right: impl Fn(usize) -> &'r [V::Unit],
        out: &mut [f32],
    ) {
        let Self { precision, a, depth, n, epilogue, .. } = self;
        let ends = depth.1 == a.columns();
        let blocks = blocks(out.len() / n, ROWS);
        let [row_stride, column_stride] = a.strides();
        let numbers: Option<&[V::Unit]> = as_units(a.data(), precision);
        let in_place =
            numbers.filter(|_| column_stride == 1 && (ROWS <= SIDE_OF_CACHE || !row_stride.is_multiple_of(ALIAS)));
        with_scratch(|scratch| {
            let panel = panel_length::<V, ROWS>(depth.1 - depth.0);
            let left: &[V::Unit] = match in_place {
                Some(numbers) => &numbers[first * row_stride + depth.0..],
                None => {
                    let left = scratch.get::<V::Unit>(blocks.len() * panel);
                    for ((top, _), panel) in blocks.clone().zip(left.chunks_exact_mut(panel)) {
                        write_panel::<V, ROWS>(precision, &a, first + top, depth, panel);
                    }
                    left
                }
            };
            let mut sums = [[0.0; COLUMNS]; MOST_ROWS];
            for column in (0..n).step_by(COLUMNS) {
                let right = right(column / COLUMNS);
                let columns = COLUMNS.min(n - column);
                for (index, (top, end)) in blocks.clone().enumerate() {
                    let (left, strides) = match in_place {
                        Some(_) => (&left[top * row_stride..], [row_stride, 1]),
                        None => (&left[index * panel..], [1, ROWS]),
                    };
                    for row in top..end {
                        prefetch(&out[row * n + column..][..columns]);
                        if ends {
                            epilogue.prefetch(first + row, column, columns);
                        }
                    }
                    let block = Block::<V, COLUMNS> { left, strides, right, sums: &mut sums };
                    // SAFETY: the level says that the processor has the vectors.
                    unsafe {
                        of_height(end - top, block);
                        V::enter(Store { task: self, first, rows: (top, end), column, sums: &mut sums, out: &mut *out });
                    }
                }
            }
        });
    }
}

/// Rows of a left operand that stay in the first cache however far they are apart.
const SIDE_OF_CACHE: usize = 8;

/// Numbers as units, if they are.
fn as_units<U: Unit>(numbers: &[f32], precision: Precision) -> Option<&[U]> {
    let same = std::any::TypeId::of::<U>() == std::any::TypeId::of::<f32>();
    // SAFETY: the types are one.
    (same && precision == Precision::Float32).then(|| unsafe { std::mem::transmute::<&[f32], &[U]>(numbers) })
}

/// The sums of some rows and a panel.
struct Block<'a, V: Vectors, const COLUMNS: usize> {
    left: &'a [V::Unit],
    /// Distances between neighbours in a column and in a row of the left operand.
    strides: [usize; 2],
    right: &'a [V::Unit],
    sums: &'a mut [[f32; COLUMNS]; MOST_ROWS],
}

impl<V: Vectors, const COLUMNS: usize> OfHeight for Block<'_, V, COLUMNS> {
    #[inline(always)]
    unsafe fn run<const HEIGHT: usize>(self) {
        // SAFETY: the caller's.
        unsafe { V::enter(BlockOf::<V, COLUMNS, HEIGHT>(self)) };
    }
}

/// [`Block`] of so many rows.
struct BlockOf<'a, V: Vectors, const COLUMNS: usize, const HEIGHT: usize>(Block<'a, V, COLUMNS>);

impl<V: Vectors, const COLUMNS: usize, const HEIGHT: usize> Work for BlockOf<'_, V, COLUMNS, HEIGHT> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Block { left, strides: [row_stride, column_stride], right, sums } = self.0;
        let steps = right.len() / COLUMNS;
        if let Some(last) = steps.checked_sub(1) {
            assert!((HEIGHT - 1) * row_stride + last * column_stride < left.len(), "the numbers of the left operand");
        }
        let (left, right) = (left.as_ptr(), right.as_ptr());
        // SAFETY: work for these vectors was entered; the last unit of the left operand was found to be inside, and a step of the right
        // one has two vectors.
        unsafe {
            let totals = add_products::<V, HEIGHT>(
                steps,
                |step, row| left.add(step * column_stride + row * row_stride),
                |step| [0, 1].map(|half| V::load(right.add(step * COLUMNS + half * V::LANES))),
                [[V::zero(); 2]; HEIGHT],
            );
            for (totals, sums) in totals.into_iter().zip(sums) {
                V::write(totals[0], sums.as_mut_ptr());
                V::write(totals[1], sums.as_mut_ptr().add(V::LANES));
            }
        }
    }
}

/// Takes a block of sums to the result.
struct Store<'a, E, const COLUMNS: usize> {
    task: Task<'a, E>,
    first: usize,
    rows: (usize, usize),
    column: usize,
    sums: &'a mut [[f32; COLUMNS]; MOST_ROWS],
    out: &'a mut [f32],
}

impl<E: Epilogue, const COLUMNS: usize> Work for Store<'_, E, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { task: Task { a, depth, n, epilogue, .. }, first, rows, column, sums, out } = self;
        let (begins, ends) = (depth.0 == 0, depth.1 == a.columns());
        let columns = COLUMNS.min(n - column);
        for (row, sums) in (rows.0..rows.1).zip(sums) {
            let target = &mut out[row * n + column..][..columns];
            // Numbers of a known length that nothing else refers to make vectors of an epilogue's loops.
            if let Some(target) = target.as_mut_array::<COLUMNS>() {
                let mut values = *sums;
                finish::<FUSED>(epilogue, first + row, column, begins, ends, &mut values, target);
            } else if let (Some(target), Some(sums)) = (target.as_mut_array::<8>(), sums.first_chunk::<8>()) {
                let mut values = *sums;
                finish::<FUSED>(epilogue, first + row, column, begins, ends, &mut values, target);
            } else {
                finish::<FUSED>(epilogue, first + row, column, begins, ends, &mut sums[..columns], target);
            }
        }
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
