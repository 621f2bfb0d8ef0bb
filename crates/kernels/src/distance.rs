//! How far what is imagined is from goals.

use burn::tensor::Tensor;

use crate::array::Array;
use crate::cpu::{Runtime, distance};
use crate::operation::{Operation, apply, runs_on};

/// For every candidate the sum of the squared differences of all its steps to the goal of its episode: off the tape on the CPU one pass.
///
/// # Shapes
/// - values: `[episodes, samples, steps * width]`
/// - goals: `[episodes, width]`
/// - output: `[episodes, samples]`
///
/// # Panics
/// If the shapes do not fit.
pub fn squared_distances(values: Tensor<3>, goals: Tensor<2>) -> Tensor<2> {
    let ([episodes, _, length], [goal_rows, width]) = (values.dims(), goals.dims());
    assert!(episodes == goal_rows && length.is_multiple_of(width.max(1)), "{:?} and {:?}", values.dims(), goals.dims());
    if !runs_on(&values) || values.device().is_autodiff() {
        return composed(values, goals);
    }
    apply(vec![values.into_dispatch(), goals.into_dispatch()], SquaredDistances)
}

/// The same as operations of Burn.
pub(crate) fn composed(values: Tensor<3>, goals: Tensor<2>) -> Tensor<2> {
    let ([episodes, samples, length], [_, width]) = (values.dims(), goals.dims());
    let goals = goals.repeat_dim(1, length / width).unsqueeze_dim(1);
    (values - goals).square().sum_dim(2).reshape([episodes, samples])
}

/// Inputs: values, goals.
#[derive(Debug)]
struct SquaredDistances;

impl Operation for SquaredDistances {
    fn forward(&self, runtime: Runtime, inputs: &[Array], _: bool) -> (Array, Vec<Array>) {
        let (values, goals) = (&inputs[0], &inputs[1]);
        let shape = values.shape();
        let out = Array::filled([shape[0], shape[1]], |out| {
            distance::squared(runtime.level, values.values(), goals.values(), goals.width(), out);
        });
        (out, Vec::new())
    }

    fn needs(&self, _: usize) -> bool {
        false
    }

    fn backward(&self, _: Runtime, _: &[Option<Array>], _: &[Array], _: Array, _: &[bool]) -> Vec<Option<Array>> {
        unreachable!("on the tape it is composed")
    }
}
