//! The masked model never looks at hidden tokens, and treats order of tokens as it should.

use burn::tensor::{Device, Tensor};
use prevision_model::{
    MaskPair, MaskedJepaConfig, MaskedPredictorConfig, PositionKind, VideoVitConfig, gather_tokens, token_ids,
};

use super::{clips, difference, random};

fn encoder(positions: PositionKind) -> VideoVitConfig {
    VideoVitConfig { dim: 24, depth: 2, heads: 2, patch: 4, positions, ..VideoVitConfig::default() }
}

#[test]
fn hidden_pixels_change_nothing() {
    let device = Device::flex();
    for positions in [PositionKind::Rope, PositionKind::RopeTiled, PositionKind::SinCos] {
        let vit = encoder(positions).init(3, &device);
        let video = random([1, 3, 4, 8, 8], &device);
        // Tokens are [2, 2, 2]; change the pixels of the second half in time and keep tokens of the first.
        let changed = Tensor::cat(vec![video.clone().narrow(2, 0, 2), random([1, 3, 2, 8, 8], &device)], 2);
        let keep = token_ids(&[vec![0, 1, 3]], &device);
        let before = vit.forward(video.clone(), Some(&keep));
        assert_eq!(before.dims(), [1, 3, 24]);
        assert_eq!(difference(before.clone(), vit.forward(changed.clone(), Some(&keep))), 0.0);
        assert!(difference(vit.forward(video, None), vit.forward(changed, None)) > 1e-3);
    }
}

#[test]
fn keeping_all_tokens_equals_no_mask_and_positions_matter() {
    let device = Device::flex();
    for positions in [PositionKind::Rope, PositionKind::RopeTiled, PositionKind::SinCos] {
        let vit = encoder(positions).init(3, &device);
        let video = random([2, 3, 2, 8, 8], &device);
        let all = token_ids(&[vec![0, 1, 2, 3], vec![0, 1, 2, 3]], &device);
        let whole = vit.forward(video.clone(), None);
        assert!(difference(whole.clone(), vit.forward(video.clone(), Some(&all))) < 1e-5);
        // The same patches at other places give other latents: shift the frame by one patch.
        let shifted = Tensor::cat(vec![video.clone().narrow(4, 4, 4), video.narrow(4, 0, 4)], 4);
        let swapped = vit.forward(shifted, None);
        let order = token_ids(&[vec![1, 0, 3, 2], vec![1, 0, 3, 2]], &device);
        assert!(difference(gather_tokens(swapped, &order), whole) > 1e-4);
    }
}

#[test]
fn a_residual_prediction_starts_at_the_copy() {
    let device = Device::flex();
    let config = MaskedJepaConfig {
        encoder: encoder(PositionKind::Rope),
        predictor: MaskedPredictorConfig { width: 24, depth: 1, heads: 2, residual: true, ..Default::default() },
        ..MaskedJepaConfig::default()
    };
    let input = clips(6, 4, 8);
    let model = config.init(&input, &device);
    // Two places, three tubelets: place 0 is seen at first, place 1 never.
    let mask = MaskPair { context: vec![vec![0], vec![0]], target: vec![vec![1, 2, 4], vec![2, 3, 4]] };
    let context = model.encode_context(random([2, 3, 6, 4, 8], &device), &mask);
    let seen = model.predictor.carry.as_ref().expect("a residual predictor").forward(context.clone());
    let nothing = seen.zeros_like();
    let clip = |part: &Tensor<3>, clip: usize| part.clone().narrow(0, clip, 1);
    let copy = Tensor::cat(
        vec![
            Tensor::cat(vec![clip(&nothing, 0), clip(&seen, 0), clip(&seen, 0)], 1),
            Tensor::cat(vec![clip(&seen, 1), clip(&nothing, 1), clip(&seen, 1)], 1),
        ],
        0,
    );
    assert!(difference(model.predict(context, &mask), copy) < 1e-6);
}

#[test]
fn gather_picks_rows_of_each_sample() {
    let device = Device::flex();
    let tokens =
        Tensor::<3>::from_data([[[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]], [[6.0, 7.0], [8.0, 9.0], [10.0, 11.0]]], &device);
    let picked = gather_tokens(tokens, &token_ids(&[vec![0, 2], vec![1, 2]], &device));
    picked
        .into_data()
        .assert_eq(&burn::tensor::TensorData::from([[[0.0_f32, 1.0], [4.0, 5.0]], [[8.0, 9.0], [10.0, 11.0]]]), true);
}

#[test]
#[should_panic(expected = "does not split into tubelets")]
fn a_video_that_does_not_split_panics_with_its_shape() {
    let device = Device::flex();
    let _ = encoder(PositionKind::Rope).init(3, &device).forward(random([1, 3, 3, 8, 8], &device), None);
}
