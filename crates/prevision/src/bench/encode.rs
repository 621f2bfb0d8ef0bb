//! Encoding a clip with sizes of V-JEPA 2.

use burn::tensor::Device;
use prevision_model::VideoVitConfig;

use super::work::{Work, normal, product};

const FRAMES: usize = 16;
const CHANNELS: usize = 3;

/// Clips of 16 frames of this side.
pub(super) fn encode(config: &VideoVitConfig, side: usize, device: &Device) -> Work {
    let model = config.init(CHANNELS, device);
    let video = normal([1, CHANNELS, FRAMES, side, side], device);
    let flops = Some(flops(config, side));
    Work { run: Box::new(move || drop(model.forward(video.clone(), None))), flops }
}

fn flops(config: &VideoVitConfig, side: usize) -> u64 {
    let side = side / config.patch;
    let (tokens, dim) = (FRAMES / config.tubelet * side * side, config.dim);
    let hidden = (dim as f64 * config.mlp_ratio) as usize;
    let attention = 2 * product(tokens, dim, tokens);
    let linear = product(tokens, dim, 3 * dim) + product(tokens, dim, dim) + 2 * product(tokens, dim, hidden);
    product(tokens, CHANNELS * config.tubelet * config.patch * config.patch, dim)
        + (attention + linear) * config.depth as u64
}
