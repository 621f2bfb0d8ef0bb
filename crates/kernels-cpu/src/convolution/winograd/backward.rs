//! The gradients of a convolution by transformed tiles.
#![allow(unsafe_code)]

use super::super::super::level::Vectorised;
use super::super::super::product::write_numbers;
use super::super::super::scratch::with_scratch;
use super::super::super::vectors::{Element, Vectors};
use super::super::super::{Activation, Matrix, Precision};
use super::super::padded::Padded;
use super::super::weight_sums::WeightSums;
use super::super::{Backward, Convolution, Finish};
use super::transforms::{gradient_lines, transform_tiles, weight_line_back};
use super::{PLACES, Tiling, WinogradForward, padded};

/// The gradients of a convolution by transformed tiles.
#[derive(Debug)]
pub(in super::super) struct WinogradBackward<V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    inputs: usize,
    outputs: usize,
    image: Padded,
    tiling: Tiling,
    /// Where the channels of the tiles of an image begin.
    offsets: Vec<usize>,
    of_image: WinogradForward<V, ROWS, COLUMNS>,
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> WinogradBackward<V, ROWS, COLUMNS> {
    /// `images` is the most that may be worked on together.
    pub(in super::super) fn new(convolution: &Convolution, images: usize, weight: &[f32]) -> Self {
        let Convolution { inputs, outputs, size, padding, .. } = *convolution;
        let tiling = Tiling::new(convolution.output_size(), images);
        Self {
            inputs,
            outputs,
            image: padded(inputs, size, padding, &tiling),
            tiling,
            offsets: (0..inputs).map(|input| input * tiling.count()).collect(),
            of_image: WinogradForward::of_gradient(convolution, images, weight),
        }
    }

    /// As [`Tiling::pitch`], of the tiles of the gradients.
    fn gradient_pitch(&self) -> usize {
        (self.outputs.div_ceil(COLUMNS) * self.tiling.count() + 1) * COLUMNS
    }
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Backward for WinogradBackward<V, ROWS, COLUMNS> {
    fn together(&self) -> usize {
        self.tiling.images
    }

    /// `[PLACES, outputs / COLUMNS, inputs, COLUMNS]`
    fn sums(&self) -> usize {
        PLACES * self.outputs.next_multiple_of(COLUMNS) * self.inputs
    }

    fn add_weight_gradient(&self, images: &[f32], gradients: &[f32], ahead: [&[f32]; 2], sums: &mut [f32]) {
        let pixels = self.tiling.size[0] * self.tiling.size[1];
        let panels = self.outputs.next_multiple_of(COLUMNS);
        let one = self.image.planes * self.image.size[0] * self.image.size[1];
        let count = images.len() / one;
        with_scratch(|scratch| {
            let sizes = [
                self.image.len() * count,
                PLACES * self.tiling.pitch(self.inputs),
                panels * pixels * count,
                PLACES * self.gradient_pitch(),
            ];
            let (padded, buffer) = scratch.get::<f32>(sizes.iter().sum()).split_at_mut(sizes[0]);
            let (tiles, buffer) = buffer.split_at_mut(sizes[1]);
            let (gradient_panels, gradient_tiles) = buffer.split_at_mut(sizes[2]);
            for (image, padded) in images.chunks_exact(one).zip(padded.chunks_exact_mut(self.image.len())) {
                self.image.fill_numbers::<V>(image, padded);
            }
            let each =
                gradients.chunks_exact(self.outputs * pixels).zip(gradient_panels.chunks_exact_mut(panels * pixels));
            for (gradient, panels) in each {
                write_numbers::<V, COLUMNS>(Matrix::new(gradient, self.outputs, pixels).transposed(), panels);
            }
            let work = AddWeightGradient {
                backward: self,
                count,
                padded,
                tiles,
                gradient_panels,
                gradient_tiles,
                ahead,
                sums,
            };
            // SAFETY: the vectors are supported.
            unsafe { V::vectorise(work) };
        });
    }

    fn write_weight_gradient(&self, sums: &[f32], out: &mut [f32]) {
        let place = self.outputs.next_multiple_of(COLUMNS) * self.inputs;
        let (kernels, _) = out.as_chunks_mut::<9>();
        for (index, kernel) in kernels.iter_mut().enumerate() {
            let (output, input) = (index / self.inputs, index % self.inputs);
            let first = (output / COLUMNS * self.inputs + input) * COLUMNS + output % COLUMNS;
            let number = |row: usize, column: usize| sums[(row * 4 + column) * place + first];
            let lines: [[f32; 3]; 4] = std::array::from_fn(|column| {
                weight_line_back([number(0, column), number(1, column), number(2, column), number(3, column)])
            });
            for (row, numbers) in kernel.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                *numbers = weight_line_back([lines[0][row], lines[1][row], lines[2][row], lines[3][row]]);
            }
        }
    }

    fn x_gradient(&self, gradients: &[f32], out: &mut [f32]) {
        let pixels = self.of_image.tiling.size[0] * self.of_image.tiling.size[1];
        self.of_image.run(
            gradients,
            &[],
            Finish { bias: None, activation: Activation::Identity, pixels, inner: None, out },
        );
    }
}

