//! Convolution of one image without laying its patches out: a vector of neighbouring pixels under one place of the kernel stands in the
//! image as it is, once zeros are around it and its columns are sorted by their remainder modulo the stride.
#![allow(unsafe_code)]

use super::super::level::Work;
use super::super::math::fma;
use super::super::product::{COLUMNS, ROWS, blocks, lay_out_right};
use super::super::{Level, Matrix, Precision};
use super::Convolution;
use super::correlation::{Correlation, LANES};
use super::padded::Padded;

/// Pixels whose part of the weight gradient is added up in registers: their gradients stay in the first cache.
const PIXELS: usize = 256;

/// A convolution that is done directly, with its weights in order.
#[derive(Debug)]
pub(super) struct Forward {
    precision: Precision,
    image: Padded,
    sums: Correlation,
}

/// The padded image of a convolution, its places of the kernel in the order of a weight's numbers, and the pitch of its pixels.
fn places(convolution: &Convolution) -> (Padded, impl Fn(usize) -> usize + use<>, usize) {
    let ([rows, columns], kernel, stride) = (convolution.output_size(), convolution.kernel, convolution.stride);
    let image = Padded {
        channels: convolution.inputs,
        size: convolution.size,
        margin: convolution.padding,
        rows: (rows.max(1) - 1) * stride[0] + kernel[0],
        phases: stride[1],
        pitch: columns.next_multiple_of(LANES) + (kernel[1] - 1) / stride[1],
    };
    let offset = move |k: usize| {
        let (x, rest) = (k % kernel[1], k / kernel[1]);
        image.place(rest / kernel[0], rest % kernel[0], x)
    };
    (image, offset, stride[0] * image.phases * image.pitch)
}

impl Forward {
    pub(super) fn new(convolution: &Convolution, precision: Precision, weight: &[f32]) -> Self {
        let (image, offset, pitch) = places(convolution);
        let depth = convolution.depth();
        let weight = |row: usize, k: usize| weight[row * depth + k];
        let sizes = [convolution.outputs, depth];
        let sums = Correlation::new(precision, sizes, weight, offset, convolution.output_size(), pitch);
        Self { precision, image, sums }
    }

    /// Numbers that [`Self::run`] needs room for.
    pub(super) fn room(&self) -> usize {
        self.image.len()
    }

    /// `out`: `[outputs, height, width]`
    pub(super) fn run(&self, level: Level, image: &[f32], room: &mut [f32], out: &mut [f32]) {
        super::super::level::at(level, ForwardOf { forward: self, image, room, out });
    }
}

struct ForwardOf<'a> {
    forward: &'a Forward,
    image: &'a [f32],
    room: &'a mut [f32],
    out: &'a mut [f32],
}

impl Work for ForwardOf<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { forward, image, room, out } = self;
        forward.image.fill(forward.precision, image, room);
        let [height, width] = forward.sums.extent;
        forward.sums.run::<FUSED>(room, |row, y, x, sums| store(out, (row * height + y) * width + x, sums));
    }
}

/// Copies a vector, or what of it is left.
#[inline(always)]
fn store(out: &mut [f32], place: usize, sums: &[f32]) {
    let out = &mut out[place..][..sums.len()];
    match (out.as_mut_array::<LANES>(), sums.as_array::<LANES>()) {
        (Some(out), Some(sums)) => *out = *sums,
        _ => out.copy_from_slice(sums),
    }
}

/// The gradients of a convolution that is done directly.
#[derive(Debug)]
pub(super) struct Backward {
    precision: Precision,
    outputs: usize,
    stride: [usize; 2],
    image: Padded,
    /// Places of the kernel in the padded image.
    offsets: Vec<usize>,
    /// Rows and columns of pixels of the result.
    extent: [usize; 2],
    /// Between rows of pixels in the padded image.
    pitch: usize,
    gradient: Padded,
    phases: Vec<Phase>,
}

/// The pixels of an image whose rows and columns have one remainder modulo the stride: they are under the same places of the kernel.
#[derive(Debug)]
struct Phase {
    /// First pixel.
    first: [usize; 2],
    sums: Correlation,
}

