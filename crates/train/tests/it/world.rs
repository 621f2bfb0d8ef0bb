//! A data set in memory: a bright square that its actions move about, and the experiments on it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::tensor::Device;
use prevision_data::{Array2, Clip, ClipDataset, ClipRequest, ClipShape, ClipSource, DataError, SkippedFile, seed};
use prevision_train::config::parse;
use prevision_train::{Control, ExperimentConfig, RunFolder, TrainError, TrainSummary, train_on};
use prevision_video::FrameBuffer;
use rand::Rng;

pub(crate) const SIDE: usize = 16;
const VIDEOS: usize = 40;

/// What a clip of the data set does wrong, from a number of clips on.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    None,
    /// Its actions are not numbers.
    Nan,
    /// It cannot be read.
    Error,
}

pub(crate) struct Square {
    pub(crate) frames: usize,
    pub(crate) fault: Fault,
    pub(crate) from: u64,
    pub(crate) drawn: AtomicU64,
}

impl Square {
    pub(crate) fn new(frames: usize) -> Arc<Self> {
        Self::faulty(frames, Fault::None, 0)
    }

    pub(crate) fn faulty(frames: usize, fault: Fault, from: u64) -> Arc<Self> {
        Arc::new(Self { frames, fault, from, drawn: AtomicU64::new(0) })
    }
}

impl ClipDataset for Square {
    fn videos(&self) -> usize {
        VIDEOS
    }

    fn clips_per_video(&self) -> usize {
        1
    }

    fn clip(&self, request: &ClipRequest) -> Result<Clip, DataError> {
        let broken = self.drawn.fetch_add(1, Ordering::Relaxed) >= self.from && self.fault != Fault::None;
        if broken && self.fault == Fault::Error {
            return Err(DataError::Config("the square is gone".to_owned()));
        }
        let mut rng = seed::rng(request.seed, "square", request.epoch, request.slot as u64);
        let mut position = [rng.random_range(3.0..12.0_f32), rng.random_range(3.0..12.0_f32)];
        let mut frames = FrameBuffer::new(self.frames, SIDE, SIDE);
        let (mut actions, mut state) = (Vec::new(), Vec::new());
        for frame in 0..self.frames {
            let pixels = frames.frame_mut(frame);
            for y in 0..SIDE {
                for x in 0..SIDE {
                    let distance = (x as f32 - position[0]).abs().max((y as f32 - position[1]).abs());
                    pixels[(y * SIDE + x) * 3..][..3].fill(((3.0 - distance).clamp(0.0, 1.0) * 255.0) as u8);
                }
            }
            state.extend(position);
            if frame + 1 < self.frames {
                for axis in &mut position {
                    let before = *axis;
                    *axis = (before + rng.random_range(-2.0..2.0)).clamp(2.0, 13.0);
                    actions.push(if broken { f32::NAN } else { *axis - before });
                }
            }
        }
        Ok(Clip {
            frames,
            times: (0..self.frames).map(|frame| frame as f64).collect(),
            actions: Some(Array2::new(actions, self.frames - 1, 2)),
            state: Some(Array2::new(state, self.frames, 2)),
            label: None,
            source: ClipSource { path: "square".into(), video: request.video, start: 0 },
        })
    }

    fn shape(&self) -> ClipShape {
        ClipShape { frames: self.frames, height: SIDE, width: SIDE, action_dim: Some(2), state_dim: Some(2) }
    }

    fn skipped(&self) -> Vec<SkippedFile> {
        Vec::new()
    }
}

/// A small action-conditioned experiment on clips of 4 frames.
pub(crate) const ACTION: &str = r#"
seed = 3
[data]
frames = 4
batch_size = 8
[data.source]
kind = "videos"
path = "in-memory"
[model]
kind = "action-conditioned"
[model.encoder]
kind = "strided-conv"
patch = 4
widths = [16]
dim = 24
[model.target]
kind = "momentum"
momentum = 0.9
[objective]
variance = 4.0
covariance = 1.0
inverse_dynamics = 1.0
sigreg = 0.1
sigreg_directions = 16
position = 1.0
[objective.distance]
weight = 0.1
[objective.prediction]
rollout_steps = 3
[schedule]
final_momentum = 1.0
[train]
steps = 12
log_every = 3
checkpoint_every = 4
keep_checkpoints = 9
histogram_every = 6
image_every = 6
"#;

/// A small masked experiment on the same clips.
pub(crate) const MASKED: &str = r#"
seed = 5
[data]
frames = 4
batch_size = 8
[data.source]
kind = "videos"
path = "in-memory"
[model]
kind = "masked"
momentum = 0.98
[model.encoder]
dim = 48
depth = 2
heads = 2
patch = 4
[model.predictor]
width = 48
depth = 1
heads = 2
[objective.prediction]
loss = "l1"
normalise_targets = true
[optimizer]
weight_decay = 0.04
[train]
steps = 12
accumulate = 2
checkpoint_every = 4
keep_checkpoints = 9
"#;

pub(crate) fn experiment(text: &str, overrides: &[&str]) -> ExperimentConfig {
    let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
    parse(text, Path::new("test.toml"), &overrides).unwrap()
}

/// Trains from whatever is in `run`, and stops after step `until` as Ctrl-C would.
pub(crate) fn train_until(config: &ExperimentConfig, run: &RunFolder, until: u64) -> Result<TrainSummary, TrainError> {
    let mut control = Control::default();
    let stop = Arc::clone(&control.stop);
    control.on_progress = Box::new(move |progress| {
        // The flag is looked at when a step ends: set after step n, it stops step n + 1.
        if progress.step + 1 == until {
            stop.store(true, Ordering::Relaxed);
        }
    });
    train_on(Square::new(4), config, run, Device::flex(), &mut control)
}

pub(crate) fn weights(run: &RunFolder, step: u64) -> [Vec<u8>; 2] {
    let file = |name: &str| std::fs::read(run.path(&format!("checkpoints/step-{step}/{name}.safetensors"))).unwrap();
    [file("model"), file("optimizer")]
}
