//! The perceptron of a transformer block.

use burn::tensor::Tensor;

use crate::array::Array;
use crate::cpu::feed_forward::FeedForward as Kernel;
use crate::cpu::{Activation, Runtime};
use crate::linear::{linear, linear_residual, matrix};
use crate::norm::layer_norm;
use crate::operation::{Operation, apply, runs_on};
use crate::operations::count_products;

/// The most hidden values for which a task's stay in a core's cache; with more it goes layer by layer.
const MOST_HIDDEN: usize = 2048;

/// The parameters of a transformer block's perceptron, `x + second(activation(first(norm(x))))`.
#[derive(Clone, Debug)]
pub struct FeedForward {
    /// Scale of the layer norm, `[width]`.
    pub scale: Tensor<1>,
    /// Shift of the layer norm, `[width]`.
    pub shift: Tensor<1>,
    /// Is added to the variance.
    pub epsilon: f64,
    /// Weight, `[width, hidden]`, and bias, `[hidden]`.
    pub first: (Tensor<2>, Option<Tensor<1>>),
    /// Weight, `[hidden, width]`, and bias, `[width]`.
    pub second: (Tensor<2>, Option<Tensor<1>>),
    /// Of the hidden values.
    pub activation: Activation,
}

/// `x + second(activation(first(norm(x))))`: off the tape on the CPU one kernel whose tasks take some rows from the norm to the sum, if
/// their hidden values stay in the cache.
///
/// # Shapes
/// - x: `[.., width]`
/// - output: `[.., width]`
///
/// # Panics
/// If the shapes do not fit.
pub fn feed_forward<const D: usize>(x: Tensor<D>, layers: FeedForward) -> Tensor<D> {
    let [_, hidden] = layers.first.0.dims();
    if !runs_on(&x) || x.device().is_autodiff() || hidden > MOST_HIDDEN {
        return composed(x, layers);
    }
    let width = layers.scale.shape().num_elements();
    count_products(2, [x.shape().num_elements() / width.max(1), width, hidden]);
    let FeedForward { scale, shift, epsilon, first, second, activation } = layers;
    let mut inputs = vec![x.into_dispatch(), scale.into_dispatch(), shift.into_dispatch()];
    let biases = [first.1.is_some(), second.1.is_some()];
    for (weight, bias) in [first, second] {
        inputs.push(weight.into_dispatch());
        inputs.extend(bias.map(Tensor::into_dispatch));
    }
    apply(inputs, FeedForwardOperation { epsilon: epsilon as f32, biases, activation })
}

/// The same, layer by layer.
pub(crate) fn composed<const D: usize>(x: Tensor<D>, layers: FeedForward) -> Tensor<D> {
    let FeedForward { scale, shift, epsilon, first, second, activation } = layers;
    let normed = layer_norm(x.clone(), Some(scale), Some(shift), epsilon);
    let hidden = linear(normed, first.0, first.1, activation);
    linear_residual(hidden, second.0, second.1, x, Activation::Identity)
}

/// Inputs: x, scale, shift, and of both layers the weight, then the bias if any.
#[derive(Debug)]
struct FeedForwardOperation {
    epsilon: f32,
    biases: [bool; 2],
    activation: Activation,
}

impl Operation for FeedForwardOperation {
    fn forward(&self, runtime: Runtime, inputs: &[Array], _: bool) -> (Array, Vec<Array>) {
        let [x, scale, shift, parameters @ ..] = inputs else { unreachable!("rows and a norm") };
        let mut parameters = parameters.iter();
        let mut layer = |bias: bool| {
            let Some(weight) = parameters.next() else { unreachable!("a weight for each layer") };
            (matrix(weight), if bias { parameters.next().map(Array::values) } else { None })
        };
        let kernel = Kernel {
            scale: scale.values(),
            shift: shift.values(),
            epsilon: self.epsilon,
            first: layer(self.biases[0]),
            second: layer(self.biases[1]),
            activation: self.activation,
        };
        let out = Array::filled(x.shape(), |out| kernel.forward(runtime.level, runtime.precision, x.values(), out));
        (out, Vec::new())
    }

    fn needs(&self, _: usize) -> bool {
        false
    }

    fn backward(&self, _: Runtime, _: &[Option<Array>], _: &[Array], _: Array, _: &[bool]) -> Vec<Option<Array>> {
        unreachable!("on the tape it goes layer by layer")
    }
}
