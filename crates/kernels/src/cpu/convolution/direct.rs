//! Convolution of single images without laying their patches out: a vector of neighbouring pixels under one place of the kernel stands in
//! the image as it is, once zeros are around it and its columns are sorted by their remainder modulo the stride.
#![allow(unsafe_code)]

use super::super::level::Work;
use super::super::product::write_numbers;
use super::super::scratch::with_scratch;
use super::super::vectors::{OfHeight, Unit, Vectors, add_products, blocks, of_height};
use super::super::{Matrix, Precision};
use super::correlation::{Correlation, together};
use super::padded::Padded;
use super::{Backward, Convolution, Forward};

/// Units of gradients whose part of the weight gradient is added up in registers: they stay in the first cache.
const STRIP: usize = 1 << 12;

/// Whether vectors of neighbouring pixels are worth more than laying patches out for a product.
pub(super) fn suits<V: Vectors>(convolution: &Convolution) -> bool {
    let [_, columns] = convolution.output_size();
    4 * columns >= 3 * columns.next_multiple_of(together::<V>(columns))
}

/// The padded image of a convolution with planes of `channels` channels, its places of the kernel in the order of a weight's numbers, and
/// the pitch of its pixels.
fn places<V: Vectors>(
    convolution: &Convolution,
    channels: usize,
) -> (Padded, impl Fn(usize) -> usize + use<V>, usize) {
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
        let (image, offset, pitch) = places::<V>(convolution, V::Unit::DEPTH);
        let Convolution { inputs, outputs, kernel, .. } = *convolution;
        let area = kernel[0] * kernel[1];
        let weight = |row: usize, k: usize| {
            let channel = |kind: usize| k / area * V::Unit::DEPTH + kind;
            let number = |kind: usize| weight[(row * inputs + channel(kind)) * area + k % area];
            V::Unit::join(precision, [0, 1].map(|kind| if channel(kind) < inputs { number(kind) } else { 0.0 }))
        };
        let sizes = [outputs, image.planes * area];
        Self { precision, image, sums: Correlation::new(sizes, weight, offset, convolution.output_size(), pitch) }
    }
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Forward for DirectForward<V, ROWS, COLUMNS> {
    fn forward(&self, image: &[f32], out: &mut [f32]) {
        with_scratch(|scratch| {
            let room = scratch.get::<V::Unit>(self.image.len());
            self.image.fill_with_channels::<V>(self.precision, image, room);
            // SAFETY: the level says that the processor has the vectors.
            unsafe { V::enter(ForwardOf { forward: self, room, out }) };
        });
    }
}

struct ForwardOf<'a, V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    forward: &'a DirectForward<V, ROWS, COLUMNS>,
    room: &'a [V::Unit],
    out: &'a mut [f32],
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Work for ForwardOf<'_, V, ROWS, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { forward, room, out } = self;
        let [height, width] = forward.sums.extent;
        forward.sums.run(room, |row, y, x, sums| {
            out[(row * height + y) * width + x..][..sums.len()].copy_from_slice(sums);
        });
    }
}

/// The gradients of a convolution that is done directly.
#[derive(Debug)]
pub(super) struct DirectBackward<V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    precision: Precision,
    outputs: usize,
    stride: [usize; 2],
    /// Each plane is a channel, its units are of several images.
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
            planes: outputs.div_ceil(V::Unit::DEPTH),
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
            let weight = |row: usize, k: usize| {
                let [plane, y, x] = split(k);
                let place = [y * stride[0] + remainder[0], x * stride[1] + remainder[1]];
                let output = |kind: usize| plane * V::Unit::DEPTH + kind;
                let number =
                    |kind: usize| weight[output(kind) * depth + (row * kernel[0] + place[0]) * kernel[1] + place[1]];
                V::Unit::join(precision, [0, 1].map(|kind| if output(kind) < outputs { number(kind) } else { 0.0 }))
            };
            let offset = |k: usize| {
                let [plane, y, x] = split(k);
                gradient.place(plane, whole[0] + reach[0] - 1 - y, whole[1] + reach[1] - 1 - x)
            };
            let sizes = [inputs, gradient.planes * count[0] * count[1]];
            Phase { first, sums: Correlation::new(sizes, weight, offset, extent, gradient.pitch) }
        };
        let phases = (0..stride[0]).flat_map(|y| (0..stride[1]).map(move |x| [y, x])).map(phase).collect();
        let offsets = (0..depth).map(offset).collect();
        Self { precision, outputs, stride, image, offsets, extent, pitch, gradient, phases }
    }
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Backward for DirectBackward<V, ROWS, COLUMNS> {
    const TOGETHER: usize = V::Unit::DEPTH;

    /// `[outputs / COLUMNS, depth, COLUMNS]`
    fn sums(&self) -> usize {
        self.outputs.next_multiple_of(COLUMNS) * self.offsets.len()
    }

    fn add_weight_gradient(&self, images: &[&[f32]], gradients: &[&[f32]], sums: &mut [f32]) {
        let pixels = self.extent[0] * self.extent[1];
        let panels = self.outputs.next_multiple_of(COLUMNS) * pixels;
        with_scratch(|scratch| {
            let (image, panels) = scratch.get::<V::Unit>(self.image.len() + panels).split_at_mut(self.image.len());
            self.image.fill_with_images::<V>(self.precision, images, image);
            V::Unit::lay_out_kinds::<V>(self.precision, gradients.len(), panels, |kind, panels| {
                let gradient = Matrix::new(gradients[kind], self.outputs, pixels);
                write_numbers::<V, COLUMNS>(gradient.transposed(), panels);
            });
            // SAFETY: the level says that the processor has the vectors.
            unsafe { V::enter(WeightGradient { backward: self, image, panels, sums }) };
        });
    }

    fn put_in_order(&self, sums: &[f32], out: &mut [f32]) {
        let depth = self.offsets.len();
        for (output, row) in out.chunks_exact_mut(depth).enumerate() {
            let panel = &sums[output / COLUMNS * depth * COLUMNS..];
            row.iter_mut().enumerate().for_each(|(k, number)| *number = panel[k * COLUMNS + output % COLUMNS]);
        }
    }

    fn x_gradient(&self, gradient: &[f32], out: &mut [f32]) {
        with_scratch(|scratch| {
            let room = scratch.get::<V::Unit>(self.gradient.len());
            self.gradient.fill_with_channels::<V>(self.precision, gradient, room);
            // SAFETY: the level says that the processor has the vectors.
            unsafe { V::enter(XGradient { backward: self, room, out }) };
        });
    }
}

