//! The gradients: of the images by the same sums over places as the forward pass, of the weights by sums over pixels, whose left tiles
//! are channels of the result's gradient and whose right ones are channels of the images, both with the images of two pixels in the depth.
#![allow(unsafe_code)]

use super::super::super::amx::{BLOCK, DEPTH, Lines, Step, Tiles};
use super::super::super::scratch::with_scratch;
use super::super::{Backward, Convolution};
use super::layout::{Channels, Pairs, Pixels, Planes};
use super::rows::{CHUNK, Row, Strip, pack, write};
use super::{GROUP, RIGHT};

/// Bytes of both operands of a strip of rows, about: half of the second cache.
const STRIP: usize = 1 << 20;

/// See [`super`].
#[derive(Debug)]
pub(in super::super) struct TilesBackward<'a> {
    sizes: &'a Convolution,
    /// The result's gradients as pixels, for the gradients of the images.
    pixels: Pixels,
    /// As channels, for those of the weights, and the images as pairs.
    of_result: Channels,
    of_images: Pairs,
    /// For `[row of the kernel, column, block of outputs]`, with inputs as columns.
    weights: Vec<u16>,
}

impl<'a> TilesBackward<'a> {
    /// To be made where tiles are supported.
    pub(in super::super) fn new(sizes: &'a Convolution, weight: &[f32]) -> Self {
        let Convolution { inputs, outputs, size: [height, width], kernel, stride, padding, .. } = *sizes;
        let [rows, columns] = sizes.output_size();
        let padded = outputs.next_multiple_of(DEPTH);
        // A pixel reads results from `kernel` columns before its own to the last one that a kernel can reach.
        let left = kernel[1];
        let pitch = left + columns.max((width + padding[1]) / stride[1] + 1);
        let pitch = if (pitch * padded * 2).is_multiple_of(1024) { pitch + 1 } else { pitch };
        let blocks = padded / DEPTH;
        let weights = pack(kernel[0] * kernel[1] * blocks, inputs, |step, k, input| {
            let (place, output) = (step / blocks, step % blocks * DEPTH + k);
            let places = kernel[0] * kernel[1];
            if output < outputs { weight[(output * inputs + input) * places + place] } else { 0.0 }
        });
        let even = columns.next_multiple_of(2);
        let of_images = Pairs {
            channels: inputs.next_multiple_of(BLOCK),
            left: padding[1].div_ceil(stride[1]),
            phases: stride[1],
            pitch: padding[1].div_ceil(stride[1]) + (even + kernel[1]).max(width.div_ceil(stride[1])),
            height,
        };
        Self {
            sizes,
            pixels: Pixels { channels: padded, left, pitch, height: rows },
            of_result: Channels { channels: padded, pitch: even, height: rows },
            of_images,
            weights,
        }
    }

    /// Blocks of outputs and of inputs.
    fn blocks(&self) -> [usize; 2] {
        [self.of_result.channels, self.of_images.channels].map(|channels| channels / BLOCK)
    }

    /// What is under the pixels of a row of images whose column has this remainder modulo the stride.
    fn steps(&self, row: usize, phase: usize) -> Vec<Step> {
        let Convolution { kernel, stride, padding, .. } = *self.sizes;
        let Pixels { channels, left, pitch, height } = self.pixels;
        let mut steps = Vec::new();
        for (down, across) in (0..kernel[0]).flat_map(|down| (0..kernel[1]).map(move |across| (down, across))) {
            let Some(line) = (row + padding[0]).checked_sub(down).filter(|line| line.is_multiple_of(stride[0])) else {
                continue;
            };
            // Counted from `left * stride` columns before the first, so that it is positive.
            let column = phase + padding[1] + left * stride[1] - across;
            if line / stride[0] >= height || !column.is_multiple_of(stride[1]) {
                continue;
            }
            for block in 0..channels / DEPTH {
                let left = (line / stride[0] * GROUP * pitch + column / stride[1]) * channels + block * DEPTH;
                let right = ((down * kernel[1] + across) * (channels / DEPTH) + block) * RIGHT;
                steps.push(Step { left: 2 * left, right: 2 * right });
            }
        }
        steps
    }

    /// # Safety
    /// Tiles are supported.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma")]
    unsafe fn of_images(&self, gradients: &[f32], out: &mut [f32]) {
        let Convolution { inputs, outputs, size: [height, width], kernel, stride, .. } = *self.sizes;
        let count = out.len() / self.sizes.image();
        let strip = Strip::new([height, width], inputs.div_ceil(BLOCK));
        with_scratch(|scratch| {
            let pixels = scratch.get::<u16>(self.pixels.count());
            // SAFETY: AVX-512 is supported where tiles are.
            let mut tiles = unsafe {
                let size = self.sizes.output_size();
                self.pixels.write(Planes { numbers: gradients, channels: outputs, size }, pixels);
                Tiles::new()
            };
            let of_block = kernel[0] * kernel[1] * self.pixels.channels / DEPTH * RIGHT;
            let (image, pixel) = (2 * self.pixels.pitch * self.pixels.channels, 2 * self.pixels.channels);
            with_scratch(|scratch| {
                let sums = scratch.get::<f32>(strip.count());
                for first in (0..height).step_by(strip.rows) {
                    let end = (first + strip.rows).min(height);
                    for (row, phase) in (first..end).flat_map(|row| (0..stride[1]).map(move |phase| (row, phase))) {
                        let (steps, columns) =
                            (self.steps(row, phase), width.saturating_sub(phase).div_ceil(stride[1]));
                        let row_of = Row { steps: &steps, image, pixel };
                        for (block, weights) in self.weights.chunks_exact(of_block).enumerate() {
                            let places = [block, (row - first) * width + phase, stride[1], columns];
                            let (left, weights) = (pixels.as_ptr(), weights.as_ptr());
                            // SAFETY: tiles are supported. The columns that the steps name are within the pitch, their lines inside; the
                            // weights have all steps of a block.
                            unsafe { strip.write(&mut tiles, row_of, left, weights, places, sums) };
                        }
                    }
                    let give = |[image, input, pixel, there]: [usize; 4], numbers: &mut [f32; CHUNK]| {
                        let place = ((image * inputs + input) * height + first) * width + pixel;
                        // SAFETY: AVX-512 is supported where tiles are.
                        unsafe { write(numbers, &mut out[place..][..there]) };
                    };
                    // SAFETY: AVX-512 is supported where tiles are.
                    unsafe { strip.read(end - first, count, inputs, sums, give) };
                }
            });
        });
    }

