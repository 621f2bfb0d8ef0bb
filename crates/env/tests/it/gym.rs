//! Gymnasium's environments as worlds. `tests/gym/run.sh` installs them and runs these tests.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and tell what was found")]

use std::path::Path;

use prevision_core::Space;
use prevision_env::TimeStep;
use prevision_env::check::{CheckOptions, Severity, check_world};
use prevision_env::registry::{EnvConfig, Purpose, World, built_in};

/// What the script has installed and made.
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run crates/env/tests/gym/run.sh"))
}

fn world(target: &str, keys: &str) -> Box<dyn World> {
    let keys = format!("python = {:?}\n{keys}", variable("PREVISION_GYM_PYTHON"));
    EnvConfig::of(&format!("gym:{target}"), keys.parse().unwrap()).world(&built_in()).unwrap()
}

/// Checks a world, and gives the names of the errors and of the warnings.
fn check(target: &str, keys: &str) -> [Vec<&'static str>; 2] {
    let options = CheckOptions { episodes: 4, steps: 40, rows: 2, ..CheckOptions::default() };
    let report = check_world(world(target, keys).as_ref(), &options).unwrap();
    report.findings.iter().for_each(|finding| eprintln!("{target}: {finding}"));
    [Severity::Error, Severity::Warning].map(|severity| {
        report.findings.iter().filter(|finding| finding.severity == severity).map(|finding| finding.check).collect()
    })
}

fn first(target: &str, keys: &str) -> TimeStep {
    world(target, keys).environment(Purpose::Evaluation).unwrap().reset(5).unwrap()
}

#[test]
#[ignore = "needs packages that tests/gym/run.sh installs"]
fn classic_control() {
    let none: [Vec<&str>; 2] = [vec![], vec!["no-success"]];
    assert_eq!(check("CartPole-v1", "size = 64"), none);
    assert_eq!(check("Acrobot-v1", "size = 64\nsuccess = \"terminated\""), none);
    assert_eq!(check("MountainCarContinuous-v0", "size = [48, 72]\nsuccess = \"terminated\""), none);
    assert_eq!(check("CartPole-v1", "size = 64\nsuccess = \"return>=5\"")[1], Vec::<&str>::new());
    let worlds = world("Pendulum-v1", "size = 64\n[args]\ng = 9.81").worlds(Purpose::Recording, 3).unwrap();
    let spec = worlds.spec();
    assert!(spec.name.starts_with("gym:Pendulum-v1 1.") && spec.max_steps == 200 && spec.rewards, "{spec:?}");
    assert_eq!(spec.spaces.action, Some(Space::Box { low: vec![-2.0], high: vec![2.0] }));
    assert_eq!((spec.spaces.state, spec.spaces.vectors["observation"]), (Some(3), 3));
    assert_eq!((spec.spaces.cameras["pixels"].height, spec.spaces.cameras["pixels"].width), (64, 64));
}

#[test]
#[ignore = "needs packages that tests/gym/run.sh installs"]
fn a_limit_of_time_cuts_an_episode_short() {
    let mut pendulum = world("Pendulum-v1", "size = 32\nmax_steps = 3").environment(Purpose::Evaluation).unwrap();
    assert_eq!(pendulum.spec().max_steps, 3);
    pendulum.reset(1).unwrap();
    let mut step = || pendulum.step(prevision_core::Action::Vector(&[1.0])).unwrap();
    let ends = [step(), step(), step()].map(|step| (step.truncated, step.terminated));
    assert_eq!(ends, [(false, false), (false, false), (true, false)]);
}

#[test]
#[ignore = "needs packages that tests/gym/run.sh installs"]
fn rescaled_actions_stand_for_the_whole_range() {
    let seen_after = |keys: &str, action: f32| {
        let mut pendulum = world("Pendulum-v1", keys).environment(Purpose::Evaluation).unwrap();
        pendulum.reset(1).unwrap();
        pendulum.step(prevision_core::Action::Vector(&[action])).unwrap()
    };
    let pendulum = world("Pendulum-v1", "size = 32\nrescale = true").environment(Purpose::Evaluation).unwrap();
    assert_eq!(pendulum.spec().spaces.action, Some(Space::Box { low: vec![-1.0], high: vec![1.0] }));
    for (rescaled, torque) in [(-1.0, -2.0), (0.25, 0.5), (1.0, 2.0)] {
        assert_eq!(seen_after("size = 32\nrescale = true", rescaled), seen_after("size = 32", torque));
    }
    let error = world("CartPole-v1", "rescale = true").environment(Purpose::Evaluation).err().unwrap().to_string();
    assert!(error.contains("rescale = true: actions are Discrete(2)"), "{error}");
}

