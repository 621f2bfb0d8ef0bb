//! The gradients of layers of convolutions, a few images on one thread from the last layer to the first.

use std::ops::Range;

use super::super::parallel::{collect, each};

use super::super::level::{Vectorised, at};
use super::super::linear::sum_rows;
use super::super::scratch::with_scratch;
use super::super::sums::sum_of_many;
use super::super::vectors::{Vectors, WithVectors, with_vectors};
use super::super::{Activation, Level, Precision};
use super::forward::parts;
use super::{Backward, IMAGES_PER_PART, Layer, together, vectors_of};

/// What the forward pass of a layer leaves for its gradients.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// `[batch, inputs, height, width]`
    pub x: &'a [f32],
    /// The values before the activation, or after it for `ReLU`; nothing for the identity.
    pub kept: Option<&'a [f32]>,
}

/// Where the gradients of layers go.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// Of the first layer's images, if it is wanted.
    pub x: Option<&'a mut [f32]>,
    /// Of each layer's weight.
    pub weights: Vec<&'a mut [f32]>,
    /// Of each layer's bias, whether it has one or not.
    pub biases: Vec<&'a mut [f32]>,
}

/// The gradients of layers that follow each other, from that of the last one's result.
///
/// # Panics
/// If the shapes do not fit.
pub fn backward(
    level: Level,
    precision: Precision,
    layers: &[Layer<'_>],
    known: &[Known<'_>],
    gradient: &[f32],
    out: Gradients<'_>,
) {
    assert!([known.len(), out.weights.len(), out.biases.len()] == [layers.len(); 3], "numbers for each layer");
    let Some(Layer { sizes: last, .. }) = layers.last() else { return };
    if gradient.is_empty() {
        out.weights.into_iter().chain(out.biases).chain(out.x).for_each(|numbers| numbers.fill(0.0));
        return;
    }
    layers.iter().for_each(Layer::check);
    let batch = gradient.len() / last.result();
    for (Layer { sizes, .. }, Known { x, kept }) in layers.iter().zip(known) {
        assert_eq!(x.len(), batch * sizes.image(), "as many images as results");
        assert!(kept.is_none_or(|kept| kept.len() == batch * sizes.result()), "kept values");
    }
    with_vectors(vectors_of(level), precision, BackwardAll { level, precision, layers, batch, known, gradient, out });
}

/// [`backward`] on vectors.
struct BackwardAll<'a> {
    level: Level,
    precision: Precision,
    layers: &'a [Layer<'a>],
    batch: usize,
    known: &'a [Known<'a>],
    gradient: &'a [f32],
    out: Gradients<'a>,
}

impl WithVectors for BackwardAll<'_> {
    type Output = ();

    fn run<V: Vectors, const ROWS: usize, const COLUMNS: usize>(self) {
        let Self { level, precision, layers, batch, known, gradient, out } = self;
        let together = together(batch);
        let methods: Vec<Box<dyn Backward>> =
            collect(layers, |layer| layer.backward::<V, ROWS, COLUMNS>(level, precision, [together, batch]));
        let known = layers.iter().zip(methods).zip(known);
        let layers: Vec<OneLayer<'_>> =
            known.map(|((layer, method), known)| OneLayer { layer, method, known: *known }).collect();
        // Of every part of the batch: for each layer the sums for the gradient of the weight, then of the bias.
        let total = layers.iter().map(OneLayer::sums).sum();
        let count = batch.div_ceil(IMAGES_PER_PART);
        let x_gradients = parts(out.x, IMAGES_PER_PART * layers[0].layer.sizes.image(), count);
        let all = All { level, layers, gradient };
        let mut total = vec![0.0; total];
        with_scratch(|scratch| {
            let sums = scratch.get::<f32>(count * total.len());
            each(sums.chunks_mut(total.len()).zip(x_gradients).enumerate(), |(part, (sums, x_gradient))| {
                let first = part * IMAGES_PER_PART;
                sums.fill(0.0);
                all.part(first..batch.min(first + IMAGES_PER_PART), sums, x_gradient);
            });
            sum_rows(level, sums, &mut total);
        });
        let mut rest = total.as_slice();
        let tasks = all.layers.iter().zip(out.weights).zip(out.biases).map(|((layer, weight), bias)| {
            let sums;
            (sums, rest) = rest.split_at(layer.sums());
            (layer, sums, weight, bias)
        });
        each(tasks, |(layer, sums, weight, bias)| {
            let (weight_sums, bias_sums) = sums.split_at(layer.method.sums());
            layer.method.write_weight_gradient(weight_sums, weight);
            bias.copy_from_slice(bias_sums);
        });
    }
}

/// A layer, how its gradients are computed, and what is known of it.
struct OneLayer<'a> {
    layer: &'a Layer<'a>,
    method: Box<dyn Backward + 'a>,
    known: Known<'a>,
}

