//! Derivatives through the rollouts of real models, against differences.

use std::sync::Arc;

use burn::prelude::*;
use burn::tensor::Distribution;
use prevision_model::{HeadFlags, Past, WorldModel};
use prevision_plan::constraint::built_in_constraints;
use prevision_plan::cost::{CostContext, Scene, built_in_costs};
use prevision_plan::score::{Criteria, ModelScore, Score};

use super::models::{GRID, TRANSFORMER, VECTORS, model, spaces};

const ROWS: usize = 2;
const SAMPLES: usize = 3;
const HORIZON: usize = 3;

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec_as::<f32>().unwrap()
}

pub(crate) fn random<const D: usize>(shape: [usize; D], deviation: f64) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, deviation), &Device::flex())
}

pub(crate) fn criteria(model: &Arc<dyn WorldModel>, costs: &str, constraints: &[&str]) -> Criteria {
    let context = CostContext { model: Arc::clone(model) };
    let cost = |name: &str| (0.5, built_in_costs().make("costs", name, &toml::Table::new(), &context).unwrap());
    // Nothing is granted, so that something is violated.
    let keys: toml::Table = "steps_per_action = 0.01\nslack = 0".parse().unwrap();
    let constraint = |name: &&str| built_in_constraints().make("constraints", name, &keys, &context).unwrap();
    Criteria { costs: costs.split(' ').map(cost).collect(), constraints: constraints.iter().map(constraint).collect() }
}

/// A past, a scene and candidates for a model.
fn world(model: &Arc<dyn WorldModel>, history: usize) -> (Past, Scene, Tensor<4>) {
    let spec = model.spec();
    Device::flex().seed(5);
    let latents = prevision_model::Latents::new(random([ROWS, history, spec.tokens, spec.token_width], 1.0));
    let goal = random([ROWS, spec.tokens, spec.token_width], 1.0);
    let scene =
        Scene { present: latents.last().tokens.squeeze_dim(1), goal: Some(goal), obstacles: None, last_action: None };
    let actions = (history > 1).then(|| random([ROWS, history - 1, 2], 1.0));
    (Past { latents, actions }, scene, random([ROWS, SAMPLES, HORIZON, 2], 1.0))
}

/// Compares derivatives with differences of the values; gives the largest derivative.
fn compare(values: impl Fn(Tensor<4>) -> Vec<f32>, gradient: &[f32], actions: &Tensor<4>, what: &str) -> f32 {
    const STEP: f32 = 0.01;
    let numbers = HORIZON * 2;
    let start = host(actions.clone());
    let top = gradient.iter().fold(0.0_f32, |top, slope| top.max(slope.abs()));
    for number in 0..numbers {
        // Every candidate is moved in the same number; none changes what another is worth.
        let moved = |step: f32| {
            let mut moved = start.clone();
            moved.iter_mut().skip(number).step_by(numbers).for_each(|value| *value += step);
            values(Tensor::from_data(TensorData::new(moved, actions.dims()), &Device::flex()))
        };
        for (candidate, (up, down)) in moved(STEP).iter().zip(moved(-STEP)).enumerate() {
            let (found, expected) = (gradient[candidate * numbers + number], (up - down) / (2.0 * STEP));
            assert!((found - expected).abs() < 0.06 * top + 1e-3, "{what}, {candidate}: {found} {expected} of {top}");
        }
    }
    top
}

fn check(config: &str, costs: &str, history: usize) {
    let heads = HeadFlags { distance: true, ..HeadFlags::default() };
    let model = model(config, &spaces(1, 2), &heads);
    let (past, scene, actions) = world(&model, history);
    let criteria = criteria(&model, costs, &["reachable"]);
    let score = |rows| {
        let score = ModelScore::new(model.as_ref(), &criteria, past.clone(), &scene).unwrap();
        score.with_rows_at_once(rows)
    };
    let whole = score(256);
    let found = whole.gradients(actions.clone()).unwrap();
    let (plain, taped) = (whole.score(actions.clone()), &found.scores);
    let close = |one: Tensor<2>, other: Tensor<2>, what: &str| {
        for (one, other) in host(one).iter().zip(host(other)) {
            assert!((one - other).abs() <= 1e-4 * (1.0 + other.abs()), "{what}: {one} {other}");
        }
    };
    close(taped.costs.clone(), plain.costs, "costs");
    close(taped.violations.clone().unwrap(), plain.violations.unwrap(), "violations");
    let (slopes, of_violations) = (host(found.costs), host(found.violations.unwrap()));
    let top = compare(|actions| host(whole.score(actions).costs), &slopes, &actions, "costs");
    assert!(top > 1e-4, "costs that do not change with the actions: {top}");
    compare(|actions| host(whole.score(actions).violations.unwrap()), &of_violations, &actions, "violations");
    for rows in [1, 2, 3] {
        let parts = score(rows).gradients(actions.clone()).unwrap();
        assert_eq!(host(parts.costs), slopes, "chunks of {rows}");
        assert_eq!(host(parts.violations.unwrap()), of_violations, "chunks of {rows}");
        assert_eq!(host(parts.scores.costs), host(found.scores.costs.clone()), "chunks of {rows}");
    }
}

#[test]
fn through_a_recurrent_predictor() {
    check(VECTORS, "latent distance action", 1);
}

#[test]
fn through_a_transformer_with_a_past() {
    check(TRANSFORMER, "latent distance", 3);
}

#[test]
fn through_a_grid_of_tokens_and_a_distance_field() {
    check(GRID, "latent distance reachability", 1);
}

#[test]
fn without_constraints_there_are_no_violations() {
    let model = model(VECTORS, &spaces(1, 2), &HeadFlags::default());
    let (past, scene, actions) = world(&model, 1);
    let criteria = criteria(&model, "latent", &[]);
    let found = ModelScore::new(model.as_ref(), &criteria, past, &scene).unwrap().gradients(actions).unwrap();
    assert!(found.violations.is_none() && found.scores.violations.is_none());
    assert_eq!(found.costs.dims(), [ROWS, SAMPLES, HORIZON, 2]);
}
