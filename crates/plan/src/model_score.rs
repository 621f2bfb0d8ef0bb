//! The score of candidates by a world model: imagine, then measure the distance to the goal.

use burn::prelude::*;
use prevision_model::WorldModel;

use crate::cost::{Cost, Goal, Imagined};
use crate::score::Score;

/// Rollouts imagined at once. What a step of them needs stays in the processor's cache, and no more memory is needed for more
/// episodes or samples; measured on two cores, anything from 512 to 4096 is within a few percent.
const ROWS: usize = 1024;

/// What the model knows when a plan begins; encoded once per plan.
#[derive(Clone, Debug)]
pub struct Past {
    /// Latents of the last observations, the present one last, `[b, h, d]`.
    pub latents: Tensor<3>,
    /// The actions between them, `[b, h - 1, a]`; `None` when `h` is 1.
    pub actions: Option<Tensor<3>>,
}

/// Scores candidates by rolling out a world model and applying a cost. All episodes and samples are one batch, worked off in
/// chunks of a fixed size; the chunks do not change the result.
pub struct ModelScore<'a> {
    model: &'a dyn WorldModel,
    cost: &'a dyn Cost,
    past: Past,
    goal: Goal,
    rows: usize,
}

impl<'a> ModelScore<'a> {
    /// A score for one plan of each of the past's episodes.
    pub fn new(model: &'a dyn WorldModel, cost: &'a dyn Cost, past: Past, goal: Goal) -> Self {
        Self { model, cost, past, goal, rows: ROWS }
    }

    /// Imagines candidates.
    ///
    /// # Shapes
    /// - actions: `[b, samples, horizon, a]`
    /// - output: `[b, samples, horizon, d]`
    pub fn imagine(&self, actions: Tensor<4>) -> Tensor<4> {
        let rows = actions.dims()[0];
        self.imagine_rows(actions, 0, rows)
    }

    fn imagine_rows(&self, actions: Tensor<4>, start: usize, count: usize) -> Tensor<4> {
        let [_, samples, _, action_dim] = actions.dims();
        let latents = self.past.latents.clone().narrow(0, start, count);
        let actions = match &self.past.actions {
            Some(past) => {
                let steps = past.dims()[1];
                let past = past.clone().narrow(0, start, count).unsqueeze_dim::<4>(1);
                Tensor::cat(vec![past.expand([count, samples, steps, action_dim]), actions], 2)
            }
            None => actions,
        };
        self.model.rollout(latents, actions)
    }

    /// Scores the candidates of `count` episodes from `start` on.
    fn score_rows(&self, actions: Tensor<4>, start: usize, count: usize) -> Tensor<2> {
        let latents = self.imagine_rows(actions.clone(), start, count);
        self.cost.cost(&Imagined { latents, actions }, &self.goal.narrow(start, count))
    }
}

