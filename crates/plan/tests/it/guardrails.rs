//! Guardrails: constraints that plans obey, and that judge what really happened.

use std::collections::BTreeMap;

use prevision_core::config::Part;
use prevision_env::{Policy, Random, Worlds};
use prevision_model::HeadFlags;
use prevision_plan::{
    EpisodeResult, Moment, Parts, PlanConfig, PlanResults, Violations, Watch, WatchError, run_judged_episodes, setup,
};

use super::corridor::{Corridor, Exact};
use super::models::{VECTORS, model, rooms, spaces};

/// Cells from 5 on are out of bounds.
const KEEP_OUT: &str = "regions = [{ kind = 'box', low = [4.5, -1], high = [9.5, 1] }]";

/// In which cell every episode begins.
#[derive(Default)]
struct Starts(BTreeMap<usize, f32>);

impl Watch for Starts {
    fn moment(&mut self, _: &dyn Worlds, moment: &Moment<'_>) -> Result<(), WatchError> {
        let cell = moment.now.state.as_ref().ok_or("no state")?[0];
        self.0.entry(moment.episode).or_insert(cell);
        Ok(())
    }
}

fn config(constraints: &str) -> PlanConfig {
    let text = format!("horizon = 5\nmax_steps = 12\nvideos = 50\nepisodes = 30\n{constraints}");
    let solver = Part::new("random").with("samples", 400);
    PlanConfig { solver, ..toml::from_str(&text).unwrap() }
}

/// Runs episodes in the corridor, with the planner or with another policy.
fn corridor(config: &PlanConfig, rows: usize, policy: Option<&mut dyn Policy>) -> (PlanResults, Starts) {
    let (parts, model) = (Parts::default(), Exact::new(1, false));
    let mut worlds = Corridor::rows(rows, Corridor::new);
    let spec = worlds[0].spec().clone();
    let mut planner = setup::policy(config, &parts, model.clone(), &spec).unwrap();
    let guardrails = setup::guardrails(config, &parts, &(model as _)).unwrap();
    let mut starts = Starts::default();
    let policy = policy.unwrap_or(planner.as_mut());
    let results = run_judged_episodes(&mut worlds, policy, guardrails.as_ref(), &config.rules(3), &mut starts).unwrap();
    (results, starts)
}

/// Trials that begin where they may be, and how many of their steps are where they may not.
fn outside(results: &PlanResults, starts: &Starts) -> Vec<usize> {
    let begins = |trial: &&EpisodeResult| starts.0[&trial.episode] < 5.0;
    results.per_episode.iter().filter(begins).map(|trial| trial.violations["keep-out"]).collect()
}

#[test]
fn with_and_without_on_the_same_tasks() {
    let enforced = config(&format!("[constraints.keep-out]\n{KEEP_OUT}"));
    let judged = config(&format!("[constraints.keep-out]\nenforce = false\n{KEEP_OUT}"));
    let (with, starts) = corridor(&enforced, 30, None);
    let (without, same) = corridor(&judged, 30, None);
    assert_eq!(starts.0, same.0);
    let (kept, crossed) = (outside(&with, &starts), outside(&without, &same));
    assert!(kept.len() > 5 && kept.iter().all(|steps| *steps == 0), "{kept:?}");
    assert!(crossed.iter().sum::<usize>() > 5, "{crossed:?}");
    assert!(with.successes < without.successes, "some goals are out of bounds");
    for (results, enforced) in [(&with, true), (&without, false)] {
        let all: Vec<usize> = results.per_episode.iter().map(|trial| trial.violations["keep-out"]).collect();
        let episodes = all.iter().filter(|steps| **steps > 0).count();
        let expected = Violations { enforced, steps: all.iter().sum(), episodes };
        assert_eq!(results.violations, BTreeMap::from([("keep-out".to_owned(), expected)]));
    }
    // Where nothing is enforced, plans are those without constraints.
    let (free, _) = corridor(&config(""), 30, None);
    assert!(free.violations.is_empty());
    let plain = |trial: &EpisodeResult| EpisodeResult { violations: BTreeMap::new(), ..trial.clone() };
    assert_eq!(without.per_episode.iter().map(plain).collect::<Vec<_>>(), free.per_episode);
    // And what is counted does not depend on how many episodes run side by side.
    assert_eq!(corridor(&enforced, 7, None).0.per_episode, with.per_episode);
}

#[test]
fn any_policy_is_judged() {
    let config = config(&format!("[constraints.keep-out]\n{KEEP_OUT}\n[constraints.speed]\nlimit = 0.5"));
    let mut random = Random::new(Corridor::rows(1, Corridor::new)[0].spec().spaces.action.clone().unwrap());
    let (results, _) = corridor(&config, 30, Some(&mut random));
    let steps: usize = results.per_episode.iter().map(|trial| trial.steps).sum();
    let fast = results.violations["speed"].steps;
    // Two of three choices move it by a cell, but not at the ends.
    assert!(fast > steps / 2 && fast < 3 * steps / 4, "{fast} of {steps}");
    assert!(results.violations["keep-out"].steps > 0);
}

#[test]
fn the_worlds_own_position_judges() {
    let heads = HeadFlags { position: true, ..HeadFlags::default() };
    let model = model(VECTORS, &spaces(1, 2), &heads);
    let judge = |limit: f64| {
        let constraints =
            format!("constraints.speed = {{ enforce = false, limit = {limit} }}\nepisodes = 3\nmax_steps = 6").parse();
        let table: toml::Table = constraints.unwrap();
        let config: PlanConfig = table.try_into().unwrap();
        let guardrails = setup::guardrails(&config, &Parts::default(), &model).unwrap();
        let mut worlds = rooms(3);
        let mut random = Random::new(worlds[0].spec().spaces.action.clone().unwrap());
        run_judged_episodes(&mut worlds, &mut random, guardrails.as_ref(), &config.rules(1), &mut ()).unwrap()
    };
    // An action is at most 2.45 pixels long, and hardly ever 0; what the untrained model reads would be anything.
    assert_eq!(judge(2.45).violations["speed"].steps, 0);
    assert!(judge(0.01).violations["speed"].steps >= 15);
}

#[test]
fn what_cannot_be_judged_is_not_counted() {
    let parts = Parts::default();
    let reachable = config("[constraints.reachable]\nenforce = false");
    let model = Exact::new(1, true);
    let guardrails = setup::guardrails(&reachable, &parts, &(model.clone() as _)).unwrap();
    let mut worlds = Corridor::rows(3, || Corridor::ring(4));
    let spec = worlds[0].spec().clone();
    let mut policy = setup::policy(&reachable, &parts, model.clone(), &spec).unwrap();
    let rules = reachable.rules(3);
    let results = run_judged_episodes(&mut worlds, policy.as_mut(), guardrails.as_ref(), &rules, &mut ()).unwrap();
    assert!(results.violations.is_empty());
    assert!(setup::guardrails(&config(""), &parts, &(model as _)).unwrap().is_none());
}
