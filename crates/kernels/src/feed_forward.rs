//! The perceptron of a transformer block.

use burn::tensor::Tensor;

use crate::array::Array;
use crate::cpu::feed_forward::{BackwardRows, FeedForward as Kernel};
use crate::cpu::linear::{sum_rows, weight_gradient};
use crate::cpu::norm::{Affine, Gradients, backward};
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

/// `x + second(activation(first(norm(x))))`: on the CPU one kernel whose tasks take some rows from the norm to the sum, if their hidden
/// values stay in the cache. The tape keeps those before the activation alone.
///
/// # Shapes
/// - x: `[.., width]`
/// - output: `[.., width]`
///
/// # Panics
/// If the shapes do not fit.
pub fn feed_forward<const D: usize>(x: Tensor<D>, layers: FeedForward) -> Tensor<D> {
    let [_, hidden] = layers.first.0.dims();
    if !runs_on(&x) || hidden > MOST_HIDDEN {
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

impl FeedForwardOperation {
    /// Which inputs the weights are.
    fn weights(&self) -> [usize; 2] {
        [3, 4 + usize::from(self.biases[0])]
    }

    /// `values` gives an input; biases may be missing in the backward pass, which does not read them.
    fn kernel<'a>(&self, input: impl Fn(usize) -> Option<&'a Array>) -> Kernel<'a> {
        let values = |index: usize| input(index).map_or(&[][..], Array::values);
        let layer = |index: usize, bias: bool| {
            let Some(weight) = input(index) else { unreachable!("a weight for each layer") };
            (matrix(weight), if bias { input(index + 1).map(Array::values) } else { None })
        };
        let [first, second] = self.weights();
        Kernel {
            scale: values(1),
            shift: values(2),
            epsilon: self.epsilon,
            first: layer(first, self.biases[0]),
            second: layer(second, self.biases[1]),
            activation: self.activation,
        }
    }
}

impl Operation for FeedForwardOperation {
    fn forward(&self, runtime: Runtime, inputs: &[Array], training: bool) -> (Array, Vec<Array>) {
        let x = &inputs[0];
        let kernel = self.kernel(|index| inputs.get(index));
        let run = |inner: Option<&mut [f32]>| {
            Array::filled(x.shape(), |out| kernel.forward(runtime.level, runtime.precision, x.values(), inner, out))
        };
        if !training {
            return (run(None), Vec::new());
        }
        let (inner, out) = Array::filled_with([x.rows(), kernel.first.0.columns()], |inner| run(Some(inner)));
        (out, vec![inner])
    }

    fn needs(&self, index: usize) -> bool {
        index < 3 || self.weights().contains(&index)
    }

    fn backward(
        &self,
        runtime: Runtime,
        inputs: &[Option<Array>],
        kept: &[Array],
        gradient: Array,
        wanted: &[bool],
    ) -> Vec<Option<Array>> {
        let Runtime { level, precision, .. } = runtime;
        let Some(x) = &inputs[0] else { unreachable!("it is needed") };
        let kernel = self.kernel(|index| inputs[index].as_ref());
        let (width, inner) = (x.width(), &kept[0]);
        let shapes = [inner.shape(), inner.shape(), x.shape(), x.shape(), [x.rows(), 2].into()];
        let found = Array::all_filled(shapes, |arrays| {
            let Ok([hidden, inner_gradient, normed, normed_gradient, statistics]) = <[_; 5]>::try_from(arrays) else {
                unreachable!("as many arrays as shapes")
            };
            let (statistics, _) = statistics.as_chunks_mut::<2>();
            let found = BackwardRows { statistics, normed, normed_gradient, hidden, inner_gradient };
            kernel.backward(level, precision, x.values(), inner.values(), gradient.values(), found);
        });
        let [hidden, inner_gradient, normed, normed_gradient, statistics] = &found[..] else {
            unreachable!("as many arrays as shapes")
        };
        let (statistics, _) = statistics.values().as_chunks::<2>();
        let mut norm_gradients = Array::all_filled([x.shape(), [width].into(), [width].into()], |arrays| {
            let Ok([x_gradient, scale, shift]) = <[_; 3]>::try_from(arrays) else { unreachable!("three arrays") };
            let out = Gradients {
                x: x_gradient,
                residual: Some(gradient.values()),
                scale: Some(scale),
                shift: Some(shift),
                own: None,
            };
            let affine = Affine::Shared { scale: kernel.scale, shift: None };
            backward(level, x.values(), width, affine, statistics, normed_gradient.values(), out);
        });
        let mut gradients: Vec<Option<Array>> = norm_gradients.drain(..).map(Some).collect();
        let layers = [(normed, inner_gradient), (hidden, &gradient)];
        for ((left, right), (index, bias)) in layers.into_iter().zip(self.weights().into_iter().zip(self.biases)) {
            let weight = [left.width(), right.width()];
            gradients.push(wanted[index].then(|| {
                Array::filled(weight, |out| weight_gradient(level, precision, matrix(left), matrix(right), out))
            }));
            if bias {
                let fill = |out: &mut [f32]| sum_rows(level, right.values(), out);
                gradients.push(wanted[index + 1].then(|| Array::filled([right.width()], fill)));
            }
        }
        gradients
    }
}
