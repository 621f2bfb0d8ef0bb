//! An image between zeros, in the order in which vectors of neighbouring pixels under one place of a kernel stand together.

use super::super::Precision;
use super::super::level::Work;
use super::super::vectors::{Unit, Vectors};

/// Images with zeros around them, in memory `[planes, rows, phases, pitch]`: column `i phases + phase` is at `[.., phase, i]`. A plane
/// has units of one channel, or of several.
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

    /// Where a unit stands.
    pub(super) fn place(&self, plane: usize, row: usize, column: usize) -> usize {
        ((plane * self.rows + row) * self.phases + column % self.phases) * self.pitch + column / self.phases
    }

    /// Lays the channels of an image out, units of neighbouring ones.
    pub(super) fn fill_with_channels<V: Vectors>(&self, precision: Precision, image: &[f32], out: &mut [V::Unit]) {
        let channel = self.size[0] * self.size[1];
        let groups = image.chunks((channel * V::Unit::DEPTH).max(1));
        for (image, out) in groups.zip(out.chunks_exact_mut(self.plane())) {
            V::Unit::lay_out_kinds::<V>(precision, image.len() / channel, out, |kind, out| {
                self.fill_plane::<V>(&image[kind * channel..][..channel], out);
            });
        }
    }

    /// Lays images out, units of their numbers at one place.
    pub(super) fn fill_with_images<V: Vectors>(&self, precision: Precision, images: &[&[f32]], out: &mut [V::Unit]) {
        let channel = self.size[0] * self.size[1];
        for (plane, out) in out.chunks_exact_mut(self.plane()).enumerate() {
            V::Unit::lay_out_kinds::<V>(precision, images.len(), out, |kind, out| {
                self.fill_plane::<V>(&images[kind][plane * channel..][..channel], out);
            });
        }
    }

    /// Lays the channels of an image out as numbers.
    #[inline(always)]
    pub(super) fn fill_numbers<V: Vectors>(&self, image: &[f32], out: &mut [f32]) {
        let channel = self.size[0] * self.size[1];
        for (image, out) in image.chunks_exact(channel.max(1)).zip(out.chunks_exact_mut(self.plane())) {
            self.fill_plane::<V>(image, out);
        }
    }

    fn fill_plane<V: Vectors>(&self, image: &[f32], out: &mut [f32]) {
        // SAFETY: whoever has these vectors asks for their units.
        #[allow(unsafe_code)]
        unsafe {
            V::enter(FillPlane { padded: *self, image, out });
        }
    }
}

/// Lays one channel of an image out.
struct FillPlane<'a> {
    padded: Padded,
    image: &'a [f32],
    out: &'a mut [f32],
}

impl Work for FillPlane<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { padded: Padded { size: [height, width], margin, rows, phases, pitch, .. }, image, out } = self;
        let line = phases * pitch;
        let above = margin[0].min(rows);
        let below = (above + height).min(rows);
        out.fill(0.0);
        let out = &mut out[above * line..below * line];
        if phases == 2 {
            // Pixels two and two: each goes to the phase of its column.
            let [even, odd] = [0, 1].map(|column| column + margin[1]).map(|column| (column % 2, column / 2));
            let counts = [width.div_ceil(2), width / 2];
            let counts = [counts[0].min(pitch.saturating_sub(even.1)), counts[1].min(pitch.saturating_sub(odd.1))];
            for (image, out) in image.chunks_exact(width.max(1)).zip(out.chunks_exact_mut(line)) {
                let (first, second) = out.split_at_mut(pitch);
                let [even_out, odd_out] = if even.0 == 0 { [first, second] } else { [second, first] };
                let even_out = &mut even_out[even.1.min(pitch)..][..counts[0]];
                let odd_out = &mut odd_out[odd.1.min(pitch)..][..counts[1]];
                let (pairs, _) = image.as_chunks::<2>();
                for ((pair, even), odd) in pairs.iter().zip(&mut *even_out).zip(odd_out) {
                    [*even, *odd] = *pair;
                }
                for (index, out) in even_out.iter_mut().enumerate().skip(counts[1]) {
                    *out = image[2 * index];
                }
            }
            return;
        }
        for phase in 0..phases {
            // Place `i` has column `i phases + phase - margin`.
            let first = margin[1].saturating_sub(phase).div_ceil(phases).min(pitch);
            let last = (width + margin[1]).saturating_sub(phase).div_ceil(phases);
            let last = last.clamp(first, pitch);
            let column = (first * phases + phase).saturating_sub(margin[1]);
            for (image, out) in image.chunks_exact(width.max(1)).zip(out.chunks_exact_mut(line)) {
                let out = &mut out[phase * pitch..][first..last];
                let image = &image[column.min(width)..];
                if phases == 1 {
                    copy(&image[..out.len()], out);
                } else {
                    out.iter_mut().zip(image.iter().step_by(phases)).for_each(|(out, value)| *out = *value);
                }
            }
        }
    }
}

/// Copies numbers; short lines are copied faster than by a call.
#[inline(always)]
fn copy(from: &[f32], to: &mut [f32]) {
    let ((chunks, rest), (to, to_rest)) = (from.as_chunks::<8>(), to.as_chunks_mut::<8>());
    to.iter_mut().zip(chunks).for_each(|(to, from)| *to = *from);
    to_rest.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
}