impl Backward {
    pub(super) fn new(convolution: &Convolution, precision: Precision, weight: &[f32]) -> Self {
        let (image, offset, pitch) = places(convolution);
        let Convolution { inputs, outputs, size, kernel, stride, padding, .. } = *convolution;
        let extent = convolution.output_size();
        // Pixel `i` of the image is under place `k` in pixel `(i + padding - k) / stride` of the result, if that is a whole number.
        let reach = [0, 1].map(|axis| kernel[axis].div_ceil(stride[axis]));
        let last = [0, 1].map(|axis| (size[axis] + padding[axis]) / stride[axis]);
        let gradient = Padded {
            channels: outputs,
            size: extent,
            margin: reach.map(|reach| reach - 1),
            rows: last[0] + reach[0],
            phases: 1,
            pitch: (last[1] + 1).next_multiple_of(LANES) + padding[1] + reach[1],
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
                let [output, y, x] = split(k);
                let place = [y * stride[0] + remainder[0], x * stride[1] + remainder[1]];
                weight[output * depth + (row * kernel[0] + place[0]) * kernel[1] + place[1]]
            };
            let offset = |k: usize| {
                let [output, y, x] = split(k);
                gradient.place(output, whole[0] + reach[0] - 1 - y, whole[1] + reach[1] - 1 - x)
            };
            let sizes = [inputs, outputs * count[0] * count[1]];
            Phase { first, sums: Correlation::new(precision, sizes, weight, offset, extent, gradient.pitch) }
        };
        let phases = (0..stride[0]).flat_map(|y| (0..stride[1]).map(move |x| [y, x])).map(phase).collect();
        let offsets = (0..depth).map(offset).collect();
        Self { precision, outputs, stride, image, offsets, extent, pitch, gradient, phases }
    }

    /// Numbers that [`Self::add_weight_gradient`] and [`Self::x_gradient`] need room for.
    pub(super) fn room(&self) -> usize {
        let panels = self.outputs.next_multiple_of(COLUMNS) * self.extent[0] * self.extent[1];
        (self.image.len() + panels).max(self.gradient.len())
    }

    /// Numbers of the sums of [`Self::add_weight_gradient`].
    pub(super) fn sums(&self) -> usize {
        self.outputs.next_multiple_of(COLUMNS) * self.offsets.len()
    }

    /// Adds the gradient of the weight to `sums`, `[outputs / COLUMNS, depth, COLUMNS]`.
    pub(super) fn add_weight_gradient(
        &self,
        level: Level,
        image: &[f32],
        gradient: &[f32],
        room: &mut [f32],
        sums: &mut [f32],
    ) {
        let pixels = self.extent[0] * self.extent[1];
        let (padded, panels) = room.split_at_mut(self.image.len());
        let panels = &mut panels[..self.outputs.next_multiple_of(COLUMNS) * pixels];
        lay_out_right(level, self.precision, Matrix::new(gradient, self.outputs, pixels).transposed(), panels);
        super::super::level::at(level, WeightGradient { backward: self, image, padded, panels, sums });
    }

    /// The sums of [`Self::add_weight_gradient`] as `[outputs, depth]`.
    pub(super) fn put_in_order(&self, sums: &[f32], out: &mut [f32]) {
        let depth = self.offsets.len();
        for (output, row) in out.chunks_exact_mut(depth).enumerate() {
            let panel = &sums[output / COLUMNS * depth * COLUMNS..];
            row.iter_mut().enumerate().for_each(|(k, number)| *number = panel[k * COLUMNS + output % COLUMNS]);
        }
    }

    /// The gradient of the image from that of the result, `[outputs, height, width]`.
    pub(super) fn x_gradient(&self, level: Level, gradient: &[f32], room: &mut [f32], out: &mut [f32]) {
        super::super::level::at(level, XGradient { backward: self, gradient, room, out });
    }
}

struct XGradient<'a> {
    backward: &'a Backward,
    gradient: &'a [f32],
    room: &'a mut [f32],
    out: &'a mut [f32],
}

