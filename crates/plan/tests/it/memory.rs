//! A memory gets around what the model does not know.

use prevision_core::config::{Part, WeightedParts};
use prevision_plan::{Parts, PlanConfig, PlanResults, Rules, setup};

use super::corridor::{Corridor, Exact};
use super::run;

/// The short way to the goal is blocked, the model does not know it.
fn plan(memory: f64, rows: usize) -> PlanResults {
    let config = PlanConfig {
        solver: Part::new("cem").with("samples", 100).with("iterations", 3),
        costs: WeightedParts::default().with("distance", 1),
        horizon: 3,
        memory: super::remembering(memory),
        ..PlanConfig::default()
    };
    let mut worlds = Corridor::rows(rows, || Corridor::ring(2));
    let spec = worlds[0].spec().clone();
    let mut policy = setup::policy(&config, &Parts::default(), Exact::new(1, true), &spec).unwrap();
    run(&mut worlds, policy.as_mut(), &Rules { max_steps: Some(14), ..Rules::new(3, 0) }).unwrap()
}

#[test]
fn what_a_plan_did_not_reach_is_planned_around() {
    let without = plan(0.0, 3);
    assert_eq!((without.successes, without.policy.as_str()), (0, "planner/cem"));
    let with = plan(20.0, 3);
    assert_eq!((with.policy.as_str(), with.solver.as_str()), ("remembering/planner/cem", "cem"));
    // One cell up to the blocked one, one step against it, eight cells back the other way.
    assert!(with.per_episode.iter().all(|trial| trial.first_success_step == Some(10)), "{:?}", with.per_episode);
}

#[test]
fn episodes_do_not_remember_those_before() {
    assert_eq!(plan(20.0, 1).per_episode, plan(20.0, 3).per_episode);
}
