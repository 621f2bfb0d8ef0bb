//! One plan of one episode with the model of a shipped experiment, from pixels to actions.

use anyhow::{Context as _, Result};
use burn::tensor::{Device, Tensor};
use prevision_model::{ActionJepa, InputShape};
use prevision_plan::cost::{Cost, Goal};
use prevision_plan::limit::ActionLimit;
use prevision_plan::model_score::{ModelScore, Past};
use prevision_plan::noise::SeededNoise;
use prevision_plan::setup;
use prevision_plan::solver::{Cem, Search, Solver};
use prevision_train::Learner;

use super::step::two_rooms_config;
use super::work::{Work, normal};

const INPUT: InputShape = InputShape { channels: 3, frames: 9, height: 65, width: 65, action_dim: 2, state_dim: 2 };

pub(super) fn plan(device: &Device) -> Result<Work> {
    let config = two_rooms_config()?;
    let model = Learner::new(&config, &INPUT)?.init(&INPUT, device);
    let model = model.as_action().context("experiments/two-rooms plans")?.clone();
    let cost = setup::cost(&config.plan, &model)?;
    let search = Search {
        horizon: 5,
        action_dim: INPUT.action_dim,
        samples: 300,
        initial_std: config.plan.initial_std as f32,
        limit: ActionLimit { dim: INPUT.action_dim, norm: config.plan.action_norm.unwrap_or(1.0) as f32 },
        noise_exponent: 0.0,
    };
    let solver = Cem { search, iterations: 10, elites: 30 };
    let frame = |_| normal::<5>([1, 3, 1, INPUT.height, INPUT.width], device);
    let [present, goal] = [0, 1].map(frame);
    let run = move || drop(solve(&model, &*cost, &solver, present.clone(), goal.clone()));
    Ok(Work { run: Box::new(run), flops: None })
}

/// The plan from a present to a goal frame, `[1, 3, 1, h, w]`.
fn solve(model: &ActionJepa, cost: &dyn Cost, solver: &Cem, present: Tensor<5>, goal: Tensor<5>) -> Vec<f32> {
    let latents = model.encode(present);
    let [rows, _, dim] = latents.dims();
    let field = model.heads.distance.as_ref().map(|head| head.goals(latents.clone().reshape([rows, dim])));
    let past = Past { latents, actions: None, present: field };
    let score = ModelScore::new(model, cost, past, Goal::encode(model, goal));
    solver.solve(&score, None, &mut SeededNoise::new(0, 0, vec![0])).mean
}
