//! Cropping, resizing and mirroring of 8-bit frames. One box and one choice hold for a whole clip.

use prevision_video::FrameBuffer;
use rand::Rng;

/// A part of a picture, in pixels from the top left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CropBox {
    /// First column.
    pub x: usize,
    /// First row.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl CropBox {
    /// The whole picture.
    pub fn whole(width: usize, height: usize) -> Self {
        Self { x: 0, y: 0, width, height }
    }

    /// A part of this size in the middle of a picture. The odd pixel stays on the right and at the bottom.
    ///
    /// # Panics
    /// If the part is larger than the picture.
    pub fn centre(width: usize, height: usize, picture_width: usize, picture_height: usize) -> Self {
        assert!(
            width <= picture_width && height <= picture_height,
            "a {width}x{height} box in a {picture_width}x{picture_height} picture"
        );
        Self { x: (picture_width - width) / 2, y: (picture_height - height) / 2, width, height }
    }

    /// A random part of a picture: its share of the area uniform in `area`, its width over height log-uniform in `aspect`;
    /// after ten boxes that did not fit, the largest one in the middle with an allowed aspect. This is the random resized crop
    /// of V-JEPA and torchvision (Szegedy et al. 2014, <https://arxiv.org/abs/1409.4842>).
    pub fn random(rng: &mut impl Rng, width: usize, height: usize, area: [f64; 2], aspect: [f64; 2]) -> Self {
        for _ in 0..10 {
            let pixels = rng.random_range(area[0]..=area[1]) * (width * height) as f64;
            let ratio = rng.random_range(aspect[0].ln()..=aspect[1].ln()).exp();
            let (w, h) = ((pixels * ratio).sqrt().round() as usize, (pixels / ratio).sqrt().round() as usize);
            if (1..=width).contains(&w) && (1..=height).contains(&h) {
                return Self {
                    x: rng.random_range(0..=width - w),
                    y: rng.random_range(0..=height - h),
                    width: w,
                    height: h,
                };
            }
        }
        let ratio = (width as f64 / height as f64).clamp(aspect[0], aspect[1]);
        let w = width.min((height as f64 * ratio).round() as usize).max(1);
        let h = height.min((width as f64 / ratio).round() as usize).max(1);
        Self::centre(w, h, width, height)
    }
}

/// Cuts a box out of every frame and scales it to `width` x `height`, bilinear between pixel centres without antialiasing
/// (`align_corners=False` in `PyTorch`), rounded to 8 bits. A box of the wanted size is copied.
///
/// # Shapes
/// - frames: `[t, h, w, 3]`
/// - output: `[t, height, width, 3]`
///
/// # Panics
/// If the box reaches out of the frames.
pub fn crop_resize(frames: &FrameBuffer, part: CropBox, width: usize, height: usize) -> FrameBuffer {
    assert!(
        part.x + part.width <= frames.width && part.y + part.height <= frames.height,
        "the box {part:?} reaches out of {}x{} frames",
        frames.width,
        frames.height
    );
    let mut out = FrameBuffer::new(frames.frames, height, width);
    let (stride, row) = (frames.width * 3, width * 3);
    if (part.width, part.height) == (width, height) {
        for (from, to) in frames.data.chunks_exact(stride * frames.height).zip(out.data.chunks_exact_mut(row * height))
        {
            for (y, line) in to.chunks_exact_mut(row).enumerate() {
                let start = (part.y + y) * stride + part.x * 3;
                line.copy_from_slice(&from[start..start + row]);
            }
        }
        return out;
    }
    let across = taps(part.x, part.width, width);
    let down = taps(part.y, part.height, height);
    for (from, to) in frames.data.chunks_exact(stride * frames.height).zip(out.data.chunks_exact_mut(row * height)) {
        for (line, &(y0, y1, wy)) in to.chunks_exact_mut(row).zip(&down) {
            let (above, below) = (&from[y0 * stride..(y0 + 1) * stride], &from[y1 * stride..(y1 + 1) * stride]);
            for (pixel, &(x0, x1, wx)) in line.chunks_exact_mut(3).zip(&across) {
                for (channel, value) in pixel.iter_mut().enumerate() {
                    let mix = |line: &[u8]| {
                        u32::from(line[x0 * 3 + channel]) * (ONE - wx) + u32::from(line[x1 * 3 + channel]) * wx
                    };
                    *value = ((mix(above) * (ONE - wy) + mix(below) * wy + ONE * ONE / 2) / (ONE * ONE)) as u8;
                }
            }
        }
    }
    out
}

