//! The predictor over tokens of frames: what a token sees, and rollouts.

use burn::tensor::{Device, Tensor};
use prevision_model::predictor::{BlockCausal, BlockCausalConfig, BlockCausalInput, Conditioning};
use prevision_model::{Moments, PositionKind};

use super::{difference, random};

/// Frames of 2 x 3 tokens of 4 numbers.
const DIM: usize = 24;

fn predictor(config: &BlockCausalConfig, proprioception: usize) -> BlockCausal {
    let input = BlockCausalInput { grid: [2, 3], dim: DIM, action: 2, proprioception, normalise: false };
    config.init(input, &Device::flex())
}

/// All ways of conditioning and positions.
fn configs() -> impl Iterator<Item = BlockCausalConfig> {
    let positions = [PositionKind::RopeTiled, PositionKind::Rope, PositionKind::SinCos, PositionKind::Learned];
    let both = [Conditioning::Tokens, Conditioning::Channels];
    both.into_iter().flat_map(move |conditioning| {
        positions.map(|positions| BlockCausalConfig {
            history: 3,
            width: 16,
            depth: 2,
            heads: 2,
            positions,
            conditioning,
            ..BlockCausalConfig::default()
        })
    })
}

fn moments(time: usize, numbers: usize) -> Moments {
    let device = Device::flex();
    let proprioception = (numbers > 0).then(|| random([2, time, numbers], &device));
    Moments { latents: random([2, time, DIM], &device), proprioception }
}

#[test]
fn a_later_moment_or_action_changes_nothing_before_it() {
    for config in configs() {
        let predictor = predictor(&config, 2);
        let (now, actions) = (moments(3, 2), random([2, 3, 2], &Device::flex()));
        let before = predictor.forward(&now, actions.clone());
        let other = now.narrow(0, 2).then(moments(1, 2));
        // Far from the action that was there: another random one may be next to it.
        let acted = Tensor::cat(vec![actions.clone().narrow(1, 0, 2), actions.clone().narrow(1, 2, 1) + 1.0], 1);
        for after in [predictor.forward(&other, actions.clone()), predictor.forward(&now, acted)] {
            let early = |moments: &Moments| moments.latents.clone().narrow(1, 0, 2);
            assert_eq!(difference(early(&before), early(&after)), 0.0, "{config:?}");
            let late = |moments: &Moments| moments.latents.clone().narrow(1, 2, 1);
            // However little: what is the same comes out the same to the last bit.
            let changed = difference(late(&before), late(&after));
            assert!(changed > 0.0, "{changed} with {config:?}");
        }
    }
}

/// A token of the first row changes what is predicted of the last: all tokens of a frame see each other.
#[test]
fn tokens_of_a_frame_see_each_other_and_their_places() {
    for config in configs() {
        let predictor = predictor(&config, 0);
        let actions = random([2, 1, 2], &Device::flex());
        let now = moments(1, 0);
        let first = now.latents.clone().narrow(2, 0, 4);
        let changed = Tensor::cat(vec![first.clone() + 1.0, now.latents.clone().narrow(2, 4, DIM - 4)], 2);
        let last = |latents: Tensor<3>| {
            predictor.forward(&Moments::of_latents(latents), actions.clone()).latents.narrow(2, DIM - 4, 4)
        };
        assert!(difference(last(now.latents), last(changed)) > 1e-7, "{config:?}");
        // Equal tokens are told apart by where they are.
        let same = predictor.forward(&Moments::of_latents(first.repeat_dim(2, 6)), actions.clone()).latents;
        let places = (same.clone().narrow(2, 0, 4), same.narrow(2, DIM - 4, 4));
        let rotates = matches!(config.positions, PositionKind::Rope | PositionKind::RopeTiled);
        // Of equal values any attention is the same.
        assert!(rotates || difference(places.0, places.1) > 1e-6, "{config:?}");
    }
}

#[test]
fn a_rollout_is_the_forward_pass_repeated_in_a_sliding_window() {
    for config in configs() {
        let predictor = predictor(&config, 2);
        let (start, actions) = (moments(2, 2), random([2, 6, 2], &Device::flex()));
        let rolled = predictor.rollout(start.clone(), actions.clone());
        let mut all = start;
        for present in 2..=6_usize {
            let begin = present.saturating_sub(3);
            let count = present - begin;
            let next = predictor.forward(&all.narrow(begin, count), actions.clone().narrow(1, begin, count));
            all = all.then(next.narrow(count - 1, 1));
        }
        assert_eq!(rolled.latents.dims(), [2, 5, DIM]);
        assert!(difference(rolled.latents, all.latents.narrow(1, 2, 5)) < 1e-6);
        assert!(difference(rolled.proprioception.unwrap(), all.proprioception.unwrap().narrow(1, 2, 5)) < 1e-6);
    }
}

#[test]
fn a_change_begins_at_zero_and_predictions_can_be_normalised() {
    let config = BlockCausalConfig { residual: true, width: 16, heads: 2, depth: 1, ..BlockCausalConfig::default() };
    let (now, actions) = (moments(2, 2), random([2, 2, 2], &Device::flex()));
    let next = predictor(&config, 2).forward(&now, actions.clone());
    assert_eq!(difference(next.latents, now.latents.clone()), 0.0);
    assert_eq!(difference(next.proprioception.unwrap(), now.proprioception.clone().unwrap()), 0.0);
    let input = BlockCausalInput { grid: [2, 3], dim: DIM, action: 2, proprioception: 2, normalise: true };
    let next = config.init(input, &Device::flex()).forward(&now, actions).latents.reshape([2, 12, 4]);
    let variance: Tensor<3> = (next.clone() - next.clone().mean_dim(2)).square().mean_dim(2);
    assert!(difference(next.mean_dim(2), Tensor::zeros([2, 12, 1], &Device::flex())) < 1e-5);
    assert!(difference(variance, Tensor::ones([2, 12, 1], &Device::flex())) < 1e-2);
}
