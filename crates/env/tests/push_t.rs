//! Push-T against the published packages: trajectories with contact, coverage, and pictures. `push_t/golden.py` makes the files.
#![allow(clippy::unwrap_used, reason = "a test says enough when it stops")]

use prevision_env::push_t::dynamics::{Build, Control, State, advance, state};
use prevision_env::push_t::shape::Shape;
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
    for (name, control) in [("gym_pusht", Control::Absolute), ("stable_worldmodel", Control::Relative)] {
        for episode in golden(name)["episodes"].as_array().unwrap() {
            let found = differences(episode, control);
            assert_eq!(found.len(), 25);
            let most = [0, 1, 2].map(|at| found.iter().map(|each| each[at]).fold(0.0, f64::max));
            println!("{name} {}: {most:?} {:?}", episode["shape"], found.iter().map(|x| (x[1]*1e4).round()/1e4).collect::<Vec<_>>());
        }
    }
}
