//! Two Rooms of 224 pixels against the published package, and as a world.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeMap;

use prevision_core::{Action, FrameBuffer, seed};
use prevision_env::registry::{EnvConfig, Purpose, World, built_in};
use prevision_env::two_rooms_224::{Options, Rule, TwoRooms224, route};
use prevision_env::{Environment, Goal, Legality, Mark, Policy, Start, TimeStep, Variation};
use rand::Rng;
use serde::Deserialize;

/// What `two_rooms_224/golden.py` writes.
#[derive(Deserialize)]
struct Golden {
    episodes: Vec<GoldenEpisode>,
    frames: Vec<GoldenFrame>,
}

#[derive(Deserialize)]
struct GoldenEpisode {
    name: String,
    values: BTreeMap<String, Vec<f32>>,
    state: [f32; 2],
    target: [f32; 2],
    actions: Vec<[f32; 2]>,
    states: Vec<[f32; 2]>,
    terminated: Vec<bool>,
}

#[derive(Deserialize)]
struct GoldenFrame {
    values: BTreeMap<String, Vec<f32>>,
    state: [f32; 2],
    target: [f32; 2],
    rows: Vec<usize>,
    /// A row is RGB `[224, 3]`.
    pixels: Vec<Vec<u8>>,
    /// Means over 8 x 8 pixels, `[28, 28, 3]`.
    means: Vec<f64>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../two_rooms_224/golden.json")).unwrap()
}

fn configured(keys: &str) -> Box<dyn World> {
    let config: EnvConfig = toml::from_str(&format!("name = \"two-rooms-224\"\n[two-rooms-224]\n{keys}")).unwrap();
    config.world(&built_in()).unwrap()
}

fn world(keys: &str) -> Box<dyn Environment> {
    configured(keys).environment(Purpose::Evaluation).unwrap()
}

/// The keys for these values of the factors.
fn values(values: &BTreeMap<String, Vec<f32>>) -> String {
    let lines: Vec<String> = values.iter().map(|(name, value)| format!("\"{name}\" = {value:?}\n")).collect();
    format!("[two-rooms-224.variation.values]\n{}", lines.concat())
}

fn pixels(step: &TimeStep) -> &FrameBuffer {
    &step.observations.cameras["pixels"]
}

#[test]
fn the_end_point_rule_moves_as_the_published_world() {
    let mut illegal = 0;
    for episode in golden().episodes {
        let mut world = world(&format!("rule = \"end-point\"\n{}", values(&episode.values)));
        assert_eq!(world.spec().rule.as_deref(), Some("end-point"));
        let mut states = vec![episode.state.to_vec()];
        world.reset_to(0, &[episode.state, episode.target].concat()).unwrap();
        for (step, action) in episode.actions.iter().enumerate() {
            let now = world.step(Action::Vector(action)).unwrap();
            let state = now.state.unwrap();
            for (ours, theirs) in state.iter().zip(episode.states[step]) {
                assert!((ours - theirs).abs() <= 1e-3, "{}, step {step}: {state:?}", episode.name);
            }
            assert_eq!(now.terminated, episode.terminated[step], "{}, step {step}", episode.name);
            states.push(state);
        }
        let legality = world.legality(&states);
        let unlawful = ["corner", "jumps", "margin"].iter().any(|word| episode.name.contains(word));
        assert!(!unlawful || legality != Legality::Legal, "{}: {legality:?}", episode.name);
        illegal += usize::from(legality != Legality::Legal);
    }
    assert!(illegal >= 3, "{illegal}");
}

#[test]
fn frames_are_the_published_ones() {
    for frame in golden().frames {
        let mut world = world(&format!("rule = \"end-point\"\n{}", bordered(&frame.values)));
        let seen = world.reset_to(0, &[frame.state, frame.target].concat()).unwrap();
        let ours = pixels(&seen);
        assert_eq!((ours.height, ours.width), (224, 224));
        for (row, theirs) in frame.rows.iter().zip(&frame.pixels) {
            for (index, (ours, theirs)) in ours.data[row * 672..].iter().zip(theirs).enumerate() {
                let place = (row, index / 3, index % 3);
                assert!(ours.abs_diff(*theirs) <= 2, "{place:?}: {ours} for {theirs}, {:?}", frame.values);
            }
        }
        for (index, theirs) in frame.means.iter().enumerate() {
            let (block, channel) = (index / 3, index % 3);
            let (top, left) = (block / 28 * 8, block % 28 * 8);
            let sum: f64 = (0..64)
                .map(|place| f64::from(ours.data[((top + place / 8) * 224 + left + place % 8) * 3 + channel]))
                .sum();
            assert!(
                (sum / 64.0 - theirs).abs() <= 1.0,
                "block {block}, channel {channel}: {} for {theirs}",
                sum / 64.0
            );
        }
    }
}

