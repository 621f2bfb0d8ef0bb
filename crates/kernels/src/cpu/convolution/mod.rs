//! Two-dimensional convolution with bias and activation, and its gradients, a few images on one thread each: by transformed tiles where
//! they save multiplications, otherwise directly, or as products of patches where the rows of an image do not fill the processor's
//! vectors.

mod correlation;
mod direct;
mod padded;
mod patches;
mod weight_sums;
mod winograd;

use rayon::prelude::*;

use super::level::{Work, at};
use super::linear::sum_rows;
use super::scratch::with_scratch;
use super::sums::sum_of;
use super::vectors::{OnVectors, Vectors, on_vectors};
use super::{Activation, Level, Precision};
use direct::{DirectBackward, DirectForward};
use patches::Patches;
use winograd::{WinogradBackward, WinogradForward};

/// Images whose weight gradients are added up before those of others are.
const IMAGES_PER_PART: usize = 16;

/// Sizes of a convolution of square images or not, kernels not dilated, one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Channels of an image.
    pub inputs: usize,
    /// Channels of the result.
    pub outputs: usize,
    /// Height and width of an image.
    pub size: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Distance between neighbouring patches.
    pub stride: [usize; 2],
    /// Zeros around the image.
    pub padding: [usize; 2],
    /// After the bias.
    pub activation: Activation,
}

impl Convolution {
    /// Height and width of the result.
    pub fn output_size(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let length = self.size[axis] + 2 * self.padding[axis];
            if length < self.kernel[axis] { 0 } else { (length - self.kernel[axis]) / self.stride[axis] + 1 }
        })
    }

    /// Numbers in a patch.
    fn depth(&self) -> usize {
        self.inputs * self.kernel[0] * self.kernel[1]
    }

    fn pixels(&self) -> usize {
        self.output_size().iter().product()
    }

    fn image(&self) -> usize {
        self.inputs * self.size[0] * self.size[1]
    }

    /// Writes the result, `[batch, outputs, height, width]`, to `out`, and the values before the activation to `inner`.
    ///
    /// - `x`: `[batch, inputs, height, width]`
    /// - `weight`: `[outputs, inputs, kernel height, kernel width]`
    /// - `bias`: `[outputs]`
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn forward(
        &self,
        level: Level,
        precision: Precision,
        x: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
        inner: Option<&mut [f32]>,
        out: &mut [f32],
    ) {
        if out.is_empty() {
            return;
        }
        assert!(self.image() > 0, "images without pixels");
        assert_eq!(weight.len(), self.outputs * self.depth(), "weights");
        assert!(bias.is_none_or(|bias| bias.len() == self.outputs), "a bias of {} numbers", self.outputs);
        assert_eq!(out.len() * self.image(), x.len() * self.outputs * self.pixels(), "as many results as images");
        assert!(inner.as_ref().is_none_or(|inner| inner.len() == out.len()), "inner values");
        on_vectors(level, precision, ForwardAll { convolution: self, level, precision, x, weight, bias, inner, out });
    }

    /// The gradients of weight, bias and, if wanted, input, from that of the result.
    ///
    /// `kept` is the values before the activation, or after it for `ReLU`; nothing for the identity.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn backward(
        &self,
        level: Level,
        precision: Precision,
        x: &[f32],
        weight: &[f32],
        kept: Option<&[f32]>,
        gradient: &[f32],
        out: Gradients<'_>,
    ) {
        out.weight.fill(0.0);
        out.bias.fill(0.0);
        if gradient.is_empty() {
            if let Some(x) = out.x {
                x.fill(0.0);
            }
            return;
        }
        assert!(self.image() > 0, "images without pixels");
        assert_eq!(x.len() * self.outputs * self.pixels(), gradient.len() * self.image(), "as many results as images");
        assert!(kept.is_none_or(|kept| kept.len() == gradient.len()), "kept values");
        on_vectors(
            level,
            precision,
            BackwardAll { convolution: self, level, precision, x, weight, kept, gradient, out },
        );
    }
}

/// Images of so many that one task may take at a time: each core gets some. No result depends on it.
fn together(batch: usize) -> usize {
    (batch / (2 * rayon::current_num_threads())).clamp(1, IMAGES_PER_PART)
}

