//! What the policies of Push-T achieve.
#![allow(clippy::unwrap_used, reason = "a test says enough when it stops")]

use prevision_core::Action;
use prevision_env::registry::{EnvConfig, Purpose, built_in};
use prevision_env::{Start, TimeStep};

/// Episodes by a policy: of each its moments.
fn episodes(keys: &str, policy: &str, seeds: std::ops::Range<u64>, steps: usize) -> Vec<Vec<TimeStep>> {
    let world = EnvConfig::of("push-t", keys.parse().unwrap()).world(&built_in()).unwrap();
    let mut environment = world.environment(Purpose::Recording).unwrap();
    let mut policy = world.policy(policy, steps).unwrap();
    let episode = |seed| {
        let mut moments = vec![environment.reset(seed).unwrap()];
        let goal = environment.goal();
        let start = Start { seed: 0, episode: seed, first: &moments[0], goal: goal.as_ref(), watched: false };
        policy.begin(&[start]).unwrap();
        while moments.len() <= steps && !moments[moments.len() - 1].success {
            let chosen = policy.act(&[0], &[&moments[moments.len() - 1]]).unwrap();
            moments.push(environment.step(Action::Vector(&chosen[0].action)).unwrap());
        }
        moments
    };
    seeds.map(episode).collect()
}

fn touches(episodes: &[Vec<TimeStep>]) -> f64 {
    let moments = episodes.iter().flatten();
    let touching = moments.clone().filter(|moment| moment.info["n_contacts"][0] > 0.0).count();
    touching as f64 / moments.count() as f64
}

#[test]
fn the_expert_solves_most_tasks_and_the_others_none() {
    for keys in ["size = 8", "size = 8\ncontrol = \"absolute\""] {
        let solved =
            episodes(keys, "expert", 0..10, 200).iter().filter(|episode| episode.last().unwrap().success).count();
        assert!(solved >= 9, "{keys}: {solved} of 10");
    }
    for policy in ["explore", "weak"] {
        let solved = episodes("size = 8", policy, 0..10, 50).iter().filter(|it| it.last().unwrap().success).count();
        assert!(solved <= 1, "{policy}: {solved} of 10");
    }
}

#[test]
fn exploration_touches_the_block_and_leaves_it_inside() {
    let explored = episodes("size = 8", "explore", 0..20, 100);
    let share = touches(&explored);
    assert!(share > 0.3, "{share}");
    let inside = |episode: &&Vec<TimeStep>| {
        episode.last().unwrap().state.as_ref().unwrap()[2..4].iter().all(|value| (0.0..512.0).contains(value))
    };
    assert!(explored.iter().filter(inside).count() >= 18);
    let moved = |episode: &Vec<TimeStep>| {
        let [first, last] = [0, episode.len() - 1].map(|at| episode[at].state.clone().unwrap());
        (last[2] - first[2]).hypot(last[3] - first[3])
    };
    assert!(explored.iter().map(moved).sum::<f32>() / 20.0 > 50.0);
    assert!(touches(&episodes("size = 8", "weak", 0..20, 100)) > 0.2);
}
