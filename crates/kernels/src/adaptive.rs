//! Adaptive layer norm: a norm, and a gate, that every row is told from outside (Peebles and Xie 2023, "Scalable Diffusion Models with
//! Transformers", figure 3).
//!
//! What a row is told is packed, as a linear layer gives it: `[.., parts * width]`, parts of the norm's width one after the other.

use burn::tensor::Tensor;

use crate::array::Array;
use crate::cpu::norm::{Affine, Gradients, Modulation, backward, forward};
use crate::cpu::{Runtime, gate};
use crate::norm::composed as composed_norm;
use crate::operation::{Operation, apply, runs_on};

/// Layer norm with `scale` and `shift`, then with those of every row: `norm(x) * (1 + row's scale) + row's shift`.
///
/// # Shapes
/// - x: `[.., width]`
/// - scale, shift: `[width]`
/// - packed: `[.., parts * width]`; the row's scale is part `parts[0]`, its shift is part `parts[1]`
/// - output: `[.., width]`
///
/// # Panics
/// If `packed` does not have these two parts, or they are one.
pub fn adaptive_layer_norm<const D: usize>(
    x: Tensor<D>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    packed: Tensor<D>,
    parts: [usize; 2],
    epsilon: f64,
) -> Tensor<D> {
    let count = parts_of(&packed, &x);
    assert!(parts[0] != parts[1] && parts[0].max(parts[1]) < count, "parts {parts:?} of {count}");
    if !runs_on(&x) {
        return composed_adaptive(x, scale, shift, packed, parts, epsilon);
    }
    let operation = AdaptiveOperation { epsilon: epsilon as f32, parts };
    apply(vec![x.into_dispatch(), scale.into_dispatch(), shift.into_dispatch(), packed.into_dispatch()], operation)
}

/// `residual + gate * x`.
///
/// # Shapes
/// - x, residual: `[.., width]`
/// - packed: `[.., parts * width]`; the gate is part `part`
/// - output: `[.., width]`
///
/// # Panics
/// If `packed` does not have this part.
pub fn gated_residual<const D: usize>(x: Tensor<D>, residual: Tensor<D>, packed: Tensor<D>, part: usize) -> Tensor<D> {
    let count = parts_of(&packed, &x);
    assert!(part < count, "part {part} of {count}");
    if !runs_on(&x) {
        return composed_gate(x, residual, packed, part);
    }
    apply(vec![x.into_dispatch(), residual.into_dispatch(), packed.into_dispatch()], GateOperation { part })
}

/// Parts of the width of `x` in a row of `packed`.
fn parts_of<const D: usize>(packed: &Tensor<D>, x: &Tensor<D>) -> usize {
    let (packed, x) = (packed.dims(), x.dims());
    let fits = packed[..D - 1] == x[..D - 1] && packed[D - 1].is_multiple_of(x[D - 1].max(1));
    assert!(fits, "rows {packed:?} for rows {x:?}");
    packed[D - 1] / x[D - 1].max(1)
}

/// A part of every row.
fn part<const D: usize>(packed: &Tensor<D>, width: usize, part: usize) -> Tensor<D> {
    packed.clone().narrow(D - 1, part * width, width)
}

/// The same as operations of Burn.
pub(crate) fn composed_adaptive<const D: usize>(
    x: Tensor<D>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    packed: Tensor<D>,
    parts: [usize; 2],
    epsilon: f64,
) -> Tensor<D> {
    let width = x.dims()[D - 1];
    let [own_scale, own_shift] = parts.map(|index| part(&packed, width, index));
    composed_norm(x, Some(scale), Some(shift), epsilon) * (own_scale + 1.0) + own_shift
}

/// The same as operations of Burn.
pub(crate) fn composed_gate<const D: usize>(
    x: Tensor<D>,
    residual: Tensor<D>,
    packed: Tensor<D>,
    index: usize,
) -> Tensor<D> {
    let width = x.dims()[D - 1];
    residual + part(&packed, width, index) * x
}

