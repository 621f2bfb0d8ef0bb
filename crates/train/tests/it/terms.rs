//! The terms of whole models: weights, names, and where gradients may go.

use std::sync::Arc;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::{Distribution, Gradients, TensorData};
use prevision_core::config::{Options, WeightedParts};
use prevision_core::{Camera, ClipSource, Space, Spaces};
use prevision_model::{
    ActionJepa, ActionJepaConfig, ClipBatch, MaskPair, MaskedJepa, MaskedJepaConfig, MultiViewConfig, ObservationBatch,
    ViewSampler, normalise_latents,
};
use prevision_objective::{
    Draw, LossTerms, Objective, PredictionLoss, built_in, covariance, directions as sigreg_directions, prediction,
    sigreg_of_moments, static_similarity, variance,
};
use prevision_train::tasks::{ActionTask, MaskedTask, MultiViewTask};
use prevision_train::{ModelContext, Task};

const CLIPS: usize = 3;
const FRAMES: usize = 5;
const EPISODES: [usize; CLIPS] = [4, 4, 9];

fn device() -> Device {
    let device = Device::flex().autodiff();
    device.seed(1);
    device
}

fn context(objective: &str) -> ModelContext {
    let parts: WeightedParts = toml::from_str(objective).unwrap();
    ModelContext { objective: Arc::new(Objective::new(&parts, &built_in()).unwrap()), final_momentum: None }
}

fn spaces(frames: usize) -> Spaces {
    Spaces {
        frames,
        frame_step: 1,
        cameras: [("pixels".to_owned(), Camera { height: 16, width: 16 })].into(),
        action: Some(Space::Unbounded { dim: 2 }),
        state: Some(3),
        ..Spaces::default()
    }
}

fn task(objective: &str, momentum: bool) -> ActionTask {
    let target = if momentum { "momentum" } else { "shared" };
    task_of(
        objective,
        &format!(
            r#"{{"encoder": {{"kind": "strided-conv", "widths": [4, 8], "dim": 6}},
                 "predictor": {{"kind": "gru"}}, "target": {{"kind": "{target}"}},
                 "distance": {{"kind": "embedding", "hidden": 16, "groups": 2, "size": 3}}}}"#
        ),
    )
}

fn task_of(objective: &str, json: &str) -> ActionTask {
    let config: ActionJepaConfig = serde_json::from_str(json).unwrap();
    config.validate().unwrap();
    let task = ActionTask::new(config, &context(objective)).unwrap();
    task.validate(&spaces(FRAMES)).unwrap();
    task
}

fn batch(device: &Device) -> ClipBatch {
    let device = device.clone().without_autodiff();
    let random = |shape: &[usize]| {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|i| (i as f32 * 0.7).sin() + (i as f32 * 0.013).cos()).collect();
        TensorData::new(values, shape.to_vec())
    };
    let video = Tensor::<5>::from_data(random(&[CLIPS, 3, FRAMES, 16, 16]), &device);
    ClipBatch {
        observations: ObservationBatch::of_camera("pixels", video),
        actions: Some(Tensor::from_data(random(&[CLIPS, FRAMES - 1, 2]), &device)),
        state: Some(Tensor::<3>::from_data(random(&[CLIPS, FRAMES, 3]), &device) * 4.0 + 8.0),
        sources: EPISODES.map(|video| ClipSource { path: "clips".into(), video, start: 0 }).to_vec(),
        starts: vec![0.0, 30.0, 4.0],
        number: 0,
        first: 0,
    }
}

fn terms(task: &ActionTask, model: &ActionJepa, device: &Device, number: u64) -> LossTerms {
    task.terms(model, batch(device), &Draw { seed: 11, number, first: 0 })
}

fn value(tensor: &Tensor<1>) -> f64 {
    f64::from(tensor.to_data().try_into_vec_as::<f32>().unwrap()[0])
}

/// Whether any parameter of the module has a gradient.
fn reaches<M: Module>(gradients: &mut Gradients, module: &M) -> bool {
    !GradientsParams::from_module(gradients, module).is_empty()
}

