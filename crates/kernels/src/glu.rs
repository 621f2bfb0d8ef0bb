//! Gated linear units.

use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;

use crate::array::Array;
use crate::cpu::{Runtime, glu};
use crate::operation::{Operation, apply, runs_on};

/// `residual + x * sigmoid(gate)`: a gated linear unit (Dauphin et al. 2017, <https://arxiv.org/abs/1612.08083>, section 3) on a residual
/// path.
///
/// # Shapes
/// - packed: `[.., 2 width]`, x and then its gate
/// - residual: `[.., width]`
/// - output: `[.., width]`
///
/// # Panics
/// If the shapes do not fit.
pub fn glu_residual<const D: usize>(packed: Tensor<D>, residual: Tensor<D>) -> Tensor<D> {
    let mut expected = residual.dims();
    expected[D - 1] *= 2;
    assert_eq!(packed.dims(), expected, "x and gates for a residual {:?}", residual.dims());
    if !runs_on(&packed) {
        return composed(packed, residual);
    }
    apply(vec![packed.into_dispatch(), residual.into_dispatch()], GluResidual)
}

/// The same as operations of Burn.
pub(crate) fn composed<const D: usize>(packed: Tensor<D>, residual: Tensor<D>) -> Tensor<D> {
    let width = residual.dims()[D - 1];
    let gate = sigmoid(packed.clone().narrow(D - 1, width, width));
    residual + packed.narrow(D - 1, 0, width) * gate
}

/// Inputs: packed, residual.
#[derive(Debug)]
struct GluResidual;

impl Operation for GluResidual {
    fn forward(&self, runtime: Runtime, inputs: &[Array], _: bool) -> (Array, Vec<Array>) {
        let (packed, residual) = (&inputs[0], &inputs[1]);
        let out = Array::filled(residual.shape(), |out| {
            glu::forward(runtime.level, packed.values(), residual.values(), residual.width(), out);
        });
        (out, Vec::new())
    }

    fn needs(&self, index: usize) -> bool {
        index == 0
    }

    fn backward(
        &self,
        runtime: Runtime,
        inputs: &[Option<Array>],
        _: &[Array],
        gradient: Array,
        wanted: &[bool],
    ) -> Vec<Option<Array>> {
        let Some(packed) = &inputs[0] else { unreachable!("it is needed") };
        let of_packed = wanted[0].then(|| {
            Array::filled(packed.shape(), |out| {
                glu::backward(runtime.level, packed.values(), gradient.values(), gradient.width(), out);
            })
        });
        vec![of_packed, Some(gradient)]
    }
}
