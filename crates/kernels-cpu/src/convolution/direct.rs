//! Convolution of single images without laying their patches out: a vector of neighbouring pixels under one place of the kernel stands in
//! the image as it is, once zeros are around it and its columns are sorted by their remainder modulo the stride.
#![allow(unsafe_code)]

use super::super::level::Vectorised;
use super::super::product::write_numbers;
use super::super::scratch::with_scratch;
use super::super::vectors::{Element, Vectors};
use super::super::{Activation, Matrix, Precision};
use super::correlation::{Correlation, Ends, together};
use super::padded::Padded;
use super::weight_sums::WeightSums;
use super::{Backward, Convolution, Finish, Forward, finish_channel};

/// Whether vectors of neighbouring pixels are worth more than laying patches out for a product.
pub(super) fn suits<V: Vectors>(convolution: &Convolution) -> bool {
    let [_, columns] = convolution.output_size();
    4 * columns >= 3 * columns.next_multiple_of(together::<V>(columns))
}

/// The padded image of a convolution with planes of `channels` channels, its places of the kernel in the order of a weight's numbers, and
/// the pitch of its pixels.
fn places<V: Vectors>(convolution: &Convolution, channels: usize) -> (Padded, impl Fn(usize) -> usize + use<V>, usize) {
    let ([rows, columns], kernel, stride) = (convolution.output_size(), convolution.kernel, convolution.stride);
    let image = Padded {
        planes: convolution.inputs.div_ceil(channels),
        size: convolution.size,
        margin: convolution.padding,
        rows: (rows.max(1) - 1) * stride[0] + kernel[0],
        phases: stride[1],
        pitch: columns.next_multiple_of(together::<V>(columns)) + (kernel[1] - 1) / stride[1],
    };
    let offset = move |k: usize| {
        let (x, rest) = (k % kernel[1], k / kernel[1]);
        image.place(rest / kernel[0], rest % kernel[0], x)
    };
    (image, offset, stride[0] * image.phases * image.pitch)
}

/// A convolution with its weights in order.
#[derive(Debug)]
pub(super) struct DirectForward<V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    precision: Precision,
    image: Padded,
    sums: Correlation<V, ROWS, COLUMNS>,
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> DirectForward<V, ROWS, COLUMNS> {
    pub(super) fn new(convolution: &Convolution, precision: Precision, weight: &[f32]) -> Self {
        let (image, offset, pitch) = places::<V>(convolution, V::Element::DEPTH);
        let Convolution { inputs, outputs, kernel, .. } = *convolution;
        let area = kernel[0] * kernel[1];
        let place = |k: usize, kind: usize| {
            let channel = k / area * V::Element::DEPTH + kind;
            (channel < inputs && kind < V::Element::DEPTH).then_some(channel * area + k % area)
        };
        let (sizes, extent) = ([outputs, image.planes * area], convolution.output_size());
        let sums = Correlation::new(precision, sizes, weight, convolution.depth(), place, offset, extent, pitch);
        Self { precision, image, sums }
    }
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Forward for DirectForward<V, ROWS, COLUMNS> {
    fn forward(&self, image: &[f32], ahead: &[f32], finish: Finish<'_>) {
        with_scratch(|scratch| {
            let buffer = scratch.get::<V::Element>(self.image.len());
            self.image.fill_with_channels::<V>(self.precision, image, buffer);
            // SAFETY: the vectors are supported.
            unsafe { V::vectorise(ForwardOf { forward: self, buffer, ahead, finish }) };
        });
    }
}

struct ForwardOf<'a, V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    forward: &'a DirectForward<V, ROWS, COLUMNS>,
    buffer: &'a [V::Element],
    ahead: &'a [f32],
    finish: Finish<'a>,
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Vectorised for ForwardOf<'_, V, ROWS, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { forward, buffer, ahead, finish } = self;
        let Finish { bias, activation, pixels, mut inner, out } = finish;
        // Then registers are the place for all of it.
        let done = inner.is_none() && matches!(activation, Activation::Identity | Activation::Relu);
        let floor = if done && activation == Activation::Relu { 0.0 } else { f32::NEG_INFINITY };
        let ends = Ends { bias, floor };
        forward.sums.run(buffer, ahead, ends, out, |out, channels, places| {
            if done {
                return;
            }
            for channel in channels {
                let range = channel * pixels + places.start..channel * pixels + places.end;
                let inner = inner.as_mut().map(|inner| &mut inner[range.clone()]);
                finish_channel::<FUSED>(None, activation, inner, &mut out[range]);
            }
        });
    }
}