const ALL: &str = "prediction = { rollout_steps = 3, weight = 2 }\nvariance = 16\ncovariance = 8\n\
    temporal_similarity = 12\ninverse_dynamics = 1.5\nsigreg = { weight = 0.5, directions = 8 }\n\
    distance = { weight = 0.25, quantile = 0.2 }\nposition = 3";

#[test]
fn total_is_the_weighted_sum_of_the_named_terms() {
    let (task, device) = (task(ALL, false), device());
    let terms = terms(&task, &task.init(&spaces(FRAMES), &device), &device, 7);
    let expected = [
        ("prediction", 2.0),
        ("variance", 16.0),
        ("covariance", 8.0),
        ("temporal_similarity", 12.0),
        ("inverse_dynamics", 1.5),
        ("sigreg", 0.5),
        ("distance", 0.25),
        ("position", 3.0),
    ];
    assert_eq!(terms.terms.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), expected.map(|(name, _)| name));
    let sum: f64 = terms.terms.iter().zip(expected).map(|((_, term), (_, weight))| value(term) * weight).sum();
    assert!((value(&terms.total) - sum).abs() < 1e-4 * sum, "{} against {sum}", value(&terms.total));
    assert!(terms.terms.iter().all(|(_, term)| value(term) > 0.0), "every term of an untrained model costs something");
}

#[test]
fn terms_repeat_exactly_and_random_ones_follow_the_batch() {
    let (task, device) = (task(ALL, false), device());
    let model = task.init(&spaces(FRAMES), &device);
    let at = |number| -> Vec<f64> {
        terms(&task, &model, &device, number).terms.iter().map(|(_, term)| value(term)).collect()
    };
    assert_eq!(at(7), at(7));
    let (first, second) = (at(7), at(8));
    let differs: Vec<bool> = first.iter().zip(&second).map(|(a, b)| a != b).collect();
    assert_eq!(differs, [false, false, false, false, false, true, true, false]);
}

#[test]
fn a_weight_of_zero_leaves_the_term_out() {
    let (task, device) = (task("prediction = { rollout_steps = 2 }\nvariance = 0", true), device());
    let terms = terms(&task, &task.init(&spaces(FRAMES), &device), &device, 0);
    assert_eq!(terms.terms.len(), 1);
    assert_eq!(value(&terms.total), value(&terms.terms[0].1));
}

#[test]
fn prediction_is_the_rollout_from_the_first_frame() {
    let device = device();
    for (normalise, objective) in [
        (false, "prediction = { rollout_steps = 3, loss = \"l1\" }"),
        (true, "prediction = { rollout_steps = 3, loss = \"l1\", normalise_targets = true }"),
    ] {
        let (task, batch) = (task(objective, false), batch(&device));
        let model = task.init(&spaces(FRAMES), &device);
        let latents = model.encode(batch.observations.only_camera().clone());
        let actions = batch.actions.unwrap().narrow(1, 0, 3);
        let predicted = model.rollout(latents.clone().narrow(1, 0, 1), actions);
        let target = if normalise { normalise_latents(latents) } else { latents };
        let steps: Vec<f64> = (0..3)
            .map(|k| {
                let (z_hat, z) = (predicted.clone().narrow(1, k, 1), target.clone().narrow(1, k + 1, 1));
                value(&prediction(z_hat, z, PredictionLoss::L1))
            })
            .collect();
        let got = value(&terms(&task, &model, &device, 0).total);
        assert!((got - steps.iter().sum::<f64>() / 3.0).abs() < 1e-6);
    }
}

