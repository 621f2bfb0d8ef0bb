//! Images from `[images, channels, height, width]` in float32 to the orders that tiles read, in bfloat16.
//!
//! # Safety
//! Every function needs the processor's AVX-512 with BF16, and room for what it writes.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::super::pack::transpose;
use super::GROUP;

/// Sixteen images as planes of pixels.
#[derive(Clone, Copy)]
pub(super) struct Planes<'a> {
    /// `[images, channels, height, width]` of at most [`GROUP`] images.
    pub(super) numbers: &'a [f32],
    pub(super) channels: usize,
    pub(super) size: [usize; 2],
}

impl Planes<'_> {
    fn images(&self) -> usize {
        self.numbers.len() / (self.channels * self.size[0] * self.size[1])
    }

    /// Reads `count` columns from `column` on of a row: of the channels from `first` on of an image, with zeros for those that are not
    /// there.
    ///
    /// # Safety
    /// See the module; the columns are inside.
    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn channels_of(
        &self,
        image: usize,
        first: usize,
        [row, column]: [usize; 2],
        count: usize,
        out: &mut Square,
    ) {
        let [height, width] = self.size;
        let there = if image < self.images() { self.channels.saturating_sub(first) } else { 0 };
        let start = ((image * self.channels + first) * height + row) * width + column;
        // SAFETY: the columns of a row of a channel that is there are inside.
        unsafe { out.read(self.numbers, start, height * width, there, count) };
    }

    /// As [`Self::channels_of`], of a channel of all images.
    ///
    /// # Safety
    /// See the module; the columns are inside.
    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn images_of(&self, channel: usize, [row, column]: [usize; 2], count: usize, out: &mut Square) {
        let [height, width] = self.size;
        let there = if channel < self.channels { self.images() } else { 0 };
        let start = (channel * height + row) * width + column;
        // SAFETY: the columns of a row of an image that is there are inside.
        unsafe { out.read(self.numbers, start, self.channels * height * width, there, count) };
    }
}

/// Sixteen rows of sixteen numbers.
#[repr(align(64))]
pub(super) struct Square(pub(super) [[f32; 16]; 16]);

impl Square {
    pub(super) const ZERO: Self = Self([[0.0; 16]; 16]);

    /// Reads sixteen rows of `count` numbers, `pitch` apart, of which the first `there` exist; the others become zeros.
    ///
    /// # Safety
    /// See the module; those that exist are inside.
    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn read(&mut self, numbers: &[f32], start: usize, pitch: usize, there: usize, count: usize) {
        let mask = u16::MAX >> (16 - count.min(16));
        for (index, row) in self.0.iter_mut().enumerate() {
            let mask = if index < there { mask } else { 0 };
            // SAFETY: the numbers under the mask are inside; a row is a vector.
            unsafe {
                let vector = _mm512_maskz_loadu_ps(mask, numbers.as_ptr().wrapping_add(start + index * pitch));
                _mm512_store_ps(row.as_mut_ptr(), vector);
            }
        }
    }

    /// Reads sixteen rows of sixteen numbers, `pitch` apart, and makes columns of them.
    ///
    /// # Safety
    /// See the module; they are there.
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(super) unsafe fn gather(&mut self, numbers: *const f32, pitch: usize) {
        for (index, row) in self.0.iter_mut().enumerate() {
            // SAFETY: sixteen numbers are there; a row is a vector.
            unsafe { _mm512_store_ps(row.as_mut_ptr(), _mm512_loadu_ps(numbers.add(index * pitch))) };
        }
        // SAFETY: AVX-512 is supported.
        unsafe { self.transpose() };
    }

    /// Makes columns of the rows.
    ///
    /// # Safety
    /// See the module.
    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn transpose(&mut self) {
        // SAFETY: AVX-512 is supported; the square is sixteen aligned vectors.
        unsafe { transpose(self.0.as_mut_ptr().cast()) };
    }

    /// A row as bfloat16, rounded to nearest.
    ///
    /// # Safety
    /// See the module.
    #[target_feature(enable = "avx512f,avx512bf16,avx512vl")]
    #[inline]
    unsafe fn rounded(&self, row: usize) -> __m256i {
        // SAFETY: a row is an aligned vector; both kinds of vectors are 32 bytes of which any bits are a value.
        unsafe { std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(_mm512_load_ps(self.0[row].as_ptr()))) }
    }
}

/// Where pixels lie as rows of channels: `[height, GROUP, pitch, channels]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pixels {
    /// With those of zeros.
    pub(super) channels: usize,
    /// Columns of zeros before the first pixel.
    pub(super) left: usize,
    /// Columns of a row, those of zeros included.
    pub(super) pitch: usize,
    pub(super) height: usize,
}

impl Pixels {
    /// Numbers of all.
    pub(super) fn count(&self) -> usize {
        self.height * GROUP * self.pitch * self.channels
    }