#[test]
#[ignore = "needs packages that tests/gym/run.sh installs"]
fn goals_and_success() {
    let keys = "size = 64\ngoal = \"sampler\"\ngoal_steps = 20\nsuccess = \"state<=1.5\"";
    let [errors, _] = check("Pendulum-v1", keys);
    assert!(errors.is_empty(), "{errors:?}");
    let mut pendulum = world("Pendulum-v1", keys).environment(Purpose::Evaluation).unwrap();
    let step = pendulum.reset(5).unwrap();
    let goal = pendulum.goal().unwrap();
    let distance = step
        .state
        .as_ref()
        .unwrap()
        .iter()
        .zip(goal.state.as_ref().unwrap())
        .map(|(a, b)| (a - b) * (a - b))
        .sum::<f32>();
    assert!((step.distance.unwrap() - f64::from(distance.sqrt())).abs() < 1e-5);
    assert_eq!(step.success, step.distance.unwrap() <= 1.5);
    assert_ne!(goal.observations.unwrap(), step.observations);
    // A picture, and a row of a recording: that of the first moment of an episode of seed 11, by the script.
    let folder = variable("PREVISION_GYM_FOLDER");
    for goal in [
        format!("image:{folder}/goal.png"),
        format!("image:{folder}/goal.npy"),
        format!("recording:{folder}/recording:4"),
    ] {
        let keys = format!("size = 64\ngoal = {goal:?}");
        let mut pendulum = world("Pendulum-v1", &keys).environment(Purpose::Evaluation).unwrap();
        pendulum.reset(5).unwrap();
        let shown = pendulum.goal().unwrap();
        let eleven = pendulum.reset(11).unwrap();
        let twelve = pendulum.reset(12).unwrap();
        let pixels = |seen: &prevision_core::Observations| seen.cameras["pixels"].data.clone();
        let target = pixels(&shown.observations.unwrap());
        let apart = |step: &TimeStep| -> f64 {
            pixels(&step.observations).iter().zip(&target).map(|(a, b)| f64::from(a.abs_diff(*b))).sum()
        };
        // Pictures are exact; the video shifts colours.
        let largest = if goal.starts_with("image") { 0.0 } else { 0.75 * apart(&twelve) };
        assert!(apart(&eleven) <= largest && apart(&twelve) > 0.0, "{goal}: {} and {}", apart(&eleven), apart(&twelve));
        assert_eq!(shown.state.is_some(), goal.starts_with("recording"));
        if let Some(state) = shown.state {
            assert_eq!(Some(state), eleven.state);
        }
    }
    let mut pendulum = world("Pendulum-v1", "goal = \"info:goal\"").environment(Purpose::Evaluation).unwrap();
    let error = pendulum.reset(1).unwrap_err().to_string();
    assert!(error.contains("info has no goal"), "{error}");
    let error = world("NoSuch-v3", "").environment(Purpose::Evaluation).err().unwrap().to_string();
    assert!(error.contains("NoSuch"), "{error}");
    assert!(Path::new(&folder).is_dir());
}

#[test]
#[ignore = "needs packages that tests/gym/run.sh installs"]
fn push_t() {
    // Its picture of the start shows the last action of the episode before.
    let keys = "size = 96\nsuccess = \"info:is_success\"";
    assert_eq!(check("gym_pusht:gym_pusht/PushT-v0", keys)[0], ["history"]);
    let [errors, _] = check("gym_pusht:gym_pusht/PushT-v0", &format!("{keys}\nfresh = true"));
    assert!(errors.is_empty(), "{errors:?}");
    let seen = first("gym_pusht:gym_pusht/PushT-v0", keys);
    assert_eq!((seen.state.unwrap().len(), seen.observations.cameras["pixels"].width), (5, 96));
    // Its own pictures, as they are.
    let seen = first("gym_pusht:gym_pusht/PushT-v0", "[args]\nobs_type = \"pixels\"");
    assert_eq!((seen.state, seen.observations.cameras["pixels"].width), (None, 96));
}

#[test]
#[ignore = "needs packages that tests/gym/run.sh installs"]
fn minigrid() {
    let target = "minigrid:MiniGrid-FourRooms-v0";
    assert_eq!(check(target, "size = 76\nsuccess = \"terminated\""), [vec![], vec!["no-success", "no-reward"]]);
    let seen = first(target, "size = 76");
    // The direction, and the board of 7 by 7 fields with 3 numbers each, which is too small for a picture.
    assert_eq!(seen.state.unwrap().len(), 1 + 147);
}

#[test]
#[ignore = "needs packages that tests/gym/run.sh installs"]
fn atari() {
    // Every episode starts alike; the seed decides which actions stick.
    let [errors, warnings] = check("ale_py:ALE/Pong-v5", "");
    assert!(errors.is_empty() && warnings.contains(&"seed-ignored"), "{errors:?} {warnings:?}");
    let seen = first("ale_py:ALE/Pong-v5", "");
    let frame = &seen.observations.cameras["pixels"];
    assert_eq!((frame.height, frame.width, seen.state), (210, 160, None));
}
