//! A price on changes of the action.

use burn::prelude::*;

use super::{Cost, CostContext, Imagined, Measure, Scene};

/// The sum over a plan of the squared norm of the difference between consecutive raw actions. The first one is compared with the
/// last action that was executed before the plan, if there is one.
#[derive(Clone, Copy, Debug)]
pub struct Smoothness {
    /// Numbers in a raw action.
    width: usize,
}

impl Smoothness {
    /// A cost on the raw actions that the model sees in blocks.
    pub fn new(context: &CostContext) -> Self {
        let spaces = &context.model.spec().spaces;
        Self { width: spaces.action_width() / spaces.frame_step.max(1) }
    }
}

impl Cost for Smoothness {
    fn prepare(&self, scene: &Scene) -> Result<Box<dyn Measure>, String> {
        Ok(Box::new(Changes { width: self.width, before: scene.last_action.clone() }))
    }
}

struct Changes {
    width: usize,
    /// `[scene, raw action]`
    before: Option<Tensor<2>>,
}

impl Measure for Changes {
    fn value(&self, imagined: &Imagined) -> Tensor<2> {
        let [rows, samples, horizon, block] = imagined.actions.dims();
        let width = self.width;
        let mut actions = imagined.actions.clone().reshape([rows, samples, horizon * block / width, width]);
        if let Some(before) = &self.before {
            let before = before.clone().narrow(0, imagined.rows.start, rows);
            let before = before.reshape([rows, 1, 1, width]).expand([rows, samples, 1, width]);
            actions = Tensor::cat(vec![before, actions], 2);
        }
        let changes = actions.dims()[2] - 1;
        if changes == 0 {
            return Tensor::zeros([rows, samples], &actions.device());
        }
        let change = actions.clone().narrow(2, 1, changes) - actions.narrow(2, 0, changes);
        change.square().sum_dim(3).sum_dim(2).reshape([rows, samples])
    }
}
