//! The score of candidates by a world model: imagine, then measure the distance to the goal.

use burn::prelude::*;
use prevision_kernels::in_this_precision;
use prevision_model::WorldModel;
use rayon::prelude::*;

use crate::cost::{Cost, Goal, Imagined};
use crate::score::Score;

/// Rollouts imagined and measured at once by one core: their latents stay in its cache, and more episodes or samples need no
/// more memory.
const ROWS_PER_CORE: usize = 256;
/// Rollouts imagined and measured at once on any other device.
const ROWS_PER_DEVICE: usize = 16_384;

/// What the model knows when a plan begins; encoded once per plan.
#[derive(Clone, Debug)]
pub struct Past {
    /// Latents of the last observations, the present one last, `[b, h, d]`.
    pub latents: Tensor<3>,
    /// The actions between them, `[b, h - 1, a]`; `None` when `h` is 1.
    pub actions: Option<Tensor<3>>,
    /// What the model's distance head needs of the present latents, `[b, e]`; `None` without that head.
    pub present: Option<Tensor<2>>,
}

/// Scores candidates by rolling out a world model and applying a cost. All episodes and samples are one batch, worked off in
/// chunks, on the CPU by all cores; neither changes the result.
pub struct ModelScore<'a> {
    model: &'a (dyn WorldModel + Sync),
    cost: &'a dyn Cost,
    past: Past,
    goal: Goal,
    rows: usize,
}

impl<'a> ModelScore<'a> {
    /// A score for one plan of each of the past's episodes.
    pub fn new(model: &'a (dyn WorldModel + Sync), cost: &'a dyn Cost, past: Past, goal: Goal) -> Self {
        let on_cpu = past.latents.device() == Device::flex();
        Self { model, cost, past, goal, rows: if on_cpu { ROWS_PER_CORE } else { ROWS_PER_DEVICE } }
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

    /// Scores some candidates of some episodes, `[chunk.rows, chunk.samples, horizon, a]`.
    fn score_chunk(&self, chunk: &Chunk, actions: Tensor<4>) -> Tensor<2> {
        let latents = self.imagine_rows(actions.clone(), chunk.row, chunk.rows);
        let present = self.past.present.as_ref().map(|present| present.clone().narrow(0, chunk.row, chunk.rows));
        self.cost.cost(&Imagined::new(latents, actions, present), &self.goal.narrow(chunk.row, chunk.rows))
    }
}

/// A part of the batch of candidates: whole episodes, or some samples of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chunk {
    row: usize,
    rows: usize,
    sample: usize,
    samples: usize,
}

/// Cuts `rows x samples` candidates into chunks of at most `most`, in row-major order.
fn chunks(rows: usize, samples: usize, most: usize) -> Vec<Chunk> {
    if samples > most {
        let part = samples.div_ceil(samples.div_ceil(most));
        let parts = |row| {
            (0..samples).step_by(part).map(move |sample| Chunk {
                row,
                rows: 1,
                sample,
                samples: part.min(samples - sample),
            })
        };
        return (0..rows).flat_map(parts).collect();
    }
    let episodes = (most / samples).max(1);
    (0..rows).step_by(episodes).map(|row| Chunk { row, rows: episodes.min(rows - row), sample: 0, samples }).collect()
}

