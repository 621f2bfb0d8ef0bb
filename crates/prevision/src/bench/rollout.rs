//! Imagining many action sequences: the residual MLP of `prevision_model`.

use burn::tensor::Device;
use prevision_model::predictor::ResidualMlpConfig;

use super::work::{Work, normal, product};

const CANDIDATES: usize = 512;
const STEPS: usize = 16;
const WIDTH: usize = 512;
const ACTION: usize = 2;

pub(super) fn rollout(device: &Device) -> Work {
    let model = ResidualMlpConfig { hidden: WIDTH }.init(WIDTH, ACTION, device);
    let (start, actions) = (normal([CANDIDATES, 1, WIDTH], device), normal([CANDIDATES, STEPS, ACTION], device));
    let rows = CANDIDATES * STEPS;
    Work {
        run: Box::new(move || drop(model.rollout(start.clone(), actions.clone()))),
        flops: Some(3 * product(rows, WIDTH, WIDTH) + product(rows, ACTION, WIDTH)),
    }
}
