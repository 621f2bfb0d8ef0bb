//! Costs: how far an imagined future is from the goal.

mod action_penalty;
mod goal;
mod latent_distance;
mod learned_distance;
mod reachability;
mod weighted_sum;

use std::cell::OnceCell;

use burn::prelude::*;
use prevision_model::DistanceHead;

pub use action_penalty::ActionPenalty;
pub use goal::Goal;
pub use latent_distance::LatentDistance;
pub use learned_distance::LearnedDistance;
pub use reachability::Reachability;
pub use weighted_sum::WeightedSum;

/// What a model imagined for candidate actions.
#[derive(Debug)]
pub struct Imagined {
    /// Latents after each action, `[b, samples, horizon, d]`.
    pub latents: Tensor<4>,
    /// The actions, `[b, samples, horizon, a]`.
    pub actions: Tensor<4>,
    /// What the model's distance head needs of the present latents, `[b, e]`; `None` without that head.
    pub present: Option<Tensor<2>>,
    places: OnceCell<Tensor<4>>,
}

impl Imagined {
    /// Puts together what was imagined.
    pub fn new(latents: Tensor<4>, actions: Tensor<4>, present: Option<Tensor<2>>) -> Self {
        Self { latents, actions, present, places: OnceCell::new() }
    }

    /// What the model's distance head needs of the imagined latents that count. That of all is computed once, for whichever costs
    /// ask.
    ///
    /// # Shapes
    /// - output: `[b, samples, horizon or 1, e]`
    pub fn places(&self, head: &DistanceHead, steps: Steps) -> Tensor<4> {
        let compute = |latents: Tensor<4>| {
            let [rows, samples, count, dim] = latents.dims();
            let places = head.places(latents.reshape([rows * samples * count, dim]));
            let [_, width] = places.dims();
            places.reshape([rows, samples, count, width])
        };
        match (steps, self.places.get()) {
            (_, Some(all)) => steps.counted(all.clone()),
            (Steps::Last, None) => compute(steps.counted(self.latents.clone())),
            (Steps::Summed, None) => self.places.get_or_init(|| compute(self.latents.clone())).clone(),
        }
    }
}

/// A cost of imagined futures. Costs add up ([`WeightedSum`]); a constraint is a cost with a multiplier.
pub trait Cost: Sync {
    /// The cost of each candidate, lower is better. It must not depend on which others it is computed with.
    ///
    /// # Shapes
    /// - imagined: `[b, samples, horizon, ..]`
    /// - goal: `[b, ..]`
    /// - output: `[b, samples]`
    fn cost(&self, imagined: &Imagined, goal: &Goal) -> Tensor<2>;
}

/// Which imagined steps a distance counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// The sum over all of them: being near early is better.
    Summed,
    /// The last alone: how it gets there does not matter.
    Last,
}

