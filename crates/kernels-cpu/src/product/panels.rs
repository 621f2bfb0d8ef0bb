//! Operands in the order in which products read them.
#![allow(unsafe_code)]

use std::ops::Range;

use super::super::level::Vectorised;
use super::super::vectors::{Element, SIDE, Vectors, WithVectors};
use super::*;

/// Units of a panel of `WIDTH` lines.
pub(super) fn panel_length<V: Vectors, const WIDTH: usize>(depth: usize) -> usize {
    depth.div_ceil(V::Element::DEPTH) * WIDTH
}

/// Lays a right operand out as `[n / COLUMNS, steps, COLUMNS]`, with zeros for columns that are not there.
pub(super) struct WritePanels<'a, 's> {
    pub(super) precision: Precision,
    pub(super) matrix: Matrix<'a>,
    pub(super) buffer: &'s mut Scratch,
}

impl WithVectors for WritePanels<'_, '_> {
    type Output = ();

    fn run<V: Vectors, const ROWS: usize, const COLUMNS: usize>(self) {
        let Self { precision, matrix, buffer } = self;
        let (length, columns) = (panel_length::<V, COLUMNS>(matrix.rows()), matrix.transposed());
        let panels = buffer.get::<V::Element>(matrix.columns().div_ceil(COLUMNS) * length);
        for (index, panel) in panels.chunks_exact_mut(length.max(1)).enumerate() {
            write_panel::<V, COLUMNS>(precision, &columns, index * COLUMNS, (0, matrix.rows()), panel);
        }
    }
}

/// The numbers of a right operand as `[n / COLUMNS, k, COLUMNS]`, with zeros for columns that are not there. To be called by whoever
/// has these vectors.
///
/// # Panics
/// If there is no room for them.
pub(crate) fn write_numbers<V: Vectors, const COLUMNS: usize>(matrix: Matrix<'_>, numbers: &mut [f32]) {
    let (k, columns) = (matrix.rows(), matrix.transposed());
    assert_eq!(numbers.len(), matrix.columns().next_multiple_of(COLUMNS) * k, "numbers of panels");
    for (index, numbers) in numbers.chunks_exact_mut((k * COLUMNS).max(1)).enumerate() {
        let (matrix, first, depth) = (&columns, index * COLUMNS, (0, k));
        // SAFETY: the vectors are supported.
        unsafe { V::vectorise(Write::<V, COLUMNS> { matrix, first, depth, numbers, vectors: PhantomData }) };
    }
}

/// Lays out lines `first ..` of `matrix`, `WIDTH` of them (zeros beyond the last), columns `depth.0 .. depth.1`, so that the `WIDTH`
/// elements of a column stand together. Lines are the rows of a left operand, and the columns of a right one, which is
/// given transposed.
///
/// # Panics
/// If the panel has another length.
pub(super) fn write_panel<V: Vectors, const WIDTH: usize>(
    precision: Precision,
    matrix: &Matrix<'_>,
    first: usize,
    depth: (usize, usize),
    panel: &mut [V::Element],
) {
    let length = depth.1 - depth.0;
    assert_eq!(panel.len(), panel_length::<V, WIDTH>(length), "a panel of {length} x {WIDTH}");
    let [line_stride, stride] = matrix.strides();
    if line_stride == 1 && first + WIDTH <= matrix.rows() {
        let columns = JoinColumns::<_, V::Element, WIDTH> {
            precision,
            column: |column: usize| &matrix.data()[first + (depth.0 + column) * stride..][..WIDTH],
            length,
            panel,
        };
        // SAFETY: the vectors are supported.
        unsafe { V::vectorise(columns) };
        return;
    }
    V::Element::lay_out::<V>(precision, [length, WIDTH], panel, |numbers| {
        // SAFETY: the vectors are supported.
        unsafe { V::vectorise(Write::<V, WIDTH> { matrix, first, depth, numbers, vectors: PhantomData }) };
    });
}

/// [`write_panel`] of whole columns whose numbers are neighbours.
struct JoinColumns<'a, C, U, const WIDTH: usize> {
    precision: Precision,
    column: C,
    /// Number of columns.
    length: usize,
    panel: &'a mut [U],
}

impl<'m, C: Fn(usize) -> &'m [f32], U: Element, const WIDTH: usize> Vectorised for JoinColumns<'_, C, U, WIDTH> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { precision, column, length, panel } = self;
        let zeros = [0.0; WIDTH];
        for (index, elements) in panel.as_chunks_mut::<WIDTH>().0.iter_mut().enumerate() {
            let (first, last) = (index * U::DEPTH, (index + 1) * U::DEPTH - 1);
            let second = if last < length { column(last) } else { &zeros };
            U::join_lines(precision, column(first), second, elements);
        }
    }
}

/// The numbers of [`write_panel`].
struct Write<'a, V, const WIDTH: usize> {
    matrix: &'a Matrix<'a>,
    first: usize,
    depth: (usize, usize),
    numbers: &'a mut [f32],
    vectors: PhantomData<V>,
}

