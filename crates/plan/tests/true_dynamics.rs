//! The solvers on the true dynamics of Two Rooms: what planning can reach when the model is perfect and the cost is the
//! straight distance, which knows nothing of the wall.

use burn::prelude::*;
use prevision_data::seed;
use prevision_env::two_rooms::{ACTION_NORM, Collision, SUCCESS_DISTANCE, Task};
use prevision_env::EnvOptions;
use prevision_plan::limit::ActionLimit;
use prevision_plan::receding::RecedingHorizon;
use prevision_plan::score::Score;
use prevision_plan::solver::{Cem, Icem, Mppi, RandomShooting, Search, Solver};

const STEPS: usize = 200;
const EXECUTE: usize = 5;

/// Episodes at their present positions.
struct World {
    rows: Vec<(Task, [f32; 2])>,
}

fn advance(task: &Task, at: [f32; 2], action: [f32; 2]) -> [f32; 2] {
    // This collision rule draws no noise.
    Collision::Stop.advance(task.layout, at, action, &mut seed::rng(0, "unused", 0, 0))
}

fn distance(at: [f32; 2], goal: [f32; 2]) -> f32 {
    (at[0] - goal[0]).hypot(at[1] - goal[1])
}

impl Score for World {
    fn device(&self) -> Device {
        Device::flex()
    }

    fn score(&self, actions: Tensor<4>) -> Tensor<2> {
        let [rows, samples, horizon, _] = actions.dims();
        let values = actions.into_data().try_into_vec_as::<f32>().expect("floats");
        let costs = values.chunks_exact(horizon * 2).enumerate().map(|(index, candidate)| {
            let (task, mut at) = self.rows[index / samples];
            candidate.chunks_exact(2).fold(0.0, |sum, action| {
                at = advance(&task, at, [action[0], action[1]]);
                sum + distance(at, task.goal)
            })
        });
        Tensor::from_data(TensorData::new(costs.collect::<Vec<f32>>(), [rows, samples]), &Device::flex())
    }
}

/// The share of episodes that arrive within 200 steps, planning anew every 5.
fn rate(solver: &dyn Solver, episodes: usize) -> f64 {
    let options = EnvOptions::default();
    let mut live: Vec<(usize, Task, [f32; 2])> = (0..episodes)
        .map(|episode| {
            let task = Task::sample(episode as u64, &options);
            (episode, task, task.start)
        })
        .collect();
    let mut planner = RecedingHorizon::new(solver, EXECUTE, true, 7);
    let mut arrived = 0;
    for _ in 0..STEPS / EXECUTE {
        let world = World { rows: live.iter().map(|(_, task, at)| (*task, *at)).collect() };
        let plan = planner.plan(&live.iter().map(|(episode, ..)| *episode).collect::<Vec<_>>(), &world);
        for (row, (_, task, at)) in live.iter_mut().enumerate() {
            for step in 0..EXECUTE {
                if f64::from(distance(*at, task.goal)) >= SUCCESS_DISTANCE {
                    let action = plan.action(row, step);
                    *at = advance(task, *at, [action[0], action[1]]);
                }
            }
        }
        live.retain(|(_, task, at)| f64::from(distance(*at, task.goal)) >= SUCCESS_DISTANCE);
        arrived = episodes - live.len();
        if live.is_empty() {
            break;
        }
    }
    arrived as f64 / episodes as f64
}

fn search(noise_exponent: f64) -> Search {
    let limit = ActionLimit { dim: 2, norm: ACTION_NORM };
    Search { horizon: 30, action_dim: 2, samples: 200, initial_std: 1.5, limit, noise_exponent }
}

#[test]
fn calibrate() {
    let n: usize = 100;
    let t = std::time::Instant::now();
    let show = |name: String, r: f64| println!("{name}: {r:.3} ({:.1}s)", t.elapsed().as_secs_f64());
    show("random".into(), rate(&RandomShooting { search: search(0.0), iterations: 3 }, n));
    for e in [0.0, 1.0, 2.0, 3.0] {
        show(format!("cem {e}"), rate(&Cem { search: search(e), iterations: 3, elites: 20 }, n));
        for (keep, momentum) in [(0, 0.0), (5, 0.1)] {
            show(format!("icem {e} keep {keep} mom {momentum}"), rate(&Icem { search: search(e), iterations: 3, elites: 20, keep, momentum }, n));
        }
        for (temperature, update_std) in [(0.5, true), (0.5, false), (20.0, true), (20.0, false)] {
            show(format!("mppi {e} T {temperature} std {update_std}"), rate(&Mppi { search: search(e), iterations: 3, elites: 20, temperature, update_std }, n));
        }
    }
}
