//! Two-dimensional convolutions.

use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

use crate::array::Array;
use crate::cpu::convolution::{Convolution, Gradients, Known, Layer, Results, backward, forward};
use crate::cpu::{Activation, Runtime};
use crate::linear::plain_activation;
use crate::operation::{Operation, apply, runs_on};
use crate::operations::count_products;

/// Layers in one kernel at most: more become several.
const MOST_LAYERS: usize = 8;

/// A convolution: `activation(x * weight + bias)` with zeros around the images.
///
/// Maps `[batch, inputs, height, width]` to `[batch, outputs, (height + 2 padding - kernel height) / stride + 1, ..]`.
#[derive(Clone, Debug)]
pub struct ConvolutionLayer {
    /// `[outputs, inputs, kernel height, kernel width]`
    pub weight: Tensor<4>,
    /// `[outputs]`
    pub bias: Option<Tensor<1>>,
    /// Distance between neighbouring places of the kernel, down and along.
    pub stride: [usize; 2],
    /// Zeros at every side, above and below, left and right.
    pub padding: [usize; 2],
    /// After the bias.
    pub activation: Activation,
}

/// Convolutions that follow each other, as one kernel on the CPU whose tasks take some images from the first layer to the last, and back:
/// what is between the layers stays in a core's cache.
///
/// # Shapes
/// - x: `[batch, inputs of the first layer, height, width]`
/// - output: `[batch, outputs of the last layer, its rows, its columns]`
///
/// # Panics
/// If the shapes do not fit.
pub fn convolutions(x: Tensor<4>, layers: &[ConvolutionLayer]) -> Tensor<4> {
    count(&x, layers);
    if !runs_on(&x) {
        return composed(x, layers);
    }
    layers.chunks(MOST_LAYERS).fold(x, one_kernel)
}

/// The same as operations of Burn.
pub(crate) fn composed(x: Tensor<4>, layers: &[ConvolutionLayer]) -> Tensor<4> {
    layers.iter().fold(x, |x, layer| {
        let options = ConvOptions::new(layer.stride, layer.padding, [1, 1], 1);
        plain_activation(conv2d(x, layer.weight.clone(), layer.bias.clone(), options), layer.activation)
    })
}

/// Counts the operations of all layers.
fn count(x: &Tensor<4>, layers: &[ConvolutionLayer]) {
    let [batch, _, height, width] = x.dims();
    let mut size = [height, width];
    for layer in layers {
        let [outputs, inputs, rows, columns] = layer.weight.dims();
        for (axis, kernel) in [rows, columns].into_iter().enumerate() {
            size[axis] = (size[axis] + 2 * layer.padding[axis]).saturating_sub(kernel) / layer.stride[axis] + 1;
        }
        count_products(batch, [size[0] * size[1], inputs * rows * columns, outputs]);
    }
}

fn one_kernel(x: Tensor<4>, layers: &[ConvolutionLayer]) -> Tensor<4> {
    let [_, mut inputs, height, width] = x.dims();
    let mut size = [height, width];
    let mut tensors = vec![x.into_dispatch()];
    let mut sizes = Vec::with_capacity(layers.len());
    for ConvolutionLayer { weight, bias, stride, padding, activation } in layers {
        let [outputs, depth, rows, columns] = weight.dims();
        assert_eq!(inputs, depth, "channels of the images and of the weights");
        let convolution = Convolution {
            inputs,
            outputs,
            size,
            kernel: [rows, columns],
            stride: *stride,
            padding: *padding,
            activation: *activation,
        };
        (inputs, size) = (outputs, convolution.output_size());
        tensors.push(weight.clone().into_dispatch());
        tensors.extend(bias.clone().map(Tensor::into_dispatch));
        sizes.push((convolution, bias.is_some()));
    }
    apply(tensors, Convolutions { layers: sizes })
}

/// Inputs: x, then of each layer the weight and the bias, if any.
#[derive(Debug)]
struct Convolutions {
    /// Sizes, and whether there is a bias.
    layers: Vec<(Convolution, bool)>,
}

/// What the backward pass needs of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Inner,
    Out,
}