/// The published world draws the border in the colour of the wall.
fn bordered(given: &BTreeMap<String, Vec<f32>>) -> String {
    let mut given = given.clone();
    if let Some(colour) = given.get("wall.color").cloned() {
        given.insert("wall.border_color".to_owned(), colour);
    }
    values(&given)
}

#[test]
fn no_lawful_step_is_illegal_and_none_crosses_the_wall() {
    let keys = "size = 16\n[two-rooms-224.variation]\nvary = [\"all\"]\nrange = \"all\"";
    let mut world = world(keys);
    let (mut moved, mut both) = (0.0, 0);
    for seed in 0..150 {
        let mut rng = seed::rng(seed, "test", 0, 0);
        let mut states = vec![world.reset(seed).unwrap().state.unwrap()];
        let mut action = [0.0_f32; 2];
        for step in 0..120 {
            if step % 12 == 0 {
                action = [0, 1].map(|_| rng.random_range(-1.5..=1.5));
            }
            states.push(world.step(Action::Vector(&action)).unwrap().state.unwrap());
        }
        assert_eq!(world.legality(&states), Legality::Legal, "seed {seed}");
        moved += states.windows(2).map(|pair| f64::from((pair[1][0] - pair[0][0]).abs())).sum::<f64>();
        both += usize::from(states.iter().any(|state| state[0] < 90.0) && states.iter().any(|state| state[0] > 134.0));
    }
    assert!(moved > 150.0 * 120.0 * 0.3 && both > 5, "{moved} px, {both} in both rooms");
}

fn run(keys: &str, policy: &str, seed: u64, steps: usize) -> (Vec<Vec<f32>>, Option<usize>, Goal, Legality) {
    let configured = configured(&format!("size = 16\n{keys}"));
    let mut world = configured.environment(Purpose::Evaluation).unwrap();
    let mut policy: Box<dyn Policy> = configured.policy(policy, steps).unwrap();
    let mut now = world.reset(seed).unwrap();
    let goal = world.goal().unwrap();
    policy.begin(&[Start { seed: 0, episode: seed, first: &now, goal: Some(&goal), watched: false }]).unwrap();
    let mut states = vec![now.state.clone().unwrap()];
    let mut reached = now.success.then_some(0);
    for step in 1..=steps {
        let action = policy.act(&[0], &[&now]).unwrap().remove(0).action;
        assert!(action.iter().all(|value| value.abs() <= 1.0));
        now = world.step(Action::Vector(&action)).unwrap();
        states.push(now.state.clone().unwrap());
        if now.success && reached.is_none() {
            reached = Some(step);
        }
    }
    let legality = world.legality(&states);
    (states, reached, goal, legality)
}

#[test]
fn the_expert_solves_the_tasks_on_short_lawful_ways() {
    for keys in [
        "",
        "[two-rooms-224.variation]\nvary = [\"physics\"]",
        "rooms = \"opposite\"",
        "rooms = \"opposite\"\n[two-rooms-224.variation]\nvary = [\"all\"]",
    ] {
        let (mut solved, mut short) = (0, 0);
        for seed in 0..120 {
            let (states, reached, goal, legality) = run(keys, "expert", seed, 200);
            assert_eq!(legality, Legality::Legal, "seed {seed}");
            solved += usize::from(reached.is_some());
            let Some(steps) = reached else { continue };
            let walked: f64 = states[..=steps]
                .windows(2)
                .map(|pair| f64::from(pair[1][0] - pair[0][0]).hypot(f64::from(pair[1][1] - pair[0][1])))
                .sum();
            let route = goal.route.unwrap();
            assert!(walked >= route - 16.0 - 1e-2, "seed {seed}: {walked} px, but the shortest way has {route}");
            short += usize::from(walked <= 1.3 * route);
        }
        assert!(solved == 120 && short >= 108, "{keys}: {solved} solved, {short} on short ways");
    }
}

