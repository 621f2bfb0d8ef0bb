//! Float32 matrices as tiles of bfloat16.
//!
//! A tile of a left operand has 16 rows of 16 pairs `(k, k + 1)`; a tile of a right operand has 16 such pairs of rows of 16 columns.
//! One is the transpose of the other as a matrix of pairs, so that one routine packs both.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::amx::{BLOCK, DEPTH, TILE};
use super::{Matrix, Precision};

/// Which way a tile lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Rows of the left operand.
    Left,
    /// Columns of the right operand.
    Right,
}

/// Packs rows `first .. first + 32` of `matrix` (zeros beyond the last), columns `depth.0 .. depth.1`; the columns are what the
/// product sums over. A right operand is given transposed.
///
/// # Safety
/// The processor has AVX-512 F, BW and BF16.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(crate) unsafe fn pack(
    matrix: &Matrix<'_>,
    first: usize,
    depth: (usize, usize),
    side: Side,
    precision: Precision,
    panel: &mut [u16],
) {
    assert!(panel.len() >= precision.panel(depth.1 - depth.0));
    // SAFETY: AVX-512 F, BW and BF16 are supported.
    unsafe {
        match precision {
            Precision::Float32 => pack_parts::<3>(matrix, first, depth, side, panel),
            Precision::Bfloat16 => pack_parts::<1>(matrix, first, depth, side, panel),
        }
    }
}

/// # Safety
/// The processor has AVX-512 F, BW and BF16.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn pack_parts<const PARTS: usize>(
    matrix: &Matrix<'_>,
    first: usize,
    depth: (usize, usize),
    side: Side,
    panel: &mut [u16],
) {
    let [row_stride, column_stride] = matrix.strides();
    let along_rows = row_stride == 1 && column_stride != 1;
    let steps = (depth.1 - depth.0).div_ceil(DEPTH);
    for (step, tiles) in panel.chunks_exact_mut(PARTS * 2 * TILE).take(steps).enumerate() {
        let start = depth.0 + step * DEPTH;
        let columns = DEPTH.min(depth.1 - start);
        for half in 0..BLOCK / 16 {
            let row = first + half * 16;
            let rows = matrix.rows().saturating_sub(row).min(16);
            // SAFETY: part `p` of half `half` is tile `2 p + half` of the `2 PARTS` tiles of a step, which `tiles` has;
            // the panel is aligned to 64 bytes, and a tile is a multiple of that. Rows and columns are cut to those of
            // the matrix.
            unsafe {
                let target = tiles.as_mut_ptr().add(half * TILE).cast::<__m512i>();
                if rows == 0 {
                    for part in 0..PARTS {
                        (0..16).for_each(|index| {
                            _mm512_store_si512(target.add(part * 32 + index), _mm512_setzero_si512());
                        });
                    }
                    continue;
                }
                if along_rows {
                    pairs_of_rows::<PARTS>(matrix, (row, rows), (start, columns), target);
                } else {
                    pairs_of_columns::<PARTS>(matrix, (row, rows), (start, columns), target);
                }
                // Pairs were gathered in rows of pairs of `k` in one case, of columns in the other; the other side wants the transpose.
                if along_rows == (side == Side::Left) {
                    for part in 0..PARTS {
                        transpose(target.add(part * 32));
                    }
                }
            }
        }
    }
}

/// A tile out of a matrix whose rows are next to each other: a vector holds a column of sixteen, two columns make sixteen pairs.
///
/// # Safety
/// The processor has AVX-512 F, BW and BF16, rows and columns are inside the matrix, and at `target` there is room for 16
/// aligned vectors of each part, parts 32 vectors apart.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
#[inline]
unsafe fn pairs_of_rows<const PARTS: usize>(
    matrix: &Matrix<'_>,
    (row, rows): (usize, usize),
    (column, columns): (usize, usize),
    target: *mut __m512i,
) {
    let column_stride = matrix.strides()[1];
    let mask = u16::MAX >> (16 - rows);
    // SAFETY: the rows of a column are neighbours, and the mask ends at the last one.
    let load = |k: usize| unsafe {
        _mm512_maskz_loadu_ps(mask, matrix.data().as_ptr().add(row + (column + k) * column_stride))
    };
    let upper = _mm512_set1_epi32(0xffff_0000_u32 as i32);
    let interleaved = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1,
        16, 0,
    );
    for pair in 0..16 {
        let first = if 2 * pair < columns { load(2 * pair) } else { _mm512_setzero_ps() };
        let second = if 2 * pair + 1 < columns { load(2 * pair + 1) } else { _mm512_setzero_ps() };
        if PARTS == 1 {
            // Sixteen of the first, then sixteen of the second.
            let pairs = _mm512_permutexvar_epi16(interleaved, joined(first, second));
            // SAFETY: there is room for 16 aligned vectors.
            unsafe { _mm512_store_si512(target.add(pair), pairs) };
            continue;
        }
        let (first, second) = (split::<PARTS>(first), split::<PARTS>(second));
        for part in 0..PARTS {
            let words = _mm512_or_si512(_mm512_srli_epi32::<16>(first[part]), _mm512_and_si512(second[part], upper));
            // SAFETY: there is room for 16 aligned vectors of each part, 32 vectors apart.
            unsafe { _mm512_store_si512(target.add(part * 32 + pair), words) };
        }
    }
}

