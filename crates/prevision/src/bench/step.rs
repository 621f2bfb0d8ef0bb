//! One training step of a shipped experiment, as the training loop does it, on clips in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use burn::tensor::Device;
use prevision_core::{Array2, Camera, Clip, ClipSource, FrameBuffer, HostBatch, Observations, Space, Spaces};
use prevision_train::Steps;

use super::work::Work;
use crate::{Experiment, Parts, Usage};

const TWO_ROOMS: &str = include_str!("../../../../experiments/two-rooms/experiment.toml");
const VIDEO_PRETRAINING: &str = include_str!("../../../../experiments/video-pretraining/experiment.toml");
/// Batches that are trained on in turn.
const BATCHES: u64 = 8;

pub(super) fn two_rooms(device: &Device) -> Result<Work> {
    work(&two_rooms_experiment()?, two_rooms_spaces(), device)
}

pub(super) fn video_pretraining(device: &Device) -> Result<Work> {
    let path = Path::new("experiments/video-pretraining/experiment.toml");
    let experiment = Experiment::parse(VIDEO_PRETRAINING, path, &[], &Parts::built_in())?;
    work(&experiment, clips(8, 64), device)
}

/// The shipped experiment on Two Rooms.
pub(super) fn two_rooms_experiment() -> Result<Experiment> {
    let path = Path::new("experiments/two-rooms/experiment.toml");
    Ok(Experiment::parse(TWO_ROOMS, path, &[], &Parts::built_in())?)
}

/// The clips that it is trained on.
pub(super) fn two_rooms_spaces() -> Spaces {
    Spaces { action: Some(Space::Unbounded { dim: 2 }), state: Some(2), ..clips(9, 65) }
}

/// Clips of one square camera.
pub(super) fn clips(frames: usize, side: usize) -> Spaces {
    let cameras = BTreeMap::from([("pixels".to_owned(), Camera { height: side, width: side })]);
    Spaces { frames, frame_step: 1, cameras, ..Spaces::default() }
}

fn work(experiment: &Experiment, spaces: Spaces, device: &Device) -> Result<Work> {
    let batches: Vec<HostBatch> = (0..BATCHES).map(|number| batch(experiment, &spaces, number)).collect();
    let task = experiment.task(&Parts::built_in()).map_err(Usage)?;
    let steps = Steps {
        spaces,
        normalise: experiment.data.normalise,
        optimizer: experiment.optimizer.clone(),
        seed: experiment.seed,
    };
    let mut step = task.stepper(steps, device).map_err(Usage)?;
    let mut done = 0;
    let run = move || {
        step(&batches[done % batches.len()]);
        done += 1;
    };
    Ok(Work { run: Box::new(run), flops: None })
}

/// Clips of noise, as many of a video as the experiment draws.
fn batch(experiment: &Experiment, spaces: &Spaces, number: u64) -> HostBatch {
    let mut noise = Noise(1 + number);
    let frames = spaces.frames;
    let clips = (0..experiment.data.batch_size).map(|index| {
        let mut observations = Observations::default();
        for (name, camera) in &spaces.cameras {
            let mut buffer = FrameBuffer::new(frames, camera.height, camera.width);
            buffer.data.fill_with(|| (noise.next() * 256.0) as u8);
            observations.cameras.insert(name.clone(), buffer);
        }
        let mut rows = |count: usize, width: usize, scale: f32| {
            (width > 0).then(|| {
                let values = (0..count * width).map(|_| noise.next() * scale).collect();
                Array2::new(values, count, width)
            })
        };
        let actions = rows(frames - 1, spaces.action_width(), 1.0);
        let state = rows(frames, spaces.state_width(), 64.0);
        let times = (0..frames).map(|frame| frame as f64).collect();
        let video = index / experiment.data.clips_per_video;
        let start = 10 * (index % experiment.data.clips_per_video);
        Clip {
            observations,
            times,
            actions,
            state,
            label: None,
            source: ClipSource { path: PathBuf::new(), video, start },
        }
    });
    HostBatch { clips: clips.collect(), number, first: 0 }
}

/// Uniform numbers in [0, 1): what they are does not matter to the time, only that they are always the same.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u64 << 24) as f32
    }
}
