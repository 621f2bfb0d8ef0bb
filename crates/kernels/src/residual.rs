//! Rollouts of a residual network.

use std::sync::Arc;

use burn::tensor::Tensor;

use crate::PreparedLinear;
use crate::array::Array;
use crate::cpu::residual::{Layer, ResidualMlp};
use crate::cpu::{Activation, Packed, Runtime};
use crate::linear::matrix;
use crate::operation::{Operation, apply, runs_on};
use crate::operations::count_products;

/// A state that changes by what a network with two hidden layers makes of it and of an action:
///
/// ```text
/// next = state + output(relu(middle(relu(latent(state) + action))))
/// ```
#[derive(Clone, Debug)]
pub struct ResidualCell {
    /// `[dim, hidden]`
    pub latent: PreparedLinear,
    /// `[hidden, hidden]`
    pub middle: PreparedLinear,
    /// `[hidden, dim]`
    pub output: PreparedLinear,
}

/// The states after each step: off the tape on the CPU as one kernel whose tasks take some rows from the first step to the last.
///
/// # Shapes
/// - actions: `[steps, batch, hidden]`: what the actions add to the first hidden layer
/// - state: `[batch, dim]`, before the first step
/// - output: `[batch, steps, dim]`
///
/// # Panics
/// If the shapes do not fit.
pub fn residual_rollout(actions: Tensor<3>, state: Tensor<2>, cell: &ResidualCell) -> Tensor<3> {
    let ([steps, batch, _], [rows, _]) = (actions.dims(), state.dims());
    assert!(batch == rows, "actions {:?} for states {:?}", actions.dims(), state.dims());
    let layers = [&cell.latent, &cell.middle, &cell.output];
    let packed = layers.map(PreparedLinear::packed);
    let [Some(latent), Some(middle), Some(output)] = packed else {
        return composed(actions, state, cell);
    };
    if !runs_on(&state) || state.device().is_autodiff() {
        return composed(actions, state, cell);
    }
    for layer in layers {
        let [depth, outputs] = layer.weight().dims();
        count_products(steps, [batch, depth, outputs]);
    }
    let mut inputs = vec![actions.into_dispatch(), state.into_dispatch()];
    for layer in layers {
        inputs.push(layer.weight().into_dispatch());
        inputs.extend(layer.bias().map(Tensor::into_dispatch));
    }
    let biases = layers.map(|layer| layer.bias().is_some());
    apply(inputs, ResidualRollout { packed: [latent, middle, output], biases, steps })
}

/// The same, layer by layer.
pub(crate) fn composed(actions: Tensor<3>, mut state: Tensor<2>, cell: &ResidualCell) -> Tensor<3> {
    let [steps, batch, hidden] = actions.dims();
    let mut states = Vec::with_capacity(steps);
    for step in 0..steps {
        let action: Tensor<2> = actions.clone().narrow(0, step, 1).reshape([batch, hidden]);
        let x = cell.latent.forward_residual(state.clone(), action, Activation::Relu);
        let x = cell.middle.forward(x, Activation::Relu);
        state = cell.output.forward_residual(x, state, Activation::Identity);
        states.push(state.clone());
    }
    Tensor::stack(states, 1)
}

/// Inputs: actions, state, and of each layer the weight, then the bias if any.
#[derive(Debug)]
struct ResidualRollout {
    packed: [Arc<Packed>; 3],
    biases: [bool; 3],
    steps: usize,
}

impl Operation for ResidualRollout {
    fn forward(&self, runtime: Runtime, inputs: &[Array], _: bool) -> (Array, Vec<Array>) {
        let [actions, state, parameters @ ..] = inputs else { unreachable!("actions and states") };
        let mut parameters = parameters.iter();
        let mut layer = |index: usize| {
            let Some(weight) = parameters.next() else { unreachable!("a weight for each layer") };
            let bias = if self.biases[index] { parameters.next().map(Array::values) } else { None };
            Layer { weight: matrix(weight), bias, packed: &self.packed[index] }
        };
        let mlp = ResidualMlp { latent: layer(0), middle: layer(1), output: layer(2) };
        let out = Array::filled([state.shape()[0], self.steps, state.width()], |out| {
            mlp.rollout(runtime.precision, self.steps, actions.values(), state.values(), out);
        });
        (out, Vec::new())
    }

    fn needs(&self, _: usize) -> bool {
        false
    }

    fn backward(&self, _: Runtime, _: &[Option<Array>], _: &[Array], _: Array, _: &[bool]) -> Vec<Option<Array>> {
        unreachable!("rollouts on the tape go layer by layer")
    }
}
