//! Vectors of sixteen numbers, or of as many pairs of bfloat16.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::level::{Vectorised, with_avx512, with_avx512_bf16};
use super::avx2::Avx2;
use super::element::Pair;
use super::{SIDE, Vectors, avx2};

/// Vectors of sixteen numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512;

/// Vectors of sixteen pairs of bfloat16, whose products are added up in float32.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512Bf16;

impl Vectors for Avx512 {
    type Element = f32;
    type Factors = __m512;
    type Sums = __m512;
    type Half = Avx2;
    const LANES: usize = 16;

    #[inline(always)]
    unsafe fn vectorise<W: Vectorised>(work: W) -> W::Output {
        // SAFETY: AVX-512 is supported.
        unsafe { with_avx512(work) }
    }

    #[inline(always)]
    unsafe fn all(number: f32) -> __m512 {
        // SAFETY: AVX-512 is supported.
        unsafe { _mm512_set1_ps(number) }
    }

    #[inline(always)]
    unsafe fn read(numbers: *const f32) -> __m512 {
        // SAFETY: AVX-512 is supported; sixteen numbers are at `numbers`.
        unsafe { _mm512_loadu_ps(numbers) }
    }

    #[inline(always)]
    unsafe fn write(sums: __m512, numbers: *mut f32) {
        // SAFETY: AVX-512 is supported; there is room for sixteen numbers at `numbers`.
        unsafe { _mm512_storeu_ps(numbers, sums) }
    }

    #[inline(always)]
    unsafe fn load(elements: *const f32) -> __m512 {
        // SAFETY: AVX-512 is supported; sixteen elements are at `elements`.
        unsafe { _mm512_loadu_ps(elements) }
    }

    #[inline(always)]
    unsafe fn load_halves([low, high]: [*const f32; 2]) -> __m512 {
        // SAFETY: AVX-512 is supported; eight elements are at each place.
        unsafe { _mm512_insertf32x8::<1>(_mm512_castps256_ps512(_mm256_loadu_ps(low)), _mm256_loadu_ps(high)) }
    }

    #[inline(always)]
    unsafe fn splat(element: *const f32) -> __m512 {
        // SAFETY: AVX-512 is supported; an element is at `element`.
        unsafe { _mm512_set1_ps(*element) }
    }

    #[inline(always)]
    unsafe fn multiply_add(left: __m512, right: __m512, sums: __m512) -> __m512 {
        // SAFETY: AVX-512 is supported.
        unsafe { _mm512_fmadd_ps(left, right, sums) }
    }

    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        // SAFETY: AVX-512 is supported.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn subtract(a: __m512, b: __m512) -> __m512 {
        // SAFETY: AVX-512 is supported.
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    unsafe fn at_least(floor: __m512, sums: __m512) -> __m512 {
        // SAFETY: AVX-512 is supported.
        unsafe { _mm512_max_ps(floor, sums) }
    }

    #[inline(always)]
    unsafe fn write_interleaved(even: __m512, odd: __m512, numbers: *mut f32) {
        // SAFETY: AVX-512 is supported; there is room for two vectors at `numbers`.
        unsafe {
            let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
            _mm512_storeu_ps(numbers, _mm512_permutex2var_ps(even, low, odd));
            _mm512_storeu_ps(numbers.add(16), _mm512_permutex2var_ps(even, high, odd));
        }
    }

    #[inline(always)]
    unsafe fn transpose(lines: [*const f32; SIDE], count: usize, out: *mut f32, pitch: usize) {
        // SAFETY: AVX-512 is supported; eight numbers are at each of the lines that count, and there is room for eight
        // at each column.
        unsafe { avx2::transpose(lines, count, out, pitch) }
    }
}

impl Vectors for Avx512Bf16 {
    type Element = Pair;
    type Factors = __m512i;
    type Sums = __m512;
    type Half = Avx2;
    const LANES: usize = 16;

    #[inline(always)]
    unsafe fn vectorise<W: Vectorised>(work: W) -> W::Output {
        // SAFETY: AVX-512 with BF16 is supported.
        unsafe { with_avx512_bf16(work) }
    }

