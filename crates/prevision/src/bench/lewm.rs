//! LeWM with its published sizes and untrained weights: encoding frames, and imagining candidates.

use burn::tensor::Device;
use prevision_kernels::operations_so_far;
use prevision_model::frame_encoder::{FramePool, FrameVitConfig};
use prevision_model::predictor::LewmConfig;
use prevision_model::{
    ActionJepa, ActionJepaConfig, ActionPredictorConfig, FrameEncoderConfig, HeadFlags, PositionKind,
};

use super::step::clips;
use super::work::{Work, normal};
use prevision_core::{Space, Spaces};

/// Frames that are encoded in one run.
const FRAMES: usize = 16;
/// Side of a frame, pixels.
const SIDE: usize = 224;
/// Sequences of actions that are imagined in one run, and their length.
const CANDIDATES: usize = 300;
const STEPS: usize = 5;
/// Numbers in an action: five of two numbers.
const ACTION: usize = 10;
const WIDTH: usize = 192;

/// The released Push-T model's networks.
pub(super) fn config() -> ActionJepaConfig {
    let encoder = FrameVitConfig {
        patch: 14,
        width: WIDTH,
        depth: 12,
        heads: 3,
        positions: PositionKind::Learned,
        epsilon: 1e-12,
        pool: FramePool::Class,
        projector: Some(2048),
        dim: WIDTH,
        ..FrameVitConfig::default()
    };
    ActionJepaConfig {
        encoder: FrameEncoderConfig::Vit(encoder),
        predictor: ActionPredictorConfig::Lewm(LewmConfig::default()),
        ..ActionJepaConfig::default()
    }
}

fn model(device: &Device) -> ActionJepa {
    let spaces = Spaces { action: Some(Space::Unbounded { dim: ACTION }), ..clips(4, SIDE) };
    config().init(&spaces, &HeadFlags::default(), device)
}

pub(super) fn encode(device: &Device) -> Work {
    let (model, video) = (model(device), normal([1, 3, FRAMES, SIDE, SIDE], device));
    counted(move || drop(model.encode(video.clone())))
}

pub(super) fn rollout(device: &Device) -> Work {
    let model = model(device);
    let (start, actions) = (normal([CANDIDATES, 1, WIDTH], device), normal([CANDIDATES, STEPS, ACTION], device));
    counted(move || drop(model.rollout(start.clone(), actions.clone())))
}

/// Work whose products are counted as it is done a first time.
fn counted(mut run: impl FnMut() + 'static) -> Work {
    let before = operations_so_far();
    run();
    Work { flops: Some(operations_so_far() - before), run: Box::new(run) }
}