/// A convolution of a few images.
trait Forward: Sync {
    /// Images that it takes at a time, at most.
    fn together(&self) -> usize {
        1
    }

    /// Writes the result, and the values before the activation. `ahead` is the images that are needed next.
    fn forward(&self, images: &[f32], ahead: &[f32], finish: Finish<'_>);
}

/// The gradients of a convolution of a few images.
trait Backward: Sync {
    /// Images that it takes at a time, at most.
    fn together(&self) -> usize {
        1
    }

    /// Numbers of the sums of [`Self::add_weight_gradient`].
    fn sums(&self) -> usize;

    /// Adds the gradient of the weight to `sums`. Gradients are `[images, outputs, height, width]`; `ahead` is needed next.
    fn add_weight_gradient(&self, images: &[f32], gradients: &[f32], ahead: [&[f32]; 2], sums: &mut [f32]);

    /// The sums of [`Self::add_weight_gradient`] as `[outputs, depth]`.
    fn put_in_order(&self, sums: &[f32], out: &mut [f32]);

    /// The gradients of the images from those of the result.
    fn x_gradient(&self, gradients: &[f32], out: &mut [f32]);
}

/// [`Convolution::forward`] on vectors.
struct ForwardAll<'a> {
    convolution: &'a Convolution,
    level: Level,
    precision: Precision,
    x: &'a [f32],
    weight: &'a [f32],
    bias: Option<&'a [f32]>,
    inner: Option<&'a mut [f32]>,
    out: &'a mut [f32],
}

impl OnVectors for ForwardAll<'_> {
    type Output = ();

    fn run<V: Vectors, const ROWS: usize, const COLUMNS: usize>(self) {
        let Self { convolution, level, precision, x, weight, .. } = self;
        if winograd::suits::<V>(convolution, precision) {
            let together = together(x.len() / convolution.image());
            self.with(&WinogradForward::<V, ROWS, COLUMNS>::new(convolution, together, weight));
        } else if direct::suits::<V>(convolution) {
            self.with(&DirectForward::<V, ROWS, COLUMNS>::new(convolution, precision, weight));
        } else {
            self.with(&Patches { convolution, level, precision, weight });
        }
    }
}

impl ForwardAll<'_> {
    fn with(self, forward: &impl Forward) {
        let Self { convolution, x, bias, inner, out, .. } = self;
        let (pixels, activation) = (convolution.pixels(), convolution.activation);
        let one = convolution.outputs * pixels;
        let together = forward.together();
        let size = together * convolution.image();
        let image = |index: usize, inner: Option<&mut [f32]>, out: &mut [f32]| {
            let (images, ahead) = x[index * size..].split_at(size.min(x.len() - index * size));
            let finish = Finish { bias, activation, pixels, inner, out };
            forward.forward(images, &ahead[..size.min(ahead.len())], finish);
        };
        let outs = out.par_chunks_mut(together * one).enumerate();
        match inner {
            Some(inner) => outs
                .zip(inner.par_chunks_mut(together * one))
                .for_each(|((index, out), inner)| image(index, Some(inner), out)),
            None => outs.for_each(|(index, out)| image(index, None, out)),
        }
    }
}

/// [`Convolution::backward`] on vectors.
struct BackwardAll<'a> {
    convolution: &'a Convolution,
    level: Level,
    precision: Precision,
    x: &'a [f32],
    weight: &'a [f32],
    kept: Option<&'a [f32]>,
    gradient: &'a [f32],
    out: Gradients<'a>,
}

impl OnVectors for BackwardAll<'_> {
    type Output = ();

    fn run<V: Vectors, const ROWS: usize, const COLUMNS: usize>(self) {
        let Self { convolution, level, precision, x, weight, .. } = self;
        if winograd::suits::<V>(convolution, precision) {
            let together = together(x.len() / convolution.image());
            self.with(&WinogradBackward::<V, ROWS, COLUMNS>::new(convolution, together, weight));
        } else if direct::suits::<V>(convolution) {
            self.with(&DirectBackward::<V, ROWS, COLUMNS>::new(convolution, precision, weight));
        } else {
            self.with(&Patches { convolution, level, precision, weight });
        }
    }
}

