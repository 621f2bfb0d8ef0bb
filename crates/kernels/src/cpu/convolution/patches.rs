//! Convolution of one image as a product of patches, which are laid out in the cache.

use super::super::product::{Right, product_on_thread};
use super::super::scratch::{Scratch, with_scratch};
use super::super::{Level, Matrix, Precision};
use super::Convolution;

impl Convolution {
    /// `out`: `[outputs, height, width]`
    pub(super) fn product_of_patches(
        &self,
        level: Level,
        precision: Precision,
        image: &[f32],
        weight: &[f32],
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        let (depth, pixels) = (self.depth(), self.pixels());
        let patches = scratch.get::<f32>(depth * pixels);
        self.lay_out(image, patches);
        with_scratch(|panels| {
            let right = Right::new(level, precision, Matrix::new(patches, depth, pixels), panels);
            product_on_thread(level, Matrix::new(weight, self.outputs, depth), &right, out);
        });
    }

    /// Adds to `sums`, `[outputs, depth]`.
    pub(super) fn add_weight_gradient_of_patches(
        &self,
        level: Level,
        precision: Precision,
        image: &[f32],
        gradient: &[f32],
        scratch: &mut Scratch,
        sums: &mut [f32],
    ) {
        let (depth, pixels) = (self.depth(), self.pixels());
        let (patches, part) = scratch.get::<f32>(depth * pixels + sums.len()).split_at_mut(depth * pixels);
        self.lay_out(image, patches);
        with_scratch(|panels| {
            let right = Right::new(level, precision, Matrix::new(patches, depth, pixels).transposed(), panels);
            product_on_thread(level, Matrix::new(gradient, self.outputs, pixels), &right, part);
        });
        sums.iter_mut().zip(&*part).for_each(|(sum, value)| *sum += value);
    }

    /// The gradient of the image from that of the result, `[outputs, height, width]`.
    pub(super) fn x_gradient_of_patches(
        &self,
        level: Level,
        precision: Precision,
        weight: &[f32],
        gradient: &[f32],
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        let (depth, pixels) = (self.depth(), self.pixels());
        let patches = scratch.get::<f32>(depth * pixels);
        with_scratch(|panels| {
            let right = Right::new(level, precision, Matrix::new(gradient, self.outputs, pixels), panels);
            product_on_thread(level, Matrix::new(weight, self.outputs, depth).transposed(), &right, patches);
        });
        self.add_up(patches, out);
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
