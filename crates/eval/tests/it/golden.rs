//! Small models against `golden.json`: numbers of version 0.1.0 at commit 7b92108, which had an evaluation of its own for each kind of
//! model, and summed in another order.

use prevision_model::FrozenModel;
use serde_json::Value;

use crate::evaluate::run;
use crate::models::{GRID, MOMENTUM, VECTOR, action, masked};
use crate::walks::Walks;

/// Compares all numbers. Those of the MLP probe are the result of an optimisation, in which the last bits grow.
fn near(path: &str, found: &Value, expected: &Value) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            // These have come since.
            let known: Vec<_> = found.keys().filter(|key| !["interval", "videos"].contains(&key.as_str())).collect();
            assert_eq!(known, expected.keys().collect::<Vec<_>>(), "{path}");
            expected.iter().for_each(|(key, value)| near(&format!("{path}/{key}"), &found[key], value));
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{path}");
            expected
                .iter()
                .enumerate()
                .for_each(|(index, value)| near(&format!("{path}/{index}"), &found[index], value));
        }
        _ => {
            let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            let tolerance = if path.ends_with("position_px") { 2e-2 } else { 1e-4 };
            assert!((found - expected).abs() <= tolerance * expected.abs(), "{path}: {found} instead of {expected}");
        }
    }
}

fn check(name: &str, model: &dyn FrozenModel) {
    let golden: Value = serde_json::from_str(include_str!("golden.json")).unwrap();
    let results = run(model, &Walks::held_out(), &["rollout", "probe", "collapse", "retrieval"]).unwrap();
    near("", &results.suites.into(), &golden[name]);
}

#[test]
fn a_model_of_vectors() {
    check("vector", &action(VECTOR, false));
}

#[test]
fn a_momentum_target_with_normalised_targets() {
    check("momentum", &action(MOMENTUM, true));
}

#[test]
fn a_grid_with_a_static_part() {
    check("grid", &action(GRID, false));
}

#[test]
fn a_masked_model() {
    check("masked", &masked());
}
