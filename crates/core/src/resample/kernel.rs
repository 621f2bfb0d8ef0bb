//! The inner loops, compiled for each kind of vector unit. They add and multiply in the same order on all of them, so every
//! machine gives the same pixels.
#![allow(unsafe_code, reason = "calling functions that are compiled for vector units which were found to be there")]
#![allow(clippy::inline_always, reason = "a body must be compiled anew in each of the functions that call it")]

use std::ops::Range;

use super::colour::Colour;
use super::filter::Filter;
use super::planes::Samples;

/// Rows that are worked on side by side.
pub(super) const LANES: usize = 16;

/// Working memory: rows that were filtered down, not yet across.
#[derive(Default)]
pub(super) struct Strip {
    /// One row.
    line: Vec<f32>,
    /// `[columns][LANES]`.
    columns: Vec<f32>,
}

/// Calls the best of three builds of a function.
macro_rules! dispatch {
    ($body:ident, $avx512:ident, $avx2:ident, ($($argument:ident: $kind:ty),*)) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
        fn $avx512($($argument: $kind),*) {
            $body($($argument),*);
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        fn $avx2($($argument: $kind),*) {
            $body($($argument),*);
        }
    };
}

dispatch!(filter_body, filter_avx512, filter_avx2, (
    samples: &Samples<'_>, down: &Filter, across: &Filter, rows: Range<usize>, strip: &mut Strip, out: &mut [f32]
));
dispatch!(write_body, write_avx512, write_avx2, (
    colour: Colour, planes: &[Vec<f32>; 3], columns: usize, rows: usize, target: &mut [u8]
));

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
}

/// Filters a plane down and across for some output rows (at most [`LANES`]), into `out`, `[columns][LANES]`.
pub(super) fn filter(
    samples: &Samples<'_>,
    down: &Filter,
    across: &Filter,
    rows: Range<usize>,
    strip: &mut Strip,
    out: &mut [f32],
) {
    #[cfg(target_arch = "x86_64")]
    {
        if has_avx512() {
            // SAFETY: the processor has these vector units.
            return unsafe { filter_avx512(samples, down, across, rows, strip, out) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has these vector units.
            return unsafe { filter_avx2(samples, down, across, rows, strip, out) };
        }
    }
    filter_body(samples, down, across, rows, strip, out);
}

/// Joins finished planes, `[columns][LANES]` each, to `rows` rows of RGB.
pub(super) fn write(colour: Colour, planes: &[Vec<f32>; 3], columns: usize, rows: usize, target: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    {
        if has_avx512() {
            // SAFETY: the processor has these vector units.
            return unsafe { write_avx512(colour, planes, columns, rows, target) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has these vector units.
            return unsafe { write_avx2(colour, planes, columns, rows, target) };
        }
    }
    write_body(colour, planes, columns, rows, target);
}

#[inline(always)]
fn filter_body(
    samples: &Samples<'_>,
    down: &Filter,
    across: &Filter,
    rows: Range<usize>,
    strip: &mut Strip,
    out: &mut [f32],
) {
    let span = across.span();
    strip.line.resize(span.len(), 0.0);
    strip.columns.resize(span.len() * LANES, 0.0);
    for (lane, row) in rows.enumerate() {
        strip.line.fill(0.0);
        for (tap, &weight) in down.weights(row).iter().enumerate() {
            let source = down.first[row] + tap;
            match samples {
                Samples::Bytes { data, stride } => {
                    let line = &data[source * stride + span.start..][..span.len()];
                    for (sum, &sample) in strip.line.iter_mut().zip(line) {
                        *sum += weight * f32::from(sample);
                    }
                }
                Samples::Words { data, stride, unit } => {
                    let weight = weight * unit;
                    let line = &data[source * stride + span.start * 2..][..span.len() * 2];
                    for (sum, &sample) in strip.line.iter_mut().zip(line.as_chunks::<2>().0) {
                        *sum += weight * f32::from(u16::from_le_bytes(sample));
                    }
                }
            }
        }
        for (column, &value) in strip.columns.as_chunks_mut::<LANES>().0.iter_mut().zip(&strip.line) {
            column[lane] = value;
        }
    }
    let (columns, _) = strip.columns.as_chunks::<LANES>();
    for (place, sums) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let first = across.first[place] - span.start;
        let mut total = [0.0; LANES];
        for (&weight, column) in across.weights(place).iter().zip(&columns[first..]) {
            for (sum, value) in total.iter_mut().zip(column) {
                *sum += weight * value;
            }
        }
        *sums = total;
    }
}

#[inline(always)]
fn write_body(colour: Colour, planes: &[Vec<f32>; 3], columns: usize, rows: usize, target: &mut [u8]) {
    let [a, b, c] = planes.each_ref().map(|plane| plane.as_chunks::<LANES>().0);
    for (place, ((a, b), c)) in a.iter().zip(b).zip(c).enumerate() {
        let mut pixels = [[0_u8; LANES]; 3];
        match colour {
            Colour::Rgb => {
                for lane in 0..LANES {
                    pixels[0][lane] = round(a[lane]);
                    pixels[1][lane] = round(b[lane]);
                    pixels[2][lane] = round(c[lane]);
                }
            }
            Colour::Yuv { black, gain, red_v, green_u, green_v, blue_u } => {
                for lane in 0..LANES {
                    let (luma, u, v) = ((a[lane] - black) * gain, b[lane] - 128.0, c[lane] - 128.0);
                    pixels[0][lane] = round(luma + red_v * v);
                    pixels[1][lane] = round(luma + green_u * u + green_v * v);
                    pixels[2][lane] = round(luma + blue_u * u);
                }
            }
        }
        let [red, green, blue] = pixels;
        for (lane, ((red, green), blue)) in red.into_iter().zip(green).zip(blue).take(rows).enumerate() {
            let start = (lane * columns + place) * 3;
            target[start..start + 3].copy_from_slice(&[red, green, blue]);
        }
    }
}

/// To the nearest byte. Adding 2^23 leaves the integer in the lowest bits of the number's own.
#[inline(always)]
fn round(value: f32) -> u8 {
    (value.clamp(0.0, 255.0) + 8_388_608.0).to_bits() as u8
}
