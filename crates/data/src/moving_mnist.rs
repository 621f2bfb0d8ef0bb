//! Moving MNIST, made on the fly.
//!
//! Digits start at random places of the canvas and move in straight lines at random angles, a tenth of the free canvas per
//! frame, bouncing off the walls; where digits overlap the brighter pixel wins. This is the generator of Srivastava et al.
//! 2015 (<https://arxiv.org/abs/1502.04681>), with the digits and trajectories of film `i` a pure function of (seed, i).

use std::f64::consts::TAU;

use prevision_video::FrameBuffer;
use rand::Rng;

use crate::dataset::side;
use crate::digits::Digits;
use crate::pictures::Pictures;
use crate::sampling::start;
use crate::{
    Clip, ClipDataset, ClipRequest, ClipShape, ClipSource, DataConfig, DataError, SkippedFile, SourceConfig, Split,
    seed,
};

/// Share of the free canvas that a digit moves in one frame.
const SPEED: f64 = 0.1;

/// The films of one side of a split.
pub(crate) struct MovingMnist {
    digits: Digits,
    films: Vec<usize>,
    seed: u64,
    digits_per_film: usize,
    length: usize,
    canvas: usize,
    size: (usize, usize),
    pictures: Pictures,
    frames: usize,
    step: usize,
    clips_per_video: usize,
}

impl MovingMnist {
    pub(crate) fn open(config: &DataConfig, split: Split, seed: u64) -> Result<Self, DataError> {
        let SourceConfig::MovingMnist { path, digits: digits_per_film, videos, length, canvas } = &config.source else {
            return Err(DataError::Config("data.source.kind is not \"moving-mnist\"".into()));
        };
        let digits = Digits::read(path)?;
        if digits.rows.max(digits.columns) > *canvas {
            return Err(DataError::format(
                &digits.path,
                format!(
                    "has images of {}x{} pixels, too large for data.source.canvas = {canvas}",
                    digits.columns, digits.rows
                ),
            ));
        }
        let pictures = Pictures::new(config, split);
        Ok(Self {
            digits,
            films: side(config, *videos, split, seed)?,
            seed,
            digits_per_film: *digits_per_film,
            length: *length,
            canvas: *canvas,
            size: pictures.fixed_size().unwrap_or((*canvas, *canvas)),
            pictures,
            frames: config.frames,
            step: config.frame_step,
            clips_per_video: config.clips_per_video,
        })
    }

    /// The frames `start, start + step, ...` of a film, `[frames, canvas, canvas, 3]`.
    fn render(&self, film: usize, start: usize) -> FrameBuffer {
        let mut frames = FrameBuffer::new(self.frames, self.canvas, self.canvas);
        let mut rng = seed::rng(self.seed, "moving-mnist", 0, film as u64);
        for _ in 0..self.digits_per_film {
            let digit = self.digits.image(rng.random_range(0..self.digits.count));
            let angle = rng.random::<f64>() * TAU;
            let mut x = Coordinate { place: rng.random(), speed: SPEED * angle.cos() };
            let mut y = Coordinate { place: rng.random(), speed: SPEED * angle.sin() };
            for time in 0..=start + (self.frames - 1) * self.step {
                x.advance();
                y.advance();
                if time >= start && (time - start).is_multiple_of(self.step) {
                    let left = x.pixel(self.canvas - self.digits.columns);
                    let top = y.pixel(self.canvas - self.digits.rows);
                    self.paint(&mut frames, (time - start) / self.step, digit, left, top);
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
        self.films.len()
    }

    fn clips_per_video(&self) -> usize {
        self.clips_per_video
    }

    fn clip(&self, request: &ClipRequest) -> Result<Clip, DataError> {
        let film = self.films[request.video];
        let start = start(request, self.clips_per_video, self.length - self.frames * self.step);
        Ok(Clip {
            frames: self.pictures.finish(self.render(film, start), request, self.size),
            times: (0..self.frames).map(|frame| (start + frame * self.step) as f64).collect(),
            actions: None,
            state: None,
            label: None,
            source: ClipSource { path: self.digits.path.clone(), video: film, start },
        })
    }

    fn shape(&self) -> ClipShape {
        ClipShape { frames: self.frames, height: self.size.1, width: self.size.0, action_dim: None, state_dim: None }
    }

    fn skipped(&self) -> Vec<SkippedFile> {
        vec![]
    }
}
