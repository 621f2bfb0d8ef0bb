//! Several costs as one.

use burn::prelude::*;

use super::{Cost, Goal, Imagined};

/// The sum of weighted costs.
pub struct WeightedSum {
    /// Weights and costs.
    pub terms: Vec<(f64, Box<dyn Cost>)>,
}

impl Cost for WeightedSum {
    fn cost(&self, imagined: &Imagined, goal: &Goal) -> Tensor<2> {
        let [rows, samples, ..] = imagined.actions.dims();
        let zero = Tensor::zeros([rows, samples], &imagined.actions.device());
        self.terms.iter().fold(zero, |sum, (weight, cost)| sum + cost.cost(imagined, goal) * *weight)
    }
}
