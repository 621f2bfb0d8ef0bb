//! All terms of an action-conditioned model, from one encoding of the clip.

use burn::prelude::*;
use burn::tensor::TensorData;
use prevision_kernels::Pixels;
use prevision_model::ActionJepa;

use crate::distance::indices;
use crate::static_similarity::episode_means;
use crate::terms::{LossTerms, Sum};
use crate::{
    ObjectiveConfig, PositionScale, Times, covariance, directions, distance, inverse_dynamics, position, prediction,
    sigreg, static_similarity, temporal_similarity, variance,
};

/// The clips of one step.
#[derive(Clone, Debug)]
pub struct ActionInputs<'a> {
    /// Frames, `[batch, channels, time, height, width]`.
    pub video: Pixels,
    /// The action leaving every frame but the last, `[batch, time - 1, action]`.
    pub actions: Tensor<3>,
    /// The state at every frame, `[batch, time, state]`; for the position, the first two columns are x and y in pixels.
    pub state: Option<Tensor<3>>,
    /// The episode of every clip: the learned distance pairs the latents of an episode.
    pub episodes: &'a [usize],
    /// The time of every clip's first frame in its episode, in steps of the model.
    pub starts: &'a [f64],
}

impl ObjectiveConfig {
    /// Computes every term of non-zero weight with one encoding of the clip; nothing is read back from the device.
    ///
    /// The rollout starts at the first frame alone and follows the true actions for `prediction.rollout_steps` steps, so
    /// a predictor with a longer history learns every shorter one too. Regularisers see all frames. The distance and the
    /// position see detached latents. Random choices (sketch directions, distance pairs) depend on `seed` and `step` only.
    ///
    /// # Shapes
    /// - every term: `[1]`
    ///
    /// # Panics
    /// If the clip is shorter than the rollout, or a head or the state that a term needs is absent:
    /// [`validate_action`](Self::validate_action) refuses such a configuration.
    pub fn action_terms(&self, model: &ActionJepa, batch: &ActionInputs<'_>, step: u64, seed: u64) -> LossTerms {
        let [_, channels, time, height, width] = batch.video.dims();
        let steps = if self.prediction.weight > 0.0 { self.prediction.rollout_steps } else { 0 };
        assert!(
            steps < time,
            "a rollout of {steps} steps does not fit clips of {time} frames with {channels} channels"
        );
        let encoded = self.frames_to_encode(model, time, steps);
        let latents = model.encode_clips(batch.video.clone().frames(0, encoded));
        let [clips, frames, dim] = latents.dims();
        let pooled = || latents.clone().reshape([clips * frames, dim]);
        let spread = spread(model, &latents, batch.episodes);
        let device = latents.device();

        let mut sum = Sum::default();
        sum.add("prediction", self.prediction.weight, || self.rollout_error(model, batch, &latents, steps));
        sum.add("variance", self.variance, || over_parts(&spread, |part| variance(part, self.variance_margin)));
        sum.add("covariance", self.covariance, || over_parts(&spread, covariance));
        sum.add("temporal_similarity", self.temporal_similarity, || temporal_similarity(latents.clone()));
        sum.add("static_similarity", self.static_similarity, || {
            static_similarity(latents.clone().narrow(2, 0, model.static_dim()), batch.episodes)
        });
        sum.add("inverse_dynamics", self.inverse_dynamics, || {
            let head = model.heads.inverse_dynamics.as_ref().expect("an inverse dynamics head");
            let pairs = |from: usize| latents.clone().narrow(1, from, frames - 1).reshape([clips * (frames - 1), dim]);
            let actions = batch.actions.clone().narrow(1, 0, frames - 1);
            inverse_dynamics(head.forward(pairs(0), pairs(1)), actions.flatten(0, 1))
        });
        sum.add("sigreg", self.sigreg, || {
            over_parts(&spread, |part| {
                let dim = part.dims()[1];
                sigreg(part, directions(dim, self.sigreg_directions, seed, step, &device))
            })
        });
        sum.add("distance", self.distance.weight, || {
            let head = model.heads.distance.as_ref().expect("a distance head");
            let seen = pooled().detach();
            let times = Times { episodes: batch.episodes, starts: batch.starts, frames };
            let (mut goals, mut steps_between) = (Vec::new(), Vec::new());
            for round in 0..self.distance.goals {
                let (drawn, steps) = times.goals(seed, step, round as u64);
                goals.extend(drawn);
                steps_between.extend(steps);
            }
            let (rows, count) = (goals.len(), steps_between.len());
            let steps_between = Tensor::from_data(TensorData::new(steps_between, [count]), &device);
            let goals = head.goals(seen.clone().select(0, indices(goals, &device)));
            let places = head.places(seen).repeat_dim(0, self.distance.goals);
            let [_, width] = places.dims();
            let distances = head.between(places.reshape([rows, frames, width]), goals).reshape([count]);
            distance(distances, steps_between, self.distance.quantile)
        });
        sum.add("position", self.position, || {
            let head = model.heads.position.as_ref().expect("a position head");
            let state = batch.state.clone().expect("a state for the position head");
            let pixels = state.narrow(1, 0, frames).narrow(2, 0, 2).flatten(0, 1);
            position(head.forward(pooled().detach()), pixels, &PositionScale::new(width, height))
        });
        sum.finish()
    }

