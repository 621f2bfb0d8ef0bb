//! The terms of whole models: weights, names, and where gradients may go.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::{Distribution, Gradients, TensorData};
use prevision_model::{ActionJepa, ActionJepaConfig, InputShape, MaskPair, MaskedJepa, ModelConfig};
use prevision_objective::{
    ActionInputs, ObjectiveConfig, PredictionLoss, covariance, normalise, prediction, static_similarity, variance,
};

const CLIPS: usize = 3;
const FRAMES: usize = 5;
const EPISODES: [usize; CLIPS] = [4, 4, 9];

fn device() -> Device {
    let device = Device::flex().autodiff();
    device.seed(1);
    device
}

fn objective(json: &str) -> ObjectiveConfig {
    let config: ObjectiveConfig = serde_json::from_str(json).expect("an objective");
    config.validate().expect("valid");
    config
}

fn model(config: &ObjectiveConfig, momentum: bool, device: &Device) -> ActionJepa {
    let target = if momentum { "momentum" } else { "shared" };
    let json = format!(
        r#"{{"encoder": {{"kind": "strided-conv", "widths": [4, 8], "dim": 6}},
             "predictor": {{"kind": "gru"}}, "target": {{"kind": "{target}"}},
             "distance": {{"kind": "embedding", "hidden": 16, "groups": 2, "size": 3}}}}"#
    );
    let input = InputShape { channels: 3, frames: FRAMES, height: 16, width: 16, action_dim: 2, state_dim: 3 };
    let model: ActionJepaConfig = serde_json::from_str(&json).expect("a model");
    config.validate_action(&input).expect("fits the data");
    model.init(&input, &config.heads(), device)
}

fn inputs(device: &Device) -> ActionInputs<'static> {
    let device = device.clone().without_autodiff();
    let random = |shape: &[usize]| {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|i| (i as f32 * 0.7).sin() + (i as f32 * 0.013).cos()).collect();
        TensorData::new(values, shape.to_vec())
    };
    ActionInputs {
        video: Tensor::<5>::from_data(random(&[CLIPS, 3, FRAMES, 16, 16]), &device).into(),
        actions: Tensor::from_data(random(&[CLIPS, FRAMES - 1, 2]), &device),
        state: Some(Tensor::<3>::from_data(random(&[CLIPS, FRAMES, 3]), &device) * 4.0 + 8.0),
        episodes: &EPISODES,
        starts: &[0.0, 30.0, 4.0],
    }
}

fn value(tensor: &Tensor<1>) -> f64 {
    f64::from(tensor.to_data().try_into_vec_as::<f32>().expect("a float")[0])
}

/// Whether any parameter of the module has a gradient.
fn reaches<M: Module>(gradients: &mut Gradients, module: &M) -> bool {
    !GradientsParams::from_module(gradients, module).is_empty()
}

const ALL: &str = r#"{"prediction": {"rollout_steps": 3, "weight": 2}, "variance": 16, "covariance": 8,
    "temporal_similarity": 12, "inverse_dynamics": 1.5, "sigreg": 0.5, "sigreg_directions": 8,
    "distance": {"weight": 0.25, "quantile": 0.2}, "position": 3}"#;

#[test]
fn total_is_the_weighted_sum_of_the_named_terms() {
    let (config, device) = (objective(ALL), device());
    let terms = config.action_terms(&model(&config, false, &device), &inputs(&device), 7, 11);
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
    assert_eq!(terms.terms.iter().map(|(name, _)| *name).collect::<Vec<_>>(), expected.map(|(name, _)| name));
    let sum: f64 = terms.terms.iter().zip(expected).map(|((_, term), (_, weight))| value(term) * weight).sum();
    assert!((value(&terms.total) - sum).abs() < 1e-4 * sum, "{} against {sum}", value(&terms.total));
    assert!(terms.terms.iter().all(|(_, term)| value(term) > 0.0), "every term of an untrained model costs something");
}

