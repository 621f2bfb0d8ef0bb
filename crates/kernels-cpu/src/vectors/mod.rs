//! The vectors that products and convolutions are made of, one type for each kind of processor: a block of sums stays in registers while
//! numbers of a left operand, one at a time, are multiplied with vectors of a right one.
//!
//! # Safety
//! One precondition is behind all unsafe code that is generic over [`Vectors`]: they are *supported*, that is, the
//! processor has their instructions. It holds wherever there is a type `V: Vectors`: [`with_vectors`] alone chooses
//! one, by a [`Level`], and no level is above what the processor has. (The halves of vectors need less than the
//! vectors.) Preconditions on memory stand at each function.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod element;
mod portable;
#[cfg(target_arch = "x86_64")]
mod sse;

pub(crate) use element::Element;
#[cfg(target_arch = "x86_64")]
pub(crate) use element::round;

use super::level::{Instructions, Vectorised};
use super::{Level, Precision};

/// Rows of a block of sums at most, on any processor.
pub(crate) const MOST_ROWS: usize = 12;
/// Numbers of a vector at most, on any processor.
pub(crate) const MOST_LANES: usize = 16;
/// Lines of the square that [`Vectors::transpose`] transposes.
pub(crate) const SIDE: usize = 8;

/// Vectors of a kind of processor. Every function but [`Self::vectorise`] is to be inlined into the work that it gets:
/// a call is slow.
pub(crate) trait Vectors: Copy + std::fmt::Debug + Send + Sync + 'static {
    /// What is multiplied in one lane.
    type Element: Element;
    /// A vector of elements.
    type Factors: Copy;
    /// A vector of sums.
    type Sums: Copy;
    /// Vectors of half as many numbers, or the same if there are none.
    type Half: Vectors;
    /// Sums in a vector.
    const LANES: usize;

    /// Does work compiled for these vectors.
    ///
    /// # Safety
    /// They are supported; so for all that follow.
    unsafe fn vectorise<W: Vectorised>(work: W) -> W::Output;

    /// One number in every lane.
    ///
    /// # Safety
    /// They are supported.
    unsafe fn all(number: f32) -> Self::Sums;

    /// Sums from memory.
    ///
    /// # Safety
    /// A vector of numbers is there.
    unsafe fn read(numbers: *const f32) -> Self::Sums;

    /// Sums to memory.
    ///
    /// # Safety
    /// There is room for a vector of numbers.
    unsafe fn write(sums: Self::Sums, numbers: *mut f32);

    /// Neighbouring elements.
    ///
    /// # Safety
    /// A vector of elements is there.
    unsafe fn load(elements: *const Self::Element) -> Self::Factors;

    /// Two halves of a vector from different places.
    ///
    /// # Safety
    /// Half a vector of elements is at each.
    unsafe fn load_halves(elements: [*const Self::Element; 2]) -> Self::Factors;

    /// One element in every lane.
    ///
    /// # Safety
    /// It is there.
    unsafe fn splat(element: *const Self::Element) -> Self::Factors;

    /// `left right + sums`, lane by lane.
    ///
    /// # Safety
    /// They are supported.
    unsafe fn multiply_add(left: Self::Factors, right: Self::Factors, sums: Self::Sums) -> Self::Sums;

    /// `a + b`
    ///
    /// # Safety
    /// They are supported.
    unsafe fn add(a: Self::Sums, b: Self::Sums) -> Self::Sums;

    /// `a - b`
    ///
    /// # Safety
    /// They are supported.
    unsafe fn subtract(a: Self::Sums, b: Self::Sums) -> Self::Sums;

    /// The larger of both, lane by lane; `sums` if that is no number.
    ///
    /// # Safety
    /// They are supported.
    unsafe fn at_least(floor: Self::Sums, sums: Self::Sums) -> Self::Sums;

    /// Writes two vectors to memory, interleaved: a number of each at a time.
    ///
    /// # Safety
    /// There is room for two vectors of numbers.
    unsafe fn write_interleaved(even: Self::Sums, odd: Self::Sums, numbers: *mut f32);

    /// Writes the columns of a square, of which the first `count` lines are given: column `i` at `out + i pitch`, [`SIDE`] numbers with
    /// zeros for lines that are not given.
    ///
    /// # Safety
    /// [`SIDE`] numbers are at each of the first `count` lines, and there is room for as many at each column of `out`.
    unsafe fn transpose(lines: [*const f32; SIDE], count: usize, out: *mut f32, pitch: usize);
}

