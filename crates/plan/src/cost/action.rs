//! A price on effort.

use burn::prelude::*;

use super::{Cost, Imagined, Measure, Scene};

/// The sum over the horizon of the squared norm of the actions.
#[derive(Clone, Copy, Debug)]
pub struct ActionNorm;

impl Cost for ActionNorm {
    fn prepare(&self, _scene: &Scene) -> Result<Box<dyn Measure>, String> {
        Ok(Box::new(Self))
    }
}

impl Measure for ActionNorm {
    fn value(&self, imagined: &Imagined) -> Tensor<2> {
        let [rows, samples, ..] = imagined.actions.dims();
        imagined.actions.clone().square().sum_dim(3).sum_dim(2).reshape([rows, samples])
    }
}
