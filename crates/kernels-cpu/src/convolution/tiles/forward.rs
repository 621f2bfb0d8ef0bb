//! The forward pass.
#![allow(unsafe_code)]

use super::super::super::amx::{BLOCK, DEPTH, Step, Tiles};
use super::super::super::scratch::with_scratch;
use super::super::{Convolution, Finish, Forward};
use super::layout::{Pixels, Planes};
use super::rows::{CHUNK, Row, Strip, pack, write};
use super::{GROUP, RIGHT, padded_channels};

/// See [`super`].
#[derive(Debug)]
pub(in super::super) struct TilesForward<'a> {
    sizes: &'a Convolution,
    pixels: Pixels,
    /// For every row of the kernel the steps of a pixel: the column that each begins at, and the block of channels.
    places: Vec<[usize; 2]>,
    weights: Vec<u16>,
}

impl<'a> TilesForward<'a> {
    /// To be made where tiles are supported.
    pub(in super::super) fn new(sizes: &'a Convolution, weight: &[f32]) -> Self {
        let Convolution { inputs, outputs, size: [height, width], kernel, stride, padding, .. } = *sizes;
        let channels = padded_channels(inputs);
        // Neighbours in a row of a tile.
        let together = (DEPTH / channels).max(1);
        let across = kernel[1].div_ceil(together) * together;
        let reach = (sizes.output_size()[1] - 1) * stride[1] + across;
        let pitch = reach.max(padding[1] + width);
        // Rows a multiple of a page apart would share their place in the cache.
        let pitch = if (pitch * channels * 2).is_multiple_of(1024) { pitch + 1 } else { pitch };
        let pixels = Pixels { channels, left: padding[1], pitch, height };
        let blocks = channels.div_ceil(DEPTH);
        let places: Vec<[usize; 2]> = (0..across)
            .step_by(together)
            .flat_map(|column| (0..blocks).map(move |block| [column, block * DEPTH]))
            .collect();
        let weights = pack(kernel[0] * places.len(), outputs, |step, k, output| {
            let (row, [column, block]) = (step / places.len(), places[step % places.len()]);
            let (column, channel) = (column + k / channels.min(DEPTH), block + k % channels.min(DEPTH));
            if column < kernel[1] && channel < inputs {
                weight[((output * inputs + channel) * kernel[0] + row) * kernel[1] + column]
            } else {
                0.0
            }
        });
        Self { sizes, pixels, places, weights }
    }

    /// What is under the pixels of a row of the result.
    fn steps(&self, row: usize) -> Vec<Step> {
        let Pixels { channels, pitch, height, .. } = self.pixels;
        let mut steps = Vec::with_capacity(self.sizes.kernel[0] * self.places.len());
        for place in 0..self.sizes.kernel[0] {
            let line = (row * self.sizes.stride[0] + place).checked_sub(self.sizes.padding[0]);
            let Some(line) = line.filter(|line| *line < height) else { continue };
            for (index, [column, block]) in self.places.iter().enumerate() {
                let left = (line * GROUP * pitch + column) * channels + block;
                let right = (place * self.places.len() + index) * RIGHT;
                steps.push(Step { left: 2 * left, right: 2 * right });
            }
        }
        steps
    }

    /// # Safety
    /// Tiles are supported.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma")]
    unsafe fn run(&self, images: &[f32], mut finish: Finish<'_>) {
        let Convolution { inputs, outputs, size, stride, .. } = *self.sizes;
        let [rows, columns] = self.sizes.output_size();
        let count = images.len() / self.sizes.image();
        let strip = Strip::new([rows, columns], outputs.div_ceil(BLOCK));
        with_scratch(|scratch| {
            let pixels = scratch.get::<u16>(self.pixels.count());
            // SAFETY: AVX-512 is supported where tiles are.
            let mut tiles = unsafe {
                self.pixels.write(Planes { numbers: images, channels: inputs, size }, pixels);
                Tiles::new()
            };
            let of_block = self.sizes.kernel[0] * self.places.len() * RIGHT;
            let (image, pixel) = (2 * self.pixels.pitch * self.pixels.channels, 2 * stride[1] * self.pixels.channels);
            with_scratch(|scratch| {
                let sums = scratch.get::<f32>(strip.count());
                for first in (0..rows).step_by(strip.rows) {
                    let end = (first + strip.rows).min(rows);
                    for row in first..end {
                        let steps = self.steps(row);
                        let row_of = Row { steps: &steps, image, pixel };
                        for (block, weights) in self.weights.chunks_exact(of_block).enumerate() {
                            let places = [block, (row - first) * columns, 1, columns];
                            let (left, weights) = (pixels.as_ptr(), weights.as_ptr());
                            // SAFETY: tiles are supported. The last step of the last pixel ends within the pitch, and the lines of the
                            // steps are inside; the weights have all steps of a block.
                            unsafe { strip.write(&mut tiles, row_of, left, weights, places, sums) };
                        }
                    }
                    let give = |[image, output, pixel, there]: [usize; 4], numbers: &mut [f32; CHUNK]| {
                        let place = ((image * outputs + output) * rows + first) * columns + pixel;
                        // SAFETY: AVX-512 is supported where tiles are.
                        unsafe { finish_chunk(&mut finish, output, place, there, numbers) };
                    };
                    // SAFETY: AVX-512 is supported where tiles are.
                    unsafe { strip.read(end - first, count, outputs, sums, give) };
                }
            });
        });
    }
}

/// Takes some pixels of a channel to the result.
///
/// # Safety
/// The processor has AVX-512.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,fma")]
#[inline]
unsafe fn finish_chunk(finish: &mut Finish<'_>, output: usize, place: usize, there: usize, numbers: &mut [f32; CHUNK]) {
    if let Some(bias) = finish.bias {
        for number in numbers.iter_mut() {
            *number += bias[output];
        }
    }
    if let Some(inner) = &mut finish.inner {
        // SAFETY: AVX-512 is supported.
        unsafe { write(numbers, &mut inner[place..][..there]) };
    }
    finish.activation.apply::<true>(numbers);
    // SAFETY: AVX-512 is supported.
    unsafe { write(numbers, &mut finish.out[place..][..there]) };
}

impl Forward for TilesForward<'_> {
    fn together(&self) -> usize {
        GROUP
    }

    fn forward(&self, images: &[f32], _: &[f32], finish: Finish<'_>) {
        // SAFETY: tiles are supported.
        unsafe { self.run(images, finish) };
    }
}
