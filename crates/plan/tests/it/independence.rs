//! A planned episode is the same, bit for bit, whatever is planned beside it, in whatever chunks, on whatever threads.

use std::sync::Arc;

use prevision_core::config::{Part, WeightedParts};
use prevision_env::Policy;
use prevision_model::{HeadFlags, WorldModel};
use prevision_plan::{
    AdaptationConfig, Adapting, EpisodeResult, Parts, PlanConfig, Remembering, Rules, run_episodes, setup,
};

use prevision_kernels::parallel::Threads;

use super::Notes;
use super::models::{GRID, TRANSFORMER, VECTORS, model, rooms, spaces};

type Episodes = (Vec<EpisodeResult>, Vec<(usize, usize, Vec<f32>)>);

/// Plans `episodes` episodes in `rows` worlds, imagining at most `rows_at_once` candidates at once, on `threads` threads.
fn plan(
    config: &PlanConfig,
    model: &Arc<dyn WorldModel>,
    [episodes, rows, rows_at_once, threads]: [usize; 4],
) -> Episodes {
    Threads::new(threads).install(|| {
        let mut worlds = rooms(rows);
        let spec = worlds[0].spec().clone();
        let planner = setup::planner(config, &Parts::default(), Arc::clone(model), &spec).unwrap();
        let planner = planner.with_rows_at_once(rows_at_once);
        let mut policy: Box<dyn Policy> = if config.adaptation.rate > 0.0 {
            Box::new(Adapting::new(planner, config.adaptation.rate).unwrap())
        } else if config.memory.obstacles > 0.0 {
            Box::new(Remembering::new(planner, Arc::clone(model), config.memory.obstacles as f32).unwrap())
        } else {
            Box::new(planner)
        };
        let rules = Rules { watched: episodes, max_steps: Some(6), ..Rules::new(episodes, 5) };
        let mut notes = Notes::default();
        let results = run_episodes(&mut worlds, policy.as_mut(), &rules, &mut notes).unwrap();
        (results.per_episode, notes.sorted())
    })
}

fn check(config: &PlanConfig, model: &Arc<dyn WorldModel>) {
    let (results, actions) = plan(config, model, [5, 5, 256, 1]);
    assert_eq!((results.len(), actions.len()), (5, 30));
    assert!(results.iter().any(|trial| trial.start_distance != trial.final_distance));
    for threads in [1, 2, 3] {
        for rows_at_once in [256, 7] {
            for rows in [5, 2] {
                let found = plan(config, model, [5, rows, rows_at_once, threads]);
                let what = format!("{rows} rows, chunks of {rows_at_once}, {threads} threads");
                assert_eq!(found.1, actions, "{what}");
                assert_eq!(found.0, results, "{what}");
            }
        }
    }
    let one = plan(config, model, [1, 1, 256, 2]);
    assert_eq!((&one.0[..], &one.1[..]), (&results[..1], &actions[..6]));
}

fn config(kind: &str) -> PlanConfig {
    // More rows than one task of a predictor has.
    let solver = Part::new(kind).with("samples", 75).with("elites", 7).with("iterations", 2);
    PlanConfig { solver, horizon: 4, execute: 2, ..PlanConfig::default() }
}

pub(crate) const DISTANCE: HeadFlags =
    HeadFlags { distance: true, inverse_dynamics: false, position: true, levels: false };

#[test]
fn vectors_and_a_recurrent_predictor() {
    let model = model(VECTORS, &spaces(1, 2), &DISTANCE);
    check(&config("cem"), &model);
    let costs = WeightedParts::default().with("distance", 1).with("action", 0.01);
    check(&PlanConfig { costs, ..config("mppi") }, &model);
}

#[test]
fn a_history_and_a_transformer() {
    let costs = WeightedParts::default().with("distance", 1).with("latent", 0.5);
    check(&PlanConfig { costs, execute: 1, ..config("icem") }, &model(TRANSFORMER, &spaces(1, 2), &DISTANCE));
}

#[test]
fn solvers_that_descend() {
    let keys = |kind: &str| Part::new(kind).with("samples", 9).with("iterations", 2);
    let config = |solver: Part| PlanConfig { solver, horizon: 4, execute: 2, ..PlanConfig::default() };
    let vectors = model(VECTORS, &spaces(1, 2), &DISTANCE);
    check(&config(keys("gradient").with("noise", 0.1)), &vectors);
    check(&config(keys("cem-gradient").with("elites", 5).with("steps", 1)), &vectors);
    let constraints: toml::Table = "reachable = { slack = 1 }".parse().unwrap();
    let lagrangian = keys("lagrangian").with("rounds", 2);
    check(
        &PlanConfig { constraints: constraints.clone(), ..config(lagrangian) },
        &model(TRANSFORMER, &spaces(1, 2), &DISTANCE),
    );
    let costs = WeightedParts::default().with("distance", 1).with("latent", 0.5);
    check(&PlanConfig { costs, constraints, ..config(keys("gradient")) }, &model(GRID, &spaces(1, 2), &DISTANCE));
}

#[test]
fn a_grid_of_tokens_with_a_distance_field_and_a_memory() {
    let costs = WeightedParts::default().with("distance", 1).with("reachability", 5);
    let constraints = "reachable = { slack = 1 }".parse().unwrap();
    let config = PlanConfig { costs, constraints, memory: super::remembering(30.0), ..config("icem") };
    check(&config, &model(GRID, &spaces(1, 2), &DISTANCE));
}

#[test]
fn models_that_are_adapted() {
    let adaptation = AdaptationConfig { rate: 0.5 };
    let config = |kind: &str| PlanConfig { adaptation, ..config(kind) };
    check(&config("cem"), &model(GRID, &spaces(1, 2), &DISTANCE));
    check(&PlanConfig { execute: 1, ..config("icem") }, &model(TRANSFORMER, &spaces(1, 2), &DISTANCE));
}
