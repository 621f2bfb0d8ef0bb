//! A small vision transformer: `prevision_model::VideoVit` without the parts around it.

use burn::module::Module;
use burn::tensor::Device;
use prevision_model::VideoVitConfig;
use prevision_model::video_vit::PositionKind;

use super::work::{Work, normal, product, training};

/// Clips of two frames of 224 x 224.
const VIDEO: [usize; 5] = [32, 3, 2, 224, 224];
const TOKENS: usize = 14 * 14;
const DIM: usize = 192;
const DEPTH: usize = 6;
const HEADS: usize = 3;
const PATCH: usize = 16;
const TUBELET: usize = 2;

fn config() -> VideoVitConfig {
    VideoVitConfig {
        dim: DIM,
        depth: DEPTH,
        heads: HEADS,
        mlp_ratio: 4.0,
        patch: PATCH,
        tubelet: TUBELET,
        positions: PositionKind::SinCos,
        ..VideoVitConfig::default()
    }
}

/// Loss is the mean squared distance of all tokens to fixed ones.
pub(super) fn train(device: &Device) -> Work {
    let model = config().init(VIDEO[1], &device.clone().autodiff());
    let video = normal(VIDEO, device).autodiff();
    let target = normal([VIDEO[0], TOKENS, DIM], device).autodiff();
    let run = training(model, move |model| (model.forward(video.clone(), None) - target.clone()).square().mean());
    // Gradients of weights and of inputs take a product each; there are none of the pixels.
    Work { run, flops: Some(3 * blocks() + 2 * embedding()) }
}

pub(super) fn infer(device: &Device) -> Work {
    let model = config().init(VIDEO[1], device).valid();
    let video = normal(VIDEO, device);
    Work { run: Box::new(move || drop(model.forward(video.clone(), None))), flops: Some(blocks() + embedding()) }
}

/// Products of the patch embedding.
fn embedding() -> u64 {
    product(VIDEO[0] * TOKENS, VIDEO[1] * TUBELET * PATCH * PATCH, DIM)
}

/// Products of all blocks.
fn blocks() -> u64 {
    let rows = VIDEO[0] * TOKENS;
    let attention = 2 * product(TOKENS, DIM, TOKENS) * VIDEO[0] as u64;
    let linear = product(rows, DIM, 3 * DIM) + product(rows, DIM, DIM) + 2 * product(rows, DIM, 4 * DIM);
    (attention + linear) * DEPTH as u64
}
