//! One training step of a shipped experiment, as the training loop does it, on clips in memory.

use std::path::{Path, PathBuf};

use anyhow::Result;
use burn::optim::GradientsParams;
use burn::tensor::Device;
use prevision_data::{Array2, Clip, ClipShape, ClipSource, HostBatch};
use prevision_train::optimizer::Optimizer;
use prevision_train::{ExperimentConfig, Learner, input_shape};
use prevision_video::FrameBuffer;

use super::work::Work;

const TWO_ROOMS: &str = include_str!("../../../../experiments/two-rooms/experiment.toml");
const VIDEO_PRETRAINING: &str = include_str!("../../../../experiments/video-pretraining/experiment.toml");
/// Batches that are trained on in turn.
const BATCHES: u64 = 8;

pub(super) fn two_rooms(device: &Device) -> Result<Work> {
    let shape = ClipShape { frames: 9, height: 65, width: 65, action_dim: Some(2), state_dim: Some(2) };
    work(two_rooms_config()?, &shape, device)
}

pub(super) fn video_pretraining(device: &Device) -> Result<Work> {
    let shape = ClipShape { frames: 8, height: 64, width: 64, action_dim: None, state_dim: None };
    let config = prevision_train::config::parse(
        VIDEO_PRETRAINING,
        Path::new("experiments/video-pretraining/experiment.toml"),
        &[],
    )?;
    work(config, &shape, device)
}

/// The shipped experiment on Two Rooms.
pub(super) fn two_rooms_config() -> Result<ExperimentConfig> {
    Ok(prevision_train::config::parse(TWO_ROOMS, Path::new("experiments/two-rooms/experiment.toml"), &[])?)
}

fn work(config: ExperimentConfig, shape: &ClipShape, device: &Device) -> Result<Work> {
    let device = device.clone().autodiff();
    let input = input_shape(shape);
    let mut model = Some(Learner::new(&config, &input)?.init(&input, &device));
    let mut optimizer = Optimizer::new(&config.optimizer);
    let batches: Vec<HostBatch> = (0..BATCHES).map(|number| batch(&config, shape, number)).collect();
    let mut turn = 0;
    let run = move || {
        let (Some(before), Ok(learner)) = (model.take(), Learner::new(&config, &input)) else { return };
        let batch = &batches[turn % batches.len()];
        turn += 1;
        let terms = learner.terms(&before, batch.to_device(&config.data.normalise, &device), batch.number);
        let gradients = GradientsParams::from_grads(terms.total.backward(), &before);
        let (after, _) = optimizer.step(config.optimizer.lr, before, gradients);
        model = Some(match config.model.target_momentum() {
            Some(momentum) => after.update_target(momentum),
            None => after,
        });
    };
    Ok(Work { run: Box::new(run), flops: None })
}

/// Clips of noise, as many of a video as the experiment draws.
fn batch(config: &ExperimentConfig, shape: &ClipShape, number: u64) -> HostBatch {
    let mut noise = Noise(1 + number);
    let clips = (0..config.data.batch_size).map(|index| {
        let mut frames = FrameBuffer::new(shape.frames, shape.height, shape.width);
        frames.data.fill_with(|| (noise.next() * 256.0) as u8);
        let mut rows = |count: usize, width: Option<usize>, scale: f32| {
            width.map(|width| {
                let values = (0..count * width).map(|_| noise.next() * scale).collect();
                Array2::new(values, count, width)
            })
        };
        let actions = rows(shape.frames - 1, shape.action_dim, 1.0);
        let state = rows(shape.frames, shape.state_dim, 64.0);
        let times = (0..shape.frames).map(|frame| frame as f64).collect();
        let video = index / config.data.clips_per_video;
        let start = 10 * (index % config.data.clips_per_video);
        Clip { frames, times, actions, state, label: None, source: ClipSource { path: PathBuf::new(), video, start } }
    });
    HostBatch { clips: clips.collect(), number }
}

/// Uniform numbers in [0, 1): what they are does not matter to the time, only that they are always the same.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u64 << 24) as f32
    }
}