impl Steps {
    /// Drops the steps that do not count.
    ///
    /// # Shapes
    /// - latents: `[b, samples, horizon, d]`
    /// - output: `[b, samples, horizon or 1, d]`
    fn counted(self, latents: Tensor<4>) -> Tensor<4> {
        let horizon = latents.dims()[2];
        match self {
            Self::Summed => latents,
            Self::Last => latents.narrow(2, horizon - 1, 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Distribution;

    /// Two episodes, one candidate, two steps, two components.
    fn imagined() -> (Imagined, Goal) {
        let device = Device::flex();
        let latents = Tensor::<4>::from_floats([[[[1.0, 2.0], [3.0, 4.0]]], [[[0.0, 0.0], [1.0, 1.0]]]], &device);
        let actions = Tensor::<4>::from_floats([[[[3.0, 4.0], [0.0, 0.0]]], [[[1.0, 0.0], [0.0, 2.0]]]], &device);
        let goal = Goal { latent: Tensor::from_floats([[1.0, 0.0], [1.0, 1.0]], &device), embedding: None };
        (Imagined::new(latents, actions, None), goal)
    }

    fn values(tensor: Tensor<2>) -> Vec<f32> {
        tensor.into_data().try_into_vec_as::<f32>().unwrap()
    }

    #[test]
    fn latent_distance_by_hand() {
        let (imagined, goal) = imagined();
        assert_eq!(values(LatentDistance { steps: Steps::Summed }.cost(&imagined, &goal)), [12.0, 1.0]);
        assert_eq!(values(LatentDistance { steps: Steps::Last }.cost(&imagined, &goal)), [10.0, 0.0]);
    }

    #[test]
    fn penalty_and_weighted_sum_by_hand() {
        let (imagined, goal) = imagined();
        assert_eq!(values(ActionPenalty.cost(&imagined, &goal)), [25.0, 5.0]);
        let sum = WeightedSum {
            terms: vec![
                (2.0, Box::new(LatentDistance { steps: Steps::Last }) as Box<dyn Cost>),
                (0.5, Box::new(ActionPenalty)),
            ],
        };
        assert_eq!(values(sum.cost(&imagined, &goal)), [32.5, 2.5]);
    }

    #[test]
    fn learned_distance_is_that_of_the_head() {
        let device = Device::flex();
        let metric = prevision_model::StepDistanceConfig::default().init(6, &device);
        let head = prevision_model::DistanceHead::Embedding(metric.clone());
        let random = |n: usize| Tensor::<2>::random([n, 6], Distribution::Normal(0.0, 1.0), &device);
        // Two episodes, three candidates, two steps.
        let (latents, latent) = (random(12), random(2));
        let goal = Goal { embedding: Some(head.goals(latent.clone())), latent: latent.clone() };
        let actions = Tensor::zeros([2, 3, 2, 1], &device);
        let imagined = Imagined::new(latents.clone().reshape([2, 3, 2, 6]), actions, None);
        let repeated = latent.unsqueeze_dim::<3>(1).repeat_dim(1, 6).reshape([12, 6]);
        let expected = metric.forward(latents, repeated).reshape([2, 3, 2]);
        let last = expected.clone().narrow(2, 1, 1).reshape([2, 3]);
        for (steps, expected) in [(Steps::Summed, expected.sum_dim(2).reshape([2, 3])), (Steps::Last, last)] {
            let got = values(LearnedDistance { head: head.clone(), steps }.cost(&imagined, &goal));
            for (got, want) in got.iter().zip(values(expected)) {
                assert!((got - want).abs() < 1e-4, "{got} {want}");
            }
        }
    }

    #[test]
    fn places_are_the_same_whoever_asks_first() {
        let device = Device::flex();
        let head =
            prevision_model::DistanceHead::Embedding(prevision_model::StepDistanceConfig::default().init(2, &device));
        let imagined = || imagined().0;
        let values = |places: Tensor<4>| places.into_data().try_into_vec_as::<f32>().unwrap();
        let (fresh, asked) = (imagined(), imagined());
        let all = asked.places(&head, Steps::Summed);
        assert_eq!(all.dims()[..3], [2, 1, 2]);
        assert_eq!(values(asked.places(&head, Steps::Summed)), values(all));
        let last = values(fresh.places(&head, Steps::Last));
        assert_eq!(values(asked.places(&head, Steps::Last)), last);
        assert_eq!(last.len() * 2, values(fresh.places(&head, Steps::Summed)).len());
    }

    #[test]
    fn reachability_prices_what_is_too_far() {
        let device = Device::flex();
        let metric = prevision_model::StepDistanceConfig::default().init(6, &device);
        let head = prevision_model::DistanceHead::Embedding(metric.clone());
        let random = |n: usize| Tensor::<2>::random([n, 6], Distribution::Normal(0.0, 5.0), &device);
        let (latents, present) = (random(12), random(2));
        let goal = Goal { embedding: None, latent: present.clone() };
        let actions = Tensor::zeros([2, 3, 2, 1], &device);
        let known = Some(head.goals(present.clone()));
        let imagined = Imagined::new(latents.clone().reshape([2, 3, 2, 6]), actions, known);
        let repeated = present.unsqueeze_dim::<3>(1).repeat_dim(1, 6).reshape([12, 6]);
        let distances = metric.forward(latents, repeated).into_data().try_into_vec_as::<f32>().unwrap();
        let (speed, slack) = (0.5, 0.25);
        let got = values(Reachability { head, steps_per_action: speed, slack }.cost(&imagined, &goal));
        for (candidate, got) in got.iter().enumerate() {
            let over =
                |step: usize| (distances[2 * candidate + step] - (speed * (step + 1) as f64 + slack) as f32).max(0.0);
            assert!((got - over(0) - over(1)).abs() < 1e-3, "{got} {distances:?}");
        }
        assert!(got.iter().any(|cost| *cost > 0.0));
    }
}
