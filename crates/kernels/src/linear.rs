//! Linear layers.

use std::f64::consts::FRAC_1_SQRT_2;
use std::sync::Arc;

use burn::tensor::{Shape, Tensor, activation};

use crate::array::Array;
use crate::cpu::linear::{Linear, activation_backward, input_gradient, sum_rows, weight_gradient};
use crate::cpu::{Activation, Level, Matrix, Packed, Runtime};
use crate::operation::{Operation, apply, runs_on};
use crate::operations::count_products;

/// `activation(x weight + bias)`.
///
/// # Shapes
/// - x: `[.., inputs]`
/// - weight: `[inputs, outputs]`
/// - bias: `[outputs]`
/// - output: `[.., outputs]`
pub fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Activation,
) -> Tensor<D> {
    linear_with(x, weight, bias, activation, None, None)
}

/// `activation(x weight + bias + residual)`.
///
/// # Shapes
/// - x: `[.., inputs]`
/// - weight: `[inputs, outputs]`
/// - bias: `[outputs]`
/// - residual: `[.., outputs]`
/// - output: `[.., outputs]`
pub fn linear_residual<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    residual: Tensor<D>,
    activation: Activation,
) -> Tensor<D> {
    linear_with(x, weight, bias, activation, Some(residual), None)
}

/// Weight and bias of a linear layer that is called many times: off the tape on the CPU the weight is laid out once for all calls.
#[derive(Clone, Debug)]
pub struct PreparedLinear {
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    packed: Option<Arc<Packed>>,
}

impl PreparedLinear {
    /// Prepares a layer for calls with the level and precision of the scope that this thread is in; others are as if it
    /// was not prepared.
    ///
    /// # Shapes
    /// - weight: `[inputs, outputs]`
    /// - bias: `[outputs]`
    pub fn new(weight: Tensor<2>, bias: Option<Tensor<1>>) -> Self {
        let packs = runs_on(&weight) && !weight.device().is_autodiff();
        let data = packs.then(|| weight.to_data());
        let values = data.as_ref().and_then(|data| data.as_slice::<f32>().ok());
        let packed = values.map(|values| {
            let [inputs, outputs] = weight.dims();
            let Runtime { level, precision, .. } = Runtime::current();
            Arc::new(Packed::new(level, precision, Matrix::new(values, inputs, outputs)))
        });
        Self { weight, bias, packed }
    }

    /// `[inputs, outputs]`
    pub(crate) fn weight(&self) -> Tensor<2> {
        self.weight.clone()
    }

    /// `[outputs]`
    pub(crate) fn bias(&self) -> Option<Tensor<1>> {
        self.bias.clone()
    }

    /// The weight as products read it here and now, if it was laid out for them.
    pub(crate) fn packed(&self) -> Option<Arc<Packed>> {
        let Runtime { level, precision, .. } = Runtime::current();
        self.packed.clone().filter(|packed| packed.prepared_for() == (level, precision))
    }

    /// As [`linear`](fn@linear).
    pub fn forward<const D: usize>(&self, x: Tensor<D>, activation: Activation) -> Tensor<D> {
        let packed = self.packed();
        linear_with(x, self.weight.clone(), self.bias.clone(), activation, None, packed)
    }

    /// As [`linear_residual`].
    pub fn forward_residual<const D: usize>(
        &self,
        x: Tensor<D>,
        residual: Tensor<D>,
        activation: Activation,
    ) -> Tensor<D> {
        let (weight, bias) = (self.weight.clone(), self.bias.clone());
        linear_with(x, weight, bias, activation, Some(residual), self.packed())
    }
}

pub(crate) fn linear_with<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Activation,
    residual: Option<Tensor<D>>,
    packed: Option<Arc<Packed>>,
) -> Tensor<D> {
    let [depth, outputs] = weight.dims();
    count_products(1, [x.shape().num_elements() / depth.max(1), depth, outputs]);
    if !runs_on(&x) {
        return composed(x, weight, bias, activation, residual);
    }
    let operation = LinearOperation { activation, bias: bias.is_some(), residual: residual.is_some(), packed };
    let mut inputs = vec![x.into_dispatch(), weight.into_dispatch()];
    inputs.extend(bias.map(Tensor::into_dispatch));
    inputs.extend(residual.map(Tensor::into_dispatch));
    apply(inputs, operation)
}

