//! Pendulum, cart-pole and reacher as worlds.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use prevision_core::{Action, FrameBuffer};
use prevision_env::registry::{EnvConfig, Purpose, World, built_in, recording_policy};
use prevision_env::{Environment, Goal, Mark, Policy, Start, TimeStep};
use serde::Deserialize;

const WORLDS: [&str; 3] = ["pendulum", "cart-pole", "reacher"];

fn configured(name: &str, keys: &str) -> Box<dyn World> {
    let config: EnvConfig = toml::from_str(&format!("name = \"{name}\"\n[{name}]\n{keys}")).unwrap();
    config.world(&built_in()).unwrap()
}

fn world(name: &str, keys: &str) -> Box<dyn Environment> {
    configured(name, keys).environment(Purpose::Evaluation).unwrap()
}

fn pixels(step: &TimeStep) -> &FrameBuffer {
    &step.observations.cameras["pixels"]
}

#[test]
fn the_pendulum_swings_as_gymnasium_lets_it() {
    #[derive(Deserialize)]
    struct Episode {
        torques: Vec<f32>,
        states: Vec<[f32; 3]>,
        rewards: Vec<f64>,
    }
    let episodes: Vec<Episode> = serde_json::from_str(include_str!("../pendulum/golden.json")).unwrap();
    assert_eq!(episodes.len(), 4);
    for episode in episodes {
        let mut world = world("pendulum", "");
        world.reset_to(0, &episode.states[0]).unwrap();
        for (step, torque) in episode.torques.iter().enumerate() {
            let now = world.step(Action::Vector(&[*torque])).unwrap();
            for (ours, theirs) in now.state.unwrap().iter().zip(episode.states[step + 1]) {
                assert!((ours - theirs).abs() < 1e-4, "step {step}: {ours} for {theirs}");
            }
            assert!((now.reward - episode.rewards[step]).abs() < 1e-3, "step {step}: {}", now.reward);
        }
    }
}

/// Lets the expert act; the step at which the goal was reached first, and whether it is reached at the end.
fn solved(name: &str, keys: &str, seed: u64) -> (Option<usize>, bool) {
    let configured = configured(name, &format!("size = 16\n{keys}"));
    let mut world = configured.environment(Purpose::Evaluation).unwrap();
    let mut expert: Box<dyn Policy> = configured.policy("expert", 200).unwrap();
    let mut now = world.reset(seed).unwrap();
    let goal = world.goal().unwrap();
    expert.begin(&[Start { seed: 0, episode: seed, first: &now, goal: Some(&goal), watched: false }]).unwrap();
    let mut first = None;
    for step in 0..world.spec().max_steps {
        if now.success && first.is_none() {
            first = Some(step);
        }
        let action = expert.act(&[0], &[&now]).unwrap().remove(0).action;
        now = world.step(Action::Vector(&action)).unwrap();
    }
    (first, now.success)
}

#[test]
fn experts_solve_nearly_all_tasks_and_stay() {
    for name in WORLDS {
        let runs: Vec<_> = (0..100).map(|seed| solved(name, "", seed)).collect();
        let reached = runs.iter().filter(|run| run.0.is_some()).count();
        let kept = runs.iter().filter(|run| run.0.is_some() && run.1).count();
        assert!(reached >= 98 && kept >= 97, "{name}: {reached} reached, {kept} stayed");
    }
}

#[test]
fn experts_cope_with_other_physics() {
    for name in WORLDS {
        let keys = format!("[{name}.variation]\nvary = [\"physics\"]");
        let reached = (0..60).filter(|seed| solved(name, &keys, *seed).0.is_some()).count();
        assert!(reached >= 54, "{name}: {reached} of 60");
    }
}

#[test]
fn random_actions_rarely_solve_a_task() {
    for (name, most) in [("pendulum", 20), ("cart-pole", 2), ("reacher", 75)] {
        let configured = configured(name, "size = 16");
        let reached = (0..100).filter(|seed| {
            let mut world = configured.environment(Purpose::Evaluation).unwrap();
            let mut policy = recording_policy(configured.as_ref(), world.spec(), Some("random"), 100).unwrap();
            let mut now = world.reset(*seed).unwrap();
            policy.begin(&[Start { seed: 0, episode: *seed, first: &now, goal: None, watched: false }]).unwrap();
            (0..100).any(|_| {
                let action = policy.act(&[0], &[&now]).unwrap().remove(0).action;
                now = world.step(Action::Vector(&action)).unwrap();
                now.success
            })
        });
        let reached = reached.count();
        assert!(reached <= most, "{name}: {reached} of 100");
    }
}

fn play(name: &str, keys: &str, seed: u64) -> (Vec<TimeStep>, Option<Goal>) {
    let mut world = world(name, keys);
    let space = world.spec().spaces.action.clone().unwrap();
    world.reset(1_000).unwrap();
    let mut steps = vec![world.reset(seed).unwrap()];
    for step in 0..40_u8 {
        let action = vec![f32::from(step % 9) / 2.0 - 2.0; space.width()];
        steps.push(world.step(space.action(&action)).unwrap());
    }
    (steps, world.goal())
}

#[test]
fn an_episode_is_a_function_of_its_seed_and_its_actions() {
    for name in WORLDS {
        let keys = format!("[{name}.variation]\nvary = [\"all\"]");
        assert_eq!(play(name, &keys, 3), play(name, &keys, 3), "{name}");
        assert_ne!(play(name, &keys, 3).0, play(name, &keys, 4).0, "{name}");
        let (steps, goal) = play(name, "", 3);
        assert!(steps.iter().all(|step| step.info.is_empty()));
        let goal = goal.unwrap();
        assert_eq!(goal.state.unwrap().len(), world(name, "").spec().spaces.state_width());
        assert_eq!(pixels(&steps[0]).width, 64);
    }
}

