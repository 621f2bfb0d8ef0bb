//! Imagining many samples at once equals imagining each alone, step by step.

use burn::tensor::{Device, Tensor};
use prevision_core::Normalise;
use prevision_model::{
    ActionJepa, ActionWorldModel, ClipBatch, FrozenModel, HeadFlags, Latents, ObservationBatch, Past, Wanted,
    WorldModel,
};

use super::{CONV, GRU, PATCHES, SHARED, STRIDED, TRANSFORMER, config, difference, random, small};

/// One step at a time through `ActionJepa::rollout`, feeding predictions back.
fn step_by_step(model: &ActionJepa, latents: Tensor<3>, actions: Tensor<3>) -> Tensor<3> {
    let [_, history, _] = latents.dims();
    let [_, length, _] = actions.dims();
    let mut all = latents;
    for present in history..=length {
        let window = model.history().min(present);
        let start = all.clone().narrow(1, present - window, window);
        let next = model.rollout(start, actions.clone().narrow(1, present - window, window));
        all = Tensor::cat(vec![all, next], 1);
    }
    all.narrow(1, history, length + 1 - history)
}

/// The model as planning knows it.
fn frozen(model: &ActionJepa) -> ActionWorldModel {
    ActionWorldModel::new(model.clone(), small(), Normalise::default(), false, Device::flex())
}

#[test]
fn imagining_equals_step_by_step() {
    let device = Device::flex();
    for (predictor, history) in [(GRU, 1), (GRU, 2), (TRANSFORMER, 1), (TRANSFORMER, 3)] {
        let model = config(STRIDED, predictor, SHARED).init(&small(), &HeadFlags::default(), &device);
        assert_eq!(model.action_dim(), 2);
        let world = frozen(&model);
        assert_eq!((world.spec().tokens, world.spec().token_width, world.spec().history), (1, 8, model.history()));
        let seen = ObservationBatch::of_camera("pixels", random([2, 3, history, 16, 16], &device));
        let latents = world.encode(&seen);
        let before: Tensor<3> = random([2, history - 1, 2], &device);
        let actions: Tensor<4> = random([2, 5, 4, 2], &device);
        let past = Past { latents: latents.clone(), actions: (history > 1).then(|| before.clone()) };
        let imagined = world.imagine(&past, actions.clone());
        assert_eq!(imagined.dims(), [10, 4, 1, 8]);
        let imagined = imagined.vectors().reshape([2, 5, 4, 8]);
        for sample in 0..5 {
            let own = actions.clone().narrow(1, sample, 1).squeeze_dim(1);
            let all = if history > 1 { Tensor::cat(vec![before.clone(), own], 1) } else { own };
            let alone = step_by_step(&model, latents.vectors(), all);
            let together = imagined.clone().narrow(1, sample, 1).squeeze_dim(1);
            let error = difference(alone, together);
            assert!(error < 1e-5, "{predictor} with history {history}, sample {sample}: {error}");
        }
    }
}