    /// # Safety
    /// See the module; `out` has [`Self::count`] numbers.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    pub(super) unsafe fn write(&self, planes: Planes<'_>, out: &mut [u16]) {
        let Self { channels, left, pitch, height } = *self;
        let width = planes.size[1];
        assert!(out.len() == self.count() && left + width <= pitch && height == planes.size[0], "room for pixels");
        let (mask, mut square) = (u16::MAX >> (16 - channels.min(16)), Square::ZERO);
        // Row after row of a plane: what is read next can be foreseen.
        for (image, row) in (0..GROUP).flat_map(|image| (0..height).map(move |row| (image, row))) {
            let out = &mut out[(row * GROUP + image) * pitch * channels..][..pitch * channels];
            out[..left * channels].fill(0);
            out[(left + width) * channels..].fill(0);
            for first in (0..channels).step_by(16) {
                for column in (0..width).step_by(16) {
                    let count = (width - column).min(16);
                    // SAFETY: AVX-512 is supported, row and columns are those of the planes; the room for a pixel's channels from `first`
                    // on is inside `out`, and the mask ends with them.
                    unsafe {
                        planes.channels_of(image, first, [row, column], count, &mut square);
                        square.transpose();
                        for index in 0..count {
                            let place = (left + column + index) * channels + first;
                            _mm256_mask_storeu_epi16(out.as_mut_ptr().add(place).cast(), mask, square.rounded(index));
                        }
                    }
                }
            }
        }
    }
}

/// Where the numbers of a channel lie as rows of images: `[height, channels, pitch, GROUP]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Channels {
    /// With those of zeros.
    pub(super) channels: usize,
    /// Columns of a row, those of zeros behind it included.
    pub(super) pitch: usize,
    pub(super) height: usize,
}

impl Channels {
    /// Numbers of all.
    pub(super) fn count(&self) -> usize {
        self.height * self.channels * self.pitch * GROUP
    }

    /// # Safety
    /// See the module; `out` has [`Self::count`] numbers.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    pub(super) unsafe fn write(&self, planes: Planes<'_>, out: &mut [u16]) {
        let Self { channels, pitch, height } = *self;
        let (width, mut square) = (planes.size[1], Square::ZERO);
        assert!(out.len() == self.count() && width <= pitch && height == planes.size[0], "room for channels");
        for (channel, row) in (0..channels).flat_map(|channel| (0..height).map(move |row| (channel, row))) {
            let out = &mut out[(row * channels + channel) * pitch * GROUP..][..pitch * GROUP];
            out[width * GROUP..].fill(0);
            for column in (0..width).step_by(16) {
                let count = (width - column).min(16);
                // SAFETY: AVX-512 is supported, row and columns are those of the planes; the room for the columns is inside `out`.
                unsafe {
                    planes.images_of(channel, [row, column], count, &mut square);
                    square.transpose();
                    for index in 0..count {
                        let place = (column + index) * GROUP;
                        _mm256_storeu_si256(out.as_mut_ptr().add(place).cast(), square.rounded(index));
                    }
                }
            }
        }
    }
}

/// Where pixels lie as rows of channels of pairs of images: `[height, phases, pitch, GROUP / 2, channels]`, columns sorted by their
/// remainder modulo the phases.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pairs {
    /// With those of zeros.
    pub(super) channels: usize,
    /// Columns of zeros before the first of each phase.
    pub(super) left: usize,
    pub(super) phases: usize,
    /// Columns of a phase, those of zeros included.
    pub(super) pitch: usize,
    pub(super) height: usize,
}

impl Pairs {
    /// Numbers of a column.
    pub(super) fn column(&self) -> usize {
        GROUP * self.channels
    }

    /// Numbers of all.
    pub(super) fn count(&self) -> usize {
        self.height * self.phases * self.pitch * self.column()
    }

    /// # Safety
    /// See the module; `out` has [`Self::count`] numbers.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    pub(super) unsafe fn write(&self, planes: Planes<'_>, out: &mut [u16]) {
        let Self { channels, left, phases, pitch, height } = *self;
        let (width, one) = (planes.size[1], self.column());
        let mut pair_of = [Square::ZERO; 2];
        assert!(out.len() == self.count() && height == planes.size[0], "room for pairs");
        assert!(left + width.div_ceil(phases) <= pitch, "columns of a phase");
        for out in out.chunks_exact_mut(phases * pitch * one) {
            for (phase, out) in out.chunks_exact_mut(pitch * one).enumerate() {
                let there = width.saturating_sub(phase).div_ceil(phases);
                out[..left * one].fill(0);
                out[(left + there) * one..].fill(0);
            }
        }
        let parts = (0..GROUP / 2).flat_map(|pair| (0..channels).step_by(16).map(move |first| (pair, first)));
        for ((pair, first), row) in parts.flat_map(|part| (0..height).map(move |row| (part, row))) {
            let out = &mut out[row * phases * pitch * one..][..phases * pitch * one];
            for column in (0..width).step_by(16) {
                let count = (width - column).min(16);
                // SAFETY: AVX-512 is supported, row and columns are those of the planes; the room for a pair's sixteen channels is inside
                // `out`.
                unsafe {
                    for (image, square) in pair_of.iter_mut().enumerate() {
                        planes.channels_of(2 * pair + image, first, [row, column], count, square);
                        square.transpose();
                    }
                    for index in 0..count {
                        let [even, odd] = &pair_of;
                        let low = _mm512_cvtepu16_epi32(even.rounded(index));
                        let high = _mm512_cvtepu16_epi32(odd.rounded(index));
                        let words = _mm512_or_si512(low, _mm512_slli_epi32::<16>(high));
                        let column = column + index;
                        let place =
                            ((column % phases) * pitch + left + column / phases) * one + 2 * (pair * channels + first);
                        _mm512_storeu_si512(out.as_mut_ptr().add(place).cast(), words);
                    }
                }
            }
        }
    }
}
