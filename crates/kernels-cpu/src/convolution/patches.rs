//! Convolution of one image as a product of patches, which are laid out in the cache.

use super::super::level::{Vectorised, at};
use super::super::product::{Right, product_on_thread};
use super::super::scratch::with_scratch;
use super::super::{Level, Matrix, Precision};
use super::{Backward, Convolution, Finish, Forward, finish_channel};

/// A convolution by products of patches.
#[derive(Debug)]
pub(super) struct Patches<'a> {
    pub(super) convolution: &'a Convolution,
    pub(super) level: Level,
    pub(super) precision: Precision,
    pub(super) weight: &'a [f32],
}

impl Patches<'_> {
    /// `weight`, `[outputs, depth]`
    fn weight(&self) -> Matrix<'_> {
        Matrix::new(self.weight, self.convolution.outputs, self.convolution.depth())
    }

    /// `out = a b`
    fn product(&self, a: Matrix<'_>, b: Matrix<'_>, out: &mut [f32]) {
        with_scratch(|panels| product_on_thread(a, &Right::new(self.level, self.precision, b, panels), out));
    }
}

impl Forward for Patches<'_> {
    fn forward(&self, image: &[f32], _: &[f32], finish: Finish<'_>) {
        let (depth, pixels) = (self.convolution.depth(), self.convolution.pixels());
        with_scratch(|scratch| {
            let patches = scratch.get::<f32>(depth * pixels);
            self.convolution.lay_out(image, patches);
            self.product(self.weight(), Matrix::new(patches, depth, pixels), &mut *finish.out);
            at(self.level, Channels(finish));
        });
    }
}

/// Finishes channel after channel.
struct Channels<'a>(Finish<'a>);

impl Vectorised for Channels<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Finish { bias, activation, pixels, mut inner, out } = self.0;
        for (channel, sums) in out.chunks_exact_mut(pixels).enumerate() {
            let inner = inner.as_mut().map(|inner| &mut inner[channel * pixels..][..pixels]);
            finish_channel::<FUSED>(bias.map(|bias| bias[channel]), activation, inner, sums);
        }
    }
}

impl Backward for Patches<'_> {
    fn sums(&self) -> usize {
        self.weight.len()
    }

    fn add_weight_gradient(&self, image: &[f32], gradient: &[f32], _: [&[f32]; 2], sums: &mut [f32]) {
        let (depth, pixels) = (self.convolution.depth(), self.convolution.pixels());
        with_scratch(|scratch| {
            let (patches, part) = scratch.get::<f32>(depth * pixels + sums.len()).split_at_mut(depth * pixels);
            self.convolution.lay_out(image, patches);
            let gradient = Matrix::new(gradient, self.convolution.outputs, pixels);
            self.product(gradient, Matrix::new(patches, depth, pixels).transposed(), part);
            sums.iter_mut().zip(&*part).for_each(|(sum, value)| *sum += value);
        });
    }

    fn write_weight_gradient(&self, sums: &[f32], out: &mut [f32]) {
        out.copy_from_slice(sums);
    }

    fn x_gradient(&self, gradient: &[f32], out: &mut [f32]) {
        let (depth, pixels) = (self.convolution.depth(), self.convolution.pixels());
        with_scratch(|scratch| {
            let patches = scratch.get::<f32>(depth * pixels);
            let gradient = Matrix::new(gradient, self.convolution.outputs, pixels);
            self.product(self.weight().transposed(), gradient, patches);
            self.convolution.add_up(patches, out);
        });
    }
}

impl Convolution {
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
