//! Block-causal encoders know nothing of the future, and the multi-view model embeds views by their class tokens.

use burn::module::Param;
use burn::tensor::{Device, Tensor};
use prevision_core::config::Options;
use prevision_model::{
    AttentionKind, MultiViewConfig, MultiViewProjectorConfig, PositionKind, VideoVit, VideoVitConfig, View, ViewConfig,
    token_ids,
};

use super::{difference, random};

const KINDS: [PositionKind; 3] = [PositionKind::Rope, PositionKind::RopeTiled, PositionKind::SinCos];

fn encoder(positions: PositionKind, attention: AttentionKind) -> VideoVitConfig {
    let small = VideoVitConfig { dim: 24, depth: 2, heads: 2, patch: 4, tubelet: 1, ..VideoVitConfig::default() };
    VideoVitConfig { class_token: true, attention, positions, ..small }
}

/// Tokens of the tubelets, and the class token.
fn encoded(vit: &VideoVit, video: &Tensor<5>, keep: Option<&[Vec<usize>]>) -> [Tensor<3>; 2] {
    let ids = keep.map(|keep| token_ids(keep, &video.device()));
    let found = vit.features(video.clone(), ids.as_ref(), &[2]).remove(0);
    let class = found.prefix.expect("a class token");
    let alone = vit.class_only(video.clone(), ids.as_ref()).expect("a class token");
    assert!(difference(class.clone().squeeze_dim::<2>(1), alone) < 1e-5, "computed alone it is the same");
    [found.tokens, class]
}

#[test]
fn a_token_knows_nothing_of_later_tubelets() {
    let device = Device::flex();
    for positions in KINDS {
        let vit = encoder(positions, AttentionKind::BlockCausal).init(3, &device);
        // Tokens are [3, 2, 2]: another last frame.
        let video = random([2, 3, 3, 8, 8], &device);
        let start = video.clone().narrow(2, 0, 2);
        let changed = Tensor::cat(vec![start.clone(), random([2, 3, 1, 8, 8], &device)], 2);
        let [before, class] = encoded(&vit, &video, None);
        let [after, other_class] = encoded(&vit, &changed, None);
        let early = |tokens: &Tensor<3>| tokens.clone().narrow(1, 0, 8);
        assert!(difference(early(&before), early(&after)) < 1e-6);
        assert!(difference(before.clone().narrow(1, 8, 4), after.narrow(1, 8, 4)) > 1e-3);
        assert!(difference(class, other_class) > 1e-3, "the class token sees all");
        assert!(difference(early(&before), encoded(&vit, &start, None)[0].clone()) < 1e-5, "of a shorter clip alike");
        // Of tokens that are kept, differently many of each frame.
        let keep = [vec![0, 2, 3, 5, 8, 9], vec![1, 4, 5, 6, 7, 10]];
        let [before, _] = encoded(&vit, &video, Some(&keep));
        let [after, _] = encoded(&vit, &changed, Some(&keep));
        let early = |tokens: &Tensor<3>| {
            Tensor::cat(
                vec![tokens.clone().narrow(0, 0, 1).narrow(1, 0, 4), tokens.clone().narrow(0, 1, 1).narrow(1, 0, 4)],
                0,
            )
        };
        assert!(difference(early(&before), early(&after)) < 1e-6);
        let full = encoder(positions, AttentionKind::Full).init(3, &device);
        let early = |video: &Tensor<5>| encoded(&full, video, None)[0].clone().narrow(1, 0, 8);
        assert!(difference(early(&video), early(&changed)) > 1e-4, "without the mask they do");
    }
}

#[test]
fn kept_tokens_are_masked_as_all_are() {
    let device = Device::flex();
    for positions in KINDS {
        let vit = encoder(positions, AttentionKind::BlockCausal).init(3, &device);
        let video = random([2, 3, 2, 8, 8], &device);
        let all = [(0..8).collect(), (0..8).collect::<Vec<usize>>()];
        let [tokens, class] = encoded(&vit, &video, None);
        let [kept, kept_class] = encoded(&vit, &video, Some(&all));
        assert!(difference(tokens, kept) < 1e-5 && difference(class, kept_class) < 1e-5);
    }
}