impl OneLayer<'_> {
    /// Numbers of the sums for the gradients of weight and bias.
    fn sums(&self) -> usize {
        self.method.sums() + self.layer.sizes.outputs
    }

    /// Adds the gradients of the parameters from some images to `sums`, and writes those of the images if they are wanted. `gradient` is
    /// that of their results, or what it is before the activation afterwards; `ahead` is needed next.
    fn add(
        &self,
        level: Level,
        images: Range<usize>,
        gradient: &mut [f32],
        ahead: [&[f32]; 2],
        sums: &mut [f32],
        x_gradient: Option<&mut [f32]>,
    ) {
        let Self { layer: Layer { sizes, .. }, method, known: Known { x, kept } } = self;
        let (image, result) = (sizes.image(), sizes.result());
        let (weight_sums, bias_sums) = sums.split_at_mut(method.sums());
        let together = method.together();
        let steps = images.len().div_ceil(together);
        let mut ahead = ahead.map(|ahead| ahead.chunks(ahead.len().div_ceil(steps).max(1)));
        let x_gradients = parts(x_gradient, together * image, steps);
        for ((step, before), x_gradient) in gradient.chunks_mut(together * result).enumerate().zip(x_gradients) {
            let first = images.start + step * together;
            let last = (first + together).min(images.end);
            let ahead = ahead.each_mut().map(|ahead| ahead.next().unwrap_or_default());
            let (activation, pixels) = (sizes.activation, sizes.pixels());
            let kept = kept.map(|kept| &kept[first * result..last * result]);
            at(level, Before { activation, kept, pixels, gradient: &mut *before, bias_sums });
            method.add_weight_gradient(&x[first * image..last * image], before, ahead, weight_sums);
            if let Some(x_gradient) = x_gradient {
                method.x_gradient(before, x_gradient);
            }
        }
    }

    /// What is known of some images.
    fn known_of(&self, images: &Range<usize>) -> &[f32] {
        let image = self.layer.sizes.image();
        &self.known.x[images.start * image..images.end * image]
    }
}

/// All layers, and the gradient of the last one's result.
struct All<'a> {
    level: Level,
    layers: Vec<OneLayer<'a>>,
    gradient: &'a [f32],
}

impl All<'_> {
    /// Takes a part of the batch from the last layer to the first.
    fn part(&self, images: Range<usize>, sums: &mut [f32], x_gradient: Option<&mut [f32]>) {
        let Self { level, layers, gradient } = self;
        let together = layers.iter().map(|layer| layer.method.together()).max().unwrap_or(1);
        let results = layers.iter().map(|layer| together * layer.layer.sizes.result());
        let buffer = results.max().unwrap_or(0);
        let (first, last) = (layers[0].layer.sizes, layers[layers.len() - 1].layer.sizes);
        let mut x_gradients = parts(x_gradient, together * first.image(), images.len().div_ceil(together)).into_iter();
        with_scratch(|scratch| {
            let (mut source, mut target) = scratch.get::<f32>(2 * buffer).split_at_mut(buffer);
            for start in images.clone().step_by(together) {
                let end = images.end;
                let images = start..(start + together).min(end);
                let next = images.end..(images.end + together).min(end);
                let given_of =
                    |images: &Range<usize>| &gradient[images.start * last.result()..images.end * last.result()];
                source[..images.len() * last.result()].copy_from_slice(given_of(&images));
                let mut rest = &mut *sums;
                for (index, layer) in layers.iter().enumerate().rev() {
                    let sums;
                    (rest, sums) = rest.split_at_mut(rest.len() - layer.sums());
                    let sizes = layer.layer.sizes;
                    let gradient = &mut source[..images.len() * sizes.result()];
                    let x_gradient = match index {
                        0 => x_gradients.next().flatten(),
                        _ => Some(&mut target[..images.len() * sizes.image()]),
                    };
                    let ahead = match index {
                        0 => [given_of(&next), layers[layers.len() - 1].known_of(&next)],
                        _ => [&[][..], layers[index - 1].known_of(&images)],
                    };
                    layer.add(*level, images.clone(), gradient, ahead, sums, x_gradient);
                    std::mem::swap(&mut source, &mut target);
                }
            }
        });
    }
}

/// Makes gradients those before the activation, and adds them up.
struct Before<'a> {
    activation: Activation,
    kept: Option<&'a [f32]>,
    pixels: usize,
    gradient: &'a mut [f32],
    /// Of each channel.
    bias_sums: &'a mut [f32],
}

impl Vectorised for Before<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { activation, kept, pixels, gradient, bias_sums } = self;
        let channels = bias_sums.len();
        for (row, gradient) in gradient.chunks_exact_mut(pixels).enumerate() {
            if let Some(kept) = kept {
                activation.times_derivative::<FUSED>(&kept[row * pixels..][..pixels], gradient);
            }
            bias_sums[row % channels] += sum_of_many(gradient);
        }
    }
}