/// A model of tokens with a static part: regularisers see static tokens of the first frames as they differ between clips, and
/// dynamic tokens as they differ from the mean of their episode, each against those of the same place.
#[test]
fn a_static_part_must_differ_between_episodes_and_the_rest_within_them() {
    let device = device();
    let task = task_of(
        "prediction = 0\nvariance = { weight = 1, margin = 3 }\nstatic_similarity = 1\ndistance = 1",
        r#"{"encoder": {"kind": "patches", "patch": 8, "channels": 2}, "predictor": {"kind": "residual-conv"},
            "static_encoder": {"kind": "patches", "patch": 8, "channels": 3}, "distance": {"kind": "field"}}"#,
    );
    let model = task.init(&spaces(FRAMES), &device);
    let terms = terms(&task, &model, &device, 0).terms;
    let term = |key: &str| value(&terms.iter().find(|(name, _)| name == key).unwrap().1);

    let latents = model.encode_clips(batch(&device).observations.only_camera().clone());
    let still = latents.clone().narrow(2, 0, 12);
    assert!((term("static_similarity") - value(&static_similarity(still.clone(), &EPISODES))).abs() < 1e-6);
    let first = still.narrow(1, 0, 1).reshape([CLIPS, 12]);
    let first = (first.clone() - first.mean_dim(0)).reshape([CLIPS * 4, 3]);
    let moving = latents.narrow(2, 12, 8);
    let pair = moving.clone().narrow(0, 0, 2).reshape([2 * FRAMES, 8]);
    let alone = moving.narrow(0, 2, 1).reshape([FRAMES, 8]);
    let deviations = [pair, alone].map(|episode| episode.clone() - episode.mean_dim(0));
    let deviations = Tensor::cat(deviations.to_vec(), 0).reshape([CLIPS * FRAMES * 4, 2]);
    let expected = f64::midpoint(value(&variance(first, 3.0)), value(&variance(deviations, 3.0)));
    assert!((term("variance") - expected).abs() < 1e-5, "{} against {expected}", term("variance"));
    assert!(term("distance") > 0.0);
}

#[test]
fn heads_learn_and_the_encoder_does_not_from_detached_terms() {
    let device = device();
    for objective in ["prediction = 0\ndistance = 1", "prediction = 0\nposition = 1"] {
        let task = task(objective, false);
        let model = task.init(&spaces(FRAMES), &device);
        let mut gradients = terms(&task, &model, &device, 0).total.backward();
        assert!(reaches(&mut gradients, &model.heads), "{objective}");
        assert!(!reaches(&mut gradients, &model.encoder), "{objective}");
        assert!(!reaches(&mut gradients, &model.predictor), "{objective}");
    }
    let task = task("prediction = 0\ninverse_dynamics = 1", false);
    let model = task.init(&spaces(FRAMES), &device);
    let mut gradients = terms(&task, &model, &device, 0).total.backward();
    assert!(reaches(&mut gradients, &model.heads) && reaches(&mut gradients, &model.encoder));
}

#[test]
fn a_momentum_target_gets_no_gradient() {
    let (task, device) = (task(ALL, true), device());
    let model = task.init(&spaces(FRAMES), &device);
    let mut gradients = terms(&task, &model, &device, 0).total.backward();
    assert!(!reaches(&mut gradients, model.target.as_ref().unwrap()));
    assert!(reaches(&mut gradients, &model.encoder) && reaches(&mut gradients, &model.predictor));
}

#[test]
fn detached_targets_change_the_gradient_and_not_the_value() {
    let device = device();
    let through = task("prediction = { rollout_steps = 2 }", false);
    let stopped = task("prediction = { rollout_steps = 2, detach_targets = true }", false);
    let model = through.init(&spaces(FRAMES), &device);
    let gradient = |task: &ActionTask| {
        let terms = terms(task, &model, &device, 0);
        let gradients = terms.total.backward();
        let weights = match &model.encoder {
            prevision_model::FrameEncoder::StridedConv(encoder) => encoder.norm.gamma.val(),
            other => panic!("unexpected encoder {other}"),
        };
        (value(&terms.total), weights.grad(&gradients).unwrap().into_data())
    };
    let (first, second) = (gradient(&through), gradient(&stopped));
    assert_eq!(first.0, second.0);
    assert_ne!(first.1, second.1);
}

