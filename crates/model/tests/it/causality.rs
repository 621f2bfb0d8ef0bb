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

/// From any number of first latents, and in a window that grows and one that slides.
#[test]
fn rollout_is_the_forward_pass_repeated() {
    let device = Device::flex();
    let wide = ActionTransformerConfig { heads: 3, head_width: Some(8), projector: Some(20), ..small() };
    for (history, first) in [(2, 1), (3, 1), (3, 3), (4, 2)] {
        for config in [small(), wide.clone()] {
            let predictor = ActionTransformerConfig { history, ..config }.init(6, 2, &device);
            let norm = LayerNorm::new(6, 1e-5, &device);
            let (start, actions) = (random([2, first, 6], &device), random([2, 6, 2], &device));
            let rolled = predictor.rollout(start.clone(), actions.clone(), &norm);
            let mut latents = start;
            for present in first..=6_usize {
                let begin = present.saturating_sub(history);
                let window = |all: &Tensor<3>| all.clone().narrow(1, begin, present - begin);
                let next = norm.forward(predictor.forward(window(&latents), window(&actions)));
                latents = Tensor::cat(vec![latents, next.narrow(1, present - begin - 1, 1)], 1);
            }
            assert_eq!(rolled.dims(), [2, 7 - first, 6]);
            assert!(difference(rolled, latents.narrow(1, first, 7 - first)) < 1e-5, "{history} {first}");
        }
    }
}
