//! A model with its losses, and beside it a loss term, a suite of the evaluation, a cost and a solver.

use std::sync::Arc;

use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use prevision::prelude::*;

const WIDTH: usize = 8;

/// From the brightness of every column to a latent, and from latent and action to the next latent.
#[derive(Module, Debug)]
pub struct Columns {
    encoder: Linear,
    step: Linear,
}

impl Columns {
    /// `[b, t, WIDTH]`
    fn encode(&self, seen: &ObservationBatch) -> Tensor<3> {
        self.encoder.forward(seen.only_camera().clone().into_tensor().mean_dims(&[1, 3]).squeeze_dims(&[1, 3]))
    }

    /// The latents after each action, `[b, k, WIDTH]`.
    fn roll_out(&self, mut latent: Tensor<3>, actions: Tensor<3>) -> Tensor<3> {
        let step = |action| {
            latent = latent.clone() + self.step.forward(Tensor::cat(vec![latent.clone(), action], 2));
            latent.clone()
        };
        Tensor::cat(actions.split(1, 1).into_iter().map(step).collect(), 1)
    }
}

/// The model and its losses.
pub struct ColumnsTask(Arc<Objective>);

pub fn columns(_: NoKeys, context: &ModelContext) -> Result<ColumnsTask, String> {
    Ok(ColumnsTask(context.objective.clone()))
}

impl Task for ColumnsTask {
    type Model = Columns;

    fn validate(&self, spaces: &Spaces) -> Result<(), String> {
        spaces.only_camera().and_then(|_| self.0.validate(spaces))
    }

    fn init(&self, spaces: &Spaces, device: &Device) -> Columns {
        let linear = |inputs| LinearConfig::new(inputs, WIDTH).init(device);
        let columns = spaces.only_camera().map_or(0, |(_, camera)| camera.width);
        Columns { encoder: linear(columns), step: linear(WIDTH + spaces.action_width()) }
    }

    fn terms(&self, model: &Columns, batch: ClipBatch, draw: &Draw) -> LossTerms {
        let latents = model.encode(&batch.observations);
        let actions = batch.actions.clone().expect("the strip has actions");
        let predicted = model.roll_out(latents.clone().slice_dim(1, 0..1), actions);
        let predictions = vec![Prediction { predicted, target: latents.clone().slice_dim(1, 1..) }];
        self.0.terms(&Seen { predictions, ..Seen::of_latents(latents, &batch, *draw) })
    }

    fn world_model(&self, model: Columns, at: &Spaces, pixels: &Normalise, on: &Device) -> Option<Arc<dyn WorldModel>> {
        let (spec, device, encoder) = (ModelSpec::of_vectors(at, pixels, WIDTH), on.clone(), model.clone());
        let encode = move |seen: &ObservationBatch| encoder.encode(seen);
        let roll_out = move |latent, actions| model.roll_out(latent, actions);
        Some(Arc::new(VectorWorldModel { spec, device, encode, roll_out }))
    }
}

/// Ties the first number of a latent to the cell of the agent.
pub fn anchor(_: NoKeys) -> Result<impl Term, String> {
    Ok((Needs { frames: Frames::All, time: true, ..Needs::default() }, |seen: &Seen<'_>| {
        (seen.latents().narrow(2, 0, 1) - seen.batch.state.clone().expect("the strip has states")).square().mean()
    }))
}

/// The standard deviation of the numbers of latents.
pub fn spread(_: NoKeys) -> Result<impl Suite, String> {
    Ok(MeanOf::new("standard_deviation", |seen: &prevision::eval::Seen<'_>| {
        seen.summary(seen.targets.clone()).flatten::<2>(0, 1).var_bias(0).sqrt().mean().into_scalar::<f64>()
    }))
}

/// Cells between the agent and the goal, summed over the steps.
pub fn cells(_: NoKeys, _: &CostContext) -> Result<impl Cost + use<>, String> {
    Ok(|imagined: &Imagined, goals: Tensor<3>| {
        let cells = imagined.vectors().narrow(3, 0, 1) - goals.narrow(2, 0, 1).unsqueeze_dim(1);
        cells.abs().sum_dim(2).squeeze_dims(&[2, 3])
    })
}

/// Tries every sequence of choices.
pub struct Exhaustive(Sampler);

pub fn exhaustive(_: NoKeys, context: &SolverContext) -> Result<Exhaustive, String> {
    Ok(Exhaustive(Sampler::new(context, 1, 0.0)))
}

impl Solver for Exhaustive {
    fn name(&self) -> &str {
        "exhaustive"
    }

    fn solve(&self, score: &dyn Score, _: Option<&ActionPlan>, noise: &mut dyn NoiseSource) -> Solved {
        let (horizon, width) = (self.0.context().horizon, self.0.context().action_width());
        let count = width.pow(horizon as u32);
        // The digits of the number of a sequence are its choices, each of them one-hot.
        let is = move |index, step, choice| f32::from(u8::from(index / width.pow(step as u32) % width == choice));
        let sequence = move |index| (0..horizon).flat_map(move |step| (0..width).map(move |one| is(index, step, one)));
        let all: Vec<f32> = (0..count).flat_map(sequence).collect();
        let actions = Tensor::<1>::from_floats(&all[..], &score.device()).reshape([1, count, horizon, width]);
        let best = score.score(actions.repeat_dim(0, noise.rows())).costs.argmin(1).into_data();
        Ok(self.0.solution(best.iter::<i64>().flat_map(|index| sequence(index as usize)).collect(), score))
    }
}
