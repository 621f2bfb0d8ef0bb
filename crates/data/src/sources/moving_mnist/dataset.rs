//! Digits start at random places of the canvas and move in straight lines at random angles, a tenth of the free canvas per
//! frame, bouncing off the walls; where digits overlap the brighter pixel wins. This is the generator of Srivastava et al.
//! 2015 (<https://arxiv.org/abs/1502.04681>), with the digits and trajectories of video `i` a pure function of (seed, i).

use std::f64::consts::TAU;

use prevision_core::{Clip, ClipSource, FrameBuffer, Spaces, seed};
use rand::Rng;

use super::MovingMnistOptions;
use super::digits::Digits;
use crate::clips::sampling::start;
use crate::clips::side;
use crate::pixels::Transform;
use crate::sources::one_camera::{self, Drawn};
use crate::{ClipDataset, ClipRequest, DataConfig, DataError, SkippedFile, Split};

/// Share of the free canvas that a digit moves in one frame.
const SPEED: f64 = 0.1;

/// The videos of one side of a split.
pub(super) struct MovingMnist {
    digits: Digits,
    videos: Vec<usize>,
    seed: u64,
    digits_per_video: usize,
    length: usize,
    canvas: usize,
    /// Width and height.
    size: (usize, usize),
    transform: Transform,
    spaces: Spaces,
    clips_per_video: usize,
}

impl MovingMnist {
    pub(super) fn open(
        options: &MovingMnistOptions,
        config: &DataConfig,
        split: Split,
        seed: u64,
    ) -> Result<Self, DataError> {
        let MovingMnistOptions { path, labels, digits: digits_per_video, videos, length, canvas } = options;
        let digits = Digits::read(path)?;
        let digits = match labels {
            Some(labels) => digits.with_labels(labels)?,
            None => digits,
        };
        if digits.rows.max(digits.columns) > *canvas {
            return Err(DataError::format(
                &digits.path,
                format!(
                    "has images of {}x{} pixels, too large for data.source.canvas = {canvas}",
                    digits.columns, digits.rows
                ),
            ));
        }
        let transform = Transform::new(config, split);
        let size = transform.fixed_size().unwrap_or((*canvas, *canvas));
        Ok(Self {
            digits,
            videos: side(config, path, (&(0..*videos).collect::<Vec<_>>(), &[]), &[], split, seed)?,
            seed,
            digits_per_video: *digits_per_video,
            length: *length,
            canvas: *canvas,
            size,
            transform,
            spaces: one_camera::spaces(config, size),
            clips_per_video: config.clips_per_video,
        })
    }

    /// What decides digits and trajectories of a video.
    fn rng(&self, video: usize) -> impl Rng + use<> {
        seed::rng(self.seed, "moving-mnist", 0, video as u64)
    }

    /// Draws the image of a digit.
    fn digit(&self, rng: &mut impl Rng) -> usize {
        rng.random_range(0..self.digits.count)
    }

    /// The frames `start, start + step, ...` of a video, `[frames, canvas, canvas, 3]`.
    fn render(&self, video: usize, start: usize) -> FrameBuffer {
        let Spaces { frames: count, frame_step: step, .. } = self.spaces;
        let mut frames = FrameBuffer::new(count, self.canvas, self.canvas);
        let mut rng = self.rng(video);
        for _ in 0..self.digits_per_video {
            let digit = self.digits.image(self.digit(&mut rng));
            let angle = rng.random::<f64>() * TAU;
            let mut x = Coordinate { place: rng.random(), speed: SPEED * angle.cos() };
            let mut y = Coordinate { place: rng.random(), speed: SPEED * angle.sin() };
            for time in 0..=start + (count - 1) * step {
                x.advance();
                y.advance();
                if time >= start && (time - start).is_multiple_of(step) {
                    let left = x.pixel(self.canvas - self.digits.columns);
                    let top = y.pixel(self.canvas - self.digits.rows);
                    self.paint(&mut frames, (time - start) / step, digit, left, top);
                }
            }
        }
        frames
    }

    fn paint(&self, frames: &mut FrameBuffer, frame: usize, digit: &[u8], left: usize, top: usize) {
        for (row, line) in digit.chunks_exact(self.digits.columns).enumerate() {
            let first = ((frame * self.canvas + top + row) * self.canvas + left) * 3;
            let canvas = &mut frames.data[first..first + line.len() * 3];
            for (pixel, &value) in canvas.chunks_exact_mut(3).zip(line) {
                pixel.fill(pixel[0].max(value));
            }
        }
    }
}

/// One coordinate of a digit, 0 to 1 of the free canvas.
struct Coordinate {
    place: f64,
    speed: f64,
}

impl Coordinate {
    fn advance(&mut self) {
        self.place += self.speed;
        if self.place <= 0.0 || self.place >= 1.0 {
            self.place = self.place.clamp(0.0, 1.0);
            self.speed = -self.speed;
        }
    }

    fn pixel(&self, free: usize) -> usize {
        (self.place * free as f64) as usize
    }
}

impl ClipDataset for MovingMnist {
    fn videos(&self) -> usize {
        self.videos.len()
    }

    fn clips_per_video(&self) -> usize {
        self.clips_per_video
    }

    fn clip(&self, request: &ClipRequest) -> Result<Clip, DataError> {
        let video = self.videos[request.video];
        let Spaces { frames, frame_step, .. } = self.spaces;
        let start = start(request, self.length - frames * frame_step);
        let drawn = Drawn {
            frames: self.render(video, start),
            source: ClipSource { path: self.digits.path.clone(), video, start },
            label: self.digits.label(self.digit(&mut self.rng(video))),
        };
        one_camera::clip(drawn, &self.transform, request, &self.spaces, self.size)
    }

    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn skipped(&self) -> Vec<SkippedFile> {
        vec![]
    }
}
