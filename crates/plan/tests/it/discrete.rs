//! Choices, planned with a model that knows the world exactly.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use prevision_core::config::Part;
use prevision_plan::{Parts, PlanConfig, PlanResults, Rules, run_episodes, setup};

use super::corridor::{Corridor, Exact};
use super::{Notes, run};

fn config(kind: &str) -> PlanConfig {
    // There are 243 sequences of 5 choices: enough samples to meet the best of them without a search.
    let samples = if kind == "random" { 3_000 } else { 300 };
    PlanConfig { solver: Part::new(kind).with("samples", samples), horizon: 5, ..PlanConfig::default() }
}

fn plan(config: &PlanConfig, model: &Arc<Exact>, rules: &Rules) -> PlanResults {
    let parts = Parts::default();
    let mut worlds = Corridor::rows(4, Corridor::new);
    let spec = worlds[0].spec().clone();
    let mut policy = setup::policy(config, &parts, model.clone(), &spec).unwrap();
    run(&mut worlds, policy.as_mut(), rules).unwrap()
}

#[test]
fn every_solver_arrives_in_the_least_number_of_steps() {
    for kind in ["random", "cem", "icem", "mppi", "categorical-cem"] {
        let results = plan(&config(kind), &Exact::new(1, false), &Rules::new(10, 3));
        assert_eq!((results.solver.as_str(), results.policy), (kind, format!("planner/{kind}")));
        assert!(results.excluded_solved_at_start + results.episodes == 10 && results.episodes > 5);
        for trial in &results.per_episode {
            let least = trial.start_distance.unwrap() as usize;
            assert_eq!((trial.first_success_step, trial.steps), (Some(least), least), "{kind}: {trial:?}");
            // Arriving ends the episode.
            assert_eq!((trial.plans, trial.total_reward), (least, Some(-(least as f64))));
        }
        assert_eq!((results.unit.as_deref(), results.final_distance.unwrap().mean), (Some("cells"), 0.0));
        let steps: usize = results.per_episode.iter().map(|trial| trial.steps).sum();
        assert!((results.mean_return.unwrap() + steps as f64 / results.episodes as f64).abs() < 1e-9);
    }
}

#[test]
fn a_planned_action_may_be_a_block_of_raw_ones() {
    let results = plan(&PlanConfig { execute: 2, ..config("icem") }, &Exact::new(2, false), &Rules::new(10, 3));
    for trial in &results.per_episode {
        // In as few blocks as there can be: which action of the last one arrives costs the same.
        let least = trial.start_distance.unwrap() as usize;
        assert_eq!(trial.first_success_step.map(|step| step.div_ceil(2)), Some(least.div_ceil(2)), "{trial:?}");
        // Four raw actions are executed between plans.
        assert_eq!(trial.plans, trial.steps.div_ceil(4));
    }
}

#[test]
fn nothing_is_imagined_twice() {
    let keys = |kind: &str| Part::new(kind).with("samples", 40).with("iterations", 2).with("elites", 5);
    for (kind, memory) in [("cem", 0.0), ("icem", 30.0)] {
        let model = Exact::new(1, memory > 0.0);
        let config =
            PlanConfig { solver: keys(kind), memory: super::remembering(memory), horizon: 3, ..PlanConfig::default() };
        let mut worlds =
            if memory > 0.0 { Corridor::rows(3, || Corridor::ring(2)) } else { Corridor::rows(3, Corridor::new) };
        let spec = worlds[0].spec().clone();
        let mut policy = setup::policy(&config, &Parts::default(), model.clone(), &spec).unwrap();
        let mut notes = Notes::default();
        let rules = Rules { watched: 3, max_steps: Some(4), ..Rules::new(3, 1) };
        let results = run_episodes(&mut worlds, policy.as_mut(), &rules, &mut notes).unwrap();
        assert!(notes.imagined.iter().all(|points| points.len() == 3), "{:?}", notes.imagined);
        // The candidates, and the plan itself once.
        assert_eq!(model.rollouts.load(Ordering::Relaxed), results.plans * (2 * 40 + 1), "{kind}");
    }
}

#[test]
fn what_is_imagined_is_what_happens() {
    let model = Exact::new(1, false);
    let config = PlanConfig { execute: 3, ..config("cem") };
    let mut worlds = Corridor::rows(1, Corridor::new);
    let spec = worlds[0].spec().clone();
    let mut policy = setup::policy(&config, &Parts::default(), model, &spec).unwrap();
    let start = [1.0, 8.0];
    let first = worlds[0].reset_to(0, &start).unwrap();
    let goal = worlds[0].goal();
    let start = prevision_env::Start { seed: 0, episode: 0, first: &first, goal: goal.as_ref(), watched: true };
    policy.begin(&[start]).unwrap();
    let mut now = first.clone();
    for step in 0..6 {
        let decision = policy.act(&[0], &[&now]).unwrap().remove(0);
        assert_eq!((decision.planned, decision.imagined.len()), (step % 3 == 0, 5 - step % 3));
        let space = spec.spaces.action.as_ref().unwrap();
        now = worlds[0].step(space.action(&decision.action)).unwrap();
        assert_eq!(now.state.as_ref().unwrap()[0], decision.imagined[0][0], "step {step}");
    }
}