#[test]
fn a_token_of_a_tubelet_knows_nothing_of_the_others() {
    let device = Device::flex();
    for positions in KINDS {
        let vit = encoder(positions, AttentionKind::Tubelet).init(3, &device);
        let video = random([2, 3, 3, 8, 8], &device);
        let [tokens, class] = encoded(&vit, &video, None);
        // With proper rotary positions each frame alone is encoded alike: its place in the clip is not told.
        let frame = |index: usize| encoded(&vit, &video.clone().narrow(2, index, 1), None)[0].clone();
        let alone = difference(tokens.clone(), Tensor::cat((0..3).map(frame).collect(), 1));
        assert!((alone < 1e-5) == (positions == PositionKind::Rope), "{positions:?}: {alone}");
        let other = Tensor::cat(vec![random([2, 3, 2, 8, 8], &device), video.clone().narrow(2, 2, 1)], 2);
        let [changed, other_class] = encoded(&vit, &other, None);
        let last = |tokens: &Tensor<3>| tokens.clone().narrow(1, 8, 4);
        assert!(difference(last(&tokens), last(&changed)) < 1e-6);
        assert!(difference(tokens, changed) > 1e-3 && difference(class, other_class) > 1e-3);
        // Of tokens that are kept, differently many of each frame: those of the last see each other alone.
        let [first, second] = [vec![0, 2, 3, 8, 9], vec![1, 4, 6, 8, 9]];
        let kept = |video: &Tensor<5>| encoded(&vit, video, Some(&[first.clone(), second.clone()]))[0].clone();
        assert!(difference(kept(&video).narrow(1, 3, 2), kept(&other).narrow(1, 3, 2)) < 1e-6);
        assert!(difference(kept(&video).narrow(1, 0, 3), kept(&other).narrow(1, 0, 3)) > 1e-3);
    }
}

#[test]
fn no_token_sees_the_class_token_of_a_causal_encoder() {
    let device = Device::flex();
    let video = random([1, 3, 2, 8, 8], &device);
    let changed = |attention| {
        let mut vit = encoder(PositionKind::Rope, attention).init(3, &device);
        let before = encoded(&vit, &video, None)[0].clone();
        vit.class = Some(Param::from_tensor(random([1, 24], &device)));
        difference(before, encoded(&vit, &video, None)[0].clone())
    };
    assert!(changed(AttentionKind::BlockCausal) < 1e-6);
    assert!(changed(AttentionKind::Full) > 1e-4);
}

#[test]
fn embeddings_are_of_the_kept_tokens() {
    let device = Device::flex();
    let config = MultiViewConfig {
        encoder: encoder(PositionKind::RopeTiled, AttentionKind::BlockCausal),
        projector: MultiViewProjectorConfig { hidden: 16, dim: 5 },
        views: ViewConfig { local: 1, size: 4, ..ViewConfig::default() },
    };
    config.validate().expect("valid");
    let model = config.init(&device);
    let view = |video: Tensor<5>, keep: Vec<Vec<usize>>| View { pixels: video.into(), keep };
    let (large, small) = (random([2, 3, 2, 8, 8], &device), random([2, 3, 2, 4, 4], &device));
    let views = [view(large, vec![vec![0, 5], vec![2, 7]]), view(small.clone(), vec![vec![0], vec![1]])];
    let embedded = model.embed(&views);
    assert_eq!(embedded.dims(), [2, 2, 5]);
    // Other pixels where nothing is kept: the second frame of the first clip's small view.
    let elsewhere = Tensor::cat(
        vec![
            Tensor::cat(vec![small.clone().narrow(0, 0, 1).narrow(2, 0, 1), random([1, 3, 1, 4, 4], &device)], 2),
            small.narrow(0, 1, 1),
        ],
        0,
    );
    let other = [views[0].clone(), view(elsewhere, views[1].keep.clone())];
    assert!(difference(embedded, model.embed(&other)) < 1e-6);
}

#[test]
fn configurations_that_do_not_fit_are_named() {
    let config = |change: fn(&mut MultiViewConfig)| {
        let mut config = MultiViewConfig::default();
        change(&mut config);
        config.validate().err().unwrap_or_default()
    };
    assert_eq!(config(|_| ()), "");
    assert_eq!(
        config(|config| config.encoder.class_token = false),
        "encoder.class_token is false, but must be true, as views are told by that token"
    );
    assert!(config(|config| config.encoder.registers = 2).starts_with("encoder.registers is 2, but must be 0"));
    assert!(
        config(|config| config.views.size = 40).starts_with("views.size is 40, but must be a positive multiple of")
    );
    assert!(config(|config| config.projector.dim = 0).starts_with("projector.dim is 0"));
    assert!(config(|config| config.encoder.positions = PositionKind::Learned).starts_with("encoder.positions is"));
}