#[test]
fn the_objective_must_fit_the_model_and_the_clips() {
    let refused = |json: &str, objective: &str, final_momentum| {
        let context = ModelContext { final_momentum, ..context(objective) };
        ActionTask::new(serde_json::from_str(json).unwrap(), &context).err().unwrap()
    };
    assert!(refused("{}", "static_similarity = 1", None).starts_with("static_encoder is unset, but must be given"));
    let message = refused("{}", "", Some(1.0));
    assert!(
        message.starts_with("target.kind is \"shared\", but must be \"momentum\" with schedule.final_momentum = 1")
    );
    let masked = MaskedTask::new(MaskedJepaConfig::default(), &context("sigreg = 1\nposition = 1")).err().unwrap();
    assert!(masked.starts_with("kind is \"masked\"") && masked.ends_with("objective.position"), "{masked}");
    assert!(MaskedTask::new(MaskedJepaConfig::default(), &context("sigreg = 1\nvariance = 1")).is_ok());

    let views = MultiViewTask::new(MultiViewConfig::default(), &context("temporal_similarity = 1")).err().unwrap();
    assert!(views.starts_with("kind is \"multi-view\"") && views.ends_with("objective.temporal_similarity"), "{views}");
    let masked =
        MaskedTask::new(MaskedJepaConfig::default(), &context("sigreg = { statistic = \"lewm\" }")).err().unwrap();
    assert!(masked.ends_with("objective.sigreg"), "{masked}");

    let task = task("prediction = { rollout_steps = 4 }\nposition = 1", false);
    let message = task.validate(&spaces(4)).unwrap_err();
    assert_eq!(
        message,
        "objective.prediction.rollout_steps is 4, but must be 3 or less with clips of 4 frames (data.frames)"
    );
    let message = task.validate(&Spaces { state: None, ..spaces(5) }).unwrap_err();
    assert!(message.starts_with("objective.position needs a state"), "{message}");
}

fn masked(objective: &str, device: &Device) -> (MaskedTask, MaskedJepa, ClipBatch) {
    let json = r#"{"encoder": {"dim": 24, "depth": 1, "heads": 2, "patch": 8, "tubelet": 2},
                   "predictor": {"width": 24, "depth": 1, "heads": 2}}"#;
    let task = MaskedTask::new(serde_json::from_str(json).unwrap(), &context(objective)).unwrap();
    task.validate(&spaces(4)).unwrap();
    let model = task.init(&spaces(4), device);
    let video = Tensor::<5>::random([2, 3, 4, 16, 16], Distribution::Default, &device.clone().without_autodiff());
    let batch = ClipBatch { observations: ObservationBatch::of_camera("pixels", video), ..batch(device) };
    (task, model, batch)
}

const DRAW: Draw = Draw { seed: 0, number: 0, first: 0 };

#[test]
fn masked_loss_is_the_mean_over_masks_of_normalised_l1() {
    let device = device();
    let objective = "prediction = { loss = \"l1\", normalise_targets = true, weight = 2 }";
    let (task, model, batch) = masked(objective, &device);
    let video = batch.observations.only_camera().clone();
    let masks = [
        MaskPair { context: vec![vec![0, 1, 2], vec![1, 2, 3]], target: vec![vec![4, 7], vec![5, 6]] },
        MaskPair { context: vec![vec![0, 4], vec![3, 7]], target: vec![vec![1, 2, 3], vec![0, 1, 2]] },
    ];
    let terms = task.terms_under(&model, &batch, &masks, &DRAW);
    let targets = normalise_latents(model.targets(video.clone()));
    let mut expected = 0.0;
    for mask in &masks {
        let predicted = model.predict(model.encode_context(video.clone(), mask), mask);
        for (clip, ids) in mask.target.iter().enumerate() {
            for (row, &id) in ids.iter().enumerate() {
                let at = |x: &Tensor<3>, row| x.clone().narrow(0, clip, 1).narrow(1, row, 1);
                let error = value(&(at(&predicted, row) - at(&targets, id)).abs().mean());
                expected += error / (2.0 * 2.0 * ids.len() as f64);
            }
        }
    }
    assert!((value(&terms.terms[0].1) - expected).abs() < 1e-5);
    assert!((value(&terms.total) - 2.0 * expected).abs() < 1e-5);
    let mut gradients = terms.total.backward();
    assert!(!reaches(&mut gradients, &model.target));
    assert!(reaches(&mut gradients, &model.encoder) && reaches(&mut gradients, &model.predictor));
}

