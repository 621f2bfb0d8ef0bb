//! Searches with a deadline, within a bound on memory, and traced.

use std::sync::Arc;

use prevision_core::config::Part;
use prevision_model::{HeadFlags, WorldModel};
use prevision_plan::{Parts, PlanConfig, PlanResults, Rules, Traces, run_episodes, setup};

use super::corridor::{Corridor, Exact};
use super::models::{TRANSFORMER, VECTORS, model, rooms, spaces};

fn config(kind: &str) -> PlanConfig {
    let solver = Part::new(kind).with("samples", 20).with("iterations", 3);
    PlanConfig { solver, horizon: 4, execute: 2, ..PlanConfig::default() }
}

fn plan(config: &PlanConfig, model: &Arc<dyn WorldModel>) -> (PlanResults, Traces) {
    let mut worlds = rooms(3);
    let spec = worlds[0].spec().clone();
    let mut policy = setup::policy(config, &Parts::default(), Arc::clone(model), &spec).unwrap();
    let rules = Rules { watched: 2, max_steps: Some(5), ..Rules::new(3, 5) };
    let mut traces = Traces::default();
    let results = run_episodes(&mut worlds, policy.as_mut(), &rules, &mut traces).unwrap();
    (results, traces)
}

#[test]
fn searches_of_watched_episodes_are_traced() {
    let model = model(VECTORS, &spaces(1, 2), &HeadFlags::default());
    for kind in ["cem", "icem", "mppi", "gradient", "cem-gradient"] {
        let (results, traces) = plan(&config(kind), &model);
        assert_eq!((results.plans, results.plans_cut_short), (9, 0), "{kind}");
        let found: Vec<(usize, usize)> = traces.plans.iter().map(|plan| (plan.episode, plan.step)).collect();
        let shown: Vec<usize> = results.per_episode[..2].iter().map(|trial| trial.episode).collect();
        let expected: Vec<(usize, usize)> =
            [0, 2, 4].into_iter().flat_map(|step| shown.iter().map(move |episode| (*episode, step))).collect();
        assert_eq!(found, expected, "{kind}");
        for plan in &traces.plans {
            assert_eq!((plan.iterations.len(), plan.cut_short), (3, false), "{kind}");
            for iteration in &plan.iterations {
                assert!(iteration.best <= iteration.elites && iteration.spread > 0.0, "{kind}: {iteration:?}");
            }
        }
        let json = serde_json::to_value(&traces).unwrap();
        let first = &json["plans"][0];
        assert_eq!((first["step"].as_u64(), first["cut_short"].as_bool()), (Some(0), Some(false)));
        assert!(first["iterations"][2]["best"].is_number() && json.as_object().unwrap().len() == 1, "{json}");
    }
}

#[test]
fn a_deadline_cuts_searches_short_and_the_result_says_so() {
    let model = model(VECTORS, &spaces(1, 2), &HeadFlags::default());
    for kind in ["cem", "icem", "mppi", "gradient", "cem-gradient", "lagrangian"] {
        // Shorter than any iteration, so that every search ends after its first.
        let (results, traces) = plan(&PlanConfig { deadline_ms: Some(1e-6), ..config(kind) }, &model);
        assert_eq!((results.plans, results.plans_cut_short), (9, 9), "{kind}");
        assert!(traces.plans.iter().all(|plan| plan.cut_short && plan.iterations.len() == 1), "{kind}");
        let (results, _) = plan(&PlanConfig { deadline_ms: Some(1e9), ..config(kind) }, &model);
        assert_eq!(results.plans_cut_short, 0, "{kind}");
    }
}

#[test]
fn a_bound_on_memory_does_not_change_the_plans() {
    let model = model(TRANSFORMER, &spaces(1, 2), &HeadFlags::default());
    for kind in ["cem", "gradient"] {
        let whole = plan(&config(kind), &model);
        for megabytes in [1e-6, 0.05, 1e4] {
            let bound = plan(&PlanConfig { memory_mb: Some(megabytes), ..config(kind) }, &model);
            assert_eq!((&bound.0.per_episode, &bound.1), (&whole.0.per_episode, &whole.1), "{kind}, {megabytes} MB");
        }
    }
}

#[test]
fn a_model_without_derivatives_and_solvers_of_other_actions_are_refused() {
    let mut worlds = Corridor::rows(1, Corridor::new);
    let spec = worlds[0].spec().clone();
    let made = |kind: &str| {
        let config = PlanConfig { solver: Part::new(kind), horizon: 3, ..PlanConfig::default() };
        setup::policy(&config, &Parts::default(), Exact::new(1, false), &spec)
    };
    let mut policy = made("projected-gradient").unwrap();
    let error = run_episodes(&mut worlds, policy.as_mut(), &Rules::new(3, 3), &mut ()).unwrap_err().to_string();
    assert_eq!(
        error,
        "policy planner/projected-gradient: the solver projected-gradient needs derivatives, but the costs of what the model \
         imagines have no derivatives with respect to the actions"
    );
    for kind in ["gradient", "cem-gradient", "lagrangian"] {
        let message = made(kind).err().unwrap().to_string();
        let expected = format!("plan.solver.kind is {kind}, but must be a solver of choices, such as categorical-cem");
        assert!(message.starts_with(&expected), "{message}");
    }
    let spec = rooms(1)[0].spec().clone();
    let config = PlanConfig { solver: Part::new("categorical-cem"), ..PlanConfig::default() };
    let model = model(VECTORS, &spaces(1, 2), &HeadFlags::default());
    let message = setup::policy(&config, &Parts::default(), model, &spec).err().unwrap().to_string();
    assert!(message.starts_with("plan.solver.kind is categorical-cem, but must be a solver of vectors"), "{message}");
}
