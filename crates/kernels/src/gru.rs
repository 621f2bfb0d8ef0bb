//! Rollouts of a gated recurrent unit.

use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;

use crate::array::Array;
use crate::cpu::Runtime;
use crate::cpu::gru::{Gradients, Gru, Kept, Rolled};
use crate::norm::composed as composed_norm;
use crate::operation::{Operation, apply, runs_on};
use crate::operations::count_products;

/// A gated recurrent unit (Cho et al. 2014, in `PyTorch`'s parameterisation, without the product of the inputs) whose states pass a
/// layer norm:
///
/// ```text
/// (r', z', n') = state weight + bias        r, z = sigmoid(input + r'), sigmoid(input + z')
/// n = tanh(input + r n')                    next = norm(n + z (state - n))
/// ```
#[derive(Clone, Debug)]
pub struct GruCell {
    /// `[dim, 3 dim]`: reset, update, new.
    pub weight: Tensor<2>,
    /// `[3 dim]`
    pub bias: Tensor<1>,
    /// `[dim]`, of the norm.
    pub scale: Tensor<1>,
    /// `[dim]`, of the norm.
    pub shift: Tensor<1>,
    /// Added to the variance by the norm.
    pub epsilon: f64,
}

/// The states of a unit after each step.
///
/// # Shapes
/// - inputs: `[batch, steps, 3 dim]`: what the inputs add to the gates
/// - state: `[batch, dim]`, before the first step
/// - output: `[batch, steps, dim]`
///
/// # Panics
/// If the shapes do not fit.
pub fn gru_rollout(inputs: Tensor<3>, state: Tensor<2>, cell: GruCell) -> Tensor<3> {
    let ([batch, steps, width], [rows, dim]) = (inputs.dims(), state.dims());
    assert!(
        batch == rows && width == 3 * dim && cell.weight.dims() == [dim, width],
        "inputs {:?} and states {:?} of a cell {:?}",
        inputs.dims(),
        state.dims(),
        cell.weight.dims()
    );
    count_products(steps, [batch, dim, width]);
    if !runs_on(&inputs) {
        return composed(inputs, state, cell);
    }
    let operation = GruOperation { epsilon: cell.epsilon as f32 };
    let vectors = [cell.bias, cell.scale, cell.shift].map(Tensor::into_dispatch);
    let tensors = [inputs.into_dispatch(), state.into_dispatch(), cell.weight.into_dispatch()];
    apply(tensors.into_iter().chain(vectors).collect(), operation)
}

/// The same as operations of Burn.
pub(crate) fn composed(inputs: Tensor<3>, mut state: Tensor<2>, cell: GruCell) -> Tensor<3> {
    let [batch, steps, width] = inputs.dims();
    let dim = width / 3;
    let part = |x: &Tensor<2>, index: usize| x.clone().narrow(1, index * dim, dim);
    let mut states = Vec::with_capacity(steps);
    for step in 0..steps {
        let input: Tensor<2> = inputs.clone().narrow(1, step, 1).reshape([batch, width]);
        let recurrent = state.clone().matmul(cell.weight.clone()) + cell.bias.clone().unsqueeze();
        let [reset, update] = [0, 1].map(|gate| sigmoid(part(&input, gate) + part(&recurrent, gate)));
        let new = (part(&input, 2) + reset * part(&recurrent, 2)).tanh();
        let next = new.clone() + update * (state - new);
        state = composed_norm(next, Some(cell.scale.clone()), Some(cell.shift.clone()), cell.epsilon);
        states.push(state.clone());
    }
    if states.is_empty() { Tensor::zeros([batch, 0, dim], &state.device()) } else { Tensor::stack(states, 1) }
}

/// Inputs: inputs, state, weight, bias, scale, shift.
#[derive(Debug)]
struct GruOperation {
    epsilon: f32,
}

impl GruOperation {
    fn cell<'a>(&self, [weight, bias, scale, shift]: [&'a Array; 4]) -> Gru<'a> {
        Gru {
            weight: weight.values(),
            bias: bias.values(),
            scale: scale.values(),
            shift: shift.values(),
            epsilon: self.epsilon,
        }
    }
}

impl Operation for GruOperation {
    fn forward(&self, runtime: Runtime, given: &[Array], training: bool) -> (Array, Vec<Array>) {
        let (inputs, state) = (&given[0], &given[1]);
        let cell = self.cell([&given[2], &given[3], &given[4], &given[5]]);
        let [batch, steps, width] = inputs.shape().dims();
        let dim = width / 3;
        let forward = |kept: Option<Kept<'_>>| {
            Array::filled([batch, steps, dim], |out| {
                let (inputs, state) = (inputs.values(), state.values());
                cell.forward(runtime.level, runtime.precision, steps, inputs, state, kept, out);
            })
        };
        if !training {
            return (forward(None), Vec::new());
        }
        let (gates, (statistics, out)) = Array::filled_with([batch, steps, 4 * dim], |gates| {
            Array::filled_with([batch, steps, 2], |statistics| forward(Some(Kept { gates, statistics })))
        });
        (out.clone(), vec![out, gates, statistics])
    }

    fn needs(&self, index: usize) -> bool {
        index != 0
    }

    fn backward(
        &self,
        runtime: Runtime,
        given: &[Option<Array>],
        kept: &[Array],
        gradient: Array,
        _: &[bool],
    ) -> Vec<Option<Array>> {
        let [_, Some(state), Some(weight), Some(bias), Some(scale), Some(shift)] = given else {
            unreachable!("all but the first are needed")
        };
        let cell = self.cell([weight, bias, scale, shift]);
        let [batch, steps, dim] = gradient.shape().dims();
        let rolled = Rolled {
            state: state.values(),
            states: kept[0].values(),
            gates: kept[1].values(),
            statistics: kept[2].values(),
        };
        let mut vectors = [3 * dim, dim, dim].map(|length| vec![0.0; length]);
        let (of_inputs, (of_state, of_weight)) = Array::filled_with([batch, steps, 3 * dim], |inputs| {
            Array::filled_with([batch, dim], |state| {
                Array::filled(weight.shape(), |weight| {
                    let [bias, scale, shift] = &mut vectors;
                    let out = Gradients { inputs, state, weight, bias, scale, shift };
                    cell.backward(runtime.level, runtime.precision, steps, rolled, gradient.values(), out);
                })
            })
        });
        let vectors = vectors.map(|values| Array::filled([values.len()], |out| out.copy_from_slice(&values)));
        [of_inputs, of_state, of_weight].into_iter().chain(vectors).map(Some).collect()
    }
}