impl Convolutions {
    /// The layers with the values of their parameters, which `parameters` gives in order.
    fn layers<'a>(&self, mut parameters: impl Iterator<Item = &'a [f32]>) -> Vec<Layer<'a>> {
        let mut next = || parameters.next().unwrap_or_default();
        let layer = |(sizes, bias): &(Convolution, bool)| {
            let weight = next();
            Layer { sizes: *sizes, weight, bias: bias.then(&mut next) }
        };
        self.layers.iter().map(layer).collect()
    }

    /// The numbers that are kept for the backward pass, in order: the number of the layer, and what of it.
    fn kept(&self) -> Vec<(usize, Kept)> {
        let mut kept = Vec::new();
        for (index, (sizes, _)) in self.layers.iter().enumerate() {
            let last = index + 1 == self.layers.len();
            match sizes.activation {
                Activation::Identity if last => {}
                Activation::Identity | Activation::Relu => kept.push((index, Kept::Out)),
                _ => {
                    kept.push((index, Kept::Inner));
                    if !last {
                        kept.push((index, Kept::Out));
                    }
                }
            }
        }
        kept
    }
}

impl Operation for Convolutions {
    fn forward(&self, runtime: Runtime, inputs: &[Array], training: bool) -> (Array, Vec<Array>) {
        let [x, parameters @ ..] = inputs else { unreachable!("images") };
        let layers = self.layers(parameters.iter().map(Array::values));
        let [batch, ..] = x.shape().dims::<4>();
        let last = layers.len() - 1;
        let mut places = if training { self.kept() } else { Vec::new() };
        if places.last() != Some(&(last, Kept::Out)) {
            places.push((last, Kept::Out));
        }
        let shape = |(index, _): &(usize, Kept)| {
            let sizes = self.layers[*index].0;
            let [rows, columns] = sizes.output_size();
            [batch, sizes.outputs, rows, columns]
        };
        let mut arrays = Array::all_filled(places.iter().map(shape), |rooms| {
            let mut results: Vec<Results<'_>> = layers.iter().map(|_| Results::default()).collect();
            for ((index, kept), room) in places.iter().zip(rooms) {
                match kept {
                    Kept::Inner => results[*index].inner = Some(room),
                    Kept::Out => results[*index].out = Some(room),
                }
            }
            forward(runtime.level, runtime.precision, &layers, x.values(), results);
        });
        let Some(out) = arrays.last().cloned() else { unreachable!("there is a result") };
        if !training {
            return (out, Vec::new());
        }
        arrays.truncate(self.kept().len());
        (out, arrays)
    }

    fn needs(&self, index: usize) -> bool {
        // All but the biases.
        let mut next = 1;
        let mut weights = self.layers.iter().map(|(_, bias)| {
            let weight = next;
            next += 1 + usize::from(*bias);
            weight
        });
        index == 0 || weights.any(|weight| weight == index)
    }

    fn backward(
        &self,
        runtime: Runtime,
        inputs: &[Option<Array>],
        kept: &[Array],
        gradient: Array,
        wanted: &[bool],
    ) -> Vec<Option<Array>> {
        let [Some(x), parameters @ ..] = inputs else { unreachable!("images") };
        let layers = self.layers(parameters.iter().map(|array| array.as_ref().map_or(&[][..], Array::values)));
        // A bias is not needed, only its place.
        let layers: Vec<Layer<'_>> = layers.into_iter().map(|layer| Layer { bias: None, ..layer }).collect();
        let mut known: Vec<Known<'_>> = layers.iter().map(|_| Known { x: x.values(), kept: None }).collect();
        for ((index, place), array) in self.kept().into_iter().zip(kept) {
            let relu = self.layers[index].0.activation == Activation::Relu;
            if place == Kept::Inner || relu {
                known[index].kept = Some(array.values());
            }
            if let (Kept::Out, Some(next)) = (place, known.get_mut(index + 1)) {
                next.x = array.values();
            }
        }
        let shapes = layers.iter().flat_map(|Layer { sizes, .. }| {
            let [rows, columns] = sizes.kernel;
            [vec![sizes.outputs, sizes.inputs, rows, columns], vec![sizes.outputs]]
        });
        let shapes = shapes.chain(wanted[0].then(|| x.shape().to_vec()));
        let arrays = Array::all_filled(shapes, |rooms| {
            let mut rooms = rooms.into_iter();
            let (mut weights, mut biases) = (Vec::new(), Vec::new());
            for _ in &layers {
                weights.extend(rooms.next());
                biases.extend(rooms.next());
            }
            let out = Gradients { x: rooms.next(), weights, biases };
            backward(runtime.level, runtime.precision, &layers, &known, gradient.values(), out);
        });
        let mut arrays = arrays.into_iter();
        let mut gradients = vec![None];
        for (_, bias) in &self.layers {
            gradients.push(arrays.next());
            gradients.extend(arrays.next().filter(|_| *bias).map(Some));
        }
        gradients[0] = arrays.next();
        gradients
    }
}
