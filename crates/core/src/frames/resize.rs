//! RGB pictures to another size, as torchvision and Pillow do it for bytes.
//!
//! Released models were trained and are judged on pictures that were resized this way: columns first, then rows, with bytes between the two
//! passes and weights of 16 bits (`aten/native/cpu/UpSampleKernelAVXAntialias.h` of `PyTorch`, after Pillow's `Resample.c`).

use serde::{Deserialize, Serialize};

/// What weighs the pixels; both are widened where the picture shrinks, so that nothing aliases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    /// A triangle.
    Bilinear,
    /// Keys' cubic with a = -0.5.
    Bicubic,
}

impl Kernel {
    /// How far it reaches.
    fn support(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
        }
    }

    fn weight(self, at: f64) -> f64 {
        const A: f64 = -0.5;
        let x = at.abs();
        match self {
            Self::Bilinear => (1.0 - x).max(0.0),
            Self::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
            Self::Bicubic => 0.0,
        }
    }
}

/// Brings a picture of `(columns, rows)` to another size.
///
/// # Shapes
/// - rgb: `[rows, columns, 3]`
/// - output: the same of the other size
///
/// # Panics
/// If there are not as many bytes, or a side is 0.
pub fn resize(rgb: &[u8], from: (usize, usize), to: (usize, usize), kernel: Kernel) -> Vec<u8> {
    assert_eq!(rgb.len(), from.0 * from.1 * 3, "bytes of a picture of {} x {}", from.0, from.1);
    assert!(from.0.min(from.1).min(to.0).min(to.1) > 0, "a picture of {from:?} to {to:?}");
    let across = if from.0 == to.0 { rgb.to_vec() } else { columns(rgb, from, &Taps::new(from.0, to.0, kernel)) };
    if from.1 == to.1 { across } else { rows(&across, to.0, &Taps::new(from.1, to.1, kernel)) }
}

/// As [`resize`], in floating point: nothing is rounded to bytes.
///
/// # Shapes
/// As [`resize`]; the output is of 0 to 255.
///
/// # Panics
/// As [`resize`].
pub fn resize_exact(rgb: &[u8], from: (usize, usize), to: (usize, usize), kernel: Kernel) -> Vec<f32> {
    assert_eq!(rgb.len(), from.0 * from.1 * 3, "bytes of a picture of {} x {}", from.0, from.1);
    assert!(from.0.min(from.1).min(to.0).min(to.1) > 0, "a picture of {from:?} to {to:?}");
    let mut across = Vec::with_capacity(from.1 * to.0 * 3);
    let taps = weights(from.0, to.0, kernel);
    for row in rgb.chunks_exact(from.0 * 3) {
        for (first, weights) in &taps {
            let mut pixel = [0.0; 3];
            for (weight, rgb) in weights.iter().zip(row[first * 3..].chunks_exact(3)) {
                for (sum, value) in pixel.iter_mut().zip(rgb) {
                    *sum += weight * f64::from(*value);
                }
            }
            across.extend(pixel);
        }
    }
    let width = to.0 * 3;
    let mut out = Vec::with_capacity(to.1 * width);
    let mut line = vec![0.0; width];
    for (first, weights) in weights(from.1, to.1, kernel) {
        line.fill(0.0);
        for (weight, row) in weights.iter().zip(across[first * width..].chunks_exact(width)) {
            for (sum, value) in line.iter_mut().zip(row) {
                *sum += weight * value;
            }
        }
        out.extend(line.iter().map(|value| *value as f32));
    }
    out
}

/// The part of a picture of `(columns, rows)` in its middle, a square of `side`. Of an odd remainder the smaller half goes before it, as in
/// `transformers`.
///
/// # Panics
/// If the picture is smaller.
pub fn centre(rgb: &[u8], (width, height): (usize, usize), side: usize) -> Vec<u8> {
    assert!(width >= side && height >= side, "a square of {side} in a picture of {width} x {height}");
    let (left, top) = ((width - side) / 2, (height - side) / 2);
    (top..top + side).flat_map(|row| &rgb[(row * width + left) * 3..][..side * 3]).copied().collect()
}

/// For each place of a line of `to` the first place of a line of `from` that it is made of, and the weights from there on, whose sum is 1.
pub fn weights(from: usize, to: usize, kernel: Kernel) -> Vec<(usize, Vec<f64>)> {
    let scale = from as f64 / to as f64;
    let widened = scale.max(1.0);
    let support = kernel.support() * widened;
    let weigh = |place: usize| {
        let centre = scale * (place as f64 + 0.5);
        let first = (centre - support + 0.5).max(0.0) as usize;
        let last = ((centre + support + 0.5) as usize).min(from);
        let weights: Vec<f64> = (first..last).map(|at| kernel.weight((at as f64 - centre + 0.5) / widened)).collect();
        let sum: f64 = weights.iter().sum();
        (first, weights.into_iter().map(|weight| weight / sum).collect())
    };
    (0..to).map(weigh).collect()
}

/// The same with weights of 16 bits.
struct Taps {
    /// First place, and the weights from there on.
    places: Vec<(usize, Vec<i32>)>,
    /// Bits behind the point in the weights.
    precision: u32,
}

impl Taps {
    fn new(from: usize, to: usize, kernel: Kernel) -> Self {
        let weights = weights(from, to, kernel);
        let largest = weights.iter().flat_map(|(_, weights)| weights).fold(0.0_f64, |a, b| a.max(*b));
        // As many bits as the largest weight leaves of 16.
        let fits = |bits: u32| 0.5 + largest * f64::from(1_u32 << (bits + 1)) < f64::from(1_u32 << 15);
        let precision = (0..22).take_while(|bits| fits(*bits)).count() as u32;
        let fixed = |weight: f64| (weight * f64::from(1_u32 << precision)).round() as i32;
        let places = weights.into_iter().map(|(first, weights)| (first, weights.into_iter().map(fixed).collect()));
        Self { places: places.collect(), precision }
    }

