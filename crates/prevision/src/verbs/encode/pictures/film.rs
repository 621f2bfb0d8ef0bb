//! A video of pictures, and beside each a map of its patches.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use prevision_model::pretrained::{Input, PretrainedSpec, Resize, ResizeTo};
use prevision_video::{Mp4Options, Mp4Writer, Quality};

use super::super::windows::{WindowReader, Windows};
use super::spool::Spool;

/// Pictures have at least so many rows and columns.
const SIDE: usize = 256;
/// Frames shown in a second at most.
const MOST_RATE: f64 = 60.0;
const MARK: [u8; 3] = [255; 3];
/// Width of the line around the patch that is marked.
const LINE: usize = 2;

/// The videos, and how they were encoded.
pub(super) struct Film {
    paths: Vec<PathBuf>,
    windows: Windows,
    /// What the encoder sees, with more pixels.
    input: Input,
    /// Times, rows and columns of patches in a window.
    grid: [usize; 3],
}

impl Film {
    pub(super) fn new(paths: &[PathBuf], windows: Windows, spec: &PretrainedSpec) -> Self {
        let encoder = &spec.encoder;
        let side = spec.input.crop / encoder.patch;
        let grid = [(windows.frames / encoder.tubelet).max(1), side, side];
        Self { paths: paths.to_vec(), windows, input: enlarged(&spec.input), grid }
    }

    /// Patches in a window.
    pub(super) fn tokens(&self) -> usize {
        self.grid.iter().product()
    }

    /// Patches in a row.
    pub(super) fn columns(&self) -> usize {
        self.grid[2]
    }

    /// Writes the video: each frame that was encoded once, as the encoder saw it but larger, and right of it a colour for each of its patches.
    /// `marked` are row and column of a patch that a line is drawn around, in the pictures of the first video. Gives the number of frames.
    pub(super) fn write(
        &self,
        path: &Path,
        spool: &mut Spool,
        colour: &dyn Fn(&[f32]) -> [u8; 3],
        marked: Option<[usize; 2]>,
    ) -> Result<usize> {
        let side = self.input.crop;
        let options = Mp4Options {
            width: 2 * side,
            height: side,
            frame_rate: self.frame_rate()?,
            quality: Quality::Crf(14),
            keyframe_interval: 50,
        };
        let mut writer = Mp4Writer::create(path, &options)?;
        let (mut encoded, mut written) = (0, 0);
        for (number, video) in self.paths.iter().enumerate() {
            let mut reader = WindowReader::open(video, self.windows, self.input.clone())?;
            let mut shown = 0;
            for window in 0..self.windows.count(reader.len()) {
                let (pixels, _) = reader.read(window)?;
                let before = shown;
                let features = spool.window(encoded).context("features that were kept cannot be read")?;
                encoded += 1;
                let colours: Vec<[u8; 3]> = features.chunks_exact(spool.width()).map(colour).collect();
                let maps: Vec<&[[u8; 3]]> = colours.chunks_exact(self.grid[1] * self.grid[2]).collect();
                for (frame, index) in self.windows.indices(window).enumerate().filter(|(_, index)| *index >= before) {
                    let mut picture = pixels[frame * side * side * 3..][..side * side * 3].to_vec();
                    if let (Some(patch), 0) = (marked, number) {
                        self.mark(&mut picture, patch);
                    }
                    let map = maps[frame * self.grid[0] / self.windows.frames];
                    writer.write(&beside(&picture, map, side, self.grid[2]))?;
                    written += 1;
                    shown = shown.max(index + 1);
                }
            }
        }
        writer.finish()?;
        Ok(written)
    }

    /// Draws a line around a patch.
    fn mark(&self, picture: &mut [u8], [row, column]: [usize; 2]) {
        let (side, patch) = (self.input.crop, self.input.crop / self.grid[2]);
        for y in 0..patch {
            for x in 0..patch {
                let edge = x.min(y).min(patch - 1 - x).min(patch - 1 - y) < LINE;
                if edge {
                    let pixel = (row * patch + y) * side + column * patch + x;
                    picture[pixel * 3..][..3].copy_from_slice(&MARK);
                }
            }
        }
    }

    /// Frames of the first video that are taken in a second, whole.
    fn frame_rate(&self) -> Result<u32> {
        let Some(first) = self.paths.first() else { return Ok(1) };
        let reader = WindowReader::open(first, self.windows, self.input.clone())?;
        let rate = reader.frame_rate() / self.windows.step as f64;
        Ok(if rate.is_finite() { rate.round().clamp(1.0, MOST_RATE) as u32 } else { 1 })
    }
}

/// The same part of pictures with a whole number of times the pixels.
fn enlarged(input: &Input) -> Input {
    let times = SIDE.div_ceil(input.crop).max(1);
    let to = match input.resize.to {
        ResizeTo::Shorter(side) => ResizeTo::Shorter(side * times),
        ResizeTo::Whole(side) => ResizeTo::Whole(side * times),
        ResizeTo::Exactly(sides) => ResizeTo::Exactly(sides.map(|side| side * times)),
    };
    Input { crop: input.crop * times, resize: Resize { to, ..input.resize }, ..input.clone() }
}

/// A picture, and right of it a map of as many pixels, each in the colour of the patch that it is in.
fn beside(picture: &[u8], map: &[[u8; 3]], side: usize, columns: usize) -> Vec<u8> {
    let patch = (side / columns).max(1);
    let mut both = Vec::with_capacity(2 * picture.len());
    for (y, row) in picture.chunks_exact(side * 3).enumerate() {
        both.extend_from_slice(row);
        // What fills no patch, at the edge, is as the patch before it.
        let patches = &map[(y / patch).min(map.len() / columns - 1) * columns..][..columns];
        both.extend((0..side).flat_map(|x| patches[(x / patch).min(columns - 1)]));
    }
    both
}

#[cfg(test)]
mod tests {
    use prevision_core::frames::resize::Kernel;

    use super::*;

    #[test]
    fn each_pixel_has_the_colour_of_its_patch() {
        let picture: Vec<u8> = (0..4 * 4 * 3).map(|number| number as u8).collect();
        let map = [[1; 3], [2; 3], [3; 3], [4; 3]];
        let both = beside(&picture, &map, 4, 2);
        let row = |y: usize| both[y * 24..][..24].chunks_exact(3).map(|pixel| pixel[0]).collect::<Vec<u8>>();
        assert_eq!(row(0), [0, 3, 6, 9, 1, 1, 2, 2]);
        assert_eq!(row(3), [36, 39, 42, 45, 3, 3, 4, 4]);
    }

    #[test]
    fn small_input_is_shown_larger() {
        let resize = Resize { to: ResizeTo::Exactly([72, 80]), kernel: Kernel::Bilinear };
        let input = Input { frames: 4, resize, crop: 64, mean: [0.0; 3], std: [1.0; 3] };
        let larger = enlarged(&input);
        assert_eq!((larger.crop, larger.resize.to), (256, ResizeTo::Exactly([288, 320])));
        assert_eq!(enlarged(&Input { crop: 384, ..input }).crop, 384);
    }
}