/// The gradients of a convolution that is done directly.
#[derive(Debug)]
pub(super) struct DirectBackward<V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    precision: Precision,
    outputs: usize,
    stride: [usize; 2],
    /// Each plane is a channel, its elements are of several images.
    image: Padded,
    /// Places of the kernel in the padded image.
    offsets: Vec<usize>,
    /// Rows and columns of pixels of the result.
    extent: [usize; 2],
    /// Between rows of pixels in the padded image.
    pitch: usize,
    gradient: Padded,
    phases: Vec<Phase<V, ROWS, COLUMNS>>,
}

/// The pixels of an image whose rows and columns have one remainder modulo the stride: they are under the same places of the kernel.
#[derive(Debug)]
struct Phase<V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    /// First pixel.
    first: [usize; 2],
    sums: Correlation<V, ROWS, COLUMNS>,
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> DirectBackward<V, ROWS, COLUMNS> {
    pub(super) fn new(convolution: &Convolution, precision: Precision, weight: &[f32]) -> Self {
        let (image, offset, pitch) = places::<V>(convolution, 1);
        let Convolution { inputs, outputs, size, kernel, stride, padding, .. } = *convolution;
        let extent = convolution.output_size();
        // Pixel `i` of the image is under place `k` in pixel `(i + padding - k) / stride` of the result, if that is a whole number.
        let reach = [0, 1].map(|axis| kernel[axis].div_ceil(stride[axis]));
        let last = [0, 1].map(|axis| (size[axis] + padding[axis]) / stride[axis]);
        let gradient = Padded {
            planes: outputs.div_ceil(V::Element::DEPTH),
            size: extent,
            margin: reach.map(|reach| reach - 1),
            rows: last[0] + reach[0],
            phases: 1,
            pitch: (last[1] + 1).next_multiple_of(V::LANES) + padding[1] + reach[1],
        };
        let depth = convolution.depth();
        let phase = |remainder: [usize; 2]| {
            // The first pixel with this remainder, counted from the first zero of the padding; places under which it is.
            let whole = [0, 1].map(|axis| padding[axis].saturating_sub(remainder[axis]).div_ceil(stride[axis]));
            let first = [0, 1].map(|axis| whole[axis] * stride[axis] + remainder[axis] - padding[axis]);
            let extent = [0, 1].map(|axis| size[axis].saturating_sub(first[axis]).div_ceil(stride[axis]));
            let count = [0, 1].map(|axis| kernel[axis].saturating_sub(remainder[axis]).div_ceil(stride[axis]));
            let split = move |k: usize| {
                let (x, rest) = (k % count[1], k / count[1]);
                [rest / count[0], rest % count[0], x]
            };
            let place = |k: usize, kind: usize| {
                let ([plane, y, x], depths) = (split(k), V::Element::DEPTH);
                let place = [y * stride[0] + remainder[0], x * stride[1] + remainder[1]];
                let output = plane * depths + kind;
                (output < outputs && kind < depths).then_some(output * depth + place[0] * kernel[1] + place[1])
            };
            let offset = |k: usize| {
                let [plane, y, x] = split(k);
                gradient.place(plane, whole[0] + reach[0] - 1 - y, whole[1] + reach[1] - 1 - x)
            };
            let sizes = [inputs, gradient.planes * count[0] * count[1]];
            let area = kernel[0] * kernel[1];
            let sums = Correlation::new(precision, sizes, weight, area, place, offset, extent, gradient.pitch);
            Phase { first, sums }
        };
        let phases = (0..stride[0]).flat_map(|y| (0..stride[1]).map(move |x| [y, x])).map(phase).collect();
        let offsets = (0..depth).map(offset).collect();
        Self { precision, outputs, stride, image, offsets, extent, pitch, gradient, phases }
    }
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Backward for DirectBackward<V, ROWS, COLUMNS> {
    fn together(&self) -> usize {
        V::Element::DEPTH
    }

    /// `[outputs / COLUMNS, depth, COLUMNS]`
    fn sums(&self) -> usize {
        self.outputs.next_multiple_of(COLUMNS) * self.offsets.len()
    }

    fn add_weight_gradient(&self, images: &[f32], gradients: &[f32], ahead: [&[f32]; 2], sums: &mut [f32]) {
        let pixels = self.extent[0] * self.extent[1];
        let panels = self.outputs.next_multiple_of(COLUMNS) * pixels;
        let gradients: Vec<&[f32]> = gradients.chunks_exact(self.outputs * pixels).collect();
        with_scratch(|scratch| {
            let (image, panels) = scratch.get::<V::Element>(self.image.len() + panels).split_at_mut(self.image.len());
            self.image.fill_with_images::<V>(self.precision, images, image);
            V::Element::lay_out_kinds::<V>(self.precision, gradients.len(), panels, |kind, panels| {
                let gradient = Matrix::new(gradients[kind], self.outputs, pixels);
                write_numbers::<V, COLUMNS>(gradient.transposed(), panels);
            });
            // SAFETY: the vectors are supported.
            unsafe { V::vectorise(WeightGradient { backward: self, image, panels, ahead, sums }) };
        });
    }

    fn write_weight_gradient(&self, sums: &[f32], out: &mut [f32]) {
        let depth = self.offsets.len();
        for (output, row) in out.chunks_exact_mut(depth).enumerate() {
            let panel = &sums[output / COLUMNS * depth * COLUMNS..];
            row.iter_mut().enumerate().for_each(|(k, number)| *number = panel[k * COLUMNS + output % COLUMNS]);
        }
    }

    fn x_gradient(&self, gradients: &[f32], out: &mut [f32]) {
        let images = gradients.chunks_exact(self.outputs * self.extent[0] * self.extent[1]);
        let size = out.len() / images.len();
        for (gradient, out) in images.zip(out.chunks_exact_mut(size)) {
            with_scratch(|scratch| {
                let buffer = scratch.get::<V::Element>(self.gradient.len());
                self.gradient.fill_with_channels::<V>(self.precision, gradient, buffer);
                with_scratch(|scratch| {
                    let phases = scratch.get::<f32>(if self.stride == [1, 1] { 0 } else { out.len() });
                    // SAFETY: the vectors are supported.
                    unsafe { V::vectorise(XGradient { backward: self, buffer, phases, out }) };
                });
            });
        }
    }
}

struct XGradient<'a, V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    backward: &'a DirectBackward<V, ROWS, COLUMNS>,
    buffer: &'a [V::Element],
    /// Room for the pixels of each phase, if there are several.
    phases: &'a mut [f32],
    out: &'a mut [f32],
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Vectorised for XGradient<'_, V, ROWS, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { backward, buffer, phases, out } = self;
        let ([height, width], [down, along]) = (backward.image.size, backward.stride);
        if let [Phase { sums, .. }] = backward.phases.as_slice() {
            sums.run(buffer, &[], Ends::NONE, out, |_, _, _| {});
            return;
        }
        // `[phases, inputs, rows, columns]`
        let mut rest = &mut *phases;
        let parts = backward.phases.iter().map(|Phase { sums, .. }| {
            let part = rest.split_off_mut(..sums.len()).expect("phases have the image's pixels");
            sums.run(buffer, &[], Ends::NONE, &mut *part, |_, _, _| {});
            &*part
        });
        let parts: Vec<&[f32]> = parts.collect();
        for (row, out) in out.chunks_exact_mut(height * width).enumerate() {
            for (phases, parts) in backward.phases.chunks_exact(along).zip(parts.chunks_exact(along)) {
                // The phases along a line, in the order of their first pixels.
                let shift = phases.iter().position(|phase| phase.first[1] == 0).unwrap_or(0);
                let lines = out.chunks_exact_mut(width).skip(phases[0].first[0]).step_by(down);
                for (y, out) in lines.enumerate() {
                    let part = |x: usize| {
                        let (index, [rows, columns]) = ((x + shift) % along, phases[(x + shift) % along].sums.extent);
                        &parts[index][(row * rows + y) * columns..][..columns]
                    };
                    if along == 2 {
                        let (even, odd) = (part(0), part(1));
                        let (pairs, last) = out.as_chunks_mut::<2>();
                        pairs.iter_mut().zip(even).zip(odd).for_each(|((pair, even), odd)| *pair = [*even, *odd]);
                        last.iter_mut().zip(even.last()).for_each(|(last, even)| *last = *even);
                    } else {
                        for x in 0..along {
                            out.iter_mut().skip(x).step_by(along).zip(part(x)).for_each(|(out, sum)| *out = *sum);
                        }
                    }
                }
            }
        }
    }
}

struct WeightGradient<'a, V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    backward: &'a DirectBackward<V, ROWS, COLUMNS>,
    image: &'a [V::Element],
    /// The gradients of the pixels, `[outputs / COLUMNS, pixels, COLUMNS]`.
    panels: &'a [V::Element],
    ahead: [&'a [f32]; 2],
    sums: &'a mut [f32],
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Vectorised for WeightGradient<'_, V, ROWS, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { backward: DirectBackward { offsets, extent, pitch, .. }, image, panels, ahead, sums } = self;
        let (extent, pitch) = (*extent, *pitch);
        WeightSums::<V> { image, pitch, offsets, panels, extent, used: extent, ahead }.add::<ROWS, COLUMNS>(sums);
    }
}
