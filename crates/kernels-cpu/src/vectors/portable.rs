//! Vectors of four numbers that every processor has, in plain Rust.
#![allow(unsafe_code)]

use super::super::level::Vectorised;
use super::super::math::fma;
use super::{SIDE, Vectors};

/// Vectors of four numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

/// Whether every processor of this kind multiplies and adds in one instruction.
const FUSED: bool = cfg!(target_arch = "aarch64");

impl Vectors for Portable {
    type Element = f32;
    type Factors = [f32; 4];
    type Sums = [f32; 4];
    type Half = Self;
    const LANES: usize = 4;

    #[inline(always)]
    unsafe fn vectorise<W: Vectorised>(work: W) -> W::Output {
        work.run::<FUSED>()
    }

    #[inline(always)]
    unsafe fn all(number: f32) -> [f32; 4] {
        [number; 4]
    }

    #[inline(always)]
    unsafe fn read(numbers: *const f32) -> [f32; 4] {
        // SAFETY: four numbers are at `numbers`.
        unsafe { numbers.cast::<[f32; 4]>().read() }
    }

    #[inline(always)]
    unsafe fn write(sums: [f32; 4], numbers: *mut f32) {
        // SAFETY: there is room for four numbers at `numbers`.
        unsafe { numbers.cast::<[f32; 4]>().write(sums) }
    }

    #[inline(always)]
    unsafe fn load(elements: *const f32) -> [f32; 4] {
        // SAFETY: four elements are at `elements`.
        unsafe { Self::read(elements) }
    }

    #[inline(always)]
    unsafe fn load_halves(elements: [*const f32; 2]) -> [f32; 4] {
        // SAFETY: two elements are at each place.
        let [[a, b], [c, d]] = elements.map(|elements| unsafe { elements.cast::<[f32; 2]>().read() });
        [a, b, c, d]
    }

    #[inline(always)]
    unsafe fn splat(element: *const f32) -> [f32; 4] {
        // SAFETY: an element is at `element`.
        [unsafe { *element }; 4]
    }

    #[inline(always)]
    unsafe fn multiply_add(left: [f32; 4], right: [f32; 4], sums: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|lane| fma::<FUSED>(left[lane], right[lane], sums[lane]))
    }

    #[inline(always)]
    unsafe fn add(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    unsafe fn subtract(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|lane| a[lane] - b[lane])
    }

    #[inline(always)]
    unsafe fn at_least(floor: [f32; 4], sums: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|lane| if floor[lane] > sums[lane] { floor[lane] } else { sums[lane] })
    }

    #[inline(always)]
    unsafe fn write_interleaved([a, b, c, d]: [f32; 4], [e, f, g, h]: [f32; 4], numbers: *mut f32) {
        // SAFETY: there is room for two vectors at `numbers`.
        unsafe { numbers.cast::<[f32; 8]>().write([a, e, b, f, c, g, d, h]) }
    }

    #[inline(always)]
    unsafe fn transpose(lines: [*const f32; SIDE], count: usize, out: *mut f32, pitch: usize) {
        for column in 0..SIDE {
            for (line, start) in lines.iter().enumerate() {
                // SAFETY: eight numbers are at each of the lines that count, and there is room for eight at each
                // column.
                unsafe { *out.add(column * pitch + line) = if line < count { *start.add(column) } else { 0.0 } };
            }
        }
    }
}
