//! The transformer predictor sees no later frame or action, and its rollout is the forward pass repeated.

use burn::tensor::{Device, Tensor};
use prevision_model::LayerNorm;
use prevision_model::predictor::ActionTransformerConfig;

use super::{difference, random};

fn small() -> ActionTransformerConfig {
    ActionTransformerConfig { history: 5, width: 16, depth: 2, heads: 4, ..ActionTransformerConfig::default() }
}

#[test]
fn a_later_frame_or_action_changes_nothing_before_it() {
    let device = Device::flex();
    let predictor = small().init(6, 2, &device);
    let (latents, actions) = (random([2, 5, 6], &device), random([2, 5, 2], &device));
    let before = predictor.forward(latents.clone(), actions.clone());
    let change = |x: Tensor<3>| {
        let width = x.dims()[2];
        Tensor::cat(vec![x.clone().narrow(1, 0, 3), x.narrow(1, 3, 2) + random([2, 2, width], &device)], 1)
    };
    for after in
        [predictor.forward(change(latents.clone()), actions.clone()), predictor.forward(latents, change(actions))]
    {
        assert_eq!(difference(before.clone().narrow(1, 0, 3), after.clone().narrow(1, 0, 3)), 0.0);
        assert!(difference(before.clone().narrow(1, 3, 2), after.narrow(1, 3, 2)) > 1e-3);
    }
}

#[test]
fn rollout_slides_its_window() {
    let device = Device::flex();
    let mut config = small();
    config.history = 2;
    let predictor = config.init(6, 2, &device);
    let norm = LayerNorm::new(6, 1e-5, &device);
    let (start, actions) = (random([2, 1, 6], &device), random([2, 3, 2], &device));
    let rolled = predictor.rollout(start.clone(), actions.clone(), &norm);
    let next = |window: Tensor<3>, first: usize| {
        let length = window.dims()[1];
        norm.forward(predictor.forward(window, actions.clone().narrow(1, first, length)).narrow(1, length - 1, 1))
    };
    let one = next(start.clone(), 0);
    let two = next(Tensor::cat(vec![start, one.clone()], 1), 0);
    let three = next(Tensor::cat(vec![one.clone(), two.clone()], 1), 1);
    assert!(difference(rolled, Tensor::cat(vec![one, two, three], 1)) < 1e-5);
}
