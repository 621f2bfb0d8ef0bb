//! Videos as bytes, and the numbers that a model reads of them.

use super::parallel::each;

use super::Level;
use super::level::{Vectorised, at};
use super::tubelets::{Cut, Place, Source};

/// How bytes of red, green and blue become numbers: `factor * byte + offset`, rounded twice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColourScale {
    /// Of red, green and blue.
    pub factor: [f32; 3],
    /// Of red, green and blue.
    pub offset: [f32; 3],
}

impl ColourScale {
    /// Makes `(byte / 255 - mean) / std` of a byte, with mean and standard deviation of red, green and blue.
    pub fn normalising(mean: [f32; 3], std: [f32; 3]) -> Self {
        let (mean, std) = (mean.map(f64::from), std.map(f64::from));
        Self {
            factor: std::array::from_fn(|colour| (1.0 / (255.0 * std[colour])) as f32),
            offset: std::array::from_fn(|colour| (-mean[colour] / std[colour]) as f32),
        }
    }
}

/// Clips of RGB frames, or a part of their frames.
#[derive(Clone, Copy, Debug)]
pub struct Clips<'a> {
    /// `[batch, stored frames, height, width, 3]`
    pub bytes: &'a [u8],
    /// Frames of a clip that `bytes` hold.
    pub stored: usize,
    /// The first frame of a clip that is read.
    pub start: usize,
    /// What is read: `[batch, time, height, width]`.
    pub sizes: [usize; 4],
    /// What makes numbers of the bytes.
    pub scale: ColourScale,
}

impl<'a> Clips<'a> {
    /// The pixels of a frame.
    fn frame(&self, clip: usize, time: usize) -> &'a [[u8; 3]] {
        let [_, _, height, width] = self.sizes;
        let start = (clip * self.stored + self.start + time) * height * width;
        &self.bytes.as_chunks::<3>().0[start..start + height * width]
    }

    /// The bytes of every clip that are read.
    pub fn read(&self) -> Vec<&'a [u8]> {
        let [batch, time, height, width] = self.sizes;
        let frame = 3 * height * width;
        (0..batch).map(|clip| &self.bytes[(clip * self.stored + self.start) * frame..][..time * frame]).collect()
    }

    /// Writes the numbers, `[batch, 3, time, height, width]`.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn normalise(&self, level: Level, out: &mut [f32]) {
        let [batch, time, height, width] = self.sizes;
        let plane = height * width;
        assert_eq!(out.len(), batch * 3 * time * plane, "numbers of clips {:?}", self.sizes);
        if out.is_empty() {
            return;
        }
        each(out.chunks_mut(3 * time * plane).enumerate(), |(clip, out)| {
            let [red, green, blue] = thirds(out);
            for (time, red) in red.chunks_exact_mut(plane).enumerate() {
                let planes = [red, &mut green[time * plane..][..plane], &mut blue[time * plane..][..plane]];
                at(level, Separate { pixels: self.frame(clip, time), scale: &self.scale, planes });
            }
        });
    }
}

impl Source for Clips<'_> {
    fn sizes(&self) -> [usize; 5] {
        let [batch, time, height, width] = self.sizes;
        [batch, 3, time, height, width]
    }

    fn write(&self, level: Level, place: Place, cut: &Cut, out: &mut [f32]) {
        at(level, Tubelet { clips: self, cut, place, out });
    }
}

/// One tubelet of one clip.
struct Tubelet<'a> {
    clips: &'a Clips<'a>,
    cut: &'a Cut,
    place: Place,
    out: &'a mut [f32],
}

impl Vectorised for Tubelet<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let [_, _, height, width] = self.clips.sizes;
        let patch = self.cut.patch;
        let Place { clip, frame, row, column } = self.place;
        let columns = patch.min(width.saturating_sub(column));
        let [red, green, blue] = thirds(self.out);
        let lines = red.chunks_exact_mut(patch).zip(green.chunks_exact_mut(patch)).zip(blue.chunks_exact_mut(patch));
        for (line, ((red, green), blue)) in lines.enumerate() {
            let (frame, y) = (frame + line / patch, row + line % patch);
            let columns = if y < height { columns } else { 0 };
            let [(red, red_rest), (green, green_rest), (blue, blue_rest)] =
                [red, green, blue].map(|line| line.split_at_mut(columns));
            if columns > 0 {
                let pixels = &self.clips.frame(clip, frame)[y * width + column..][..columns];
                let planes = [red, green, blue];
                Separate { pixels, scale: &self.clips.scale, planes }.run::<FUSED>();
            }
            for rest in [red_rest, green_rest, blue_rest] {
                rest.fill(0.0);
            }
        }
    }
}

