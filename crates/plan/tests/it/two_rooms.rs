//! Whole runs in Two Rooms with models that have learned nothing.

use prevision_core::config::{Part, WeightedParts};
use prevision_model::HeadFlags;
use prevision_plan::{EpisodeResult, Parts, PlanConfig, PlanResults, run_episodes, setup};

use super::Notes;
use super::models::{TRANSFORMER, VECTORS, model, rooms, spaces};

fn config(episodes: usize) -> PlanConfig {
    let solver = Part::new("cem").with("samples", 8).with("elites", 3).with("iterations", 2);
    PlanConfig { solver, horizon: 4, execute: 3, max_steps: Some(7), episodes, videos: 1, ..PlanConfig::default() }
}

fn run(config: &PlanConfig, kind: &str, frame_step: usize, seed: u64) -> (PlanResults, Notes) {
    let heads = HeadFlags { position: true, distance: true, ..HeadFlags::default() };
    let model = model(kind, &spaces(frame_step, 2), &heads);
    let mut worlds = rooms(config.episodes);
    let spec = worlds[0].spec().clone();
    let mut policy = setup::policy(config, &Parts::default(), model, &spec).unwrap();
    let mut notes = Notes::default();
    let results = run_episodes(&mut worlds, policy.as_mut(), &config.rules(seed), &mut notes).unwrap();
    (results, notes)
}

#[test]
fn results_add_up() {
    let (results, notes) = run(&config(3), VECTORS, 1, 5);
    assert_eq!((results.environment.as_str(), results.solver.as_str()), ("two-rooms", "cem"));
    assert_eq!((results.episodes, results.excluded_solved_at_start, results.plans), (3, 0, 9));
    assert!(results.per_episode.iter().all(|trial| trial.steps == 7 && trial.plans == 3));
    let moved = |trial: &EpisodeResult| (trial.start_distance.unwrap() - trial.final_distance.unwrap()).abs();
    assert!(
        results.per_episode.iter().any(|trial| moved(trial) > 1e-3)
            && results.per_episode.iter().all(|trial| moved(trial) <= 7.0 * 2.45 + 1e-3)
    );
    assert_eq!((results.unit.as_deref(), results.mean_return), (Some("px"), None));
    assert!(results.seconds_per_plan > 0.0 && results.seconds_per_episode >= results.seconds_per_plan * 3.0);
    let steps: Vec<(usize, usize)> = notes.progress.iter().map(|p| (p.step, p.running)).collect();
    assert_eq!(steps, [(0, 3), (1, 3), (2, 3), (3, 3), (4, 3), (5, 3), (6, 3), (7, 0)]);
    // One episode is watched: where it has been, and where the rest of the plan leads.
    assert_eq!(notes.trails, [1, 2, 3, 4, 5, 6, 7, 8]);
    let imagined: Vec<usize> = notes.imagined.iter().map(Vec::len).collect();
    assert_eq!(imagined, [4, 3, 2, 4, 3, 2, 4]);
}

#[test]
fn tasks_depend_on_the_seed_and_watching_changes_nothing() {
    let watched = run(&config(3), VECTORS, 1, 5).0.per_episode;
    assert_eq!(watched, run(&PlanConfig { videos: 0, ..config(3) }, VECTORS, 1, 5).0.per_episode);
    assert_ne!(watched, run(&config(3), VECTORS, 1, 6).0.per_episode);
}

#[test]
fn a_model_with_a_history_is_given_it() {
    let solver = Part::new("icem").with("samples", 8).with("elites", 3).with("iterations", 2).with("keep_elites", 2);
    let costs = WeightedParts::default().with("distance", 1);
    let (results, _) = run(&PlanConfig { costs, solver, execute: 1, ..config(2) }, TRANSFORMER, 1, 5);
    assert_eq!((results.solver.as_str(), results.plans), ("icem", 14));
    assert!(results.per_episode.iter().all(|trial| trial.steps == 7));
}

#[test]
fn a_smooth_plan_goes_on_as_the_last_one() {
    let solver = Part::new("random").with("samples", 400);
    let costs = WeightedParts::default().with("smoothness", 1);
    // One action alone: what it is compared with is the one that was executed before.
    let config = PlanConfig { costs, solver, horizon: 1, execute: 1, warm_start: false, ..config(1) };
    let (_, notes) = run(&config, VECTORS, 1, 5);
    let changes: Vec<f32> =
        notes.actions.windows(2).map(|pair| (pair[0].2[0] - pair[1].2[0]).hypot(pair[0].2[1] - pair[1].2[1])).collect();
    // Of 400 actions drawn with a deviation of 1.5, one is near; any one would be 2 or so away.
    assert!(changes.len() == 6 && changes.iter().all(|change| *change < 0.6), "{changes:?}");
}

#[test]
fn a_planned_action_may_be_a_block_of_raw_ones() {
    let solver = Part::new("mppi").with("samples", 8).with("elites", 3).with("iterations", 2);
    let (results, notes) = run(&PlanConfig { solver, ..config(2) }, VECTORS, 3, 5);
    // Three planned actions of three raw ones are more than the seven steps of an episode.
    assert_eq!(results.plans, 2);
    assert!(results.per_episode.iter().all(|trial| trial.steps == 7));
    let imagined: Vec<usize> = notes.imagined.iter().map(Vec::len).collect();
    assert_eq!(imagined, [4, 4, 4, 3, 3, 3, 2]);
    assert!(notes.actions.iter().all(|(_, _, action)| action.len() == 2 && action[0].hypot(action[1]) <= 2.4501));
}
