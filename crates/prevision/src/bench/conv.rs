//! A small convolutional network of the usual kind.

use burn::module::{Module, Param};
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};
use prevision_kernels::{Activation, ConvolutionLayer, convolutions};

use super::work::{Work, normal, product, training};

const FRAMES: [usize; 4] = [128, 3, 64, 64];
/// Channels in, channels out, stride of every layer.
const LAYERS: [[usize; 3]; 6] = [[3, 32, 2], [32, 32, 1], [32, 64, 2], [64, 64, 1], [64, 128, 2], [128, 128, 1]];

/// 3x3 convolutions, each with a rectifier.
#[derive(Module, Debug)]
struct Cnn {
    layers: Vec<Conv2d>,
}

impl Cnn {
    fn new(device: &Device) -> Self {
        let layer = |[from, to, stride]: [usize; 3]| {
            Conv2dConfig::new([from, to], [3, 3])
                .with_stride([stride, stride])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(device)
        };
        Self { layers: LAYERS.map(layer).into() }
    }

    /// # Shapes
    /// - frames: `[n, 3, h, w]`
    /// - output: `[n, 128, h / 8, w / 8]`
    fn forward(&self, frames: Tensor<4>) -> Tensor<4> {
        let layers = self.layers.iter().map(|layer| ConvolutionLayer {
            weight: layer.weight.val(),
            bias: layer.bias.as_ref().map(Param::val),
            stride: layer.stride,
            padding: [1, 1],
            activation: Activation::Relu,
        });
        convolutions(frames, &layers.collect::<Vec<_>>())
    }
}

/// Loss is the mean squared distance of the output to a fixed one.
pub(super) fn train(device: &Device) -> Work {
    let model = Cnn::new(&device.clone().autodiff());
    let frames = normal(FRAMES, device).autodiff();
    let target = normal([FRAMES[0], 128, 8, 8], device).autodiff();
    let run = training(model, move |model| (model.forward(frames.clone()) - target.clone()).square().mean());
    let [first, rest] = flops();
    // Gradients of weights and of inputs take a product each; there are none of the pixels.
    Work { run, flops: Some(2 * first + 3 * rest) }
}

pub(super) fn infer(device: &Device) -> Work {
    let model = Cnn::new(device);
    let frames = normal(FRAMES, device);
    let [first, rest] = flops();
    Work { run: Box::new(move || drop(model.forward(frames.clone()))), flops: Some(first + rest) }
}

/// Of the first layer and of the others, as products of patches and kernels.
fn flops() -> [u64; 2] {
    let mut side = FRAMES[2];
    let layers = LAYERS.map(|[from, to, stride]| {
        side /= stride;
        product(FRAMES[0] * side * side, from * 9, to)
    });
    [layers[0], layers[1..].iter().sum()]
}
