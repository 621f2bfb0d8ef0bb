//! Encoding a clip with the base size of V-JEPA 2.

use burn::tensor::Device;
use prevision_model::VideoVitConfig;

use super::work::{Work, normal, product};

const VIDEO: [usize; 5] = [1, 3, 16, 224, 224];

pub(super) fn encode(device: &Device) -> Work {
    let config = VideoVitConfig::base();
    let model = config.init(VIDEO[1], device);
    let video = normal(VIDEO, device);
    Work { run: Box::new(move || drop(model.forward(video.clone(), None))), flops: Some(flops(&config)) }
}

fn flops(config: &VideoVitConfig) -> u64 {
    let side = VIDEO[3] / config.patch;
    let (tokens, dim) = (VIDEO[2] / config.tubelet * side * side, config.dim);
    let hidden = (dim as f64 * config.mlp_ratio) as usize;
    let attention = 2 * product(tokens, dim, tokens);
    let linear = product(tokens, dim, 3 * dim) + product(tokens, dim, dim) + 2 * product(tokens, dim, hidden);
    product(tokens, VIDEO[1] * config.tubelet * config.patch * config.patch, dim)
        + (attention + linear) * config.depth as u64
}