/// Inputs: x, scale, shift, packed.
#[derive(Debug)]
struct AdaptiveOperation {
    epsilon: f32,
    parts: [usize; 2],
}

impl AdaptiveOperation {
    fn affine<'a>(&self, width: usize, [scale, shift, packed]: [&'a Array; 3]) -> Affine<'a> {
        let own = Modulation {
            values: packed.values(),
            parts: packed.width() / width.max(1),
            scale: self.parts[0],
            shift: self.parts[1],
        };
        Affine::Adaptive { scale: scale.values(), shift: shift.values(), own }
    }
}

impl Operation for AdaptiveOperation {
    fn forward(&self, runtime: Runtime, inputs: &[Array], _: bool) -> (Array, Vec<Array>) {
        let x = &inputs[0];
        let affine = self.affine(x.width(), [&inputs[1], &inputs[2], &inputs[3]]);
        let (statistics, out) = Array::filled_with([x.rows(), 2], |statistics| {
            let (statistics, _) = statistics.as_chunks_mut::<2>();
            Array::filled(x.shape(), |out| {
                forward(runtime.level, x.values(), x.width(), self.epsilon, affine, statistics, out);
            })
        });
        (out, vec![statistics])
    }

    fn needs(&self, _: usize) -> bool {
        true
    }

    fn backward(
        &self,
        runtime: Runtime,
        inputs: &[Option<Array>],
        kept: &[Array],
        gradient: Array,
        _: &[bool],
    ) -> Vec<Option<Array>> {
        let [Some(x), Some(scale), Some(shift), Some(packed)] = inputs else { unreachable!("all are needed") };
        let (statistics, _) = kept[0].values().as_chunks::<2>();
        let affine = self.affine(x.width(), [scale, shift, packed]);
        let (of_scale, (of_shift, (of_packed, of_x))) = Array::filled_with(scale.shape(), |of_scale| {
            Array::filled_with(shift.shape(), |of_shift| {
                Array::filled_with(packed.shape(), |of_packed| {
                    Array::filled(x.shape(), |of_x| {
                        let out = Gradients {
                            x: of_x,
                            residual: None,
                            scale: Some(of_scale),
                            shift: Some(of_shift),
                            own: Some(of_packed),
                        };
                        backward(runtime.level, x.values(), x.width(), affine, statistics, gradient.values(), out);
                    })
                })
            })
        });
        [of_x, of_scale, of_shift, of_packed].map(Some).into()
    }
}

/// Inputs: x, residual, packed.
#[derive(Debug)]
struct GateOperation {
    part: usize,
}

impl Operation for GateOperation {
    fn forward(&self, runtime: Runtime, inputs: &[Array], _: bool) -> (Array, Vec<Array>) {
        let (x, residual, packed) = (&inputs[0], &inputs[1], &inputs[2]);
        let gates = gate::Gates { values: packed.values(), width: x.width(), stride: packed.width(), part: self.part };
        let out = Array::filled(x.shape(), |out| {
            gate::forward(runtime.level, x.values(), residual.values(), gates, out);
        });
        (out, Vec::new())
    }

    fn needs(&self, index: usize) -> bool {
        index != 1
    }

    fn backward(
        &self,
        runtime: Runtime,
        inputs: &[Option<Array>],
        _: &[Array],
        gradient: Array,
        _: &[bool],
    ) -> Vec<Option<Array>> {
        let [Some(x), _, Some(packed)] = inputs else { unreachable!("both are needed") };
        let gates = gate::Gates { values: packed.values(), width: x.width(), stride: packed.width(), part: self.part };
        let (of_packed, of_x) = Array::filled_with(packed.shape(), |of_packed| {
            Array::filled(x.shape(), |of_x| {
                gate::backward(runtime.level, x.values(), gates, gradient.values(), of_x, of_packed);
            })
        });
        vec![Some(of_x), Some(gradient), Some(of_packed)]
    }
}