/// Weights are in units of 1/2048: two of them and a byte fit 32 bits.
const ONE: u32 = 2048;

/// For each output pixel the two input pixels it lies between, and the second one's weight.
fn taps(start: usize, extent: usize, size: usize) -> Vec<(usize, usize, u32)> {
    let scale = extent as f64 / size as f64;
    (0..size)
        .map(|k| {
            let position = ((k as f64 + 0.5) * scale - 0.5).clamp(0.0, (extent - 1) as f64);
            let first = position.floor();
            let index = first as usize;
            (start + index, start + (index + 1).min(extent - 1), ((position - first) * f64::from(ONE)).round() as u32)
        })
        .collect()
}

/// Mirrors every frame, left to right.
pub fn flip(frames: &mut FrameBuffer) {
    for line in frames.data.chunks_exact_mut(frames.width * 3) {
        let (pixels, _) = line.as_chunks_mut::<3>();
        pixels.reverse();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed;
    use proptest::prelude::*;

    fn gray(values: &[u8], height: usize, width: usize) -> FrameBuffer {
        let mut frames = FrameBuffer::new(1, height, width);
        frames.data = values.iter().flat_map(|&value| [value, value, value]).collect();
        frames
    }

    fn red(frames: &FrameBuffer) -> Vec<u8> {
        frames.data.iter().step_by(3).copied().collect()
    }

    #[test]
    fn bilinear_against_torch() {
        // torch.nn.functional.interpolate(torch.tensor([[[[0., 100.], [200., 40.]]]]), size=(4, 4), mode="bilinear", align_corners=False)
        let frames = gray(&[0, 100, 200, 40], 2, 2);
        let larger = crop_resize(&frames, CropBox::whole(2, 2), 4, 4);
        // 0, 25, 75, 100; 50, 58.75, 76.25, 85; 150, 126.25, 78.75, 55; 200, 160, 80, 40
        assert_eq!(red(&larger), [0, 25, 75, 100, 50, 59, 76, 85, 150, 126, 79, 55, 200, 160, 80, 40]);
        let smaller = crop_resize(&larger, CropBox { x: 1, y: 1, width: 2, height: 2 }, 1, 1);
        assert_eq!(red(&smaller), [85], "(59 + 76 + 126 + 79) / 4");
    }

    #[test]
    fn a_box_of_the_same_size_is_copied() {
        let frames = gray(&[1, 2, 3, 4, 5, 6, 7, 8, 9], 3, 3);
        assert_eq!(red(&crop_resize(&frames, CropBox { x: 1, y: 0, width: 2, height: 2 }, 2, 2)), [2, 3, 5, 6]);
        assert_eq!(CropBox::centre(2, 2, 5, 2), CropBox { x: 1, y: 0, width: 2, height: 2 });
    }

    #[test]
    fn flipping_mirrors_pixels_not_channels() {
        let mut frames = FrameBuffer::new(1, 1, 3);
        frames.data = vec![1, 2, 3, 4, 5, 6, 7, 8, 9];
        flip(&mut frames);
        assert_eq!(frames.data, [7, 8, 9, 4, 5, 6, 1, 2, 3]);
    }

    proptest! {
        #[test]
        fn random_boxes_lie_inside(index: u64, width in 1_usize..400, height in 1_usize..400) {
            let part = CropBox::random(&mut seed::rng(0, "crop", 0, index), width, height, [0.3, 1.0], [0.75, 1.35]);
            prop_assert!(part.width >= 1 && part.height >= 1);
            prop_assert!(part.x + part.width <= width && part.y + part.height <= height);
        }
    }

    #[test]
    fn random_boxes_keep_their_ranges() {
        for index in 0..300 {
            let part = CropBox::random(&mut seed::rng(0, "crop", 0, index), 320, 240, [0.3, 1.0], [0.75, 1.35]);
            let (share, ratio) =
                ((part.width * part.height) as f64 / (320.0 * 240.0), part.width as f64 / part.height as f64);
            assert!((0.295..=1.0).contains(&share), "{share}");
            assert!((0.74..=1.36).contains(&ratio), "{ratio}");
        }
    }
}