struct XGradient<'a, V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    backward: &'a DirectBackward<V, ROWS, COLUMNS>,
    room: &'a [V::Unit],
    out: &'a mut [f32],
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Work for XGradient<'_, V, ROWS, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { backward, room, out } = self;
        let [height, width] = backward.image.size;
        let [down, along] = backward.stride;
        for Phase { first, sums } in &backward.phases {
            sums.run(room, |row, y, x, sums| {
                let place = (row * height + first[0] + y * down) * width + first[1] + x * along;
                if along == 1 {
                    out[place..][..sums.len()].copy_from_slice(sums);
                } else {
                    out[place..].iter_mut().step_by(along).zip(sums).for_each(|(out, sum)| *out = *sum);
                }
            });
        }
    }
}

struct WeightGradient<'a, V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    backward: &'a DirectBackward<V, ROWS, COLUMNS>,
    image: &'a [V::Unit],
    /// The gradients of the pixels, `[outputs / COLUMNS, pixels, COLUMNS]`.
    panels: &'a [V::Unit],
    sums: &'a mut [f32],
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Work for WeightGradient<'_, V, ROWS, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { backward, image, panels, sums } = self;
        let ([height, width], depth) = (backward.extent, backward.offsets.len());
        let farthest = backward.offsets.iter().copied().max().unwrap_or(0);
        assert!((height - 1) * backward.pitch + farthest + width <= image.len(), "an image of {} units", image.len());
        let strip = (STRIP / (width * COLUMNS)).max(1);
        for first in (0..height).step_by(strip) {
            let rows = strip.min(height - first);
            let image = &image[first * backward.pitch..];
            for (panel, sums) in
                panels.chunks_exact(height * width * COLUMNS).zip(sums.chunks_exact_mut(depth * COLUMNS))
            {
                let panel = &panel[first * width * COLUMNS..][..rows * width * COLUMNS];
                for (top, end) in blocks(depth, ROWS) {
                    let (sums, offsets) = (&mut sums[top * COLUMNS..end * COLUMNS], &backward.offsets[top..end]);
                    let block =
                        Block::<V, COLUMNS> { image, pitch: backward.pitch, panel, extent: [rows, width], offsets, sums };
                    // SAFETY: the level says that the processor has the vectors, and the last unit of the farthest place was found to
                    // be inside.
                    unsafe { of_height(end - top, block) };
                }
            }
        }
    }
}

/// What some rows of pixels give to the gradients of the weights at some places of the kernel.
struct Block<'a, V: Vectors, const COLUMNS: usize> {
    image: &'a [V::Unit],
    /// Between rows of the image.
    pitch: usize,
    panel: &'a [V::Unit],
    /// Rows and columns of pixels.
    extent: [usize; 2],
    offsets: &'a [usize],
    sums: &'a mut [f32],
}

impl<V: Vectors, const COLUMNS: usize> OfHeight for Block<'_, V, COLUMNS> {
    #[inline(always)]
    unsafe fn run<const HEIGHT: usize>(self) {
        // SAFETY: the caller's.
        unsafe { V::enter(BlockOf::<V, COLUMNS, HEIGHT>(self)) };
    }
}

/// [`Block`] of so many places.
struct BlockOf<'a, V: Vectors, const COLUMNS: usize, const HEIGHT: usize>(Block<'a, V, COLUMNS>);

impl<V: Vectors, const COLUMNS: usize, const HEIGHT: usize> Work for BlockOf<'_, V, COLUMNS, HEIGHT> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Block { image, pitch, panel, extent: [rows, width], offsets, sums } = self.0;
        let offsets: &[usize; HEIGHT] = offsets.try_into().expect("as many offsets as rows");
        let (sums, _) = sums.as_chunks_mut::<COLUMNS>();
        assert!(sums.len() == HEIGHT && panel.len() == rows * width * COLUMNS, "the sums and gradients of a block");
        // SAFETY: work for these vectors was entered, and the caller says that the pixels behind every offset are there.
        unsafe {
            let mut totals: [[V::Sums; 2]; HEIGHT] = std::array::from_fn(|row| {
                [V::read(sums[row].as_ptr()), V::read(sums[row].as_ptr().add(V::LANES))]
            });
            let mut starts = offsets.map(|offset| image.as_ptr().add(offset));
            let mut panel = panel.as_ptr();
            for _ in 0..rows {
                totals = add_products::<V, HEIGHT>(
                    width,
                    |x, row| starts[row].add(x),
                    |x| [0, 1].map(|half| V::load(panel.add(x * COLUMNS + half * V::LANES))),
                    totals,
                );
                starts = starts.map(|start| start.wrapping_add(pitch));
                panel = panel.wrapping_add(width * COLUMNS);
            }
            for (totals, sums) in totals.into_iter().zip(sums) {
                V::write(totals[0], sums.as_mut_ptr());
                V::write(totals[1], sums.as_mut_ptr().add(V::LANES));
            }
        }
    }
}