#[test]
fn the_expert_of_the_published_recordings_is_noisy_and_arrives() {
    let solved = (0..50).filter(|seed| run("", "noisy-expert", *seed, 200).1.is_some()).count();
    assert!(solved >= 45, "{solved}");
}

#[test]
fn the_explorer_crosses_doors_often() {
    let mut crossings = 0;
    for seed in 0..40 {
        let (states, ..) = run("", "explore", seed, 90);
        let rooms: Vec<bool> =
            states.iter().filter(|state| (state[0] - 112.0).abs() > 12.0).map(|state| state[0] > 112.0).collect();
        crossings += rooms.windows(2).filter(|pair| pair[0] != pair[1]).count();
    }
    assert!(crossings >= 40, "{crossings} crossings in 40 episodes");
}

#[test]
fn episodes_repeat_and_start_where_they_are_told() {
    let play = |seed| {
        let mut world = world("size = 64");
        world.reset(99).unwrap();
        let mut steps = vec![world.reset(seed).unwrap()];
        steps.extend((0..30_u8).map(|step| world.step(Action::Vector(&[0.7, f32::from(step % 5) - 2.0])).unwrap()));
        (steps, world.goal())
    };
    assert_eq!(play(4), play(4));
    assert_ne!(play(4).0, play(5).0);
    let mut world = world("size = 64");
    let first = world.reset_to(4, &[30.0, 150.0, 190.0, 40.0]).unwrap();
    assert_eq!((first.state, world.goal().unwrap().state), (Some(vec![30.0, 150.0]), Some(vec![190.0, 40.0])));
    assert_eq!((first.info["factor.agent.position"].clone(), first.terminated), (vec![30.0, 150.0], false));
    let again = world.reset_to(4, &[186.0, 40.0, 190.0, 40.0]).unwrap();
    assert!(again.success && !again.terminated, "solved at the start");
    assert!(world.step(Action::Vector(&[f32::NAN, 1.0])).unwrap().state == Some(vec![186.0, 40.0]));
    for state in [&[112.0, 150.0][..], &[30.0], &[30.0, 150.0, 112.0, 150.0], &[f32::NAN, 150.0]] {
        let message = world.reset_to(0, state).unwrap_err().to_string();
        assert!(message.contains("two-rooms-224: state is"), "{message}");
    }
    assert!(world.step(Action::Choice(1)).unwrap_err().to_string().contains("2 numbers"));
}

#[test]
fn what_is_rendered_shows_goal_dot_and_marks() {
    let mut world = world("size = 112");
    world.reset_to(4, &[60.0, 150.0, 170.0, 60.0]).unwrap();
    let trail = [[40.0, 180.0], [60.0, 150.0]];
    let plain = world.render(&[], 2).unwrap();
    let marked = world.render(&[Mark::trail(&trail)], 2).unwrap();
    assert_eq!((plain.height, plain.width, plain.data != marked.data), (224, 224, true));
    let pixel = |x: usize, y: usize| &plain.data[(y * 224 + x) * 3..][..3];
    assert_eq!(
        (pixel(60, 150), pixel(170, 60), pixel(112, 150)),
        (&[222, 73, 50][..], &[28, 150, 104][..], &[45, 52, 66][..])
    );
    assert!(pixel(112, 49)[0] > 220, "the door is open");
    assert_eq!(world.position(), Some([60.0, 150.0]));
}

#[test]
fn wrong_keys_are_said() {
    let refused = |keys: &str| {
        let config: EnvConfig = toml::from_str(&format!("name = \"two-rooms-224\"\n[two-rooms-224]\n{keys}")).unwrap();
        config.world(&built_in()).map(|_| ()).unwrap_err()
    };
    assert!(refused("size = 8").contains("env.two-rooms-224.size is 8"));
    assert!(refused("rule = \"jumping\"").contains("end-point"));
    let message = refused("[two-rooms-224.variation.values]\n\"agent.speed\" = 11.0");
    assert!(message.contains("variation.values.agent.speed is [11.0], but must be 1.75 to 10.5"), "{message}");
}

