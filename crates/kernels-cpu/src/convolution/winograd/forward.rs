//! The convolution itself; the gradient of an image is one, too.
#![allow(unsafe_code)]

use super::super::super::Precision;
use super::super::super::level::Vectorised;
use super::super::super::scratch::with_scratch;
use super::super::super::vectors::{Element, Vectors};
use super::super::correlation::{Correlation, Ends};
use super::super::padded::Padded;
use super::super::{Convolution, Finish, Forward, finish_channel};
use super::transforms::{Quarter, result_lines, transform_tiles, weight_line};
use super::{PLACES, Tiling, padded};

/// A convolution of images, with its transformed weights in order.
#[derive(Debug)]
pub(in super::super) struct WinogradForward<V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    image: Padded,
    outputs: usize,
    pub(super) tiling: Tiling,
    /// One for each place.
    products: Vec<Correlation<V, ROWS, COLUMNS>>,
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> WinogradForward<V, ROWS, COLUMNS> {
    /// `images` is the most that may be worked on together.
    pub(in super::super) fn new(convolution: &Convolution, images: usize, weight: &[f32]) -> Self {
        let Convolution { inputs, outputs, size, padding, .. } = *convolution;
        let weight = |output: usize, input: usize| {
            let (rows, _) = weight[(output * inputs + input) * 9..][..9].as_chunks::<3>();
            [rows[0], rows[1], rows[2]]
        };
        Self::with([inputs, outputs], weight, size, padding, Tiling::new(convolution.output_size(), images))
    }

    /// That whose result is the gradient of the image.
    pub(super) fn of_gradient(convolution: &Convolution, images: usize, weight: &[f32]) -> Self {
        let Convolution { inputs, outputs, size, padding, .. } = *convolution;
        // The kernel turned by half a circle.
        let weight = |input: usize, output: usize| {
            let numbers = &weight[(output * inputs + input) * 9..][..9];
            [
                [numbers[8], numbers[7], numbers[6]],
                [numbers[5], numbers[4], numbers[3]],
                [numbers[2], numbers[1], numbers[0]],
            ]
        };
        let padding = padding.map(|padding| 2 - padding);
        Self::with([outputs, inputs], weight, convolution.output_size(), padding, Tiling::new(size, images))
    }

    fn with(
        [inputs, outputs]: [usize; 2],
        weight: impl Fn(usize, usize) -> [[f32; 3]; 3],
        size: [usize; 2],
        padding: [usize; 2],
        tiling: Tiling,
    ) -> Self {
        let mut transformed = vec![0.0; PLACES * outputs * inputs];
        for output in 0..outputs {
            for input in 0..inputs {
                let lines = weight(output, input).map(weight_line);
                for column in 0..4 {
                    let places = weight_line([lines[0][column], lines[1][column], lines[2][column]]);
                    for (row, number) in places.into_iter().enumerate() {
                        transformed[((row * 4 + column) * outputs + output) * inputs + input] = number;
                    }
                }
            }
        }
        let count = tiling.count();
        let product = |weights: &[f32]| {
            let place = |k: usize, kind: usize| (kind == 0).then_some(k);
            let offset = |k: usize| k * count;
            Correlation::new(Precision::Float32, [outputs, inputs], weights, inputs, place, offset, [1, count], count)
        };
        let products = transformed.chunks_exact(outputs * inputs).map(product).collect();
        Self { image: padded(inputs, size, padding, &tiling), outputs, tiling, products }
    }

    pub(super) fn run(&self, images: &[f32], ahead: &[f32], finish: Finish<'_>) {
        let one = self.image.planes * self.image.size[0] * self.image.size[1];
        let images = images.chunks_exact(one).collect::<Vec<_>>();
        with_scratch(|scratch| {
            let pitches = [self.image.planes, self.outputs].map(|channels| self.tiling.pitch(channels));
            let sizes = [self.image.len() * self.tiling.images, PLACES * pitches[0]];
            let buffer = scratch.get::<f32>(sizes[0] + sizes[1] + PLACES * pitches[1]);
            let (padded, buffer) = buffer.split_at_mut(sizes[0]);
            let (tiles, sums) = buffer.split_at_mut(sizes[1]);
            // SAFETY: the vectors are supported.
            unsafe { V::vectorise(Run { forward: self, images: &images, ahead, padded, tiles, sums, finish }) };
        });
    }
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Forward for WinogradForward<V, ROWS, COLUMNS> {
    fn together(&self) -> usize {
        self.tiling.images
    }

    fn forward(&self, images: &[f32], ahead: &[f32], finish: Finish<'_>) {
        self.run(images, ahead, finish);
    }
}

/// Work of [`WinogradForward::run`].
struct Run<'a, V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    forward: &'a WinogradForward<V, ROWS, COLUMNS>,
    images: &'a [&'a [f32]],
    /// Images that are needed next.
    ahead: &'a [f32],
    padded: &'a mut [f32],
    /// For each place `[inputs, tiles]`.
    tiles: &'a mut [f32],
    /// For each place `[outputs, tiles]`.
    sums: &'a mut [f32],
    finish: Finish<'a>,
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Vectorised for Run<'_, V, ROWS, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { forward, images, ahead, padded, tiles, sums, finish } = self;
        let Finish { bias, activation, mut inner, out, .. } = finish;
        let WinogradForward { image, outputs, tiling, products } = forward;
        let (count, pitch, [height, width]) = (tiling.count(), tiling.pitch(*outputs), tiling.size);
        // Part of them with each product.
        let parts = PLACES * tiling.blocks(images.len()).count();
        let mut ahead = ahead.chunks(ahead.len().div_ceil(parts).max(1));
        for block in tiling.blocks(images.len()) {
            if block.rows.start == 0 {
                for (image, padded) in
                    images[block.images.clone()].iter().zip(padded.chunks_exact_mut(forward.image.len()))
                {
                    forward.image.fill_numbers::<V>(image, padded);
                }
            }
            transform_tiles::<V>(image, tiling, &block, padded, tiles);
            for ((product, tiles), sums) in
                products.iter().zip(tiles.chunks_exact(tiling.pitch(image.planes))).zip(sums.chunks_exact_mut(pitch))
            {
                let sums = &mut sums[..outputs * count];
                let Some(tiles) = V::Element::of_numbers(tiles, Precision::Float32) else { continue };
                product.run(tiles, ahead.next().unwrap_or_default(), Ends::NONE, sums, |_, _, _| {});
            }
            for channel in 0..*outputs {
                for image in block.images.clone() {
                    for row in block.rows.clone() {
                        let rows = 2 * row..(2 * row + 2).min(height);
                        let first = (image * outputs + channel) * height * width;
                        let out = &mut out[first + rows.start * width..first + rows.end * width];
                        let place = channel * count + tiling.place(&block, image, row);
                        let columns = tiling.tiles[1];
                        // SAFETY: the vectors are supported, and so are the shorter ones.
                        unsafe {
                            if columns >= V::LANES {
                                result_lines::<V>(sums, pitch, place, columns, width, out);
                            } else if columns >= V::Half::LANES {
                                result_lines::<V::Half>(sums, pitch, place, columns, width, out);
                            } else {
                                result_lines::<Quarter<V>>(sums, pitch, place, columns, width, out);
                            }
                        }
                    }
                    let first = (image * outputs + channel) * height * width;
                    let range = first + 2 * block.rows.start * width..first + (2 * block.rows.end).min(height) * width;
                    let inner = inner.as_mut().map(|inner| &mut inner[range.clone()]);
                    finish_channel::<FUSED>(bias.map(|bias| bias[channel]), activation, inner, &mut out[range]);
                }
            }
        }
    }
}