/// Pixels to one plane of numbers for each colour, all of one length.
struct Separate<'a> {
    pixels: &'a [[u8; 3]],
    scale: &'a ColourScale,
    planes: [&'a mut [f32]; 3],
}

impl Vectorised for Separate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let (pixels, planes) = blocks::<16>(self.pixels, self.scale, self.planes);
        let (pixels, planes) = blocks::<4>(pixels, self.scale, planes);
        blocks::<1>(pixels, self.scale, planes);
    }
}

/// Does as many whole blocks as there are, and gives what is left.
#[inline(always)]
fn blocks<'a, const N: usize>(
    pixels: &'a [[u8; 3]],
    scale: &ColourScale,
    [red, green, blue]: [&'a mut [f32]; 3],
) -> (&'a [[u8; 3]], [&'a mut [f32]; 3]) {
    let ColourScale { factor, offset } = *scale;
    let (pixels, rest) = pixels.as_chunks::<N>();
    let (red, red_rest) = red.as_chunks_mut::<N>();
    let (green, green_rest) = green.as_chunks_mut::<N>();
    let (blue, blue_rest) = blue.as_chunks_mut::<N>();
    for (((pixels, red), green), blue) in pixels.iter().zip(red).zip(green).zip(blue) {
        for lane in 0..N {
            let [r, g, b] = pixels[lane].map(f32::from);
            red[lane] = r * factor[0] + offset[0];
            green[lane] = g * factor[1] + offset[1];
            blue[lane] = b * factor[2] + offset[2];
        }
    }
    (rest, [red_rest, green_rest, blue_rest])
}

/// The parts of the three colours.
#[inline(always)]
fn thirds(out: &mut [f32]) -> [&mut [f32]; 3] {
    let third = out.len() / 3;
    let (red, rest) = out.split_at_mut(third);
    let (green, blue) = rest.split_at_mut(third);
    [red, green, blue]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCALE: ColourScale = ColourScale { factor: [1.0, 2.0, 0.5], offset: [0.0, -1.0, 3.0] };

    #[test]
    fn colours_are_separated_in_blocks_and_at_the_end() {
        for level in Level::available() {
            for width in [0, 1, 15, 16, 17, 22, 100] {
                let bytes: Vec<u8> = (0..2 * 3 * width).map(|place| (place * 7) as u8).collect();
                let clips = Clips { bytes: &bytes, stored: 2, start: 1, sizes: [1, 1, 1, width], scale: SCALE };
                let mut out = vec![f32::NAN; 3 * width];
                clips.normalise(level, &mut out);
                for (index, pixel) in bytes[3 * width..].chunks_exact(3).enumerate() {
                    let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
                    let found = [0, 1, 2].map(|colour| out[colour * width + index]);
                    assert_eq!(found, [red, green * 2.0 - 1.0, blue * 0.5 + 3.0], "{level:?} {index} of {width}");
                }
            }
        }
    }

    /// Two frames of 2 x 3 pixels in tubelets of 2 x 2 x 2: the second lacks a column.
    #[test]
    fn tubelets_hold_their_pixels_and_zeros_beyond_the_frame() {
        let bytes: Vec<u8> = (0..36).collect();
        let scale = ColourScale { factor: [1.0; 3], offset: [100.0; 3] };
        let clips = Clips { bytes: &bytes, stored: 2, start: 0, sizes: [1, 2, 2, 3], scale };
        let cut = Cut { frames: 2, patch: 2, grid: [1, 2] };
        for level in Level::available() {
            let mut out = vec![f32::NAN; 2 * cut.depth(3)];
            cut.rows(level, &clips, Some((&[1, 0], 2)), 0, &mut out);
            let (second, first) = out.split_at(24);
            let red = [0.0, 3.0, 9.0, 12.0, 18.0, 21.0, 27.0, 30.0].map(|value| value + 100.0);
            assert_eq!(first[..8], red);
            assert_eq!(first[8..16], red.map(|value| value + 1.0));
            assert_eq!(second[16..], [108.0, 0.0, 117.0, 0.0, 126.0, 0.0, 135.0, 0.0]);
        }
    }
}