#[test]
fn static_tokens_come_first_and_heads_read_latents() {
    let device = Device::flex();
    let mut config = config(PATCHES, CONV, SHARED);
    config.static_encoder = Some(serde_json::from_str(PATCHES).expect("an encoder"));
    config.distance = serde_json::from_str(r#"{"kind":"field","hidden":4}"#).expect("a distance");
    let heads = HeadFlags { distance: true, position: true, ..HeadFlags::default() };
    let world = frozen(&config.init(&small(), &heads, &device));
    // 2 x 2 places of patches 8 pixels wide, 2 numbers each.
    assert_eq!((world.spec().tokens, world.spec().token_width, world.spec().static_tokens), (8, 2, 4));
    let seen = ObservationBatch::of_camera("pixels", random([3, 3, 2, 16, 16], &device));
    let latents = world.encode(&seen);
    assert_eq!((latents.dims(), latents.last().dims()), ([3, 2, 8, 2], [3, 1, 8, 2]));
    assert_eq!(difference(latents.select(&[2, 0]).tokens.narrow(0, 0, 1), latents.rows(2, 1).tokens), 0.0);
    assert_eq!(world.readout("position", &latents).expect("a position head").dims(), [3, 2, 2]);
    assert!(world.readout("colour", &latents).is_none());
    let distance = world.distance().expect("a distance head");
    assert_eq!(distance.places(), Some(4));
    let present: Tensor<3> = latents.last().tokens.squeeze_dim(1);
    let starts = distance.starts(present.clone());
    let free = distance.goals(present.clone(), None);
    let blocked = distance.goals(present, Some(Tensor::ones([3, 4], &device) * 9.0));
    assert_eq!(distance.between(starts.unsqueeze_dim(1), free.clone()).dims(), [3, 1]);
    assert!(difference(free, blocked) > 1.0, "obstacles make paths longer");
}

#[test]
fn a_forecast_follows_the_actions_of_the_clips() {
    let device = Device::flex();
    let world = frozen(&config(STRIDED, GRU, SHARED).init(&small(), &HeadFlags::default(), &device));
    let video: Tensor<5> = random([2, 3, 4, 16, 16], &device);
    let actions: Tensor<3> = random([2, 3, 2], &device);
    let batch = ClipBatch {
        observations: ObservationBatch::of_camera("pixels", video),
        actions: Some(actions.clone()),
        state: None,
        sources: Vec::new(),
        starts: Vec::new(),
        number: 0,
        first: 0,
    };
    let forecast = world.forecast(&batch, Wanted { context: true, steps: 2 });
    assert!(forecast.context.is_none(), "a shared encoder makes the targets");
    assert_eq!((forecast.observed, forecast.targets.dims()), (1, [2, 4, 1, 8]));
    let first = Latents::new(forecast.targets.clone().narrow(1, 0, 1));
    let own = actions.narrow(1, 0, 2).unsqueeze_dim(1);
    let expected = world.imagine(&Past { latents: first, actions: None }, own).tokens;
    assert_eq!(difference(forecast.predicted.expect("two steps"), expected), 0.0);
    assert_eq!(FrozenModel::longest_horizon(&world), (3, "steps"));
}

/// A grid of tokens beside a static one, and a vector beside a static one.
#[test]
fn a_static_part_stays_and_conditions_every_step() {
    let device = Device::flex();
    for (encoder, predictor) in [(PATCHES, CONV), (STRIDED, GRU)] {
        let mut config = config(encoder, predictor, SHARED);
        config.static_encoder = Some(serde_json::from_str(encoder).expect("an encoder"));
        let model = config.init(&small(), &HeadFlags::default(), &device);
        let fixed = model.static_dim();
        assert_eq!((model.action_dim(), model.latent_dim()), (2, 2 * fixed));
        let latents = model.encode(random([2, 3, 1, 16, 16], &device));
        let actions: Tensor<3> = random([2, 4, 2], &device);
        let rolled = model.rollout(latents.clone(), actions.clone());
        let place = latents.clone().narrow(2, 0, fixed);
        assert_eq!(difference(rolled.clone().narrow(2, 0, fixed), place.clone().expand([2, 4, fixed])), 0.0);
        assert!(difference(rolled.clone(), step_by_step(&model, latents.clone(), actions.clone())) < 1e-5);
        let elsewhere = Tensor::cat(vec![place + 1.0, latents.narrow(2, fixed, fixed)], 2);
        let other = model.rollout(elsewhere, actions).narrow(2, fixed, fixed);
        assert!(difference(other, rolled.narrow(2, fixed, fixed)) > 1e-4, "the static part changes what moves");
    }
}

#[test]
fn clips_have_the_static_part_of_their_first_frame() {
    let device = Device::flex();
    let mut config = config(PATCHES, CONV, SHARED);
    config.static_encoder = Some(serde_json::from_str(PATCHES).expect("an encoder"));
    let model = config.init(&small(), &HeadFlags::default(), &device);
    let video = random([2, 3, 4, 16, 16], &device);
    let (each, clips) = (model.encode(video.clone()), model.encode_clips(video));
    let fixed = model.static_dim();
    let first = each.clone().narrow(1, 0, 1).narrow(2, 0, fixed).expand([2, 4, fixed]);
    assert_eq!(difference(clips.clone().narrow(2, 0, fixed), first), 0.0);
    assert_eq!(difference(clips.narrow(2, fixed, fixed), each.narrow(2, fixed, fixed)), 0.0);
}

#[test]
fn many_rows_in_tasks_equal_the_tape() {
    let device = Device::flex();
    let model = config(STRIDED, GRU, SHARED).init(&small(), &HeadFlags::default(), &device);
    // More rows than two tasks, not a multiple; more steps than one block of projected actions.
    let (start, actions) = (random([600, 1, 8], &device), random([600, 11, 2], &device));
    let tasks = model.rollout(start.clone(), actions.clone());
    let tape = model.rollout(start.autodiff(), actions.autodiff()).without_autodiff();
    assert!(difference(tasks, tape) < 1e-5);
}