/// The same as operations of Burn.
pub(crate) fn composed<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Activation,
    residual: Option<Tensor<D>>,
) -> Tensor<D> {
    let out = burn::tensor::module::linear(x, weight, bias);
    let out = match residual {
        Some(residual) => out + residual,
        None => out,
    };
    plain_activation(out, activation)
}

/// The activation as Burn's own operations.
pub(crate) fn plain_activation<const D: usize>(x: Tensor<D>, activation: Activation) -> Tensor<D> {
    match activation {
        Activation::Identity => x,
        Activation::Relu => activation::relu(x),
        // Burn's own GELU has the gradient of its approximation by tanh on most backends, which is off by 1e-4.
        Activation::Gelu => ((x.clone() * FRAC_1_SQRT_2).erf() + 1.0) * 0.5 * x,
        Activation::Silu => activation::silu(x),
    }
}

/// Inputs: x, weight, bias if any, residual if any.
#[derive(Debug)]
struct LinearOperation {
    activation: Activation,
    bias: bool,
    residual: bool,
    packed: Option<Arc<Packed>>,
}

pub(crate) fn matrix(array: &Array) -> Matrix<'_> {
    Matrix::new(array.values(), array.rows(), array.width())
}

/// The result of a layer of this shape, and what its backward pass needs to get behind the activation. `forward` writes the values before
/// it, if asked, and those after it.
pub(crate) fn kept(
    activation: Activation,
    training: bool,
    shape: Shape,
    forward: impl FnOnce(Option<&mut [f32]>, &mut [f32]),
) -> (Array, Vec<Array>) {
    match activation {
        Activation::Gelu | Activation::Silu if training => {
            let fill = |inner: &mut [f32]| Array::filled(shape.clone(), |out| forward(Some(inner), out));
            let (inner, out) = Array::filled_with(shape.clone(), fill);
            (out, vec![inner])
        }
        _ => {
            let out = Array::filled(shape, |out| forward(None, out));
            // ReLU's derivative is read off its output.
            let kept = if training && activation == Activation::Relu { vec![out.clone()] } else { Vec::new() };
            (out, kept)
        }
    }
}

/// The gradient before the activation from that after it, with what [`kept`] kept.
pub(crate) fn before_activation(level: Level, activation: Activation, kept: &[Array], gradient: Array) -> Array {
    match kept.first() {
        Some(kept) => Array::filled(gradient.shape(), |inner| {
            activation_backward(level, activation, kept.values(), gradient.values(), inner);
        }),
        None => gradient,
    }
}

impl Operation for LinearOperation {
    fn forward(&self, runtime: Runtime, inputs: &[Array], training: bool) -> (Array, Vec<Array>) {
        let (x, weight) = (&inputs[0], &inputs[1]);
        let bias = self.bias.then(|| inputs[2].values());
        let residual = self.residual.then(|| inputs[2 + usize::from(self.bias)].values());
        let mut shape = x.shape();
        let last = shape.num_dims() - 1;
        shape[last] = weight.width();
        let layer = Linear { x: matrix(x), weight: matrix(weight), bias, activation: self.activation };
        let level = runtime.level;
        let packed = self.packed.as_deref();
        kept(self.activation, training, shape, |inner, out| {
            layer.forward(level, runtime.precision, packed, residual, inner, out);
        })
    }

    fn needs(&self, index: usize) -> bool {
        index < 2
    }

    fn backward(
        &self,
        runtime: Runtime,
        inputs: &[Option<Array>],
        kept: &[Array],
        gradient: Array,
        wanted: &[bool],
    ) -> Vec<Option<Array>> {
        let level = runtime.level;
        let (Some(x), Some(weight)) = (&inputs[0], &inputs[1]) else { unreachable!("both are needed") };
        let inner = before_activation(level, self.activation, kept, gradient);
        let mut gradients = vec![
            wanted[0].then(|| {
                Array::filled(x.shape(), |out| {
                    input_gradient(level, runtime.precision, matrix(&inner), matrix(weight), out);
                })
            }),
            wanted[1].then(|| {
                Array::filled(weight.shape(), |out| {
                    weight_gradient(level, runtime.precision, matrix(x), matrix(&inner), out);
                })
            }),
        ];
        if self.bias {
            gradients
                .push(wanted[2].then(|| Array::filled([weight.width()], |out| sum_rows(level, inner.values(), out))));
        }
        if self.residual {
            gradients.push(Some(inner));
        }
        gradients
    }
}
