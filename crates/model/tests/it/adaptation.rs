//! A model that is adapted to a world whose dynamics are not those it was trained in.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use prevision_core::Normalise;
use prevision_model::{
    ActionJepa, ActionWorldModel, HeadFlags, Latents, ObservationBatch, Past, Transition, WorldModel, normalise_latents,
};

use super::{CONV, GRU, MOMENTUM, PATCHES, SHARED, STRIDED, TRANSFORMER, config, difference, random, small};

const MLP: &str = r#"{"kind":"residual-mlp","hidden":12}"#;

/// Models of every predictor, one of them with a static part and with another target.
fn models() -> Vec<(&'static str, ActionJepa)> {
    let device = Device::flex();
    device.seed(3);
    let make = |encoder, predictor, target| config(encoder, predictor, target);
    let mut grid = make(PATCHES, CONV, MOMENTUM);
    grid.static_encoder = Some(serde_json::from_str(PATCHES).expect("an encoder"));
    let configs = [
        ("gru", make(STRIDED, GRU, SHARED)),
        ("residual-mlp", make(STRIDED, MLP, SHARED)),
        ("transformer", make(STRIDED, TRANSFORMER, SHARED)),
        ("residual-conv", grid),
    ];
    configs.into_iter().map(|(name, config)| (name, config.init(&small(), &HeadFlags::default(), &device))).collect()
}

fn world(model: &ActionJepa, normalise_targets: bool) -> ActionWorldModel {
    ActionWorldModel::new(model.clone(), small(), Normalise::default(), normalise_targets, Device::flex())
}

/// What `model` would see if actions did twice as much, and something beside.
fn shifted(model: &dyn WorldModel, steps: usize, seen: usize) -> Transition {
    let device = Device::flex();
    let video = ObservationBatch::of_camera("pixels", random([1, 3, 1, 16, 16], &device));
    let past = Past { latents: model.encode(&video), actions: None };
    let actions: Tensor<3> = random([1, steps, 2], &device);
    let doubled = actions.clone().reshape([1, 1, steps, 2]) * 2.0;
    let after = model.imagine(&past, doubled).moments(steps - seen, seen);
    let [still, all] = [model.spec().static_tokens, model.spec().tokens];
    let moved = after.tokens.clone().narrow(2, still, all - still) + 0.05;
    let tokens = match still {
        0 => moved,
        still => Tensor::cat(vec![after.tokens.narrow(2, 0, still), moved], 2),
    };
    Transition { past, actions, seen: Latents::new(tokens) }
}

fn error(model: &dyn WorldModel, transition: &Transition) -> f32 {
    model.adaptable().expect("a predictor").errors(transition).mean().into_scalar()
}

#[test]
fn errors_fall_from_transition_to_transition() {
    for (name, model) in models() {
        let trained = world(&model, false);
        let before: Vec<Tensor<1>> = values(&trained);
        let tests: Vec<Transition> = (0..4).map(|_| shifted(&trained, 2, 1)).collect();
        let total = |model: &dyn WorldModel| tests.iter().map(|test| error(model, test)).sum::<f32>();
        let start = total(&trained);
        let mut adapted: Arc<dyn WorldModel> = Arc::new(world(&model, false));
        for _ in 0..40 {
            let seen = shifted(&trained, 3, 2);
            adapted = adapted.adaptable().expect("a predictor").adapted(&seen, 0.3);
        }
        let end = total(adapted.as_ref());
        assert!(end < 0.8 * start, "{name}: {start} became {end}");
        assert_eq!(total(&trained), start, "{name}: the trained model has changed");
        for (before, after) in before.into_iter().zip(values(&trained)) {
            assert_eq!(difference(before, after), 0.0, "{name}");
        }
        let video = || ObservationBatch::of_camera("pixels", Tensor::ones([1, 3, 2, 16, 16], &Device::flex()));
        let [was, is] = [trained.encode(&video()), adapted.encode(&video())];
        assert_eq!(difference(was.tokens, is.tokens), 0.0, "{name}: the encoder has changed");
        assert!(
            !adapted.imagine(&tests[0].past, tests[0].actions.clone().unsqueeze_dim(1)).tokens.device().is_autodiff()
        );
    }
}

/// What a model imagines of a fixed start, as one vector.
fn values(model: &ActionWorldModel) -> Vec<Tensor<1>> {
    let device = Device::flex();
    let video = ObservationBatch::of_camera("pixels", Tensor::ones([1, 3, 1, 16, 16], &device));
    let past = Past { latents: model.encode(&video), actions: None };
    vec![model.imagine(&past, Tensor::ones([1, 1, 3, 2], &device)).tokens.flatten(0, 3)]
}

#[test]
fn a_step_takes_away_the_share_that_was_asked_for() {
    for (name, model) in models() {
        let trained = world(&model, false);
        let far = shifted(&trained, 1, 1);
        let imagined = trained.imagine(&far.past, far.actions.clone().unsqueeze_dim(1)).tokens;
        // Near enough for the predictor to be linear, and for the bound on a step not to matter.
        let near = imagined.clone() + (far.seen.tokens.clone() - imagined) * 1e-2;
        let near = Transition { seen: Latents::new(near), ..far };
        let adapted = |rate: f64| trained.adaptable().expect("a predictor").adapted(&near, rate);
        let start = error(&trained, &near);
        assert_eq!(error(adapted(0.0).as_ref(), &near), start, "{name}");
        // A tenth of the way to what was seen leaves 81 % of the squares along it, and less of the rest.
        let left = error(adapted(0.1).as_ref(), &near) / start;
        assert!((0.75..0.87).contains(&left), "{name}: {left}");
    }
}

#[test]
fn errors_are_of_normalised_latents_where_these_were_the_targets() {
    let (_, model) = models().swap_remove(0);
    let transition = shifted(&world(&model, false), 2, 1);
    let normalised = Latents::new(normalise_latents(transition.seen.vectors()).unsqueeze_dim(2));
    let expected = error(&world(&model, false), &Transition { seen: normalised, ..transition.clone() });
    let given = error(&world(&model, true), &transition);
    assert!((given - expected).abs() < 1e-6 * expected, "{given} {expected}");
    assert!((given - error(&world(&model, false), &transition)).abs() > 0.01 * given);
}

#[test]
fn errors_of_an_episode_are_its_own() {
    for (name, model) in models() {
        let trained = world(&model, false);
        let parts: Vec<Transition> = (0..3).map(|_| shifted(&trained, 2, 2)).collect();
        let together = Transition {
            past: Past::join(parts.iter().map(|part| part.past.clone()).collect()),
            actions: Tensor::cat(parts.iter().map(|part| part.actions.clone()).collect(), 0),
            seen: Latents::join(parts.iter().map(|part| part.seen.clone()).collect()),
        };
        let adaptable = trained.adaptable().expect("a predictor");
        let alone = Tensor::cat(parts.iter().map(|part| adaptable.errors(part)).collect(), 0);
        assert_eq!(difference(adaptable.errors(&together), alone), 0.0, "{name}");
    }
}