    /// The byte that a sum of weighted bytes stands for.
    fn byte(&self, sum: i32) -> u8 {
        (((1 << self.precision) / 2 + sum) >> self.precision).clamp(0, 255) as u8
    }
}

fn columns(rgb: &[u8], (width, height): (usize, usize), taps: &Taps) -> Vec<u8> {
    let mut out = Vec::with_capacity(taps.places.len() * height * 3);
    for row in rgb.chunks_exact(width * 3) {
        for (first, weights) in &taps.places {
            let mut sums = [0_i32; 3];
            for (pixel, weight) in row[first * 3..].as_chunks::<3>().0.iter().zip(weights) {
                for (sum, byte) in sums.iter_mut().zip(pixel) {
                    *sum += weight * i32::from(*byte);
                }
            }
            out.extend(sums.map(|sum| taps.byte(sum)));
        }
    }
    out
}

fn rows(rgb: &[u8], width: usize, taps: &Taps) -> Vec<u8> {
    let bytes = width * 3;
    let mut out = Vec::with_capacity(taps.places.len() * bytes);
    let mut sums = vec![0_i32; bytes];
    for (first, weights) in &taps.places {
        sums.fill(0);
        for (row, weight) in rgb[first * bytes..].chunks_exact(bytes).zip(weights) {
            for (sum, byte) in sums.iter_mut().zip(row) {
                *sum += weight * i32::from(*byte);
            }
        }
        out.extend(sums.iter().map(|sum| taps.byte(*sum)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Vec<u8> {
        (0..7 * 5 * 3_usize).map(|i| (i * i * 37 + i * 11) as u8).collect()
    }

    /// `torchvision.transforms.v2.functional.resize(picture, [rows, columns], antialias=True)` of torchvision 0.29.
    const EXPECTED: [((usize, usize), Kernel, &[u8]); 4] = [
        (
            (3, 2),
            Kernel::Bilinear,
            &[107, 123, 162, 96, 121, 155, 141, 176, 141, 117, 134, 123, 73, 72, 117, 133, 119, 120],
        ),
        (
            (9, 4),
            Kernel::Bilinear,
            &[
                41, 94, 156, 81, 111, 193, 111, 113, 191, 104, 124, 175, 42, 184, 209, 99, 215, 213, 100, 189, 161,
                107, 192, 137, 148, 253, 175, 176, 143, 141, 130, 146, 149, 98, 121, 160, 81, 79, 151, 67, 39, 84, 174,
                118, 138, 164, 142, 134, 145, 158, 124, 171, 190, 133, 133, 121, 140, 129, 165, 90, 79, 124, 101, 28,
                48, 140, 64, 56, 123, 103, 69, 109, 109, 108, 121, 139, 123, 110, 207, 97, 62, 104, 219, 153, 142, 106,
                145, 140, 99, 119, 96, 136, 101, 31, 45, 132, 37, 23, 85, 127, 88, 122, 154, 152, 160, 65, 168, 154,
            ],
        ),
        (
            (4, 3),
            Kernel::Bicubic,
            &[
                83, 118, 178, 99, 124, 187, 110, 182, 177, 134, 211, 149, 150, 143, 126, 54, 68, 122, 125, 94, 123,
                158, 140, 107, 123, 155, 131, 85, 98, 118, 65, 43, 103, 139, 141, 138,
            ],
        ),
        (
            (8, 6),
            Kernel::Bicubic,
            &[
                0, 39, 171, 93, 114, 209, 126, 97, 161, 58, 172, 206, 42, 255, 255, 67, 235, 209, 50, 185, 129, 158,
                255, 172, 128, 207, 119, 78, 115, 206, 123, 122, 212, 103, 109, 156, 120, 125, 143, 195, 152, 141, 186,
                143, 100, 126, 255, 193, 200, 100, 156, 139, 163, 131, 78, 104, 153, 44, 26, 97, 130, 66, 101, 192,
                158, 162, 97, 157, 130, 193, 165, 110, 155, 69, 158, 149, 200, 64, 36, 80, 113, 18, 22, 122, 98, 63,
                111, 119, 118, 136, 78, 145, 133, 234, 84, 44, 86, 214, 120, 118, 150, 85, 66, 99, 125, 62, 86, 164,
                54, 45, 113, 80, 33, 67, 196, 118, 123, 151, 112, 88, 107, 236, 168, 171, 24, 178, 172, 153, 89, 65,
                113, 94, 0, 3, 99, 87, 52, 100, 189, 172, 190, 11, 199, 189,
            ],
        ),
    ];

    #[test]
    fn bytes_are_those_of_torchvision() {
        for (to, kernel, expected) in EXPECTED {
            let resized = resize(&picture(), (7, 5), to, kernel);
            assert_eq!(resized, expected, "{to:?} {kernel:?}");
        }
    }

    #[test]
    fn the_middle_is_cut_out() {
        let numbered: Vec<u8> = (0..7 * 5 * 3).collect();
        // Of 4 columns that are left over 2 go first, of 2 rows 1.
        assert_eq!(centre(&numbered, (7, 5), 3)[..3], numbered[(7 + 2) * 3..][..3]);
        // Of 5 columns 2, of 3 rows 1.
        assert_eq!(centre(&numbered, (7, 5), 2)[..3], numbered[(7 + 2) * 3..][..3]);
        assert_eq!(centre(&numbered, (7, 5), 2).len(), 12);
    }
}