    #[inline(always)]
    unsafe fn all(number: f32) -> __m512 {
        // SAFETY: AVX-512 with BF16 is supported.
        unsafe { Avx512::all(number) }
    }

    #[inline(always)]
    unsafe fn read(numbers: *const f32) -> __m512 {
        // SAFETY: AVX-512 with BF16 is supported; sixteen numbers are at `numbers`.
        unsafe { Avx512::read(numbers) }
    }

    #[inline(always)]
    unsafe fn write(sums: __m512, numbers: *mut f32) {
        // SAFETY: AVX-512 with BF16 is supported; there is room for sixteen numbers at `numbers`.
        unsafe { Avx512::write(sums, numbers) }
    }

    #[inline(always)]
    unsafe fn load(elements: *const Pair) -> __m512i {
        // SAFETY: AVX-512 with BF16 is supported; sixteen elements are at `elements`.
        unsafe { _mm512_loadu_si512(elements.cast()) }
    }

    #[inline(always)]
    unsafe fn load_halves([low, high]: [*const Pair; 2]) -> __m512i {
        // SAFETY: AVX-512 with BF16 is supported; eight elements are at each place.
        unsafe {
            let (low, high) = (_mm256_loadu_si256(low.cast()), _mm256_loadu_si256(high.cast()));
            _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high)
        }
    }

    #[inline(always)]
    unsafe fn splat(element: *const Pair) -> __m512i {
        // SAFETY: AVX-512 with BF16 is supported; an element is at `element`.
        unsafe { _mm512_set1_epi32(element.cast::<i32>().read()) }
    }

    #[inline(always)]
    unsafe fn multiply_add(left: __m512i, right: __m512i, sums: __m512) -> __m512 {
        // SAFETY: AVX-512 with BF16 is supported; both types are 512 bits.
        unsafe {
            let (left, right) =
                (std::mem::transmute::<__m512i, __m512bh>(left), std::mem::transmute::<__m512i, __m512bh>(right));
            _mm512_dpbf16_ps(sums, left, right)
        }
    }

    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        // SAFETY: AVX-512 with BF16 is supported.
        unsafe { Avx512::add(a, b) }
    }

    #[inline(always)]
    unsafe fn subtract(a: __m512, b: __m512) -> __m512 {
        // SAFETY: AVX-512 with BF16 is supported.
        unsafe { Avx512::subtract(a, b) }
    }

    #[inline(always)]
    unsafe fn at_least(floor: __m512, sums: __m512) -> __m512 {
        // SAFETY: AVX-512 with BF16 is supported.
        unsafe { Avx512::at_least(floor, sums) }
    }

    #[inline(always)]
    unsafe fn write_interleaved(even: __m512, odd: __m512, numbers: *mut f32) {
        // SAFETY: AVX-512 with BF16 is supported; there is room for two vectors at `numbers`.
        unsafe { Avx512::write_interleaved(even, odd, numbers) }
    }

    #[inline(always)]
    unsafe fn transpose(lines: [*const f32; SIDE], count: usize, out: *mut f32, pitch: usize) {
        // SAFETY: AVX-512 with BF16 is supported; eight numbers are at each of the lines that count, and there is room
        // for eight at each column.
        unsafe { avx2::transpose(lines, count, out, pitch) }
    }
}

/// The words of two halves of a vector, interleaved.
const INTERLEAVED: [u16; 32] = {
    let mut order = [0; 32];
    let mut place = 0;
    while place < 32 {
        order[place] = (place / 2 + place % 2 * 16) as u16;
        place += 1;
    }
    order
};

/// Rounds up to sixteen numbers at each of two places to pairs: those that the mask names, and zeros.
///
/// # Safety
/// The processor has AVX-512 F, BW and BF16, and the numbers are there.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
#[inline]
unsafe fn join(mask: u16, first: *const f32, second: *const f32) -> __m512i {
    // SAFETY: AVX-512 with BF16 is supported, and the numbers that the mask names are there; all types are 512 bits.
    unsafe {
        let order = _mm512_loadu_si512(INTERLEAVED.as_ptr().cast());
        let (first, second) = (_mm512_maskz_loadu_ps(mask, first), _mm512_maskz_loadu_ps(mask, second));
        let halves = std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(second, first));
        _mm512_permutexvar_epi16(order, halves)
    }
}

