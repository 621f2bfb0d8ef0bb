//! Vectors of four numbers, as every processor of this kind has them: halves of longer ones.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::level::Vectorised;
use super::portable::Portable;
use super::{SIDE, Vectors};

/// Vectors of four numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sse;

impl Vectors for Sse {
    type Element = f32;
    type Factors = __m128;
    type Sums = __m128;
    type Half = Self;
    const LANES: usize = 4;

    #[inline(always)]
    unsafe fn vectorise<W: Vectorised>(work: W) -> W::Output {
        work.run::<false>()
    }

    #[inline(always)]
    unsafe fn all(number: f32) -> __m128 {
        // SAFETY: every x86-64 processor has SSE.
        unsafe { _mm_set1_ps(number) }
    }

    #[inline(always)]
    unsafe fn read(numbers: *const f32) -> __m128 {
        // SAFETY: every x86-64 processor has SSE; four numbers are at `numbers`.
        unsafe { _mm_loadu_ps(numbers) }
    }

    #[inline(always)]
    unsafe fn write(sums: __m128, numbers: *mut f32) {
        // SAFETY: every x86-64 processor has SSE; there is room for four numbers at `numbers`.
        unsafe { _mm_storeu_ps(numbers, sums) }
    }

    #[inline(always)]
    unsafe fn load(elements: *const f32) -> __m128 {
        // SAFETY: every x86-64 processor has SSE; four elements are at `elements`.
        unsafe { _mm_loadu_ps(elements) }
    }

    #[inline(always)]
    unsafe fn load_halves([low, high]: [*const f32; 2]) -> __m128 {
        // SAFETY: every x86-64 processor has SSE; two elements are at each place.
        unsafe { _mm_setr_ps(*low, *low.add(1), *high, *high.add(1)) }
    }

    #[inline(always)]
    unsafe fn splat(element: *const f32) -> __m128 {
        // SAFETY: every x86-64 processor has SSE; an element is at `element`.
        unsafe { _mm_set1_ps(*element) }
    }

    #[inline(always)]
    unsafe fn multiply_add(left: __m128, right: __m128, sums: __m128) -> __m128 {
        // SAFETY: every x86-64 processor has SSE.
        unsafe { _mm_add_ps(_mm_mul_ps(left, right), sums) }
    }

    #[inline(always)]
    unsafe fn add(a: __m128, b: __m128) -> __m128 {
        // SAFETY: every x86-64 processor has SSE.
        unsafe { _mm_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn subtract(a: __m128, b: __m128) -> __m128 {
        // SAFETY: every x86-64 processor has SSE.
        unsafe { _mm_sub_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn at_least(floor: __m128, sums: __m128) -> __m128 {
        // SAFETY: every x86-64 processor has SSE.
        unsafe { _mm_max_ps(floor, sums) }
    }

    #[inline(always)]
    unsafe fn write_interleaved(even: __m128, odd: __m128, numbers: *mut f32) {
        // SAFETY: every x86-64 processor has SSE; there is room for two vectors at `numbers`.
        unsafe {
            _mm_storeu_ps(numbers, _mm_unpacklo_ps(even, odd));
            _mm_storeu_ps(numbers.add(4), _mm_unpackhi_ps(even, odd));
        }
    }

    #[inline(always)]
    unsafe fn transpose(lines: [*const f32; SIDE], count: usize, out: *mut f32, pitch: usize) {
        // SAFETY: every x86-64 processor has SSE; eight numbers are at each of the lines that count, and there is room
        // for eight at each column.
        unsafe { Portable::transpose(lines, count, out, pitch) }
    }
}
