//! Push-T against the published packages: trajectories with contact, coverage, and pictures. `push_t/golden.py` makes the files.
#![allow(clippy::unwrap_used, reason = "a test says enough when it stops")]

use prevision_env::push_t::coverage::coverage;
use prevision_env::push_t::dynamics::{Build, Control, State, advance, state};
use prevision_env::push_t::shape::Shape;
use prevision_env::registry::{EnvConfig, Purpose, built_in};
use serde_json::Value;

fn golden(name: &str) -> Value {
    let path = format!("{}/tests/push_t/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn moment(value: &Value) -> State {
    let [agent_x, agent_y, x, y, angle, velocity_x, velocity_y] = numbers(value)[..] else { panic!("seven numbers") };
    State { agent: [agent_x, agent_y], block: [x, y], angle, velocity: [velocity_x, velocity_y] }
}

fn build(episode: &Value) -> Build {
    Build {
        agent: Shape::Circle,
        agent_scale: 40.0,
        agent_angle: 0.0,
        block: Shape::ALL[episode["shape"].as_u64().map_or(2, |shape| shape as usize)],
        block_scale: episode["scale"].as_f64().unwrap_or(30.0),
    }
}

/// Distance of agent and block in pixels and of the angle in radians, after each action of an episode.
fn differences(episode: &Value, control: Control) -> Vec<[f64; 3]> {
    let build = build(episode);
    let states: Vec<State> = episode["states"].as_array().unwrap().iter().map(moment).collect();
    let mut space = build.space(&states[0]);
    space.step();
    let actions = episode["actions"].as_array().unwrap();
    let difference = |(action, expected): (&Value, &State)| {
        let [x, y] = numbers(action)[..] else { panic!("two numbers") };
        let target = control.target(space.agent.position(), [x, y]);
        advance(&mut space, target);
        let now = state(&space);
        let apart = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
        [apart(now.agent, expected.agent), apart(now.block, expected.block), (now.angle - expected.angle).abs()]
    };
    actions.iter().zip(&states[1..]).map(difference).collect()
}

#[test]
fn trajectories_with_contact_are_those_of_the_packages() {
    let (mut touched, mut squeezed) = (0, 0);
    for (name, control) in [("gym_pusht", Control::Absolute), ("stable_worldmodel", Control::Relative)] {
        for (number, episode) in golden(name)["episodes"].as_array().unwrap().iter().enumerate() {
            let found = differences(episode, control);
            assert_eq!(found.len(), 25);
            // The files have four decimals.
            for (step, [agent, block, angle]) in found.into_iter().enumerate() {
                let place = format!("{name}, episode {number}, step {step}");
                assert!(agent < 1e-3 && block < 5e-3 && angle < 1e-3, "{place}: {agent} px, {block} px, {angle} rad");
            }
            touched += episode["contacts"].as_u64().unwrap();
            let far = |state: &&Value| numbers(state)[2..4].iter().any(|value| !(100.0..412.0).contains(value));
            squeezed += episode["states"].as_array().unwrap().iter().filter(far).count();
        }
    }
    // What is compared is pushing, also against walls.
    assert!(touched > 450 && squeezed > 150, "{touched}, {squeezed}");
}

#[test]
fn coverage_is_that_of_gym_pusht() {
    let file = golden("gym_pusht");
    let build = build(&Value::Null);
    let parts = |state: &State| build.space(state).block.parts().collect::<Vec<_>>();
    let goal = State { agent: [0.0; 2], block: [256.0; 2], angle: std::f64::consts::FRAC_PI_4, velocity: [0.0; 2] };
    let cases = file["coverages"].as_array().unwrap();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let found = coverage(&parts(&moment(&case["state"])), &parts(&goal));
        // The angle in the file has four decimals.
        approx::assert_abs_diff_eq!(found, case["coverage"].as_f64().unwrap(), epsilon = 1e-4);
    }
}

/// The observation of a world that is put into a state, 32 pixels each way.
fn picture(case: &Value) -> Vec<u8> {
    let values = case.get("shape").map_or(String::new(), |shape| {
        format!("\"block.shape\" = {shape}\n\"block.scale\" = {}", case["scale"].as_f64().unwrap())
    });
    let keys = format!("size = 32\n[variation.values]\n{values}").parse().unwrap();
    let world = EnvConfig::of("push-t", keys).world(&built_in()).unwrap();
    let mut world = world.environment(Purpose::Evaluation).unwrap();
    let state: Vec<f32> = numbers(&case["state"])[..5].iter().map(|value| *value as f32).collect();
    world.reset_to(0, &state).unwrap().observations.cameras["pixels"].data.clone()
}

#[test]
fn pictures_are_those_of_the_packages() {
    for name in ["gym_pusht", "stable_worldmodel"] {
        let file = golden(name);
        let cases = file["pictures"].as_array().unwrap();
        assert_eq!(cases.len(), 3);
        for case in cases {
            let (found, expected) = (picture(case), numbers(&case["pixels"]));
            assert_eq!(found.len(), expected.len());
            let differences = found.iter().zip(&expected).map(|(found, expected)| (f64::from(*found) - expected).abs());
            let mean = differences.sum::<f64>() / expected.len() as f64;
            // Upstream rounds corners to whole pixels, of which 16 make one here, and does not blend colours at edges.
            assert!(mean < 2.0, "{name}: {mean} of 255");
            // A body that is drawn elsewhere by one of these pixels makes a larger difference.
            let row = 3 * 32;
            let moved =
                found[row..].iter().zip(&expected).map(|(found, expected)| (f64::from(*found) - expected).abs());
            assert!(moved.sum::<f64>() / (expected.len() - row) as f64 > 2.0 * mean);
        }
    }
}