/// Rounds the numbers of two lines to pairs, one of each line.
///
/// # Safety
/// The processor has AVX-512 F, BW and BF16.
///
/// # Panics
/// If a line is shorter than the pairs.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
#[inline]
pub(super) unsafe fn join_lines(first: &[f32], second: &[f32], elements: &mut [Pair]) {
    let length = elements.len();
    assert!(first.len() >= length && second.len() >= length, "numbers for {length} pairs");
    for start in (0..length).step_by(16) {
        let mask = u16::MAX >> (16 - (length - start).min(16));
        // SAFETY: AVX-512 with BF16 is supported; the mask ends at the last pair, for which there are numbers by the
        // assertion.
        unsafe {
            let pairs = join(mask, first.as_ptr().add(start), second.as_ptr().add(start));
            _mm512_mask_storeu_epi32(elements.as_mut_ptr().add(start).cast(), mask, pairs);
        }
    }
}

/// As [`join_lines`], the pairs of even and odd places apart.
///
/// # Safety
/// The processor has AVX-512 F, BW and BF16.
///
/// # Panics
/// If a line is too short.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
#[inline]
pub(super) unsafe fn join_deinterleaved(first: &[f32], second: &[f32], even: &mut [Pair], odd: &mut [Pair]) {
    let length = (2 * even.len()).saturating_sub(1).max(2 * odd.len());
    assert!(first.len() >= length && second.len() >= length, "{length} numbers to deinterleave");
    let order = |odd: i32| {
        _mm512_add_epi32(
            _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0),
            _mm512_set1_epi32(odd),
        )
    };
    let orders = [order(0), order(1)];
    let mask = |count: usize| u32::MAX.checked_shr(32 - count.min(32) as u32).unwrap_or(0);
    for start in (0..length).step_by(32) {
        let numbers = mask(length - start);
        // SAFETY: AVX-512 with BF16 is supported; the masks end at the last number, which is there by the assertion,
        // and the last pair.
        unsafe {
            let (first, second) = (first.as_ptr().wrapping_add(start), second.as_ptr().wrapping_add(start));
            let low = join(numbers as u16, first, second);
            let high = join((numbers >> 16) as u16, first.wrapping_add(16), second.wrapping_add(16));
            for (out, order) in [&mut *even, &mut *odd].into_iter().zip(orders) {
                let pairs = _mm512_permutex2var_epi32(low, order, high);
                let mask = mask(out.len().saturating_sub(start / 2)) as u16;
                _mm512_mask_storeu_epi32(out.as_mut_ptr().wrapping_add(start / 2).cast(), mask, pairs);
            }
        }
    }
}

/// Rounds neighbouring numbers to pairs, as many as fill vectors; gives the number of pairs.
///
/// # Safety
/// The processor has AVX-512 F and BF16.
#[target_feature(enable = "avx512f,avx512bf16")]
#[inline]
pub(super) unsafe fn join_neighbours(numbers: &[f32], elements: &mut [Pair]) -> usize {
    let (numbers, _) = numbers.as_chunks::<32>();
    let (elements, _) = elements.as_chunks_mut::<16>();
    for (numbers, elements) in numbers.iter().zip(&mut *elements) {
        // SAFETY: AVX-512 with BF16 is supported; two vectors are read of 32 numbers, and one is written to 16 pairs;
        // both types are 512 bits.
        unsafe {
            let (low, high) = (_mm512_loadu_ps(numbers.as_ptr()), _mm512_loadu_ps(numbers.as_ptr().add(16)));
            let pairs = std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low));
            _mm512_storeu_si512(elements.as_mut_ptr().cast(), pairs);
        }
    }
    16 * numbers.len().min(elements.len())
}
