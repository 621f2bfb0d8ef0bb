//! Two-dimensional convolution with bias and activation, and its gradients, as products per image of patches that one thread lays out
//! in its cache.

use rayon::prelude::*;

use super::level::{Work, at};
use super::linear::sum_rows;
use super::product::{Right, product_on_thread};
use super::scratch::with_scratch;
use super::sums::sum;
use super::{Activation, Level, Matrix, Precision};

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
        let (pixels, depth) = (self.pixels(), self.depth());
        let one = self.outputs * pixels;
        if out.is_empty() {
            return;
        }
        assert_eq!(weight.len(), self.outputs * depth, "weights");
        assert!(bias.is_none_or(|bias| bias.len() == self.outputs), "a bias of {} numbers", self.outputs);
        assert_eq!(out.len() * self.image(), x.len() * one, "as many results as images");
        assert!(inner.as_ref().is_none_or(|inner| inner.len() == out.len()), "inner values");
        let weight = Matrix::new(weight, self.outputs, depth);
        let image = |x: &[f32], inner: Option<&mut [f32]>, out: &mut [f32]| {
            with_scratch(|scratch| {
                let patches = scratch.get::<f32>(depth * pixels);
                self.lay_out(x, patches);
                with_scratch(|panels| {
                    let right = Right::new(level, precision, Matrix::new(patches, depth, pixels), panels);
                    product_on_thread(level, weight, &right, out);
                });
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
        let weight = Matrix::new(weight, self.outputs, depth);
        // Of every part of the batch: gradient of the weight, then of the bias.
        let (parts, total) = (batch.div_ceil(IMAGES_PER_PART), self.outputs * (depth + 1));
        let mut sums = vec![0.0; parts * total];
        let x_gradients: Vec<Option<&mut [f32]>> = match out.x {
            Some(x) => x.chunks_mut(IMAGES_PER_PART * image).map(Some).collect(),
            None => (0..parts).map(|_| None).collect(),
        };
        sums.par_chunks_mut(total).zip(x_gradients).enumerate().for_each(|(part, (sums, mut x_gradient))| {
            let (weight_sums, bias_sums) = sums.split_at_mut(self.outputs * depth);
            for index in 0..IMAGES_PER_PART.min(batch - part * IMAGES_PER_PART) {
                let place = part * IMAGES_PER_PART + index;
                let image_range = place * image..(place + 1) * image;
                let range = place * one..(place + 1) * one;
                with_scratch(|scratch| {
                    let (patches, rest) =
                        scratch.get::<f32>(depth * pixels + one + self.outputs * depth).split_at_mut(depth * pixels);
                    let (before, weight_part) = rest.split_at_mut(one);
                    let kept = kept.map(|kept| &kept[range.clone()]);
                    at(
                        level,
                        Before { activation: self.activation, kept, gradient: &gradient[range], before: &mut *before },
                    );
                    let gradient = Matrix::new(before, self.outputs, pixels);
                    self.lay_out(&x[image_range], patches);
                    with_scratch(|panels| {
                        let right =
                            Right::new(level, precision, Matrix::new(patches, depth, pixels).transposed(), panels);
                        product_on_thread(level, gradient, &right, weight_part);
                    });
                    weight_sums.iter_mut().zip(&*weight_part).for_each(|(sum, value)| *sum += value);
                    for (bias, row) in bias_sums.iter_mut().zip(before.chunks_exact(pixels)) {
                        *bias += sum(pixels, |i| row[i]);
                    }
                    if let Some(x_gradient) = &mut x_gradient {
                        with_scratch(|panels| {
                            let right = Right::new(level, precision, gradient, panels);
                            product_on_thread(level, weight.transposed(), &right, patches);
                        });
                        self.add_up(patches, &mut x_gradient[index * image..(index + 1) * image]);
                    }
                });
            }
        });
        let mut all = vec![0.0; total];
        sum_rows(level, &sums, &mut all);
        out.weight.copy_from_slice(&all[..self.outputs * depth]);
        out.bias.copy_from_slice(&all[self.outputs * depth..]);
    }

    /// For every place of a kernel (channel, row, column) the numbers under it, patch by patch: `[depth, pixels]`.
    fn lay_out(&self, image: &[f32], patches: &mut [f32]) {
        let width = self.size[1];
        self.each_row(patches, |row, (first, last), start, patches: &mut [f32]| {
            let Some(row) = row else {
                patches.fill(0.0);
                return;
            };
            patches[..first].fill(0.0);
            patches[last..].fill(0.0);
            let row = &image[row * width..(row + 1) * width];
            if self.stride[1] == 1 {
                patches[first..last].copy_from_slice(&row[start..start + (last - first)]);
            } else {
                let places = row[start..].iter().step_by(self.stride[1]);
                patches[first..last].iter_mut().zip(places).for_each(|(patch, value)| *patch = *value);
            }
        });
    }

    /// The opposite of [`Self::lay_out`]: every number of the image becomes the sum of its places in patches.
    fn add_up(&self, patches: &mut [f32], image: &mut [f32]) {
        let width = self.size[1];
        image.fill(0.0);
        self.each_row(patches, |row, (first, last), start, patches: &mut [f32]| {
            let Some(row) = row else { return };
            let row = &mut image[row * width..(row + 1) * width];
            let values = &patches[first..last];
            if self.stride[1] == 1 {
                row[start..start + values.len()].iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            } else {
                row[start..].iter_mut().step_by(self.stride[1]).zip(values).for_each(|(sum, value)| *sum += value);
            }
        });
    }

    /// Calls `work` for every row of pixels under every place of the kernel with: the row of the image (counted over channels), or
    /// none outside; the pixels whose place is inside; the column of the first of these; and the row of patches.
    fn each_row(&self, patches: &mut [f32], mut work: impl FnMut(Option<usize>, (usize, usize), usize, &mut [f32])) {
        let [rows, columns] = self.output_size();
        let [height, width] = self.size;
        let mut places = patches.chunks_exact_mut(columns);
        for channel in 0..self.inputs {
            for y in 0..self.kernel[0] {
                for x in 0..self.kernel[1] {
                    // Pixel `i` reads column `i stride + x - padding`.
                    let (stride, padding) = (self.stride[1], self.padding[1]);
                    let first = padding.saturating_sub(x).div_ceil(stride).min(columns);
                    let last = (width + padding).saturating_sub(x).div_ceil(stride).clamp(first, columns);
                    for row in 0..rows {
                        let Some(patches) = places.next() else { return };
                        let line =
                            (row * self.stride[0] + y).checked_sub(self.padding[0]).filter(|line| *line < height);
                        let start = (first * stride + x).saturating_sub(padding);
                        let line = line.filter(|_| first < last).map(|line| channel * height + line);
                        work(line, (first, last), start, patches);
                    }
                }
            }
        }
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