/// Work of [`WinogradBackward::add_weight_gradient`].
struct AddWeightGradient<'a, V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    backward: &'a WinogradBackward<V, ROWS, COLUMNS>,
    /// Images.
    count: usize,
    padded: &'a [f32],
    /// For each place `[inputs, tiles]`.
    tiles: &'a mut [f32],
    /// `[images, outputs / COLUMNS, pixels, COLUMNS]`
    gradient_panels: &'a [f32],
    /// For each place `[outputs / COLUMNS, tiles, COLUMNS]`.
    gradient_tiles: &'a mut [f32],
    /// What is needed next.
    ahead: [&'a [f32]; 2],
    sums: &'a mut [f32],
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Vectorised for AddWeightGradient<'_, V, ROWS, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { backward, count, padded, tiles, gradient_panels, gradient_tiles, ahead, sums } = self;
        let WinogradBackward { inputs, outputs, image, tiling, offsets, .. } = backward;
        let (length, pixels) = (tiling.count(), tiling.size[0] * tiling.size[1]);
        let (panels, pitch) = (outputs.div_ceil(COLUMNS), backward.gradient_pitch());
        // Part of it with each product.
        let parts = PLACES * tiling.blocks(count).count();
        let mut ahead = ahead.map(|ahead| ahead.chunks(ahead.len().div_ceil(parts).max(1)));
        for block in tiling.blocks(count) {
            transform_tiles::<V>(image, tiling, &block, &padded[block.images.start * image.len()..], tiles);
            let used = tiling.place(&block, block.images.end - 1, block.rows.end - 1) + tiling.tiles[1];
            for panel in 0..panels {
                for image in block.images.clone() {
                    let gradient = &gradient_panels[(image * panels + panel) * pixels * COLUMNS..][..pixels * COLUMNS];
                    for row in block.rows.clone() {
                        let place = panel * length + tiling.place(&block, image, row);
                        let tiles = &mut gradient_tiles[place * COLUMNS..];
                        // SAFETY: the vectors are supported, and two of them are `COLUMNS` numbers.
                        unsafe { gradient_lines::<V, COLUMNS>(gradient, tiling, row, tiles, pitch / COLUMNS) };
                    }
                }
            }
            let each = tiles.chunks_exact(tiling.pitch(*inputs)).zip(gradient_tiles.chunks_exact(pitch));
            for ((tiles, gradients), sums) in each.zip(sums.chunks_exact_mut(panels * inputs * COLUMNS)) {
                let numbers = |numbers| V::Element::of_numbers(numbers, Precision::Float32);
                let (Some(image), Some(panels)) = (numbers(tiles), numbers(&gradients[..panels * length * COLUMNS]))
                else {
                    continue;
                };
                let extent = [1, length];
                let ahead = ahead.each_mut().map(|ahead| ahead.next().unwrap_or_default());
                WeightSums::<V> { image, pitch: 0, offsets, panels, extent, used: [1, used], ahead }
                    .add::<ROWS, COLUMNS>(sums);
            }
        }
    }
}