impl Work for XGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { backward, gradient, room, out } = self;
        let room = &mut room[..backward.gradient.len()];
        backward.gradient.fill(backward.precision, gradient, room);
        let [height, width] = backward.image.size;
        let [down, along] = backward.stride;
        for Phase { first, sums } in &backward.phases {
            sums.run::<FUSED>(room, |row, y, x, sums| {
                let place = (row * height + first[0] + y * down) * width + first[1] + x * along;
                if along == 1 {
                    store(out, place, sums);
                } else {
                    out[place..].iter_mut().step_by(along).zip(sums).for_each(|(out, sum)| *out = *sum);
                }
            });
        }
    }
}

struct WeightGradient<'a> {
    backward: &'a Backward,
    image: &'a [f32],
    padded: &'a mut [f32],
    /// The gradients of the pixels, `[outputs / COLUMNS, pixels, COLUMNS]`.
    panels: &'a [f32],
    sums: &'a mut [f32],
}

impl Work for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { backward, image, padded, panels, sums } = self;
        let ([height, width], depth) = (backward.extent, backward.offsets.len());
        backward.image.fill(backward.precision, image, padded);
        let farthest = backward.offsets.iter().copied().max().unwrap_or(0);
        assert!(
            (height - 1) * backward.pitch + farthest + width <= padded.len(),
            "an image of {} numbers",
            padded.len()
        );
        let strip = (PIXELS / width).max(1);
        for first in (0..height).step_by(strip) {
            let rows = (first, (first + strip).min(height));
            for (panel, sums) in
                panels.chunks_exact(height * width * COLUMNS).zip(sums.chunks_exact_mut(depth * COLUMNS))
            {
                let (sums, _) = sums.as_chunks_mut::<COLUMNS>();
                for (top, end) in blocks(depth) {
                    let (sums, offsets) = (&mut sums[top..end], &backward.offsets[top..end]);
                    // SAFETY: the last number of the farthest place was found to be inside.
                    unsafe {
                        match end - top {
                            1 => backward.block_of::<FUSED, 1>(padded, panel, rows, offsets, sums),
                            2 => backward.block_of::<FUSED, 2>(padded, panel, rows, offsets, sums),
                            3 => backward.block_of::<FUSED, 3>(padded, panel, rows, offsets, sums),
                            4 => backward.block_of::<FUSED, 4>(padded, panel, rows, offsets, sums),
                            5 => backward.block_of::<FUSED, 5>(padded, panel, rows, offsets, sums),
                            _ => backward.block_of::<FUSED, ROWS>(padded, panel, rows, offsets, sums),
                        }
                    }
                }
            }
        }
    }
}

impl Backward {
    /// Adds what some rows of pixels give to the gradients of the weights at some places of the kernel.
    ///
    /// # Safety
    /// `padded` has every pixel of these rows behind every offset.
    ///
    /// # Panics
    /// If there are not `HEIGHT` sums and offsets.
    #[inline(always)]
    unsafe fn block_of<const FUSED: bool, const HEIGHT: usize>(
        &self,
        padded: &[f32],
        panel: &[f32],
        rows: (usize, usize),
        offsets: &[usize],
        sums: &mut [[f32; COLUMNS]],
    ) {
        let width = self.extent[1];
        let (panel, _) = panel.as_chunks::<COLUMNS>();
        let offsets: [usize; HEIGHT] = offsets.try_into().expect("as many offsets as rows");
        let mut totals: [[f32; COLUMNS]; HEIGHT] = std::array::from_fn(|row| sums[row]);
        // SAFETY: the caller says that the pixels of the rows are there.
        let mut starts = offsets.map(|offset| unsafe { padded.as_ptr().add(rows.0 * self.pitch + offset) });
        for gradients in panel[rows.0 * width..rows.1 * width].chunks_exact(width) {
            for (x, gradient) in gradients.iter().enumerate() {
                for (totals, start) in totals.iter_mut().zip(&starts) {
                    // SAFETY: as above.
                    let pixel = unsafe { *start.add(x) };
                    for (total, gradient) in totals.iter_mut().zip(gradient) {
                        *total = fma::<FUSED>(pixel, *gradient, *total);
                    }
                }
            }
            starts = starts.map(|start| start.wrapping_add(self.pitch));
        }
        sums.copy_from_slice(&totals);
    }
}
