//! The terms that keep latents from collapsing: `prevision_objective`.

use burn::tensor::Device;
use prevision_objective::{covariance, directions, sigreg, variance};

use super::work::{Work, normal};

const SAMPLES: usize = 2048;
const DIM: usize = 256;
const DIRECTIONS: usize = 1024;

/// Values and gradients of all three terms.
pub(super) fn regularise(device: &Device) -> Work {
    let latents = normal([SAMPLES, DIM], device);
    let axes = directions(DIM, DIRECTIONS, 0, 0, device);
    let run = move || {
        let latents = latents.clone().autodiff().require_grad();
        let terms = [
            sigreg(latents.clone(), axes.clone().autodiff()),
            variance(latents.clone(), 1.0),
            covariance(latents.clone()),
        ];
        let loss = terms.into_iter().reduce(|a, b| a + b);
        drop(loss.and_then(|loss| latents.grad(&loss.backward())));
    };
    Work { run: Box::new(run), flops: None }
}