impl<V: Vectors, const WIDTH: usize> Vectorised for Write<'_, V, WIDTH> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { matrix, first, depth, numbers, .. } = self;
        let [line_stride, stride] = matrix.strides();
        let (columns, _) = numbers.as_chunks_mut::<WIDTH>();
        let lines = matrix.rows().saturating_sub(first).min(WIDTH);
        if line_stride == 1 && lines == WIDTH {
            for (column, numbers) in columns.iter_mut().enumerate() {
                numbers.copy_from_slice(&matrix.data()[first + (depth.0 + column) * stride..][..WIDTH]);
            }
        } else if stride == 1 {
            let length = depth.1 - depth.0;
            let line = |line: usize| &matrix.data()[(first + line) * line_stride + depth.0..][..length];
            let lines = std::array::from_fn(|index| if index < lines { line(index) } else { &[] });
            transpose::<V, WIDTH>(&lines, length, numbers);
        } else {
            for (column, numbers) in columns.iter_mut().enumerate() {
                for (line, number) in numbers.iter_mut().enumerate() {
                    *number = if line < lines { matrix.get(first + line, depth.0 + column) } else { 0.0 };
                }
            }
        }
    }
}

/// Writes the `length` numbers of each column of some lines together; lines without numbers count as zeros, and are the last ones.
#[inline(always)]
fn transpose<V: Vectors, const WIDTH: usize>(lines: &[&[f32]; WIDTH], length: usize, panel: &mut [f32]) {
    let panel = &mut panel[..length * WIDTH];
    let there = lines.iter().take_while(|line| line.len() >= length && length > 0).count();
    let whole = length / SIDE * SIDE;
    for start in (0..whole).step_by(SIDE) {
        // Numbers beyond the lines go where the first lines of the next column come later: therefore the last lines first.
        for top in (0..WIDTH).step_by(SIDE).rev() {
            let width = SIDE.min(WIDTH - top);
            let count = width.min(there.saturating_sub(top));
            let square = std::array::from_fn(|line| {
                if line < count { lines[top + line][start..start + SIDE].as_ptr() } else { std::ptr::null() }
            });
            if width == SIDE || start + SIDE < length {
                let target = &mut panel[start * WIDTH + top..][..(SIDE - 1) * WIDTH + SIDE];
                // SAFETY: the vectors are supported; the lines that count are slices of eight numbers, and the target
                // has eight columns.
                unsafe { V::transpose(square, count, target.as_mut_ptr(), WIDTH) };
            } else {
                let mut buffer = [[0.0; SIDE]; SIDE];
                // SAFETY: the vectors are supported; the lines that count are slices of eight numbers, and this is a
                // square of eight.
                unsafe { V::transpose(square, count, buffer.as_mut_ptr().cast(), SIDE) };
                for (column, numbers) in buffer.iter().enumerate() {
                    panel[(start + column) * WIDTH + top..][..width].copy_from_slice(&numbers[..width]);
                }
            }
        }
    }
    for column in whole..length {
        let numbers = &mut panel[column * WIDTH..][..WIDTH];
        numbers
            .iter_mut()
            .enumerate()
            .for_each(|(line, number)| *number = if line < there { lines[line][column] } else { 0.0 });
    }
}

/// Lays rows of a left operand out as they are.
pub(super) struct WriteLines<'a, L, U> {
    pub(super) precision: Precision,
    pub(super) lines: L,
    /// Units of a row.
    pub(super) steps: usize,
    /// Distance of rows.
    pub(super) pitch: usize,
    pub(super) elements: &'a mut [U],
}

impl<'m, L: Fn(usize) -> &'m [f32], U: Element> Vectorised for WriteLines<'_, L, U> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for (row, elements) in self.elements.chunks_exact_mut(self.pitch).enumerate() {
            U::lay_out_line(self.precision, (self.lines)(row), &mut elements[..self.steps]);
        }
    }
}

/// The columns of a right operand, some at a time.
pub(super) trait Panels<V: Vectors> {
    /// Columns from `index COLUMNS` on, and the distance from one step to the next.
    fn panel(&mut self, index: usize) -> (&[V::Element], usize);
}

/// Panels that were laid out before.
#[derive(Clone)]
pub(super) struct Prepared<'a, V: Vectors, const COLUMNS: usize> {
    pub(super) panels: &'a [V::Element],
    pub(super) length: usize,
    /// The part of a panel that is used.
    pub(super) part: Range<usize>,
}

impl<V: Vectors, const COLUMNS: usize> Panels<V> for Prepared<'_, V, COLUMNS> {
    fn panel(&mut self, index: usize) -> (&[V::Element], usize) {
        (&self.panels[index * self.length..][self.part.clone()], COLUMNS)
    }
}

/// Panels that are laid out when they are needed, or not at all if few rows need them.
pub(super) struct OnDemand<'a, V: Vectors, const COLUMNS: usize> {
    pub(super) precision: Precision,
    pub(super) b: Matrix<'a>,
    pub(super) depth: (usize, usize),
    pub(super) few: bool,
    pub(super) buffer: &'a mut [V::Element],
}

impl<V: Vectors, const COLUMNS: usize> Panels<V> for OnDemand<'_, V, COLUMNS> {
    fn panel(&mut self, index: usize) -> (&[V::Element], usize) {
        let (column, [row_stride, column_stride]) = (index * COLUMNS, self.b.strides());
        let in_place = self.few && column_stride == 1 && column + COLUMNS <= self.b.columns();
        if let Some(numbers) = V::Element::of_numbers(self.b.data(), self.precision).filter(|_| in_place) {
            let (start, last) = (self.depth.0 * row_stride + column, (self.depth.1 - 1) * row_stride + column);
            return (&numbers[start..last + COLUMNS], row_stride);
        }
        write_panel::<V, COLUMNS>(self.precision, &self.b.transposed(), column, self.depth, self.buffer);
        (self.buffer, COLUMNS)
    }
}