#[test]
fn every_factor_changes_something() {
    // Where the world begins, what is seen at the start and the goal, and where moves lead.
    let play = |keys: &str| {
        let mut world = world(&format!("size = 56\nrooms = \"opposite\"\n{keys}"));
        let mut played = Vec::new();
        for seed in 0..6 {
            let first = world.reset(seed).unwrap();
            let goal = world.goal().unwrap();
            let moves =
                (0..40_u8).map(|step| world.step(Action::Vector(&[1.0, f32::from(step % 3) - 1.0])).unwrap().state);
            let moves: Vec<_> = moves.collect();
            played.push((pixels(&first).data.clone(), first.state, goal.observations, goal.state, goal.route, moves));
        }
        played
    };
    let nominal = play("");
    let shown = "\"rendering.render_target\" = 1.0\n";
    for factor in world("").spec().factors.clone().iter() {
        let value = match factor.name.as_str() {
            "door.number" => vec![2.0],
            "door.position" | "door.size" => vec![20.0; 3],
            "task.min_steps" => vec![60.0],
            name if name.ends_with("position") => vec![50.0, 70.0],
            _ if factor.bounds[0] == factor.nominal => factor.bounds[1].clone(),
            _ => factor.bounds[0].clone(),
        };
        let mut keys = format!("[two-rooms-224.variation.values]\n\"{}\" = {value:?}\n", factor.name);
        let mut before = nominal.clone();
        // A second door where there is none yet, and a target that is seen.
        if factor.name == "door.number" {
            let place = "\"door.position\" = [49.0, 160.0, 49.0]\n";
            keys += place;
            before = play(&format!("[two-rooms-224.variation.values]\n{place}"));
        } else if ["target.color", "target.radius"].contains(&factor.name.as_str()) {
            keys += shown;
            before = play(&format!("[two-rooms-224.variation.values]\n{shown}"));
        }
        assert!(play(&keys) != before, "{}", factor.name);
    }
}

#[test]
fn lengths_of_ways_are_those_of_a_metric() {
    let variation = Variation { vary: vec!["all".to_owned()], ..Variation::default() };
    let mut world = TwoRooms224::new(&Options { size: 16, variation, ..Options::default() }).unwrap();
    let (mut direct, mut bent) = (0, 0);
    for seed in 0..100 {
        world.reset(seed).unwrap();
        let (plan, start, goal) = (world.task().plan.clone(), world.task().start, world.task().goal);
        world.reset(seed + 1_000).unwrap();
        let between = world.task().start;
        if !plan.is_free(between) {
            continue;
        }
        let length = |from, to| route::shortest(&plan, from, to).map(|way| route::length(&way)).unwrap();
        let straight = |from: [f32; 2], to: [f32; 2]| f64::from(to[0] - from[0]).hypot(f64::from(to[1] - from[1]));
        let way = length(start, goal);
        assert!((way - length(goal, start)).abs() < 1e-6, "seed {seed}: the same way back");
        assert!(way <= length(start, between) + length(between, goal) + 1e-6, "seed {seed}: no detour is shorter");
        assert!(way >= straight(start, goal) - 1e-3, "seed {seed}");
        let same = way < straight(start, goal) + 1e-3;
        (direct, bent) = (direct + usize::from(same), bent + usize::from(!same));
        // No place on it is in a wall: a swept dot follows it to the end.
        let points = route::shortest(&plan, start, goal).unwrap();
        let mut at = start;
        for point in &points[1..] {
            let by = [0, 1].map(|axis| (point[axis] - f64::from(at[axis])) as f32);
            at = Rule::Swept.advance(&plan, at, by);
        }
        assert!(straight(at, goal) < 1e-2, "seed {seed}: {at:?} for {goal:?}");
    }
    assert!(direct > 20 && bent > 20, "{direct} straight, {bent} bent");
}

#[test]
fn one_rule_lets_random_walks_through_the_wall_and_the_other_does_not() {
    let illegal = |rule: &str| {
        let configured = configured(&format!(
            "size = 16\nrule = \"{rule}\"\n[two-rooms-224.variation.values]\n\"agent.speed\" = 10.5"
        ));
        let unlawful = (0..60).filter(|seed| {
            let mut world = configured.environment(Purpose::Evaluation).unwrap();
            let mut states = vec![world.reset_to(*seed, &[95.0, 55.0]).unwrap().state.unwrap()];
            let mut rng = seed::rng(*seed, "test", 0, 0);
            for _ in 0..100 {
                let action = [0, 1].map(|_| rng.random_range(-1.0..=1.0));
                states.push(world.step(Action::Vector(&action)).unwrap().state.unwrap());
            }
            world.legality(&states) != Legality::Legal
        });
        unlawful.count()
    };
    assert_eq!(illegal("swept"), 0);
    assert!(illegal("end-point") > 20, "{}", illegal("end-point"));
}
