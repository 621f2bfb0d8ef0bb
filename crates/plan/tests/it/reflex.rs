//! A reflex is distilled from plans, acts alone, and proposes.

use std::sync::Arc;

use prevision_core::config::{Part, WeightedParts};
use prevision_plan::reflex::{DistilOptions, Plans, Reflex, distil};
use prevision_plan::setup::{self, Given};
use prevision_plan::{Parts, PlanConfig, PlanResults, ReflexConfig, Rules};

use super::corridor::{Corridor, Exact};
use super::independence::DISTANCE;
use super::models::{GRID, model, rooms, spaces};
use super::run;

fn config(samples: i64) -> PlanConfig {
    PlanConfig {
        solver: Part::new("cem").with("samples", samples).with("elites", 2).with("iterations", 2),
        costs: WeightedParts::default().with("latent", 1),
        horizon: 4,
        ..PlanConfig::default()
    }
}

fn plan(config: &PlanConfig, given: Given, rules: &Rules) -> PlanResults {
    let mut worlds = Corridor::rows(rules.episodes.min(4), Corridor::new);
    let spec = worlds[0].spec().clone();
    let policy = setup::policy_given(config, &Parts::default(), Exact::new(1, false), &spec, given);
    run(&mut worlds, policy.unwrap().as_mut(), rules).unwrap()
}

fn learned() -> Arc<Reflex> {
    let plans = Plans::default();
    let given = Given { plans: Some(plans.clone()), ..Given::default() };
    plan(&config(100), given, &Rules { max_steps: Some(8), ..Rules::new(24, 5) });
    let options = DistilOptions { steps: 200, ..DistilOptions::default() };
    let reflex = distil(Exact::new(1, false).as_ref(), &plans.take(), &options, &mut |_| {}).unwrap();
    assert!(reflex.spec().error.reflex < 0.8 * reflex.spec().error.mean, "{:?}", reflex.spec().error);
    Arc::new(reflex)
}

#[test]
fn alone_it_arrives_and_with_it_few_samples_do() {
    let given = || Given { reflex: Some(learned()), plans: None };
    let rules = Rules::new(12, 0);
    let named = ReflexConfig { file: Some("reflex.safetensors".into()), ..ReflexConfig::default() };
    let steps = |results: &PlanResults| results.per_episode.iter().map(|trial| trial.steps).sum::<usize>();
    let alone = PlanConfig { reflex: ReflexConfig { alone: true, ..named.clone() }, ..config(4) };
    let alone = plan(&alone, given(), &rules);
    assert_eq!((alone.policy.as_str(), alone.solver.as_str()), ("planner/reflex", "reflex"));
    assert_eq!(alone.successes, alone.episodes, "{alone:?}");
    let proposed = plan(&PlanConfig { reflex: named, ..config(4) }, given(), &rules);
    assert_eq!((proposed.solver.as_str(), proposed.successes), ("reflex-cem", proposed.episodes));
    let without = plan(&config(4), Given::default(), &rules);
    let [alone, proposed, without] = [&alone, &proposed, &without].map(steps);
    assert!(alone < without && proposed < without, "{alone} {proposed} {without}");
}

#[test]
fn a_grid_with_a_distance_field_shows_the_ways_and_what_an_episode_has_met() {
    let costs = WeightedParts::default().with("distance", 1);
    let config = PlanConfig { costs, execute: 2, memory: super::remembering(30.0), ..config(6) };
    let model = model(GRID, &spaces(1, 2), &DISTANCE);
    let play = |config: &PlanConfig, given: Given, rows: usize| {
        let mut worlds = rooms(rows);
        let spec = worlds[0].spec().clone();
        let policy = setup::policy_given(config, &Parts::default(), Arc::clone(&model), &spec, given);
        run(&mut worlds, policy.unwrap().as_mut(), &Rules { max_steps: Some(6), ..Rules::new(3, 1) }).unwrap()
    };
    let learn = |rows: usize| {
        let plans = Plans::default();
        play(&config, Given { plans: Some(plans.clone()), reflex: None }, rows);
        let plans = plans.take();
        assert!(plans.iter().all(|plan| plan.obstacles.is_some()));
        let options = DistilOptions { steps: 3, batch: 8, ..DistilOptions::default() };
        Arc::new(distil(model.as_ref(), &plans, &options, &mut |_| {}).unwrap())
    };
    let reflex = learn(3);
    assert!(reflex.spec().field);
    assert_eq!(reflex.spec(), learn(1).spec(), "it does not depend on how many episodes run side by side");
    for alone in [true, false] {
        let reflex = ReflexConfig { file: Some("reflex".into()), alone, std: Some(0.5) };
        let config = PlanConfig { reflex, ..config.clone() };
        let given = || Given { reflex: Some(learn(3)), plans: None };
        let together = play(&config, given(), 3);
        assert!(together.policy.starts_with("remembering/planner/reflex"), "{}", together.policy);
        assert_eq!(together.per_episode, play(&config, given(), 1).per_episode);
    }
}

#[test]
fn what_does_not_fit_is_said() {
    let spec = Corridor::rows(1, Corridor::new)[0].spec().clone();
    let refused = |config: &PlanConfig, given: Given| {
        let policy = setup::policy_given(config, &Parts::default(), Exact::new(1, false), &spec, given);
        policy.err().unwrap().to_string()
    };
    let reflex = ReflexConfig { file: Some("reflex.safetensors".into()), ..ReflexConfig::default() };
    let config = PlanConfig { reflex, ..config(4) };
    let message = refused(&config, Given::default());
    assert_eq!(message, "plan.reflex.file is reflex.safetensors, but must be unset where no reflex is given");
    let long =
        PlanConfig { reflex: ReflexConfig { alone: true, ..config.reflex.clone() }, horizon: 6, execute: 5, ..config };
    let message = refused(&long, Given { reflex: Some(learned()), plans: None });
    assert_eq!(message, "plan.execute is 5, but must be 4 (the steps that the reflex has learned) or less");
}
