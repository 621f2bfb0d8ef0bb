//! A video of matched films side by side, each with a curve of its surprise over time below.

use std::path::Path;

use anyhow::Result;
use prevision_core::FrameBuffer;
use prevision_eval::surprise::{FilmResults, Measured};
use prevision_video::{Mp4Options, Mp4Writer, Quality};

/// Frames shown in a second.
const FRAME_RATE: u32 = 6;
/// Pixels of a column: a film as wide as this, or as it is if it is wider.
const WIDTH: usize = 256;
/// Height of a chart.
const CHART: usize = 112;
/// Width of the frame around a film, and of what is free around a curve.
const EDGE: usize = 6;

const PAPER: [u8; 3] = [24, 24, 28];
const GRID: [u8; 3] = [64, 64, 72];
const POSSIBLE: [u8; 3] = [70, 170, 90];
const IMPOSSIBLE: [u8; 3] = [220, 70, 60];
const MODEL: [u8; 3] = [255, 200, 60];
const PIXELS: [u8; 3] = [120, 140, 170];
const CURSOR: [u8; 3] = [240, 240, 240];

/// Writes the video: a column for each film, framed green if it is possible and red if not; below it the surprise in yellow and the pixel
/// change in blue, each on the same scale for all films, up to the moment that is shown.
pub(super) fn write(path: &Path, frames: &[FrameBuffer], films: &[&FilmResults]) -> Result<()> {
    let columns: Vec<Column<'_>> =
        frames.iter().zip(films).map(|(frames, film)| Column { frames, film, scale: scale(frames) }).collect();
    let width = columns.iter().map(Column::width).sum::<usize>().next_multiple_of(2);
    let height = columns.iter().map(Column::height).max().unwrap_or(0).next_multiple_of(2);
    let largest =
        [largest(films.iter().map(|film| &film.surprise)), largest(films.iter().map(|film| &film.pixel_change))];
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let options =
        Mp4Options { width, height, frame_rate: FRAME_RATE, quality: Quality::Crf(14), keyframe_interval: 50 };
    let mut writer = Mp4Writer::create(path, &options)?;
    let length = frames.iter().map(|frames| frames.frames).max().unwrap_or(0);
    for time in 0..length {
        let mut picture = Picture::new(width, height);
        let mut left = 0;
        for column in &columns {
            column.paint(&mut picture, left, time, largest);
            left += column.width();
        }
        writer.write(&picture.data)?;
    }
    Ok(writer.finish()?)
}

/// The largest value of curves; above 0.
fn largest<'a>(measured: impl Iterator<Item = &'a Measured>) -> f64 {
    measured.flat_map(|measured| measured.curve.iter().flatten()).copied().fold(f64::MIN_POSITIVE, f64::max)
}

/// Pixels of the video for one of the film.
fn scale(frames: &FrameBuffer) -> usize {
    (WIDTH / frames.width.max(1)).max(1)
}

/// One film with its curves.
struct Column<'a> {
    frames: &'a FrameBuffer,
    film: &'a FilmResults,
    scale: usize,
}

impl Column<'_> {
    fn width(&self) -> usize {
        self.frames.width * self.scale + 2 * EDGE
    }

    fn film_height(&self) -> usize {
        self.frames.height * self.scale + 2 * EDGE
    }

    fn height(&self) -> usize {
        self.film_height() + CHART
    }

    fn paint(&self, picture: &mut Picture, left: usize, time: usize, largest: [f64; 2]) {
        let colour = if self.film.possible { POSSIBLE } else { IMPOSSIBLE };
        picture.fill([left, 0], [self.width(), self.film_height()], colour);
        let shown = self.frames.frame(time.min(self.frames.frames - 1));
        for (index, pixel) in shown.chunks_exact(3).enumerate() {
            let (row, column) = (index / self.frames.width, index % self.frames.width);
            let corner = [left + EDGE + column * self.scale, EDGE + row * self.scale];
            picture.fill(corner, [self.scale; 2], [pixel[0], pixel[1], pixel[2]]);
        }
        // The chart: a line at 0, at half and at the whole of the largest value.
        let (inner, top, tall) = (self.width() - 2 * EDGE, self.film_height() + EDGE, CHART - 2 * EDGE);
        for part in 0..=2 {
            picture.fill([left + EDGE, top + tall * part / 2], [inner, 1], GRID);
        }
        let x = |frame: usize| left + EDGE + inner * frame / self.frames.frames;
        let curves = [(&self.film.pixel_change, PIXELS, largest[1]), (&self.film.surprise, MODEL, largest[0])];
        for (measured, colour, largest) in curves {
            let y = |value: f64| top + tall - (tall as f64 * (value / largest).clamp(0.0, 1.0)).round() as usize;
            let mut before: Option<usize> = None;
            for (frame, value) in measured.curve.iter().enumerate().take(time + 1) {
                let now = value.map(y);
                if let Some(now) = now {
                    picture.fill([x(frame), now], [x(frame + 1) - x(frame), 2], colour);
                    if let Some(before) = before {
                        picture.fill([x(frame), now.min(before)], [2, now.abs_diff(before) + 2], colour);
                    }
                }
                before = now;
            }
        }
        picture.fill([x(time + 1) - 1, top], [1, tall], CURSOR);
    }
}

/// An RGB picture that boxes are filled in.
struct Picture {
    data: Vec<u8>,
    width: usize,
    height: usize,
}

impl Picture {
    fn new(width: usize, height: usize) -> Self {
        Self { data: PAPER.repeat(width * height), width, height }
    }

    /// Fills a box given by its upper left corner and its size; what lies outside the picture is left out.
    fn fill(&mut self, [left, top]: [usize; 2], [width, height]: [usize; 2], colour: [u8; 3]) {
        let right = (left + width).min(self.width);
        for row in top..(top + height).min(self.height) {
            for column in left..right {
                self.data[(row * self.width + column) * 3..][..3].copy_from_slice(&colour);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_grows_below_its_film() {
        let mut frames = FrameBuffer::new(4, 2, 2);
        frames.frame_mut(3).fill(200);
        let measured =
            |curve: [Option<f64>; 4]| Measured { mean: 0.0, max: 0.0, per_context: vec![], curve: curve.to_vec() };
        let film = FilmResults {
            name: "0".to_owned(),
            group: "g".to_owned(),
            kind: "k".to_owned(),
            possible: false,
            surprise: measured([None, None, Some(1.0), Some(2.0)]),
            pixel_change: measured([None, None, Some(0.0), Some(5.0)]),
        };
        let column = Column { frames: &frames, film: &film, scale: scale(&frames) };
        assert_eq!((column.width(), column.height()), (268, 268 + 112));
        let paint = |time| {
            let mut picture = Picture::new(268, 380);
            column.paint(&mut picture, 0, time, [2.0, 5.0]);
            picture
        };
        let at = |picture: &Picture, x: usize, y: usize| {
            let first = (y * 268 + x) * 3;
            [picture.data[first], picture.data[first + 1], picture.data[first + 2]]
        };
        let (early, late) = (paint(2), paint(3));
        assert_eq!([at(&early, 2, 2), at(&early, 100, 100), at(&late, 100, 100)], [IMPOSSIBLE, [0; 3], [200; 3]]);
        // Half of the largest surprise at frame 2, all of it at frame 3.
        assert_eq!([at(&early, 150, 324), at(&late, 150, 324), at(&late, 230, 274)], [MODEL; 3]);
        assert_ne!(at(&early, 230, 274), MODEL, "what is to come is not shown");
    }
}
