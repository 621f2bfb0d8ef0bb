//! Videos as tubelets: blocks of frames, rows and columns, each one row of numbers.

use rayon::prelude::*;

/// Sizes of a video and of the tubelets that it is cut into without a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tubelets {
    /// `[batch, channels, time, height, width]`
    pub video: [usize; 5],
    /// Frames of a tubelet.
    pub frames: usize,
    /// Rows and columns of a tubelet.
    pub patch: usize,
}

impl Tubelets {
    /// Tubelets along time, height and width.
    ///
    /// # Panics
    /// If there is a rest.
    pub fn grid(&self) -> [usize; 3] {
        let Self { video: [_, _, time, height, width], frames, patch } = *self;
        assert!(
            time.is_multiple_of(frames) && height.is_multiple_of(patch) && width.is_multiple_of(patch),
            "a video {:?} in tubelets of {frames} x {patch} x {patch}",
            self.video
        );
        [time / frames, height / patch, width / patch]
    }

    /// Numbers of a tubelet.
    pub fn depth(&self) -> usize {
        self.video[1] * self.frames * self.patch * self.patch
    }

    /// Writes the tubelets, `[batch, time, height, width, channels * frames * patch * patch]`.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn split(&self, video: &[f32], out: &mut [f32]) {
        let ([_, channels, _, _, width], patch, depth) = (self.video, self.patch, self.depth());
        let [_, _, columns] = self.grid();
        assert_eq!(video.len(), out.len(), "as many numbers in tubelets as in the video");
        if out.is_empty() {
            return;
        }
        // A task has the tubelets of one row.
        out.par_chunks_mut(columns * depth).enumerate().for_each(|(row, out)| {
            for line in 0..channels * self.frames * patch {
                let start = self.line(row, line) * width;
                let places = out[line * patch..].chunks_mut(depth);
                for (out, pixels) in places.zip(video[start..start + width].chunks_exact(patch)) {
                    copy(pixels, &mut out[..patch]);
                }
            }
        });
    }

    /// The opposite of [`Self::split`].
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn join(&self, tubelets: &[f32], video: &mut [f32]) {
        let ([_, channels, time, height, width], patch, depth) = (self.video, self.patch, self.depth());
        let [_, rows, columns] = self.grid();
        assert_eq!(video.len(), tubelets.len(), "as many numbers in tubelets as in the video");
        if video.is_empty() {
            return;
        }
        video.par_chunks_mut(width).enumerate().for_each(|(line, pixels)| {
            let (y, rest) = (line % height, line / height);
            let (frame, rest) = (rest % time, rest / time);
            let (channel, sample) = (rest % channels, rest / channels);
            let row = (sample * (time / self.frames) + frame / self.frames) * rows + y / patch;
            let within = (channel * self.frames + frame % self.frames) * patch + y % patch;
            let places = tubelets[row * columns * depth + within * patch..].chunks(depth);
            for (pixels, tubelet) in pixels.chunks_exact_mut(patch).zip(places) {
                copy(&tubelet[..patch], pixels);
            }
        });
    }

    /// The line of pixels, counted over the whole video, that stands at line `line` of the tubelets of row `row`.
    fn line(&self, row: usize, line: usize) -> usize {
        let [_, channels, time, height, _] = self.video;
        let [times, rows, _] = self.grid();
        let (y, rest) = (line % self.patch, line / self.patch);
        let (frame, channel) = (rest % self.frames, rest / self.frames);
        let (down, rest) = (row % rows, row / rows);
        let (step, sample) = (rest % times, rest / times);
        ((sample * channels + channel) * time + step * self.frames + frame) * height + down * self.patch + y
    }
}

/// Copies a few numbers; of a length that is common as one vector or two.
#[inline(always)]
fn copy(from: &[f32], to: &mut [f32]) {
    match (from.as_array::<16>(), to.as_mut_array::<16>()) {
        (Some(from), Some(to)) => *to = *from,
        _ => to.copy_from_slice(from),
    }
}
