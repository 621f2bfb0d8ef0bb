//! Two-dimensional convolution with bias and activation, and its gradients, image by image on one thread each: directly, or as products
//! of patches where the rows of an image do not fill the processor's vectors.

mod correlation;
mod direct;
mod padded;
mod patches;

use rayon::prelude::*;

use super::level::{Work, at};
use super::linear::sum_rows;
use super::scratch::with_scratch;
use super::sums::sum;
use super::vectors::{OnVectors, Vectors, on_vectors};
use super::{Activation, Level, Precision};
use direct::{DirectBackward, DirectForward};
use patches::Patches;

/// Images whose weight gradients are added up before those of others are.
const IMAGES_PER_PART: usize = 8;

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
        assert_eq!(x.len() * self.outputs * self.pixels(), gradient.len() * self.image(), "as many results as images");
        assert!(kept.is_none_or(|kept| kept.len() == gradient.len()), "kept values");
        on_vectors(
            level,
            precision,
            BackwardAll { convolution: self, level, precision, x, weight, kept, gradient, out },
        );
    }
}

/// A convolution of single images, without bias and activation.
trait Forward: Sync {
    /// `out`: `[outputs, height, width]`
    fn forward(&self, image: &[f32], out: &mut [f32]);
}

/// The gradients of a convolution of single images.
trait Backward: Sync {
    /// Images whose weight gradients are added up in one go, at most.
    const TOGETHER: usize;

    /// Numbers of the sums of [`Self::add_weight_gradient`].
    fn sums(&self) -> usize;

    /// Adds the gradient of the weight to `sums`. Gradients are `[outputs, height, width]`.
    fn add_weight_gradient(&self, images: &[&[f32]], gradients: &[&[f32]], sums: &mut [f32]);

    /// The sums of [`Self::add_weight_gradient`] as `[outputs, depth]`.
    fn put_in_order(&self, sums: &[f32], out: &mut [f32]);

    /// The gradient of the image from that of the result.
    fn x_gradient(&self, gradient: &[f32], out: &mut [f32]);
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
        let Self { convolution, level, precision, weight, .. } = self;
        if direct::suits::<V>(convolution) {
            self.with(&DirectForward::<V, ROWS, COLUMNS>::new(convolution, precision, weight));
        } else {
            self.with(&Patches { convolution, level, precision, weight });
        }
    }
}

impl ForwardAll<'_> {
    fn with(self, forward: &impl Forward) {
        let Self { convolution, level, x, bias, inner, out, .. } = self;
        let (pixels, activation) = (convolution.pixels(), convolution.activation);
        let one = convolution.outputs * pixels;
        let image = |x: &[f32], inner: Option<&mut [f32]>, out: &mut [f32]| {
            forward.forward(x, out);
            at(level, Finish { bias, activation, pixels, inner, out });
        };
        let images = out.par_chunks_mut(one).zip(x.par_chunks(convolution.image()));
        match inner {
            Some(inner) => {
                images.zip(inner.par_chunks_mut(one)).for_each(|((out, x), inner)| image(x, Some(inner), out));
            }
            None => images.for_each(|(out, x)| image(x, None, out)),
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
        let Self { convolution, level, precision, weight, .. } = self;
        if direct::suits::<V>(convolution) {
            self.with(&DirectBackward::<V, ROWS, COLUMNS>::new(convolution, precision, weight));
        } else {
            self.with(&Patches { convolution, level, precision, weight });
        }
    }
}

impl BackwardAll<'_> {
    fn with<B: Backward>(self, backward: &B) {
        let Self { convolution, level, x, kept, gradient, out, .. } = self;
        let Convolution { outputs, activation, .. } = *convolution;
        let (pixels, depth, image) = (convolution.pixels(), convolution.depth(), convolution.image());
        let one = outputs * pixels;
        let batch = gradient.len() / one;
        // Of every part of the batch: gradient of the weight, then of the bias.
        let (parts, total) = (batch.div_ceil(IMAGES_PER_PART), outputs * (depth + 1));
        let mut sums = vec![0.0; parts * total];
        let x_gradients: Vec<Option<&mut [f32]>> = match out.x {
            Some(x) => x.chunks_mut(IMAGES_PER_PART * image).map(Some).collect(),
            None => (0..parts).map(|_| None).collect(),
        };
        sums.par_chunks_mut(total).zip(x_gradients).enumerate().for_each(|(part, (sums, mut x_gradient))| {
            let (weight_sums, bias_sums) = sums.split_at_mut(outputs * depth);
            let mut own_sums = vec![0.0; backward.sums()];
            let last = batch.min((part + 1) * IMAGES_PER_PART);
            for first in (part * IMAGES_PER_PART..last).step_by(B::TOGETHER) {
                let count = B::TOGETHER.min(last - first);
                let range = first * one..(first + count) * one;
                with_scratch(|scratch| {
                    let before = scratch.get::<f32>(count * one);
                    let (kept, gradient) = (kept.map(|kept| &kept[range.clone()]), &gradient[range]);
                    at(level, Before { activation, kept, gradient, before: &mut *before });
                    let gradients: Vec<&[f32]> = before.chunks_exact(one).collect();
                    for gradient in &gradients {
                        for (bias, row) in bias_sums.iter_mut().zip(gradient.chunks_exact(pixels)) {
                            *bias += sum(pixels, |i| row[i]);
                        }
                    }
                    let images: Vec<&[f32]> = x[first * image..(first + count) * image].chunks_exact(image).collect();
                    backward.add_weight_gradient(&images, &gradients, &mut own_sums);
                    if let Some(x_gradient) = &mut x_gradient {
                        let place = first - part * IMAGES_PER_PART;
                        let outs = x_gradient[place * image..].chunks_exact_mut(image);
                        gradients.iter().zip(outs).for_each(|(gradient, out)| backward.x_gradient(gradient, out));
                    }
                });
            }
            backward.put_in_order(&own_sums, weight_sums);
        });
        let mut all = vec![0.0; total];
        sum_rows(level, &sums, &mut all);
        out.weight.copy_from_slice(&all[..outputs * depth]);
        out.bias.copy_from_slice(&all[outputs * depth..]);
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

struct Finish<'a> {
    bias: Option<&'a [f32]>,
    activation: Activation,
    pixels: usize,
    inner: Option<&'a mut [f32]>,
    out: &'a mut [f32],
}

impl Work for Finish<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        if let Some(bias) = self.bias {
            for (row, bias) in self.out.chunks_exact_mut(self.pixels).zip(bias) {
                for value in row.iter_mut() {
                    *value += bias;
                }
            }
        }
        if let Some(inner) = self.inner {
            inner.copy_from_slice(self.out);
        }
        self.activation.apply::<FUSED>(self.out);
    }
}

struct Before<'a> {
    activation: Activation,
    kept: Option<&'a [f32]>,
    gradient: &'a [f32],
    before: &'a mut [f32],
}

impl Work for Before<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        self.before.copy_from_slice(self.gradient);
        if let Some(kept) = self.kept {
            self.activation.multiply_derivative::<FUSED>(self.before, kept);
        }
    }
}