#[test]
fn terms_repeat_exactly_and_random_ones_follow_the_step() {
    let (config, device) = (objective(ALL), device());
    let model = model(&config, false, &device);
    let at = |step| -> Vec<f64> {
        config.action_terms(&model, &inputs(&device), step, 11).terms.iter().map(|(_, term)| value(term)).collect()
    };
    assert_eq!(at(7), at(7));
    let (first, second) = (at(7), at(8));
    let differs: Vec<bool> = first.iter().zip(&second).map(|(a, b)| a != b).collect();
    assert_eq!(differs, [false, false, false, false, false, true, true, false]);
}

#[test]
fn a_weight_of_zero_leaves_the_term_out() {
    let (config, device) = (objective(r#"{"prediction": {"rollout_steps": 2}}"#), device());
    let terms = config.action_terms(&model(&config, true, &device), &inputs(&device), 0, 0);
    assert_eq!(terms.terms.len(), 1);
    assert_eq!(value(&terms.total), value(&terms.terms[0].1));
}

#[test]
fn prediction_is_the_rollout_from_the_first_frame() {
    let (config, device) = (objective(r#"{"prediction": {"rollout_steps": 3, "loss": "l1"}}"#), device());
    let (model, batch) = (model(&config, false, &device), inputs(&device));
    let latents = model.encode(batch.video.clone());
    let predicted = model.rollout(latents.clone().narrow(1, 0, 1), batch.actions.clone().narrow(1, 0, 3));
    let steps: Vec<f64> = (0..3)
        .map(|k| {
            let (z_hat, z) = (predicted.clone().narrow(1, k, 1), latents.clone().narrow(1, k + 1, 1));
            value(&prediction(z_hat, z, PredictionLoss::L1, false))
        })
        .collect();
    let got = value(&config.action_terms(&model, &batch, 0, 0).total);
    assert!((got - steps.iter().sum::<f64>() / 3.0).abs() < 1e-6);
}

/// A model of tokens with a static part: regularisers see static tokens of the first frames as they differ between clips, and
/// dynamic tokens as they differ from the mean of their episode, each against those of the same place.
#[test]
fn a_static_part_must_differ_between_episodes_and_the_rest_within_them() {
    let (config, device) = (
        objective(
            r#"{"prediction": {"weight": 0}, "variance": 1, "variance_margin": 3, "static_similarity": 1,
                "distance": {"weight": 1}}"#,
        ),
        device(),
    );
    let json = r#"{"encoder": {"kind": "patches", "patch": 8, "channels": 2}, "predictor": {"kind": "residual-conv"},
                   "static_encoder": {"kind": "patches", "patch": 8, "channels": 3}, "distance": {"kind": "field"}}"#;
    let input = InputShape { channels: 3, frames: FRAMES, height: 16, width: 16, action_dim: 2, state_dim: 3 };
    let model: ActionJepaConfig = serde_json::from_str(json).expect("a model");
    model.validate().expect("valid");
    let model = model.init(&input, &config.heads(), &device);
    let batch = inputs(&device);
    let terms = config.action_terms(&model, &batch, 0, 0).terms;
    let term = |key: &str| value(&terms.iter().find(|(name, _)| *name == key).expect("computed").1);

    let latents = model.encode_clips(batch.video);
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
    for json in [
        r#"{"prediction": {"weight": 0}, "distance": {"weight": 1}}"#,
        r#"{"prediction": {"weight": 0}, "position": 1}"#,
    ] {
        let config = objective(json);
        let model = model(&config, false, &device);
        let terms = config.action_terms(&model, &inputs(&device), 0, 0);
        let mut gradients = terms.total.backward();
        assert!(reaches(&mut gradients, &model.heads), "{json}");
        assert!(!reaches(&mut gradients, &model.encoder), "{json}");
        assert!(!reaches(&mut gradients, &model.predictor), "{json}");
    }
    let config = objective(r#"{"prediction": {"weight": 0}, "inverse_dynamics": 1}"#);
    let model = model(&config, false, &device);
    let terms = config.action_terms(&model, &inputs(&device), 0, 0);
    let mut gradients = terms.total.backward();
    assert!(reaches(&mut gradients, &model.heads) && reaches(&mut gradients, &model.encoder));
}

#[test]
fn a_momentum_target_gets_no_gradient() {
    let (config, device) = (objective(ALL), device());
    let model = model(&config, true, &device);
    let terms = config.action_terms(&model, &inputs(&device), 0, 0);
    let mut gradients = terms.total.backward();
    assert!(!reaches(&mut gradients, model.target.as_ref().expect("a target")));
    assert!(reaches(&mut gradients, &model.encoder) && reaches(&mut gradients, &model.predictor));
}

#[test]
fn detached_targets_change_the_gradient_and_not_the_value() {
    let device = device();
    let through = objective(r#"{"prediction": {"rollout_steps": 2}}"#);
    let stopped = objective(r#"{"prediction": {"rollout_steps": 2, "detach_targets": true}}"#);
    let model = model(&through, false, &device);
    let gradient = |config: &ObjectiveConfig| {
        let terms = config.action_terms(&model, &inputs(&device), 0, 0);
        let gradients = terms.total.backward();
        let weights = match &model.encoder {
            prevision_model::FrameEncoder::StridedConv(encoder) => encoder.norm.gamma.val(),
            other => panic!("unexpected encoder {other}"),
        };
        (value(&terms.total), weights.grad(&gradients).expect("a gradient").into_data())
    };
    let (first, second) = (gradient(&through), gradient(&stopped));
    assert_eq!(first.0, second.0);
    assert_ne!(first.1, second.1);
}

fn masked(device: &Device) -> MaskedJepa {
    let json = r#"{"kind": "masked", "encoder": {"dim": 24, "depth": 1, "heads": 2, "patch": 8, "tubelet": 2},
                   "predictor": {"width": 24, "depth": 1, "heads": 2}}"#;
    let input = InputShape { channels: 3, frames: 4, height: 16, width: 16, action_dim: 0, state_dim: 0 };
    let config: ModelConfig = serde_json::from_str(json).expect("a model");
    let model = config.init(&input, &ObjectiveConfig::default().heads(), device);
    model.as_masked().expect("a masked model").clone()
}

#[test]
fn masked_loss_is_the_mean_over_masks_of_normalised_l1() {
    let device = device();
    let model = masked(&device);
    let video = Tensor::<5>::random([2, 3, 4, 16, 16], Distribution::Default, &device.without_autodiff());
    let config = objective(r#"{"prediction": {"loss": "l1", "normalise_targets": true, "weight": 2}}"#);
    let masks = [
        MaskPair { context: vec![vec![0, 1, 2], vec![1, 2, 3]], target: vec![vec![4, 7], vec![5, 6]] },
        MaskPair { context: vec![vec![0, 4], vec![3, 7]], target: vec![vec![1, 2, 3], vec![0, 1, 2]] },
    ];
    let terms = config.masked_terms(&model, video.clone(), &masks);
    let targets = normalise(model.targets(video.clone()));
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
    let model = masked(&device);
    let video = Tensor::<5>::random([2, 3, 4, 16, 16], Distribution::Default, &device.without_autodiff());
    let masks = [
        MaskPair { context: vec![vec![0, 1, 2], vec![1, 2, 3]], target: vec![vec![4, 7], vec![5, 6]] },
        MaskPair { context: vec![vec![0, 4], vec![3, 7]], target: vec![vec![1, 2], vec![0, 1]] },
    ];
    let config = objective(r#"{"prediction": {"loss": "l1"}, "variance": 3, "covariance": 5}"#);
    let terms = config.masked_terms(&model, video.clone(), &masks);
    let names: Vec<&str> = terms.terms.iter().map(|(name, _)| *name).collect();
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
