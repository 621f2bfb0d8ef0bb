//! How long a plan takes, beside the matrix products that it cannot do without.
//!
//! `cargo run --release -p prevision-plan --example plan_speed`: 50 episodes, 128 samples, horizon 15, 3 iterations, a gated
//! recurrent predictor on latents of 256 numbers.
#![allow(clippy::print_stdout)] // an example answers on standard output

use std::time::Instant;

use burn::prelude::*;
use burn::tensor::Distribution;
use prevision_model::{ActionJepaConfig, HeadFlags, InputShape, WorldModel};
use prevision_plan::cost::{Cost, Goal, LatentDistance, LearnedDistance, Steps};
use prevision_plan::limit::ActionLimit;
use prevision_plan::model_score::{ModelScore, Past};
use prevision_plan::noise::SeededNoise;
use prevision_plan::score::Score;
use prevision_plan::solver::{Icem, Search, Solver};

const EPISODES: usize = 50;
const SAMPLES: usize = 128;
const HORIZON: usize = 15;
const ITERATIONS: usize = 3;

fn main() {
    let device = Device::flex();
    let input = InputShape { channels: 3, frames: 2, height: 65, width: 65, action_dim: 2, state_dim: 2 };
    let heads = HeadFlags { distance: true, ..HeadFlags::default() };
    let model = ActionJepaConfig::default().init(&input, &heads, &device);
    let dim = WorldModel::latent_dim(&model);
    let head = model.heads.distance.clone().expect("asked for above");
    let random =
        |rows: usize, columns: usize| Tensor::<2>::random([rows, columns], Distribution::Normal(0.0, 1.0), &device);
    let past = Past { latents: random(EPISODES, dim).reshape([EPISODES, 1, dim]), actions: None, present: None };
    let latent = random(EPISODES, dim);
    let goal = Goal { embedding: Some(head.goals(latent.clone())), latent };

    // The products of a rollout alone: [1024, d] x [d, 3 d] as often as needed.
    let (state, weight) = (random(1024, dim), random(dim, 3 * dim));
    let products = EPISODES * SAMPLES * HORIZON * ITERATIONS / 1024;
    let multiply = shortest(|| (0..products).for_each(|_| touch(state.clone().matmul(weight.clone()))));
    println!("latents of {dim}; matrix products of the predictor alone: {multiply:.3} s a plan");

    let limit = ActionLimit { dim: 2, norm: 2.45 };
    let search =
        Search { horizon: HORIZON, action_dim: 2, samples: SAMPLES, initial_std: 1.5, limit, noise_exponent: 2.0 };
    let icem = Icem { search, iterations: ITERATIONS, elites: 12, keep: 3, momentum: 0.1 };
    let solve = |score: &dyn Score| {
        touch_values(&icem.solve(score, None, &mut SeededNoise::new(0, 0, (0..EPISODES as u64).collect())).mean);
    };
    println!("solver alone, at no cost: {:.3} s a plan", shortest(|| solve(&Free)));
    let costs: [(&str, Box<dyn Cost>); 3] = [
        ("latent distance, last step", Box::new(LatentDistance { steps: Steps::Last })),
        ("latent distance, summed", Box::new(LatentDistance { steps: Steps::Summed })),
        ("learned distance, summed", Box::new(LearnedDistance { head, steps: Steps::Summed })),
    ];
    for (name, cost) in &costs {
        let score = ModelScore::new(&model, cost.as_ref(), past.clone(), goal.clone());
        let seconds = shortest(|| solve(&score));
        println!("{name}: {seconds:.3} s a plan of {EPISODES} episodes, {:.2} times the products", seconds / multiply);
    }
}

/// A score that costs nothing.
struct Free;

impl Score for Free {
    fn device(&self) -> Device {
        Device::flex()
    }

    fn score(&self, actions: Tensor<4>) -> Tensor<2> {
        let [rows, samples, ..] = actions.dims();
        Tensor::zeros([rows, samples], &self.device())
    }
}

fn touch(tensor: Tensor<2>) {
    touch_values(&tensor.narrow(0, 0, 1).into_data().try_into_vec_as::<f32>().expect("floats"));
}

fn touch_values(values: &[f32]) {
    std::hint::black_box(values);
}

/// The shortest of five runs, after one to warm up: what else runs on the machine can only make it longer.
fn shortest(mut run: impl FnMut()) -> f64 {
    run();
    let time = |_| {
        let started = Instant::now();
        run();
        started.elapsed().as_secs_f64()
    };
    (0..5).map(time).fold(f64::INFINITY, f64::min)
}
