//! Two-dimensional convolution with bias and activation, and its gradients, image by image on one thread each: directly, or as products
//! of patches where the processor has tiles or the rows of an image do not fill its vectors.

mod correlation;
mod direct;
mod padded;
mod patches;

use rayon::prelude::*;

use super::level::{Work, at};
use super::linear::sum_rows;
use super::scratch::with_scratch;
use super::sums::sum;
use super::{Activation, Level, Precision};

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

    /// Whether vectors of neighbouring pixels are worth more than laying patches out for a product.
    fn is_direct(&self, level: Level) -> bool {
        let [_, columns] = self.output_size();
        !level.has_tiles() && 4 * columns >= 3 * columns.next_multiple_of(correlation::LANES)
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
        let (pixels, depth) = (self.pixels(), self.depth());
        let one = self.outputs * pixels;
        if out.is_empty() {
            return;
        }
        assert_eq!(weight.len(), self.outputs * depth, "weights");
        assert!(bias.is_none_or(|bias| bias.len() == self.outputs), "a bias of {} numbers", self.outputs);
        assert_eq!(out.len() * self.image(), x.len() * one, "as many results as images");
        assert!(inner.as_ref().is_none_or(|inner| inner.len() == out.len()), "inner values");
        let direct = self.is_direct(level).then(|| direct::Forward::new(self, precision, weight));
        let image = |x: &[f32], inner: Option<&mut [f32]>, out: &mut [f32]| {
            with_scratch(|scratch| match &direct {
                Some(direct) => direct.run(level, x, scratch.get(direct.room()), out),
                None => self.product_of_patches(level, precision, x, weight, scratch, out),
            });
            at(level, Finish { bias, activation: self.activation, pixels, inner, out });
        };
        let images = out.par_chunks_mut(one).zip(x.par_chunks(self.image()));
        match inner {
            Some(inner) => {
                images.zip(inner.par_chunks_mut(one)).for_each(|((out, x), inner)| image(x, Some(inner), out));
            }
            None => images.for_each(|(out, x)| image(x, None, out)),
        }
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
        let (pixels, depth, image) = (self.pixels(), self.depth(), self.image());
        let one = self.outputs * pixels;
        out.weight.fill(0.0);
        out.bias.fill(0.0);
        if gradient.is_empty() {
            if let Some(x) = out.x {
                x.fill(0.0);
            }
            return;
        }
        let batch = gradient.len() / one;
        assert_eq!(x.len(), batch * image, "as many results as images");
        assert!(kept.is_none_or(|kept| kept.len() == gradient.len()), "kept values");
        let direct = self.is_direct(level).then(|| direct::Backward::new(self, precision, weight));
        // Of every part of the batch: gradient of the weight, then of the bias.
        let (parts, total) = (batch.div_ceil(IMAGES_PER_PART), self.outputs * (depth + 1));
        let mut sums = vec![0.0; parts * total];
        let x_gradients: Vec<Option<&mut [f32]>> = match out.x {
            Some(x) => x.chunks_mut(IMAGES_PER_PART * image).map(Some).collect(),
            None => (0..parts).map(|_| None).collect(),
        };
        sums.par_chunks_mut(total).zip(x_gradients).enumerate().for_each(|(part, (sums, mut x_gradient))| {
            let (weight_sums, bias_sums) = sums.split_at_mut(self.outputs * depth);
            let mut direct_sums = vec![0.0; direct.as_ref().map_or(0, direct::Backward::sums)];
            for index in 0..IMAGES_PER_PART.min(batch - part * IMAGES_PER_PART) {
                let place = part * IMAGES_PER_PART + index;
                let (x, range) = (&x[place * image..(place + 1) * image], place * one..(place + 1) * one);
                let mut x_gradient = x_gradient.as_mut().map(|all| &mut all[index * image..(index + 1) * image]);
                with_scratch(|scratch| {
                    let before = scratch.get::<f32>(one);
                    let kept = kept.map(|kept| &kept[range.clone()]);
                    let gradient = &gradient[range];
                    at(level, Before { activation: self.activation, kept, gradient, before: &mut *before });
                    for (bias, row) in bias_sums.iter_mut().zip(before.chunks_exact(pixels)) {
                        *bias += sum(pixels, |i| row[i]);
                    }
                    with_scratch(|scratch| {
                        if let Some(direct) = &direct {
                            let room = scratch.get(direct.room());
                            direct.add_weight_gradient(level, x, before, room, &mut direct_sums);
                            if let Some(x_gradient) = &mut x_gradient {
                                direct.x_gradient(level, before, room, x_gradient);
                            }
                        } else {
                            self.add_weight_gradient_of_patches(level, precision, x, before, scratch, weight_sums);
                            if let Some(x_gradient) = &mut x_gradient {
                                self.x_gradient_of_patches(level, precision, weight, before, scratch, x_gradient);
                            }
                        }
                    });
                });
            }
            if let Some(direct) = &direct {
                direct.put_in_order(&direct_sums, weight_sums);
            }
        });
        let mut all = vec![0.0; total];
        sum_rows(level, &sums, &mut all);
        out.weight.copy_from_slice(&all[..self.outputs * depth]);
        out.bias.copy_from_slice(&all[self.outputs * depth..]);
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
