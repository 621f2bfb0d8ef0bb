//! Layer norm.

use burn::tensor::Tensor;

use crate::array::Array;
use crate::cpu::Runtime;
use crate::cpu::norm::{Affine, Gradients, backward, forward};
use crate::operation::{Operation, apply, runs_on};

/// Every row of the last axis minus its mean, over its standard deviation, times `scale`, plus `shift`.
///
/// # Shapes
/// - x: `[.., width]`
/// - scale, shift: `[width]`
/// - output: `[.., width]`
pub fn layer_norm<const D: usize>(
    x: Tensor<D>,
    scale: Option<Tensor<1>>,
    shift: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<D> {
    let width = x.dims()[D - 1];
    if !runs_on(&x) {
        return composed(x, scale, shift, epsilon);
    }
    // A shift alone is a scale of one and a shift.
    let scale = scale.or_else(|| shift.as_ref().map(|shift| Tensor::ones([width], &shift.device().inner())));
    let operation = NormOperation { epsilon: epsilon as f32, scale: scale.is_some(), shift: shift.is_some() };
    let mut inputs = vec![x.into_dispatch()];
    inputs.extend(scale.map(Tensor::into_dispatch));
    inputs.extend(shift.map(Tensor::into_dispatch));
    apply(inputs, operation)
}

/// The same as operations of Burn.
pub(crate) fn composed<const D: usize>(
    x: Tensor<D>,
    scale: Option<Tensor<1>>,
    shift: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<D> {
    let mean = x.clone().mean_dim(D - 1);
    let centred = x - mean;
    let variance = centred.clone().powi_scalar(2).mean_dim(D - 1);
    let normal = centred / (variance + epsilon).sqrt();
    let normal = match scale {
        Some(scale) => normal * scale.unsqueeze(),
        None => normal,
    };
    match shift {
        Some(shift) => normal + shift.unsqueeze(),
        None => normal,
    }
}

/// Inputs: x, scale if any, shift if any.
#[derive(Debug)]
struct NormOperation {
    epsilon: f32,
    scale: bool,
    shift: bool,
}

impl Operation for NormOperation {
    fn forward(&self, runtime: Runtime, inputs: &[Array], _: bool) -> (Array, Vec<Array>) {
        let x = &inputs[0];
        let shift = self.shift.then(|| inputs[2].values());
        let affine = if self.scale { Affine::Shared { scale: inputs[1].values(), shift } } else { Affine::Identity };
        let (statistics, out) = Array::filled_with([x.rows(), 2], |statistics| {
            let (statistics, _) = statistics.as_chunks_mut::<2>();
            Array::filled(x.shape(), |out| {
                forward(runtime.level, x.values(), x.width(), self.epsilon, affine, statistics, out);
            })
        });
        (out, vec![statistics])
    }

    fn needs(&self, index: usize) -> bool {
        index == 0 || (index == 1 && self.scale)
    }

    fn backward(
        &self,
        runtime: Runtime,
        inputs: &[Option<Array>],
        kept: &[Array],
        gradient: Array,
        _: &[bool],
    ) -> Vec<Option<Array>> {
        let Some(x) = &inputs[0] else { unreachable!("it is needed") };
        let width = x.width();
        let scale = inputs.get(1).and_then(Option::as_ref).map(Array::values);
        let affine = scale.map_or(Affine::Identity, |scale| Affine::Shared { scale, shift: None });
        let (statistics, _) = kept[0].values().as_chunks::<2>();
        let (mut scale_gradient, mut shift_gradient) = (vec![0.0; width], vec![0.0; width]);
        let x_gradient = Array::filled(x.shape(), |out| {
            let out = Gradients {
                x: out,
                scale: self.scale.then_some(&mut *scale_gradient),
                shift: self.shift.then_some(&mut *shift_gradient),
                own: None,
                residual: None,
            };
            backward(runtime.level, x.values(), width, affine, statistics, gradient.values(), out);
        });
        let vector = |values: Vec<f32>| Some(Array::filled([width], |out| out.copy_from_slice(&values)));
        let mut gradients = vec![Some(x_gradient)];
        if self.scale {
            gradients.push(vector(scale_gradient));
        }
        if self.shift {
            gradients.push(vector(shift_gradient));
        }
        gradients
    }
}