/// Work that is written once for all vectors. A block of sums has up to `ROWS` rows of `COLUMNS` columns, which are two vectors.
pub(crate) trait WithVectors {
    /// What it gives.
    type Output;

    /// Does it.
    fn run<V: Vectors, const ROWS: usize, const COLUMNS: usize>(self) -> Self::Output;
}

/// Does work with the vectors of this level that multiply in this precision: where no instruction does, elements are
/// float32 numbers that were rounded.
pub(crate) fn with_vectors<W: WithVectors>(level: Level, precision: Precision, work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    match (level.instructions(), precision) {
        (Instructions::Avx512Bf16 | Instructions::Amx, Precision::Bfloat16) => {
            return work.run::<avx512::Avx512Bf16, 12, 32>();
        }
        (Instructions::Avx512 | Instructions::Avx512Bf16 | Instructions::Amx, _) => {
            return work.run::<avx512::Avx512, 12, 32>();
        }
        (Instructions::Avx2, _) => return work.run::<avx2::Avx2, 6, 16>(),
        (Instructions::Portable, _) => {}
    }
    let _ = (level, precision);
    work.run::<portable::Portable, 6, 8>()
}

/// Cuts rows into blocks of nearly one height, `most` at most: a low one would leave the processor waiting for its sums.
pub(crate) fn blocks(rows: usize, most: usize) -> impl ExactSizeIterator<Item = (usize, usize)> + Clone {
    let count = rows.div_ceil(most);
    (0..count).map(move |block| (block * rows / count, (block + 1) * rows / count))
}

/// Adds `steps` products to a block of sums: of the element `left(step, row)` with the `WIDTH` vectors `right(step)`.
///
/// # Safety
/// The vectors are supported, and an element is at `left(step, row)` for all steps and rows.
#[inline(always)]
pub(crate) unsafe fn add_products<V: Vectors, const HEIGHT: usize, const WIDTH: usize>(
    steps: usize,
    left: impl Fn(usize, usize) -> *const V::Element,
    right: impl Fn(usize) -> [V::Factors; WIDTH],
    mut sums: [[V::Sums; WIDTH]; HEIGHT],
) -> [[V::Sums; WIDTH]; HEIGHT] {
    for step in 0..steps {
        let right = right(step);
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: the vectors are supported, and an element is at `left(step, row)`.
            unsafe {
                let left = V::splat(left(step, row));
                for (sums, right) in sums.iter_mut().zip(right) {
                    *sums = V::multiply_add(left, right, *sums);
                }
            }
        }
    }
    sums
}

/// Work on a block of sums whose height is known when it is compiled.
pub(crate) trait WithHeight {
    /// Does it.
    ///
    /// # Safety
    /// The vectors are supported, and the memory that the work names is there.
    unsafe fn run<const HEIGHT: usize>(self);
}

/// Does work on a block of `height` rows.
///
/// # Safety
/// That of [`WithHeight::run`].
///
/// # Panics
/// If there are no rows, or more than [`MOST_ROWS`].
#[inline(always)]
pub(crate) unsafe fn with_height(height: usize, work: impl WithHeight) {
    // SAFETY: the vectors are supported, and the memory that the work names is there.
    unsafe {
        match height {
            1 => work.run::<1>(),
            2 => work.run::<2>(),
            3 => work.run::<3>(),
            4 => work.run::<4>(),
            5 => work.run::<5>(),
            6 => work.run::<6>(),
            7 => work.run::<7>(),
            8 => work.run::<8>(),
            9 => work.run::<9>(),
            10 => work.run::<10>(),
            11 => work.run::<11>(),
            12 => work.run::<12>(),
            _ => panic!("a block of {height} rows"),
        }
    }
}
