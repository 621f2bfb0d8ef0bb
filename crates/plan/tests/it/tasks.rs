//! Frozen tasks and baselines.

use std::sync::Arc;

use prevision_env::registry::EnvConfig;
use prevision_env::{Legality, Manifest, Random, TaskOptions};
use prevision_plan::{Rules, baselines};
use toml::Table;

use crate::corridor::Corridor;
use crate::rules::Expert;
use crate::run;

fn manifest(count: usize) -> Manifest {
    let options = TaskOptions { count, seed: 5, route: [0.0, f64::INFINITY] };
    let config = EnvConfig::of("corridor", Table::new());
    Manifest::draw(&mut Corridor::rows(1, Corridor::new), &config, &options).unwrap()
}

#[test]
fn frozen_tasks_are_the_same_for_every_seed_and_policy() {
    let manifest = Arc::new(manifest(20));
    let solved = manifest.tasks.iter().filter(|task| task.solved_at_start).count();
    assert!(solved > 0, "some of these tasks are solved at the start");
    let results = |seed, episodes| {
        let rules = Rules { tasks: Some(Arc::clone(&manifest)), ..Rules::new(episodes, seed) };
        run(&mut Corridor::rows(4, Corridor::new), &mut Expert::default(), &rules).unwrap()
    };
    let [first, other] = [results(0, 100), results(9, 100)];
    assert_eq!(first.per_episode, other.per_episode);
    assert_eq!((first.episodes, first.excluded_solved_at_start), (20 - solved, solved));
    assert_eq!(results(0, 7).episodes + results(0, 7).excluded_solved_at_start, 7);
    let drawn = run(&mut Corridor::rows(4, Corridor::new), &mut Expert::default(), &Rules::new(20, 5)).unwrap();
    assert_eq!(first.per_episode, drawn.per_episode, "the tasks of a seed are those that are frozen with it");
    assert_eq!((first.illegal, first.legal_successes), (None, None), "this world does not judge");
}

#[test]
fn a_world_that_has_changed_is_refused() {
    let mut changed = manifest(3);
    changed.tasks[1].goal = Some(vec![99.0]);
    let rules = Rules { tasks: Some(Arc::new(changed)), ..Rules::new(3, 0) };
    let error = run(&mut Corridor::rows(1, Corridor::new), &mut Expert::default(), &rules).unwrap_err().to_string();
    assert!(error.starts_with("task 1: the world has its goal at Some([") && error.contains("99.0"), "{error}");
}

#[test]
fn baselines_run_on_the_same_tasks() {
    let rules = Rules { tasks: Some(Arc::new(manifest(20))), ..Rules::new(20, 1) };
    let mut worlds = Corridor::rows(4, Corridor::new);
    let names = ["random", "expert"].map(str::to_owned);
    let found = baselines(&Corridor::new, &mut worlds, &names, &rules).unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["random"], "this world has no expert");
    let space = prevision_env::Environment::spec(&Corridor::new()).spaces.action.clone().unwrap();
    let alone = run(&mut worlds, &mut Random::new(space), &rules).unwrap();
    let random = &found["random"];
    assert_eq!((random.episodes, random.successes), (alone.episodes, alone.successes));
    assert_eq!((random.interval, random.mean_return), (alone.interval, alone.mean_return));
    let error = baselines(&Corridor::new, &mut worlds, &["randm".to_owned()], &rules).unwrap_err().to_string();
    assert_eq!(error, "plan.baselines: world corridor has no policy `randm`: known policies are random, smooth");
}

#[test]
fn a_world_that_judges_is_asked_at_the_end() {
    /// A corridor where going left is against the law.
    struct OneWay(Corridor);
    impl prevision_env::Environment for OneWay {
        fn spec(&self) -> &prevision_env::EnvironmentSpec {
            self.0.spec()
        }
        fn reset(&mut self, seed: u64) -> Result<prevision_env::TimeStep, prevision_env::EnvError> {
            self.0.reset(seed)
        }
        fn step(
            &mut self,
            action: prevision_core::Action<'_>,
        ) -> Result<prevision_env::TimeStep, prevision_env::EnvError> {
            self.0.step(action)
        }
        fn goal(&self) -> Option<prevision_env::Goal> {
            self.0.goal()
        }
        fn legality(&self, states: &[Vec<f32>]) -> Legality {
            match states.windows(2).position(|pair| pair[1][0] < pair[0][0]) {
                Some(place) => Legality::Illegal { step: place + 1 },
                None => Legality::Legal,
            }
        }
    }
    let mut worlds: Vec<Box<dyn prevision_env::Environment>> =
        (0..5).map(|_| Box::new(OneWay(Corridor::new())) as Box<dyn prevision_env::Environment>).collect();
    let results = run(&mut worlds, &mut Expert::default(), &Rules::new(30, 2)).unwrap();
    let illegal = results.per_episode.iter().filter(|trial| trial.first_illegal_step == Some(1)).count();
    assert_eq!(results.illegal, Some(illegal));
    assert!(illegal > 0 && illegal < results.episodes);
    assert_eq!(results.legal_successes, Some(results.episodes - illegal));
}