    /// # Safety
    /// Tiles are supported.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma")]
    unsafe fn of_weights(&self, images: &[f32], gradients: &[f32], sums: &mut [f32]) {
        let Convolution { inputs, outputs, size, kernel, stride, padding, .. } = *self.sizes;
        let Self { of_result, of_images, .. } = self;
        let [rows, _] = self.sizes.output_size();
        with_scratch(|scratch| {
            let (left, right) =
                scratch.get::<u16>(of_result.count() + of_images.count()).split_at_mut(of_result.count());
            // SAFETY: AVX-512 is supported where tiles are.
            let mut tiles = unsafe {
                of_result.write(Planes { numbers: gradients, channels: outputs, size: self.sizes.output_size() }, left);
                of_images.write(Planes { numbers: images, channels: inputs, size }, right);
                Tiles::new()
            };
            // Numbers of a row of the result's gradients, of a row of images, of a column of these.
            let of_row = of_result.channels * of_result.pitch * GROUP;
            let (of_line, of_column) = (of_images.phases * of_images.pitch * of_images.column(), of_images.column());
            let strip = (STRIP / (2 * (of_row + stride[0] * of_line))).max(1);
            for start in (0..rows).step_by(strip) {
                let mut blocks = sums.as_chunks_mut::<{ BLOCK * BLOCK }>().0.iter_mut();
                for (down, across) in (0..kernel[0]).flat_map(|down| (0..kernel[1]).map(move |across| (down, across))) {
                    // Rows whose place is inside.
                    let first = padding[0].saturating_sub(down).div_ceil(stride[0]).max(start);
                    let end =
                        (size[0] + padding[0]).saturating_sub(down).div_ceil(stride[0]).min(rows).min(start + strip);
                    // Counted from `left` columns of zeros before the first.
                    let column = across + of_images.left * stride[1] - padding[1];
                    let (phase, column) = (column % stride[1], column / stride[1]);
                    let [outputs, inputs] = self.blocks();
                    for (output, input) in (0..outputs).flat_map(|output| (0..inputs).map(move |input| (output, input)))
                    {
                        let Some(sums) = blocks.next() else { return };
                        if first >= end {
                            continue;
                        }
                        let line = first * stride[0] + down - padding[0];
                        let lines = Lines {
                            count: end - first,
                            steps: of_result.pitch / 2,
                            right_step: 2 * 2 * of_column,
                            left_line: 2 * of_row,
                            right_line: 2 * stride[0] * of_line,
                            left_row: 2 * of_result.pitch * GROUP,
                            right_row: 2 * 2 * of_images.channels,
                        };
                        let left = &left[first * of_row + output * BLOCK * of_result.pitch * GROUP..];
                        let right = &right
                            [line * of_line + (phase * of_images.pitch + column) * of_column + 2 * input * BLOCK..];
                        // SAFETY: tiles are supported; the lines are inside, and their last columns within the pitches of both operands.
                        unsafe { tiles.accumulate(lines, left.as_ptr(), right.as_ptr(), sums) };
                    }
                }
            }
        });
    }
}

impl Backward for TilesBackward<'_> {
    fn together(&self) -> usize {
        GROUP
    }

    fn sums(&self) -> usize {
        let [outputs, inputs] = self.blocks();
        self.sizes.kernel[0] * self.sizes.kernel[1] * outputs * inputs * BLOCK * BLOCK
    }

    fn add_weight_gradient(&self, images: &[f32], gradients: &[f32], _: [&[f32]; 2], sums: &mut [f32]) {
        // SAFETY: tiles are supported.
        unsafe { self.of_weights(images, gradients, sums) };
    }

    fn write_weight_gradient(&self, sums: &[f32], out: &mut [f32]) {
        let Convolution { inputs, kernel, .. } = *self.sizes;
        let [outputs_of, inputs_of] = self.blocks();
        let places = kernel[0] * kernel[1];
        for (index, number) in out.iter_mut().enumerate() {
            let (place, rest) = (index % places, index / places);
            let (input, output) = (rest % inputs, rest / inputs);
            let block = (place * outputs_of + output / BLOCK) * inputs_of + input / BLOCK;
            let tile = output % BLOCK / 16 * 2 + input % BLOCK / 16;
            *number = sums[(block * 4 + tile) * 256 + output % 16 * 16 + input % 16];
        }
    }

    fn x_gradient(&self, gradients: &[f32], out: &mut [f32]) {
        // SAFETY: tiles are supported.
        unsafe { self.of_images(gradients, out) };
    }
}
