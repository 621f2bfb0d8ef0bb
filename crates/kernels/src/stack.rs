//! Rollouts of several groups of rows as one tensor.

use burn::tensor::Tensor;

use crate::array::Array;
use crate::cpu::{self, Runtime};
use crate::operation::{Operation, apply, runs_on};

/// Puts rollouts together that were made in groups of rows, step by step: every number is copied once.
///
/// # Shapes
/// - groups: for each group of rows its steps, `[rows, width]` each; as many steps in every group
/// - output: `[rows of all groups, steps, width]`
///
/// # Panics
/// If there are no groups or no steps, or groups differ in their steps or widths.
pub fn stack_steps(groups: Vec<Vec<Tensor<2>>>) -> Tensor<3> {
    let first = groups.first().and_then(|steps| steps.first()).expect("a group with a step");
    let (steps, [_, width]) = (groups[0].len(), first.dims());
    if !runs_on(first) || first.device().is_autodiff() {
        return composed(groups);
    }
    let rows = groups.iter().map(|steps| steps[0].dims()[0]).collect();
    assert!(groups.iter().all(|group| group.len() == steps), "as many steps in every group");
    let inputs = groups.into_iter().flatten().map(Tensor::into_dispatch).collect();
    apply(inputs, StackSteps { rows, steps, width })
}

/// The same as operations of Burn.
pub(crate) fn composed(groups: Vec<Vec<Tensor<2>>>) -> Tensor<3> {
    Tensor::cat(groups.into_iter().map(|steps| Tensor::stack(steps, 1)).collect(), 0)
}

/// Inputs: the steps of the first group, then those of the second, and so on.
#[derive(Debug)]
struct StackSteps {
    /// Of each group.
    rows: Vec<usize>,
    steps: usize,
    width: usize,
}

impl Operation for StackSteps {
    fn forward(&self, _: Runtime, inputs: &[Array], _: bool) -> (Array, Vec<Array>) {
        let Self { rows, steps, width } = self;
        let inputs: Vec<&[f32]> = inputs.iter().map(Array::values).collect();
        let out = Array::filled([rows.iter().sum(), *steps, *width], |out| {
            cpu::stack::stack_steps(rows, *steps, *width, &inputs, out);
        });
        (out, Vec::new())
    }

    fn needs(&self, _: usize) -> bool {
        false
    }

    fn backward(&self, _: Runtime, _: &[Option<Array>], _: &[Array], _: Array, _: &[bool]) -> Vec<Option<Array>> {
        unreachable!("rollouts on the tape are put together by operations of Burn")
    }
}