/// A tile out of any matrix, best one whose columns are next to each other.
///
/// # Safety
/// The processor has AVX-512 F, BW and BF16, rows and columns are inside the matrix, and at `target` there is room for 16
/// aligned vectors of each part, parts 32 vectors apart.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
#[inline]
unsafe fn pairs_of_columns<const PARTS: usize>(
    matrix: &Matrix<'_>,
    (row, rows): (usize, usize),
    (column, columns): (usize, usize),
    target: *mut __m512i,
) {
    let [row_stride, column_stride] = matrix.strides();
    let masks = (u16::MAX >> (16 - columns.min(16)), ((1_u32 << columns.saturating_sub(16)) - 1) as u16);
    let odd = _mm512_set_epi16(
        63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33, 31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9,
        7, 5, 3, 1,
    );
    for index in 0..16 {
        let (first, second) = if index >= rows {
            (_mm512_setzero_ps(), _mm512_setzero_ps())
        } else if column_stride == 1 {
            // SAFETY: the columns of a row are neighbours, and the masks end at the last one.
            unsafe {
                let start = matrix.data().as_ptr().wrapping_add((row + index) * row_stride + column);
                (_mm512_maskz_loadu_ps(masks.0, start), _mm512_maskz_loadu_ps(masks.1, start.wrapping_add(16)))
            }
        } else {
            let mut values = [0.0_f32; 32];
            for (k, value) in values[..columns].iter_mut().enumerate() {
                *value = matrix.get(row + index, column + k);
            }
            // SAFETY: `values` are 32 numbers.
            unsafe { (_mm512_loadu_ps(values.as_ptr()), _mm512_loadu_ps(values.as_ptr().add(16))) }
        };
        if PARTS == 1 {
            // SAFETY: there is room for 16 aligned vectors.
            unsafe { _mm512_store_si512(target.add(index), joined(first, second)) };
            continue;
        }
        let (first, second) = (split::<PARTS>(first), split::<PARTS>(second));
        for part in 0..PARTS {
            // SAFETY: there is room for 16 aligned vectors of each part, 32 vectors apart.
            unsafe {
                _mm512_store_si512(
                    target.add(part * 32 + index),
                    _mm512_permutex2var_epi16(first[part], odd, second[part]),
                );
            }
        }
    }
}

/// Thirty-two numbers as bfloat16, rounded to nearest.
#[target_feature(enable = "avx512f,avx512bf16")]
#[inline]
fn joined(first: __m512, second: __m512) -> __m512i {
    // SAFETY: both are 64 bytes of which any bits are a value.
    unsafe { std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(second, first)) }
}

/// A number as the sum of bfloat16 numbers in the upper halves of words.
#[target_feature(enable = "avx512f")]
#[inline]
fn split<const PARTS: usize>(x: __m512) -> [__m512i; PARTS] {
    let upper = _mm512_set1_epi32(0xffff_0000_u32 as i32);
    let half = _mm512_set1_epi32(0x8000);
    let mut parts = [_mm512_setzero_si512(); PARTS];
    let mut rest = x;
    for part in &mut parts[..PARTS - 1] {
        *part = _mm512_and_si512(_mm512_add_epi32(_mm512_castps_si512(rest), half), upper);
        rest = _mm512_sub_ps(rest, _mm512_castsi512_ps(*part));
    }
    parts[PARTS - 1] = _mm512_castps_si512(rest);
    parts
}

/// Transposes a 16 x 16 matrix of words.
///
/// # Safety
/// The processor has AVX-512 F, and 16 aligned vectors are at `rows`.
#[target_feature(enable = "avx512f")]
#[inline]
pub(crate) unsafe fn transpose(rows: *mut __m512i) {
    // SAFETY: 16 aligned vectors are at `rows`.
    let r: [__m512i; 16] = std::array::from_fn(|i| unsafe { _mm512_load_si512(rows.add(i)) });
    let mut t = r;
    for i in 0..8 {
        t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
    }
    let mut s = t;
    for i in 0..4 {
        let j = 4 * i;
        s[j] = _mm512_unpacklo_epi64(t[j], t[j + 2]);
        s[j + 1] = _mm512_unpackhi_epi64(t[j], t[j + 2]);
        s[j + 2] = _mm512_unpacklo_epi64(t[j + 1], t[j + 3]);
        s[j + 3] = _mm512_unpackhi_epi64(t[j + 1], t[j + 3]);
    }
    // `s[4 i + c]` holds column `c + 4 l` of rows `4 i .. 4 i + 4` in its quarter `l`.
    let mut out = t;
    for c in 0..4 {
        let a = _mm512_shuffle_i32x4::<0x88>(s[c], s[4 + c]);
        let b = _mm512_shuffle_i32x4::<0xdd>(s[c], s[4 + c]);
        let d = _mm512_shuffle_i32x4::<0x88>(s[8 + c], s[12 + c]);
        let e = _mm512_shuffle_i32x4::<0xdd>(s[8 + c], s[12 + c]);
        out[c] = _mm512_shuffle_i32x4::<0x88>(a, d);
        out[c + 4] = _mm512_shuffle_i32x4::<0x88>(b, e);
        out[c + 8] = _mm512_shuffle_i32x4::<0xdd>(a, d);
        out[c + 12] = _mm512_shuffle_i32x4::<0xdd>(b, e);
    }
    for (i, row) in out.into_iter().enumerate() {
        // SAFETY: 16 aligned vectors are at `rows`.
        unsafe { _mm512_store_si512(rows.add(i), row) };
    }
}