#[test]
fn masked_regularisers_see_the_context_tokens_of_every_mask() {
    let device = device();
    let (task, model, batch) = masked("prediction = { loss = \"l1\" }\nvariance = 3\ncovariance = 5", &device);
    let video = batch.observations.only_camera().clone();
    let masks = [
        MaskPair { context: vec![vec![0, 1, 2], vec![1, 2, 3]], target: vec![vec![4, 7], vec![5, 6]] },
        MaskPair { context: vec![vec![0, 4], vec![3, 7]], target: vec![vec![1, 2], vec![0, 1]] },
    ];
    let terms = task.terms_under(&model, &batch, &masks, &DRAW);
    let names: Vec<&str> = terms.terms.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["prediction", "variance", "covariance"]);
    let tokens = |mask: &MaskPair| model.encode_context(video.clone(), mask).flatten::<2>(0, 1);
    let mean = |term: &dyn Fn(Tensor<2>) -> Tensor<1>| {
        f64::midpoint(value(&term(tokens(&masks[0]))), value(&term(tokens(&masks[1]))))
    };
    let expected = [mean(&|tokens| variance(tokens, 1.0)), mean(&|tokens| covariance(tokens))];
    assert!((value(&terms.terms[1].1) - expected[0]).abs() < 1e-6);
    assert!((value(&terms.terms[2].1) - expected[1]).abs() < 1e-6);
    let total = value(&terms.terms[0].1) + 3.0 * expected[0] + 5.0 * expected[1];
    assert!((value(&terms.total) - total).abs() < 1e-5);
}

#[test]
fn views_aim_at_the_global_one_and_sigreg_sees_them_one_by_one() {
    let device = device();
    let json = r#"{"encoder": {"dim": 24, "depth": 1, "heads": 2, "patch": 4, "tubelet": 1, "class_token": true, "attention": "block-causal"},
                   "projector": {"hidden": 16, "dim": 6}, "views": {"local": 2, "size": 8, "drop": 0.5}}"#;
    let config: MultiViewConfig = serde_json::from_str(json).unwrap();
    let objective = "sigreg = { weight = 3, statistic = \"lewm\", directions = 8 }";
    let task = MultiViewTask::new(config.clone(), &context(objective)).unwrap();
    task.validate(&spaces(4)).unwrap();
    let model = task.init(&spaces(4), &device);
    let video = Tensor::<5>::random([3, 3, 4, 16, 16], Distribution::Default, &device.clone().without_autodiff());
    let batch = ClipBatch { observations: ObservationBatch::of_camera("pixels", video.clone()), ..batch(&device) };
    let terms = task.terms(&model, batch, &DRAW);
    let views = ViewSampler::new(&config.views, 1, 4, DRAW.seed).sample(&video.into(), &(0..3), DRAW.number);
    let embedded = model.embed(&views);
    let of_view = |view: usize| embedded.clone().narrow(1, view, 1);
    let expected: f64 = (0..3).map(|view| value(&(of_view(view) - of_view(0)).square().mean()) / 3.0).sum();
    assert!((value(&terms.terms[0].1) - expected).abs() < 1e-5);
    let directions = sigreg_directions(6, 8, 0, 0, &device);
    let spread = value(&sigreg_of_moments(embedded, directions));
    assert!((value(&terms.terms[1].1) - spread).abs() < 1e-4);
    assert!((value(&terms.total) - expected - 3.0 * spread).abs() < 1e-3);
    let mut gradients = terms.total.backward();
    assert!(reaches(&mut gradients, &model.encoder) && reaches(&mut gradients, &model.projector));
}
