//! Whole evaluations with a model that has learned nothing.

use std::fs;
use std::path::Path;

use burn::prelude::*;
use prevision_data::Normalise;
use prevision_model::predictor::{ActionTransformerConfig, GruConfig};
use prevision_model::{ActionJepa, ActionJepaConfig, ActionPredictorConfig, HeadFlags, InputShape};
use prevision_plan::{PlanError, PlanProgress, PlanResults, run_episodes};
use prevision_train::config::{CostConfig, PlanConfig, SolverConfig};

fn model(predictor: ActionPredictorConfig, action_dim: usize, heads: HeadFlags) -> ActionJepa {
    let device = Device::flex();
    device.seed(1);
    let input = InputShape { channels: 3, frames: 4, height: 65, width: 65, action_dim, state_dim: 2 };
    ActionJepaConfig { predictor, ..ActionJepaConfig::default() }.init(&input, &heads, &device)
}

fn gru(action_dim: usize) -> ActionJepa {
    model(ActionPredictorConfig::Gru(GruConfig {}), action_dim, HeadFlags { position: true, ..HeadFlags::default() })
}

fn config(episodes: usize) -> PlanConfig {
    PlanConfig {
        solver: SolverConfig::Cem { samples: 8, elites: 3, iterations: 2 },
        horizon: 4,
        execute: 3,
        max_steps: Some(7),
        episodes,
        videos: 1,
        ..PlanConfig::default()
    }
}

fn run(config: &PlanConfig, model: &ActionJepa, seed: u64, films: Option<&Path>) -> Result<PlanResults, PlanError> {
    run_episodes(config, model, &Device::flex(), &Normalise::default(), seed, films, &mut |_| {})
}

#[test]
fn results_add_up_and_films_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let films = folder.path().join("videos");
    let mut seen: Vec<PlanProgress> = Vec::new();
    let (model, config) = (gru(2), config(3));
    let results =
        run_episodes(&config, &model, &Device::flex(), &Normalise::default(), 5, Some(&films), &mut |p| seen.push(*p))
            .unwrap();
    assert_eq!((results.environment.as_str(), results.solver.as_str()), ("two-rooms", "cem"));
    assert_eq!((results.episodes, results.excluded_solved_at_start, results.plans), (3, 0, 9));
    assert!(results.per_episode.iter().all(|trial| trial.steps == 7 && trial.plans == 3));
    let moved = |trial: &prevision_plan::EpisodeResult| (trial.start_distance - trial.final_distance).abs();
    assert!(
        results.per_episode.iter().any(|trial| moved(trial) > 1e-3)
            && results.per_episode.iter().all(|trial| moved(trial) <= 7.0 * 2.45 + 1e-3)
    );
    assert!(results.seconds_per_plan > 0.0 && results.seconds_per_episode >= results.seconds_per_plan * 3.0);
    let steps: Vec<(usize, usize)> = seen.iter().map(|p| (p.step, p.running)).collect();
    assert_eq!(steps, [(0, 3), (3, 3), (6, 3), (7, 0)]);

    let mut names: Vec<String> =
        fs::read_dir(&films).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["episode-000.gif", "episode-000.mp4"]);
    let info = prevision_video::probe(&films.join("episode-000.mp4")).unwrap();
    assert_eq!((info.width, info.height, info.frames), (390, 390, Some(8)));
}

#[test]
fn an_episode_does_not_depend_on_the_others_nor_on_being_filmed() {
    let folder = tempfile::tempdir().unwrap();
    let model = gru(2);
    let one = run(&config(1), &model, 5, None).unwrap().per_episode;
    let three = run(&config(3), &model, 5, Some(folder.path())).unwrap().per_episode;
    assert_eq!(one[..], three[..1]);
    assert_eq!(three, run(&config(3), &model, 5, None).unwrap().per_episode);
    assert_ne!(three, run(&config(3), &model, 6, None).unwrap().per_episode);
}

#[test]
fn a_model_with_a_history_is_given_it() {
    let transformer =
        ActionTransformerConfig { history: 3, width: 32, depth: 1, heads: 2, ..ActionTransformerConfig::default() };
    let heads = HeadFlags { distance: true, ..HeadFlags::default() };
    let model = model(ActionPredictorConfig::Transformer(transformer), 2, heads);
    let icem =
        SolverConfig::Icem { samples: 8, elites: 3, iterations: 2, noise_exponent: 2.0, keep_elites: 2, momentum: 0.1 };
    let config = PlanConfig { cost: CostConfig::Distance, solver: icem, execute: 1, ..config(2) };
    let results = run(&config, &model, 5, None).unwrap();
    assert_eq!((results.solver.as_str(), results.plans), ("icem", 14));
    assert!(results.per_episode.iter().all(|trial| trial.steps == 7));
}

#[test]
fn a_planned_action_may_be_a_block_of_raw_ones() {
    let solver = SolverConfig::Mppi { samples: 8, elites: 3, iterations: 2, temperature: 0.5 };
    let results = run(&PlanConfig { solver, ..config(2) }, &gru(6), 5, None).unwrap();
    // Three planned actions of three raw ones are more than the seven steps of an episode.
    assert_eq!(results.plans, 2);
    assert!(results.per_episode.iter().all(|trial| trial.steps == 7));
    let error = run(&config(2), &gru(5), 5, None).unwrap_err().to_string();
    assert_eq!(
        error,
        "plan.environment is two-rooms: its actions have 2 numbers, and the model's 5 are no multiple of that"
    );
}

#[test]
fn stopping_on_arrival_reports_no_rate_at_the_end() {
    let stop = PlanConfig { stop_on_arrival: true, solver: SolverConfig::Random { samples: 8 }, ..config(2) };
    let results = run(&stop, &gru(2), 5, None).unwrap();
    assert_eq!((results.success_rate_at_end, results.interval_at_end), (None, None));
    assert!(run(&config(2), &gru(2), 5, None).unwrap().success_rate_at_end.is_some());
}

#[test]
fn what_does_not_fit_is_said() {
    let message = |config: PlanConfig| run(&config, &gru(2), 5, None).unwrap_err().to_string();
    let distance = message(PlanConfig { cost: CostConfig::Distance, ..config(1) });
    assert!(distance.starts_with("plan.cost is distance: this model has no distance head"), "{distance}");
    let horizon = message(PlanConfig { execute: 9, ..config(1) });
    assert!(horizon.contains("plan.execute is 9"), "{horizon}");
    let unknown = message(PlanConfig { environment: "three-rooms".to_owned(), ..config(1) });
    assert!(unknown.contains("three-rooms") && unknown.contains("two-rooms"), "{unknown}");
    let solver =
        SolverConfig::Icem { samples: 4, elites: 4, iterations: 1, noise_exponent: 2.0, keep_elites: 4, momentum: 0.0 };
    let kept = message(PlanConfig { solver, ..config(1) });
    assert!(kept.starts_with("plan.solver.keep_elites is 4: fewer than plan.solver.samples = 4"), "{kept}");
}