impl BackwardAll<'_> {
    fn with(self, backward: &impl Backward) {
        let Self { convolution, level, x, kept, gradient, out, .. } = self;
        let Convolution { outputs, activation, .. } = *convolution;
        let (pixels, image) = (convolution.pixels(), convolution.image());
        let one = outputs * pixels;
        let batch = gradient.len() / one;
        // Of every part of the batch: sums for the gradient of the weight, then of the bias.
        let (parts, total) = (batch.div_ceil(IMAGES_PER_PART), backward.sums() + outputs);
        let mut sums = vec![0.0; parts * total];
        let x_gradients: Vec<Option<&mut [f32]>> = match out.x {
            Some(x) => x.chunks_mut(IMAGES_PER_PART * image).map(Some).collect(),
            None => (0..parts).map(|_| None).collect(),
        };
        sums.par_chunks_mut(total).zip(x_gradients).enumerate().for_each(|(part, (sums, mut x_gradient))| {
            let (weight_sums, bias_sums) = sums.split_at_mut(backward.sums());
            let last = batch.min((part + 1) * IMAGES_PER_PART);
            for first in (part * IMAGES_PER_PART..last).step_by(backward.together()) {
                let count = backward.together().min(last - first);
                let range = first * one..(first + count) * one;
                let next = range.end..(range.end + range.len()).min(last * one);
                let ahead = [&gradient[next.clone()], kept.map_or(&[], |kept| &kept[next])];
                with_scratch(|scratch| {
                    let before = scratch.get::<f32>(count * one);
                    let (kept, gradient) = (kept.map(|kept| &kept[range.clone()]), &gradient[range]);
                    at(level, Before { activation, kept, gradient, pixels, before: &mut *before, bias_sums });
                    let images = &x[first * image..(first + count) * image];
                    backward.add_weight_gradient(images, before, ahead, weight_sums);
                    if let Some(x_gradient) = &mut x_gradient {
                        let place = first - part * IMAGES_PER_PART;
                        backward.x_gradient(before, &mut x_gradient[place * image..(place + count) * image]);
                    }
                });
            }
        });
        let mut all = vec![0.0; total];
        sum_rows(level, &sums, &mut all);
        backward.put_in_order(&all[..backward.sums()], out.weight);
        out.bias.copy_from_slice(&all[backward.sums()..]);
    }
}

/// Where the gradients of a convolution go.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// Of the images' shape.
    pub x: Option<&'a mut [f32]>,
    /// Of the weights' shape.
    pub weight: &'a mut [f32],
    /// `[outputs]`
    pub bias: &'a mut [f32],
}

/// What follows the sums of one image, and where it goes.
struct Finish<'a> {
    bias: Option<&'a [f32]>,
    activation: Activation,
    pixels: usize,
    inner: Option<&'a mut [f32]>,
    out: &'a mut [f32],
}

/// Turns sums of a channel of the result into what follows.
#[inline(always)]
fn finish_channel<const FUSED: bool>(
    bias: Option<f32>,
    activation: Activation,
    inner: Option<&mut [f32]>,
    sums: &mut [f32],
) {
    if let Some(bias) = bias {
        for sum in sums.iter_mut() {
            *sum += bias;
        }
    }
    if let Some(inner) = inner {
        inner.copy_from_slice(sums);
    }
    activation.apply::<FUSED>(sums);
}

/// The gradients before the activation, and their sums.
struct Before<'a> {
    activation: Activation,
    kept: Option<&'a [f32]>,
    gradient: &'a [f32],
    pixels: usize,
    before: &'a mut [f32],
    /// Of each channel.
    bias_sums: &'a mut [f32],
}

impl Work for Before<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        match self.kept {
            Some(kept) => self.activation.derivative::<FUSED>(self.gradient, kept, self.before),
            None => self.before.copy_from_slice(self.gradient),
        }
        for image in self.before.chunks_exact(self.pixels * self.bias_sums.len()) {
            for (bias, row) in self.bias_sums.iter_mut().zip(image.chunks_exact(self.pixels)) {
                *bias += sum_of(row, |value| value);
            }
        }
    }
}

#[cfg(test)]
mod tests;
