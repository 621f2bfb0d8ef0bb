//! Imagining many samples at once equals imagining each alone, step by step.

use burn::tensor::{Device, Tensor};
use prevision_model::{ActionJepa, HeadFlags, WorldModel};

use super::{CONV, GRU, PATCHES, SHARED, SMALL, STRIDED, TRANSFORMER, config, difference, random};

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

#[test]
fn rollout_equals_step_by_step() {
    let device = Device::flex();
    for (predictor, history) in [(GRU, 1), (GRU, 2), (TRANSFORMER, 1), (TRANSFORMER, 3)] {
        let model = config(STRIDED, predictor, SHARED).init(&SMALL, &HeadFlags::default(), &device);
        assert_eq!(model.action_dim(), 2);
        let latents = WorldModel::encode(&model, random([2, 3, history, 16, 16], &device).into());
        let actions: Tensor<4> = random([2, 5, history - 1 + 4, 2], &device);
        let imagined = WorldModel::rollout(&model, latents.clone(), actions.clone());
        assert_eq!(imagined.dims(), [2, 5, 4, 8]);
        for sample in 0..5 {
            let alone = step_by_step(&model, latents.clone(), actions.clone().narrow(1, sample, 1).squeeze_dim(1));
            let together = imagined.clone().narrow(1, sample, 1).squeeze_dim(1);
            let error = difference(alone, together);
            assert!(error < 1e-5, "{predictor} with history {history}, sample {sample}: {error}");
        }
    }
}

/// A grid of tokens beside a static one, and a vector beside a static one.
#[test]
fn a_static_part_stays_and_conditions_every_step() {
    let device = Device::flex();
    for (encoder, predictor) in [(PATCHES, CONV), (STRIDED, GRU)] {
        let mut config = config(encoder, predictor, SHARED);
        config.static_encoder = Some(serde_json::from_str(encoder).expect("an encoder"));
        let model = config.init(&SMALL, &HeadFlags::default(), &device);
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
    let model = config.init(&SMALL, &HeadFlags::default(), &device);
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
    let model = config(STRIDED, GRU, SHARED).init(&SMALL, &HeadFlags::default(), &device);
    // More rows than two tasks, not a multiple; more steps than one block of projected actions.
    let (start, actions) = (random([600, 1, 8], &device), random([600, 11, 2], &device));
    let tasks = model.rollout(start.clone(), actions.clone());
    let tape = model.rollout(start.autodiff(), actions.autodiff()).without_autodiff();
    assert!(difference(tasks, tape) < 1e-5);
}
