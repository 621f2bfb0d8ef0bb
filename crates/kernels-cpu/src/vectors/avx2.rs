//! Vectors of eight numbers, with fused multiply-add.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::level::{Vectorised, with_avx2};
use super::sse::Sse;
use super::{SIDE, Vectors};

/// Vectors of eight numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2;

impl Vectors for Avx2 {
    type Element = f32;
    type Factors = __m256;
    type Sums = __m256;
    type Half = Sse;
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn vectorise<W: Vectorised>(work: W) -> W::Output {
        // SAFETY: AVX2 and FMA are supported.
        unsafe { with_avx2(work) }
    }

    #[inline(always)]
    unsafe fn all(number: f32) -> __m256 {
        // SAFETY: AVX2 and FMA are supported.
        unsafe { _mm256_set1_ps(number) }
    }

    #[inline(always)]
    unsafe fn read(numbers: *const f32) -> __m256 {
        // SAFETY: AVX2 and FMA are supported; eight numbers are at `numbers`.
        unsafe { _mm256_loadu_ps(numbers) }
    }

    #[inline(always)]
    unsafe fn write(sums: __m256, numbers: *mut f32) {
        // SAFETY: AVX2 and FMA are supported; there is room for eight numbers at `numbers`.
        unsafe { _mm256_storeu_ps(numbers, sums) }
    }

    #[inline(always)]
    unsafe fn load(elements: *const f32) -> __m256 {
        // SAFETY: AVX2 and FMA are supported; eight elements are at `elements`.
        unsafe { _mm256_loadu_ps(elements) }
    }

    #[inline(always)]
    unsafe fn load_halves([low, high]: [*const f32; 2]) -> __m256 {
        // SAFETY: AVX2 and FMA are supported; four elements are at each place.
        unsafe { _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high)) }
    }

    #[inline(always)]
    unsafe fn splat(element: *const f32) -> __m256 {
        // SAFETY: AVX2 and FMA are supported; an element is at `element`.
        unsafe { _mm256_broadcast_ss(&*element) }
    }

    #[inline(always)]
    unsafe fn multiply_add(left: __m256, right: __m256, sums: __m256) -> __m256 {
        // SAFETY: AVX2 and FMA are supported.
        unsafe { _mm256_fmadd_ps(left, right, sums) }
    }

    #[inline(always)]
    unsafe fn add(a: __m256, b: __m256) -> __m256 {
        // SAFETY: AVX2 and FMA are supported.
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn subtract(a: __m256, b: __m256) -> __m256 {
        // SAFETY: AVX2 and FMA are supported.
        unsafe { _mm256_sub_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn at_least(floor: __m256, sums: __m256) -> __m256 {
        // SAFETY: AVX2 and FMA are supported.
        unsafe { _mm256_max_ps(floor, sums) }
    }

    #[inline(always)]
    unsafe fn write_interleaved(even: __m256, odd: __m256, numbers: *mut f32) {
        // SAFETY: AVX2 and FMA are supported; there is room for two vectors at `numbers`.
        unsafe {
            let (low, high) = (_mm256_unpacklo_ps(even, odd), _mm256_unpackhi_ps(even, odd));
            _mm256_storeu_ps(numbers, _mm256_permute2f128_ps::<0x20>(low, high));
            _mm256_storeu_ps(numbers.add(8), _mm256_permute2f128_ps::<0x31>(low, high));
        }
    }

    #[inline(always)]
    unsafe fn transpose(lines: [*const f32; SIDE], count: usize, out: *mut f32, pitch: usize) {
        // SAFETY: AVX2 and FMA are supported; eight numbers are at each of the lines that count, and there is room for
        // eight at each column.
        unsafe { transpose(lines, count, out, pitch) }
    }
}

/// [`Vectors::transpose`]
///
/// # Safety
/// AVX2 is supported, [`SIDE`] numbers are at each of the first `count` lines, and there is room for as many at each
/// column of `out`.
#[inline(always)]
pub(super) unsafe fn transpose(lines: [*const f32; SIDE], count: usize, out: *mut f32, pitch: usize) {
    // SAFETY: AVX2 and FMA are supported; eight numbers are at each of the lines that count, and there is room for
    // eight at each column.
    unsafe {
        let rows: [__m256; SIDE] =
            std::array::from_fn(|line| if line < count { _mm256_loadu_ps(lines[line]) } else { _mm256_setzero_ps() });
        // Pairs of rows, then fours, then halves.
        let pairs: [__m256; SIDE] = std::array::from_fn(|i| {
            let (a, b) = (rows[i / 2 * 2], rows[i / 2 * 2 + 1]);
            if i % 2 == 0 { _mm256_unpacklo_ps(a, b) } else { _mm256_unpackhi_ps(a, b) }
        });
        let fours: [__m256; SIDE] = std::array::from_fn(|i| {
            let (a, b) = (pairs[i / 4 * 4 + i % 4 / 2], pairs[i / 4 * 4 + i % 4 / 2 + 2]);
            if i % 2 == 0 { _mm256_shuffle_ps::<0x44>(a, b) } else { _mm256_shuffle_ps::<0xee>(a, b) }
        });
        for column in 0..SIDE {
            let (a, b) = (fours[column % 4], fours[column % 4 + 4]);
            let numbers =
                if column < 4 { _mm256_permute2f128_ps::<0x20>(a, b) } else { _mm256_permute2f128_ps::<0x31>(a, b) };
            _mm256_storeu_ps(out.add(column * pitch), numbers);
        }
    }
}
