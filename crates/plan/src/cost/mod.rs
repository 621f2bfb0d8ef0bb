//! Costs: how far an imagined future is from the goal.

mod action_penalty;
mod goal;
mod latent_distance;
mod learned_distance;
mod reachability;
mod weighted_sum;

use burn::prelude::*;

pub use action_penalty::ActionPenalty;
pub use goal::Goal;
pub use latent_distance::LatentDistance;
pub use learned_distance::LearnedDistance;
pub use reachability::Reachability;
pub use weighted_sum::WeightedSum;

/// What a model imagined for candidate actions.
#[derive(Clone, Debug)]
pub struct Imagined {
    /// Latents after each action, `[b, samples, horizon, d]`.
    pub latents: Tensor<4>,
    /// The actions, `[b, samples, horizon, a]`.
    pub actions: Tensor<4>,
    /// What the model's distance head needs of the present latents, `[b, e]`; `None` without that head.
    pub present: Option<Tensor<2>>,
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
        (Imagined { latents, actions, present: None }, goal)
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
        let imagined = Imagined {
            latents: latents.clone().reshape([2, 3, 2, 6]),
            actions: Tensor::zeros([2, 3, 2, 1], &device),
            present: None,
        };
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
    fn reachability_prices_what_is_too_far() {
        let device = Device::flex();
        let metric = prevision_model::StepDistanceConfig::default().init(6, &device);
        let head = prevision_model::DistanceHead::Embedding(metric.clone());
        let random = |n: usize| Tensor::<2>::random([n, 6], Distribution::Normal(0.0, 5.0), &device);
        let (latents, present) = (random(12), random(2));
        let goal = Goal { embedding: None, latent: present.clone() };
        let imagined = Imagined {
            latents: latents.clone().reshape([2, 3, 2, 6]),
            actions: Tensor::zeros([2, 3, 2, 1], &device),
            present: Some(head.goals(present.clone())),
        };
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
