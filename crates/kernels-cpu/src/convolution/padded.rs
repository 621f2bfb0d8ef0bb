//! An image between zeros, in the order in which vectors of neighbouring pixels under one place of a kernel stand together.

use super::super::Precision;
use super::super::level::Vectorised;
use super::super::scratch::with_scratch;
use super::super::vectors::{Element, Vectors};

/// Images with zeros around them, in memory `[planes, rows, phases, pitch]`: column `i phases + phase` is at `[.., phase, i]`. A plane
/// has elements of one channel, or of several.
#[derive(Clone, Copy, Debug)]
pub(super) struct Padded {
    pub(super) planes: usize,
    pub(super) size: [usize; 2],
    /// Zeros above and on the left.
    pub(super) margin: [usize; 2],
    pub(super) rows: usize,
    pub(super) phases: usize,
    pub(super) pitch: usize,
}

impl Padded {
    pub(super) fn len(&self) -> usize {
        self.planes * self.plane()
    }

    fn plane(&self) -> usize {
        self.rows * self.phases * self.pitch
    }

    /// Where an element stands.
    pub(super) fn place(&self, plane: usize, row: usize, column: usize) -> usize {
        ((plane * self.rows + row) * self.phases + column % self.phases) * self.pitch + column / self.phases
    }

    /// Lays the channels of an image out, elements of neighbouring ones.
    pub(super) fn fill_with_channels<V: Vectors>(&self, precision: Precision, image: &[f32], out: &mut [V::Element]) {
        let channel = self.size[0] * self.size[1];
        let groups = image.chunks((channel * V::Element::DEPTH).max(1));
        for (image, out) in groups.zip(out.chunks_exact_mut(self.plane())) {
            let (first, second) = image.split_at(channel);
            self.fill_plane::<V, V::Element>(precision, first, second, out);
        }
    }

    /// Lays one image or two out, elements of their numbers at one place.
    pub(super) fn fill_with_images<V: Vectors>(&self, precision: Precision, images: &[f32], out: &mut [V::Element]) {
        let channel = self.size[0] * self.size[1];
        let (first, second) = images.split_at(self.planes * channel);
        for (plane, out) in out.chunks_exact_mut(self.plane()).enumerate() {
            let second = if second.is_empty() { second } else { &second[plane * channel..][..channel] };
            self.fill_plane::<V, V::Element>(precision, &first[plane * channel..][..channel], second, out);
        }
    }

    /// Lays the channels of an image out as numbers.
    pub(super) fn fill_numbers<V: Vectors>(&self, image: &[f32], out: &mut [f32]) {
        let channel = self.size[0] * self.size[1];
        for (image, out) in image.chunks_exact(channel.max(1)).zip(out.chunks_exact_mut(self.plane())) {
            self.fill_plane::<V, f32>(Precision::Float32, image, &[], out);
        }
    }

    /// `second` is the second numbers of the elements, if they have two and these are not zeros.
    fn fill_plane<V: Vectors, U: Element>(&self, precision: Precision, first: &[f32], second: &[f32], out: &mut [U]) {
        with_scratch(|scratch| {
            let second = match (U::DEPTH, second) {
                (1, _) => first,
                (_, []) => {
                    let zeros = scratch.get::<f32>(first.len());
                    zeros.fill(0.0);
                    zeros
                }
                _ => second,
            };
            // SAFETY: the vectors are supported.
            #[allow(unsafe_code)]
            unsafe {
                V::vectorise(FillPlane { padded: *self, precision, images: [first, second], out });
            }
        });
    }
}

/// Lays one plane out.
struct FillPlane<'a, U> {
    padded: Padded,
    precision: Precision,
    /// The first and the second numbers of the elements.
    images: [&'a [f32]; 2],
    out: &'a mut [U],
}

impl<U: Element> Vectorised for FillPlane<'_, U> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { padded, precision, images, out } = self;
        let Padded { size: [height, width], margin, rows, phases, pitch, .. } = padded;
        let line = phases * pitch;
        let above = margin[0].min(rows);
        let below = (above + height).min(rows);
        out.fill(U::default());
        let lines = images.map(|image| image.chunks_exact(width.max(1)));
        let [firsts, seconds] = lines;
        let lines = firsts.zip(seconds).zip(out[above * line..below * line].chunks_exact_mut(line));
        for ((first, second), out) in lines {
            if phases == 2 {
                // Pixels two and two: each goes to the phase of its column.
                let [even, odd] = [0, 1].map(|column| column + margin[1]).map(|column| (column % 2, column / 2));
                let counts = [width.div_ceil(2).min(pitch.saturating_sub(even.1)), width / 2];
                let counts = [counts[0], counts[1].min(pitch.saturating_sub(odd.1))];
                let (low, high) = out.split_at_mut(pitch);
                let [even_out, odd_out] = if even.0 == 0 { [low, high] } else { [high, low] };
                let even_out = &mut even_out[even.1.min(pitch)..][..counts[0]];
                let odd_out = &mut odd_out[odd.1.min(pitch)..][..counts[1]];
                U::join_deinterleaved(precision, first, second, even_out, odd_out);
                continue;
            }
            for phase in 0..phases {
                // Place `i` has column `i phases + phase - margin`.
                let start = margin[1].saturating_sub(phase).div_ceil(phases).min(pitch);
                let end = (width + margin[1]).saturating_sub(phase).div_ceil(phases).clamp(start, pitch);
                let column = (start * phases + phase).saturating_sub(margin[1]).min(width);
                let out = &mut out[phase * pitch..][start..end];
                if phases == 1 {
                    U::join_lines(precision, &first[column..], &second[column..], out);
                } else {
                    let numbers = first[column..].iter().zip(&second[column..]).step_by(phases);
                    for (out, (first, second)) in out.iter_mut().zip(numbers) {
                        *out = U::join(precision, [*first, *second]);
                    }
                }
            }
        }
    }
}