    /// How many frames, from the first, the context encoder has to see.
    fn frames_to_encode(&self, model: &ActionJepa, time: usize, steps: usize) -> usize {
        let regularisers = [
            self.variance,
            self.covariance,
            self.temporal_similarity,
            self.static_similarity,
            self.inverse_dynamics,
            self.sigreg,
            self.distance.weight,
            self.position,
        ];
        if regularisers.iter().any(|&weight| weight > 0.0) {
            time
        } else if model.target.is_some() {
            1
        } else {
            steps + 1
        }
    }

    /// The multi-step rollout loss from the first frame.
    fn rollout_error(
        &self,
        model: &ActionJepa,
        batch: &ActionInputs<'_>,
        latents: &Tensor<3>,
        steps: usize,
    ) -> Tensor<1> {
        let predicted = model.rollout(latents.clone().narrow(1, 0, 1), batch.actions.clone().narrow(1, 0, steps));
        let target = if model.target.is_some() {
            model.encode_target(batch.video.clone().frames(1, steps))
        } else {
            let target = latents.clone().narrow(1, 1, steps);
            if self.prediction.detach_targets { target.detach() } else { target }
        };
        prediction(predicted, target, self.prediction.loss, self.prediction.normalise_targets)
    }
}

/// What the regularisers against collapse see of latents: with a static part, that part, which must differ between episodes, and
/// how far the dynamic part is from its mean over the episode, which must differ within one; else the latents. Tokens of a grid
/// are samples of their own, compared with those of the same place.
///
/// # Shapes
/// - latents: `[batch, time, dim]`
/// - output: `[samples, channels]` each
fn spread(model: &ActionJepa, latents: &Tensor<3>, episodes: &[usize]) -> Vec<Tensor<2>> {
    let fixed = model.static_dim();
    let [rows, columns] = model.encoder.grid();
    let tokens = |part: Tensor<3>| {
        let part: Tensor<2> = part.flatten(0, 1);
        let [samples, dim] = part.dims();
        if rows * columns == 1 {
            return part;
        }
        let part = part.clone() - part.mean_dim(0);
        part.reshape([samples * rows * columns, dim / (rows * columns)])
    };
    if fixed == 0 {
        return vec![tokens(latents.clone())];
    }
    let dynamic = latents.clone().narrow(2, fixed, latents.dims()[2] - fixed);
    let deviation = dynamic.clone() - episode_means(dynamic, episodes);
    vec![tokens(latents.clone().narrow(2, 0, fixed).narrow(1, 0, 1)), tokens(deviation)]
}

/// The mean of a term over the parts of latents.
fn over_parts(parts: &[Tensor<2>], term: impl Fn(Tensor<2>) -> Tensor<1>) -> Tensor<1> {
    let sum = parts.iter().map(|part| term(part.clone())).reduce(|a, b| a + b).expect("latents have a part");
    sum / parts.len() as f64
}
