//! Action-conditioned predictors: `prevision_model::predictor`.

use burn::module::Module;
use burn::tensor::Device;
use prevision_model::LayerNorm;
use prevision_model::predictor::{ActionTransformerConfig, GruConfig};

use super::work::{Work, normal, product, training};

const CANDIDATES: usize = 512;
const CLIPS: usize = 64;
const STEPS: usize = 16;
const WIDTH: usize = 256;
const ACTION: usize = 2;
const WINDOW: usize = 3;
const WINDOWS: usize = 256;

/// The recurrent unit imagines.
pub(super) fn gru_rollout(device: &Device) -> Work {
    let (gru, norm) = (GruConfig {}.init(WIDTH, ACTION, device).valid(), LayerNorm::new(WIDTH, 1e-5, device).valid());
    let (start, actions) = (normal([CANDIDATES, 1, WIDTH], device), normal([CANDIDATES, STEPS, ACTION], device));
    Work {
        run: Box::new(move || drop(gru.rollout(start.clone(), actions.clone(), &norm))),
        flops: Some(gru_products(CANDIDATES)),
    }
}

/// A training step of the recurrent unit through all steps; the loss is the mean squared distance to fixed latents.
pub(super) fn gru_train(device: &Device) -> Work {
    let tape = device.clone().autodiff();
    let model = (GruConfig {}.init(WIDTH, ACTION, &tape), LayerNorm::new(WIDTH, 1e-5, &tape));
    let start = normal([CLIPS, 1, WIDTH], device).autodiff();
    let actions = normal([CLIPS, STEPS, ACTION], device).autodiff();
    let target = normal([CLIPS, STEPS, WIDTH], device).autodiff();
    let run = training(model, move |(gru, norm)| {
        (gru.rollout(start.clone(), actions.clone(), norm) - target.clone()).square().mean()
    });
    Work { run, flops: Some(3 * gru_products(CLIPS)) }
}

/// Products of a rollout of the recurrent unit.
fn gru_products(rows: usize) -> u64 {
    product(rows * STEPS, WIDTH, 3 * WIDTH) + product(rows * STEPS, ACTION, 3 * WIDTH)
}

/// A training step of the transformer of frames, on whole windows; the loss is the mean squared distance to fixed latents.
pub(super) fn transformer_train(device: &Device) -> Work {
    let config = ActionTransformerConfig::default();
    let model = config.init(WIDTH, ACTION, &device.clone().autodiff());
    let latents = normal([WINDOWS, WINDOW, WIDTH], device).autodiff();
    let actions = normal([WINDOWS, WINDOW, ACTION], device).autodiff();
    let target = normal([WINDOWS, WINDOW, WIDTH], device).autodiff();
    let run = training(model, move |model| {
        (model.forward(latents.clone(), actions.clone()) - target.clone()).square().mean()
    });
    Work { run, flops: None }
}