impl Score for ModelScore<'_> {
    fn device(&self) -> Device {
        self.past.latents.device()
    }

    fn score(&self, actions: Tensor<4>) -> Tensor<2> {
        let [rows, samples, ..] = actions.dims();
        assert_eq!(
            rows,
            self.past.latents.dims()[0],
            "candidates {:?} for episodes {:?}",
            actions.dims(),
            self.past.latents.dims()
        );
        let parts: Vec<(Chunk, Tensor<4>)> = chunks(rows, samples, self.rows)
            .into_iter()
            .map(|chunk| {
                (chunk, actions.clone().narrow(0, chunk.row, chunk.rows).narrow(1, chunk.sample, chunk.samples))
            })
            .collect();
        let score = |(chunk, actions): (Chunk, Tensor<4>)| {
            let costs = self.score_chunk(&chunk, actions);
            costs.reshape([chunk.rows * chunk.samples])
        };
        let costs: Vec<Tensor<1>> = if self.device() == Device::flex() {
            parts.into_par_iter().map(in_this_precision(score)).collect()
        } else {
            parts.into_iter().map(score).collect()
        };
        Tensor::cat(costs, 0).reshape([rows, samples])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::{LatentDistance, LearnedDistance, Steps};
    use burn::tensor::Distribution;
    use prevision_kernels::Pixels;
    use prevision_model::{ActionJepaConfig, HeadFlags, InputShape};

    /// The latent moves by the action, and by a tenth of the action before the present when it is known.
    struct Drift;

    impl WorldModel for Drift {
        fn encode(&self, observation: Pixels) -> Tensor<3> {
            let [b, c, t, h, w] = observation.dims();
            observation.into_tensor().swap_dims(1, 2).reshape([b, t, c * h * w])
        }

        fn rollout(&self, latents: Tensor<3>, actions: Tensor<4>) -> Tensor<4> {
            let [_, history, _] = latents.dims();
            let [_, _, length, _] = actions.dims();
            let mut present =
                latents.narrow(1, history - 1, 1).unsqueeze_dim::<4>(1).expand(actions.clone().narrow(2, 0, 1).dims());
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
        let past = Past { latents: Tensor::from_floats([[[1.0, 0.0]]], &device), actions: None, present: None };
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
        let past = Past { latents, actions: Some(Tensor::from_floats([[[10.0, 0.0]]], &device)), present: None };
        let cost = LatentDistance { steps: Steps::Last };
        let score = ModelScore::new(&Drift, &cost, past, goal([[0.0, 0.0]]));
        let actions = Tensor::<4>::from_floats([[[[1.0, 1.0]], [[0.0, 0.0]]]], &device);
        assert_eq!(values(score.score(actions.clone())), [5.0, 2.0]);
        assert_eq!(score.imagine(actions).into_data().try_into_vec_as::<f32>().unwrap(), [3.0, 1.0, 2.0, 0.0]);
    }

    #[test]
    fn chunks_are_whole_episodes_or_parts_of_one() {
        let cut = |rows, samples, most| -> Vec<[usize; 4]> {
            chunks(rows, samples, most).iter().map(|c| [c.row, c.rows, c.sample, c.samples]).collect()
        };
        assert_eq!(cut(5, 100, 256), [[0, 2, 0, 100], [2, 2, 0, 100], [4, 1, 0, 100]]);
        assert_eq!(cut(2, 300, 256), [[0, 1, 0, 150], [0, 1, 150, 150], [1, 1, 0, 150], [1, 1, 150, 150]]);
        assert_eq!(cut(1, 5, 2), [[0, 1, 0, 2], [0, 1, 2, 2], [0, 1, 4, 1]]);
        assert_eq!(cut(2, 256, 256), [[0, 1, 0, 256], [1, 1, 0, 256]]);
    }

    #[test]
    fn chunks_do_not_change_the_result() {
        let device = Device::flex();
        let random = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);
        let past = Past { latents: random([5, 1, 1, 2]).reshape([5, 1, 2]), actions: None, present: None };
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
        let past = Past { latents: random([6, 1, 1, dim]).reshape([6, 1, dim]), actions: None, present: None };
        let latent = random([6, 1, 1, dim]).reshape([6, dim]);
        let head = model.heads.distance.clone().unwrap();
        let goal = Goal { embedding: Some(head.goals(latent.clone())), latent };
        let actions = random([6, 17, 5, 2]);
        for cost in
            [&LatentDistance { steps: Steps::Summed } as &dyn Cost, &LearnedDistance { head, steps: Steps::Summed }]
        {
            let mut score = ModelScore::new(&model, cost, past.clone(), goal.clone());
            let whole = values(score.score(actions.clone()));
            for rows in [5, 17, 40] {
                score.rows = rows;
                assert_eq!(values(score.score(actions.clone())), whole, "chunks of {rows}");
            }
        }
    }
}