#[test]
fn a_world_takes_back_the_states_it_tells_of() {
    for name in WORLDS {
        let (steps, _) = play(name, "", 5);
        for step in [&steps[0], &steps[17], &steps[40]] {
            let state = step.state.clone().unwrap();
            let again = world(name, "").reset_to(5, &state).unwrap();
            for (told, taken) in state.iter().zip(again.state.unwrap()) {
                assert!((told - taken).abs() < 1e-5, "{name}: {state:?}");
            }
            assert!((step.distance.unwrap() - again.distance.unwrap()).abs() < 1e-5, "{name}");
            let worst = pixels(step).data.iter().zip(&again.observations.cameras["pixels"].data);
            assert!(worst.map(|(one, other)| one.abs_diff(*other)).max().unwrap() <= 1, "{name}");
        }
    }
    let mut reacher = world("reacher", "");
    let first = reacher.reset_to(0, &[1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.24, 0.0]).unwrap();
    assert!(first.success && first.distance.unwrap() < 1e-6, "outstretched, the finger is at 0.24 m");
    let goal = world("pendulum", "").goal().unwrap();
    assert_eq!(goal.state, Some(vec![1.0, 0.0, 0.0]));
    let upright = world("pendulum", "").reset_to(0, &[1.0, 0.0, 0.0]).unwrap();
    assert_eq!(Some(&upright.observations), goal.observations.as_ref());
}

#[test]
fn recordings_of_the_cart_pole_show_the_pole_upright_too() {
    let configured = configured("cart-pole", "size = 16");
    let upright = |purpose| {
        let mut world = configured.environment(purpose).unwrap();
        (0..200).filter(|seed| world.reset(*seed).unwrap().state.unwrap()[1] > 0.7).count()
    };
    assert_eq!(upright(Purpose::Evaluation), 0);
    assert!((30..70).contains(&upright(Purpose::Recording)), "a quarter of the circle");
}

#[test]
fn factors_change_what_they_name() {
    for name in WORLDS {
        let nominal = play(name, "size = 32", 6).0;
        for factor in world(name, "").spec().factors.clone().iter() {
            let low = if factor.bounds[0] == factor.nominal { &factor.bounds[1] } else { &factor.bounds[0] };
            let value = if factor.name == "target.radius" { &vec![0.02] } else { low };
            let keys = format!("size = 32\n[{name}.variation.values]\n\"{}\" = {value:?}", factor.name);
            let changed = play(name, &keys, 6).0;
            let states = |steps: &[TimeStep]| steps.iter().map(|step| step.state.clone()).collect::<Vec<_>>();
            let physics = factor.kind == prevision_env::FactorKind::Physics && factor.name != "target.radius";
            assert_eq!(states(&changed) != states(&nominal), physics, "{name}: {}", factor.name);
            let seen = changed.iter().zip(&nominal).any(|(one, other)| pixels(one) != pixels(other));
            // The least damping of a light joint is too little to be seen.
            assert!(seen || factor.name.ends_with("damping"), "{name}: {}", factor.name);
            assert_eq!(&changed[0].info[&format!("factor.{}", factor.name)], value);
        }
    }
}

#[test]
fn what_is_no_action_or_state_is_said() {
    for name in WORLDS {
        let mut world = world(name, "");
        let before = world.reset(0).unwrap().state;
        let width = world.spec().spaces.action.clone().unwrap().width();
        let message = world.step(Action::Vector(&vec![0.0; width + 1])).unwrap_err().to_string();
        assert!(message.starts_with(&format!("world {name}: action is")), "{message}");
        assert!(world.step(Action::Choice(0)).is_err());
        assert_eq!(world.step(Action::Vector(&vec![f32::NAN; width])).unwrap().state, before);
        let width = world.spec().spaces.state_width();
        for state in [vec![0.5; width - 1], vec![f32::NAN; width], vec![0.0; width]] {
            let message = world.reset_to(0, &state).unwrap_err().to_string();
            assert!(message.contains("state is") && message.contains("numbers"), "{message}");
        }
        let config: EnvConfig = toml::from_str(&format!("name = \"{name}\"\n[{name}]\nsize = 9")).unwrap();
        let message = config.world(&built_in()).map(|_| ()).unwrap_err();
        assert!(message.contains(&format!("env.{name}.size is 9")), "{message}");
        let config: EnvConfig =
            toml::from_str(&format!("name = \"{name}\"\n[{name}.variation]\nvary = [\"hat\"]")).unwrap();
        let message = config.world(&built_in()).map(|_| ()).unwrap_err();
        assert!(message.contains(&format!("env.{name}.variation.vary")), "{message}");
    }
}

#[test]
fn frames_for_people_show_marks_where_the_end_is() {
    for name in WORLDS {
        let mut world = world(name, "");
        world.reset(2).unwrap();
        let [x, y] = world.position().unwrap();
        let trail = [[x * 0.9, y * 0.9], [x, y]];
        let plain = world.render(&[], 3).unwrap();
        let marked = world.render(&[Mark::trail(&trail), Mark::imagined(&trail)], 3).unwrap();
        assert_eq!((plain.height, plain.width), (192, 192));
        assert!(plain.data != marked.data, "{name}");
        assert!(plain.data == world.render(&[], 3).unwrap().data);
    }
}