impl Score for ModelScore<'_> {
    fn device(&self) -> Device {
        self.past.latents.device()
    }

    fn score(&self, actions: Tensor<4>) -> Tensor<2> {
        let [rows, samples, ..] = actions.dims();
        assert_eq!(rows, self.past.latents.dims()[0], "candidates {:?} for episodes {:?}", actions.dims(), self.past.latents.dims());
        let episodes = (self.rows / samples).max(1);
        let mut costs = Vec::new();
        for start in (0..rows).step_by(episodes) {
            let count = episodes.min(rows - start);
            let actions = actions.clone().narrow(0, start, count);
            let parts = (0..samples).step_by(self.rows).map(|first| {
                let part = actions.clone().narrow(1, first, self.rows.min(samples - first));
                self.score_rows(part, start, count)
            });
            costs.push(Tensor::cat(parts.collect(), 1));
        }
        Tensor::cat(costs, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::{LatentDistance, LearnedDistance, Steps};
    use burn::tensor::Distribution;
    use prevision_model::{ActionJepaConfig, HeadFlags, InputShape};

    /// The latent moves by the action, and by a tenth of the action before the present when it is known.
    struct Drift;

    impl WorldModel for Drift {
        fn encode(&self, observation: Tensor<5>) -> Tensor<3> {
            let [b, c, t, h, w] = observation.dims();
            observation.swap_dims(1, 2).reshape([b, t, c * h * w])
        }

        fn rollout(&self, latents: Tensor<3>, actions: Tensor<4>) -> Tensor<4> {
            let [_, history, _] = latents.dims();
            let [_, _, length, _] = actions.dims();
            let mut present = latents.narrow(1, history - 1, 1).unsqueeze_dim::<4>(1).expand(actions.clone().narrow(2, 0, 1).dims());
            if history > 1 {
                present = present + actions.clone().narrow(2, 0, history - 1).sum_dim(2) * 0.1;
            }
            let mut states = Vec::new();
            for step in history - 1..length {
                present = present + actions.clone().narrow(2, step, 1);
                states.push(present.clone());
            }
            Tensor::cat(states, 2)
        }

        fn latent_dim(&self) -> usize {
            2
        }

        fn history(&self) -> usize {
            3
        }
    }

    fn values(tensor: Tensor<2>) -> Vec<f32> {
        tensor.into_data().try_into_vec_as::<f32>().unwrap()
    }

    fn goal(latent: [[f32; 2]; 1]) -> Goal {
        Goal { latent: Tensor::from_floats(latent, &Device::flex()), embedding: None }
    }

    #[test]
    fn imagines_and_measures() {
        let device = Device::flex();
        let past = Past { latents: Tensor::from_floats([[[1.0, 0.0]]], &device), actions: None };
        let cost = LatentDistance { steps: Steps::Summed };
        let score = ModelScore::new(&Drift, &cost, past, goal([[3.0, 0.0]]));
        let actions = Tensor::<4>::from_floats([[[[1.0, 0.0], [1.0, 0.0]], [[0.0, 2.0], [2.0, 0.0]]]], &device);
        // First candidate: (2, 0), (3, 0); second: (1, 2), (3, 2).
        assert_eq!(values(score.score(actions)), [0.5, 6.0]);
    }

    #[test]
    fn past_actions_come_before_the_candidates() {
        let device = Device::flex();
        let latents = Tensor::from_floats([[[9.0, 9.0], [1.0, 0.0]]], &device);
        let past = Past { latents, actions: Some(Tensor::from_floats([[[10.0, 0.0]]], &device)) };
        let cost = LatentDistance { steps: Steps::Last };
        let score = ModelScore::new(&Drift, &cost, past, goal([[0.0, 0.0]]));
        let actions = Tensor::<4>::from_floats([[[[1.0, 1.0]], [[0.0, 0.0]]]], &device);
        assert_eq!(values(score.score(actions.clone())), [5.0, 2.0]);
        assert_eq!(score.imagine(actions).into_data().try_into_vec_as::<f32>().unwrap(), [3.0, 1.0, 2.0, 0.0]);
    }

    #[test]
    fn chunks_do_not_change_the_result() {
        let device = Device::flex();
        let random = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);
        let past = Past { latents: random([5, 1, 1, 2]).reshape([5, 1, 2]), actions: None };
        let goal = Goal { latent: random([5, 1, 1, 2]).reshape([5, 2]), embedding: None };
        let cost = LatentDistance { steps: Steps::Summed };
        let mut score = ModelScore::new(&Drift, &cost, past, goal);
        let actions = random([5, 7, 4, 2]);
        let whole = values(score.score(actions.clone()));
        for rows in [1, 3, 7, 14, 20] {
            score.rows = rows;
            assert_eq!(values(score.score(actions.clone())), whole, "chunks of {rows}");
        }
    }

    #[test]
    fn chunks_do_not_change_what_a_recurrent_model_imagines() {
        let device = Device::flex();
        device.seed(3);
        let input = InputShape { channels: 3, frames: 2, height: 17, width: 17, action_dim: 2, state_dim: 0 };
        let heads = HeadFlags { distance: true, ..HeadFlags::default() };
        let model = ActionJepaConfig::default().init(&input, &heads, &device);
        let random = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);
        let dim = WorldModel::latent_dim(&model);
        let past = Past { latents: random([6, 1, 1, dim]).reshape([6, 1, dim]), actions: None };
        let latent = random([6, 1, 1, dim]).reshape([6, dim]);
        let head = model.heads.distance.clone().unwrap();
        let goal = Goal { embedding: Some(head.embed(latent.clone())), latent };
        let actions = random([6, 17, 5, 2]);
        for cost in [&LatentDistance { steps: Steps::Summed } as &dyn Cost, &LearnedDistance { head, steps: Steps::Summed }] {
            let mut score = ModelScore::new(&model, cost, past.clone(), goal.clone());
            let whole = values(score.score(actions.clone()));
            for rows in [5, 17, 40] {
                score.rows = rows;
                assert_eq!(values(score.score(actions.clone())), whole, "chunks of {rows}");
            }
        }
    }
}
