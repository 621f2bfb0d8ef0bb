//! The learned distance learns: on a chain whose shortest paths are known.

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams};
use burn::prelude::*;
use burn::tensor::TensorData;
use prevision_core::seed;
use prevision_model::StepDistanceConfig;
use prevision_objective::{Draw, Times, distance};
use rand::Rng;

const PLACES: usize = 21;
const CLIPS: usize = 16;
const TIME: usize = 33;

/// What a place looks like: bounded features, none of which is the place itself times a constant.
fn latent(place: usize) -> [f32; 6] {
    let x = place as f32 / (PLACES - 1) as f32;
    [(3.0 * x).sin(), (3.0 * x).cos(), (7.0 * x).sin(), (7.0 * x).cos(), x * x, (2.0 * x).exp() / 7.0]
}

fn tensor(places: &[usize], device: &Device) -> Tensor<2> {
    let values: Vec<f32> = places.iter().flat_map(|&place| latent(place)).collect();
    Tensor::from_data(TensorData::new(values, [places.len(), 6]), device)
}

/// Walks from anywhere that go on in their direction, and turn now and then and at the ends.
fn walks(step: u64) -> Vec<usize> {
    let mut rng = seed::rng(3, "walks", 0, step);
    let mut places = Vec::with_capacity(CLIPS * TIME);
    for _ in 0..CLIPS {
        let mut place = rng.random_range(0..PLACES);
        let mut forward = rng.random::<bool>();
        for _ in 0..TIME {
            places.push(place);
            if rng.random_range(0..10) == 0 || place == if forward { PLACES - 1 } else { 0 } {
                forward = !forward;
            }
            place = if forward { (place + 1).min(PLACES - 1) } else { place.saturating_sub(1) };
        }
    }
    places
}

#[test]
fn distance_on_a_chain_is_the_number_of_steps() {
    let device = Device::flex().autodiff();
    device.seed(0);
    let mut head = StepDistanceConfig { hidden: 64, groups: 4, size: 4 }.init(6, &device);
    let mut optimizer = AdamConfig::new().init();
    let steps = 1500;
    let episodes: Vec<usize> = (0..CLIPS).collect();
    let times = Times { episodes: &episodes, starts: &[0.0; CLIPS], frames: TIME };
    for step in 0..steps {
        let embedded = head.embed(tensor(&walks(step), &device));
        let (goals, between) = times.goals(&Draw { seed: 5, number: step, first: 0 }, 8);
        let goals: Vec<i64> = goals.into_iter().flat_map(|goal| [goal as i64; TIME]).collect();
        let count = goals.len();
        let goals = embedded.clone().select(0, Tensor::from_data(TensorData::new(goals, [count]), &device));
        let between = Tensor::from_data(TensorData::new(between, [count]), &device);
        let distances = head.distance_between(embedded.repeat_dim(0, 8), goals);
        let gradients = distance(distances, between, 0.1).backward();
        let rate = 3e-3 * (1.0 - step as f64 / steps as f64);
        let gradients = GradientsParams::from_grads(gradients, &head);
        head = optimizer.step(rate, head, gradients);
    }
    let head = head.valid();
    let device = Device::flex();
    let between = |a: usize, b: usize| {
        let got = head.forward(tensor(&[a], &device), tensor(&[b], &device));
        got.into_data().try_into_vec_as::<f32>().expect("a float")[0]
    };
    for (from, to, steps) in [(0, 10, 10.0), (20, 10, 10.0), (5, 15, 10.0), (0, 20, 20.0), (3, 8, 5.0)] {
        let got = between(from, to);
        assert!((got - steps).abs() < 0.2 * steps, "d({from}, {to}) = {got}, expected {steps}");
    }
}
