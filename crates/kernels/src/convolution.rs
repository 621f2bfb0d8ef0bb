//! Two-dimensional convolution.

use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

use crate::array::Array;
use crate::cpu::convolution::{Convolution, Gradients};
use crate::cpu::{Activation, Level, Precision};
use crate::linear::plain_activation;
use crate::operation::{Operation, apply, runs_on};
use crate::precision;

/// `activation(x * weight + bias)` with zeros around the images.
///
/// # Shapes
/// - x: `[batch, inputs, height, width]`
/// - weight: `[outputs, inputs, kernel height, kernel width]`
/// - bias: `[outputs]`
/// - output: `[batch, outputs, (height + 2 padding - kernel height) / stride + 1, ..]`
pub fn convolution(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: [usize; 2],
    padding: [usize; 2],
    activation: Activation,
) -> Tensor<4> {
    if !runs_on(&x) {
        return composed(x, weight, bias, stride, padding, activation);
    }
    let [_, inputs, height, width] = x.dims();
    let [outputs, depth, rows, columns] = weight.dims();
    assert_eq!(inputs, depth, "channels of the images and of the weights");
    let sizes =
        Convolution { inputs, outputs, size: [height, width], kernel: [rows, columns], stride, padding, activation };
    let operation = ConvolutionOperation { sizes, precision: precision::current(), bias: bias.is_some() };
    let mut tensors = vec![x.into_dispatch(), weight.into_dispatch()];
    tensors.extend(bias.map(Tensor::into_dispatch));
    apply(tensors, operation)
}

/// The same as operations of Burn.
pub(crate) fn composed(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: [usize; 2],
    padding: [usize; 2],
    activation: Activation,
) -> Tensor<4> {
    plain_activation(conv2d(x, weight, bias, ConvOptions::new(stride, padding, [1, 1], 1)), activation)
}

/// Inputs: x, weight, bias if any.
#[derive(Debug)]
struct ConvolutionOperation {
    sizes: Convolution,
    precision: Precision,
    bias: bool,
}

impl Operation for ConvolutionOperation {
    fn forward(&self, inputs: &[Array], training: bool) -> (Array, Vec<Array>) {
        let (x, weight) = (&inputs[0], &inputs[1]);
        let bias = self.bias.then(|| inputs[2].values());
        let [batch, ..] = x.shape().dims::<4>();
        let [rows, columns] = self.sizes.output_size();
        let shape = [batch, self.sizes.outputs, rows, columns];
        let forward = |inner: Option<&mut [f32]>| {
            Array::filled(shape, |out| {
                self.sizes.forward(Level::detect(), self.precision, x.values(), weight.values(), bias, inner, out);
            })
        };
        match self.sizes.activation {
            Activation::Relu if training => {
                let out = forward(None);
                (out.clone(), vec![out])
            }
            Activation::Identity | Activation::Relu => (forward(None), Vec::new()),
            _ if training => {
                let (inner, out) = Array::filled_with(shape, |inner| forward(Some(inner)));
                (out, vec![inner])
            }
            _ => (forward(None), Vec::new()),
        }
    }

    fn needs(&self, index: usize) -> bool {
        index < 2
    }

    fn backward(
        &self,
        inputs: &[Option<Array>],
        kept: &[Array],
        gradient: Array,
        wanted: &[bool],
    ) -> Vec<Option<Array>> {
        let (Some(x), Some(weight)) = (&inputs[0], &inputs[1]) else { unreachable!("both are needed") };
        let (of_weight, (of_bias, of_x)) = Array::filled_with(weight.shape(), |of_weight| {
            Array::filled_with([self.sizes.outputs], |of_bias| {
                let mut backward = |of_x: Option<&mut [f32]>| {
                    let kept = kept.first().map(Array::values);
                    let out = Gradients { x: of_x, weight: &mut *of_weight, bias: &mut *of_bias };
                    self.sizes.backward(
                        Level::detect(),
                        self.precision,
                        x.values(),
                        weight.values(),
                        kept,
                        gradient.values(),
                        out,
                    );
                };
                if wanted[0] {
                    Some(Array::filled(x.shape(), |of_x| backward(Some(of_x))))
                } else {
                    backward(None);
                    None
                }
            })
        });
        let mut gradients = vec![of_x, Some(of_weight)];
        if self.bias {
            gradients.push(Some(of_bias));
        }
        gradients
    }
}
