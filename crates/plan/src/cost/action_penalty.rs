//! A price on effort.

use burn::prelude::*;

use super::{Cost, Goal, Imagined};

/// The sum over the horizon of the squared norm of the actions.
#[derive(Clone, Copy, Debug)]
pub struct ActionPenalty;

impl Cost for ActionPenalty {
    fn cost(&self, imagined: &Imagined, _goal: &Goal) -> Tensor<2> {
        let [rows, samples, ..] = imagined.actions.dims();
        imagined.actions.clone().square().sum_dim(3).sum_dim(2).reshape([rows, samples])
    }
}
