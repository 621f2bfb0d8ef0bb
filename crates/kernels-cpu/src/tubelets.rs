//! Videos as tubelets: blocks of frames, rows and columns, each one row of numbers.

use super::parallel::each;

use super::Level;

/// How frames are cut into tubelets: whole ones, zeros at the right and below where a grid reaches beyond the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Frames of a tubelet.
    pub frames: usize,
    /// Rows and columns of pixels of a tubelet.
    pub patch: usize,
    /// Tubelets along height and width.
    pub grid: [usize; 2],
}

/// A place in a batch of videos.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The video.
    pub clip: usize,
    /// Its frame.
    pub frame: usize,
    /// The frame's row.
    pub row: usize,
    /// The row's column.
    pub column: usize,
}

/// What tubelets are cut out of.
pub trait Source: Sync {
    /// `[batch, channels, time, height, width]`
    fn sizes(&self) -> [usize; 5];

    /// Writes the numbers of the tubelet that begins at a place, in (channel, frame, row, column) order.
    fn write(&self, level: Level, place: Place, cut: &Cut, out: &mut [f32]);
}

impl Cut {
    /// Tubelets of a clip of `time` frames.
    ///
    /// # Panics
    /// If frames are left over.
    pub fn tokens(&self, time: usize) -> usize {
        assert!(time.is_multiple_of(self.frames), "{time} frames in tubelets of {}", self.frames);
        time / self.frames * self.grid[0] * self.grid[1]
    }

    /// Numbers of a tubelet.
    pub fn depth(&self, channels: usize) -> usize {
        channels * self.frames * self.patch * self.patch
    }

    /// Writes rows of the tubelets of all clips from row `first` on, `[rows, channels * frames * patch * patch]`. The rows of a clip are
    /// its tubelets in (time, height, width) order, or those listed for it: `ids` is `[batch or 1, n]`.
    ///
    /// # Panics
    /// If there are no such rows or tubelets, or a frame reaches beyond the grid.
    pub fn rows(
        &self,
        level: Level,
        source: &impl Source,
        ids: Option<(&[usize], usize)>,
        first: usize,
        out: &mut [f32],
    ) {
        /// Rows of a task.
        const ROWS: usize = 16;
        let [_, channels, time, height, width] = source.sizes();
        let Self { frames, patch, grid: [rows, columns] } = *self;
        assert!(height <= rows * patch && width <= columns * patch, "a grid {self:?} of {:?}", source.sizes());
        let (tokens, depth) = (self.tokens(time), self.depth(channels));
        if out.is_empty() {
            return;
        }
        each(out.chunks_mut(ROWS * depth).enumerate(), |(task, out)| {
            for (index, out) in out.chunks_exact_mut(depth).enumerate() {
                let row = first + task * ROWS + index;
                let (clip, token) = match ids {
                    None => (row / tokens, row % tokens),
                    Some((ids, n)) => (row / n, ids[row % ids.len()]),
                };
                assert!(token < tokens, "token {token} of {tokens}");
                let (frame, row) = (token / (rows * columns) * frames, token / columns % rows * patch);
                source.write(level, Place { clip, frame, row, column: token % columns * patch }, self, out);
            }
        });
    }

    /// The opposite of [`Self::rows`] of all tubelets of a video, `[batch, channels, time, height, width]`, in a grid that does not reach
    /// beyond its frames.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn join(&self, tubelets: &[f32], [_, channels, time, height, width]: [usize; 5], video: &mut [f32]) {
        let Self { frames, patch, grid: [rows, columns] } = *self;
        let depth = self.depth(channels);
        assert_eq!(video.len(), tubelets.len(), "as many numbers in tubelets as in the video");
        if video.is_empty() {
            return;
        }
        each(video.chunks_mut(width).enumerate(), |(line, pixels)| {
            let (y, rest) = (line % height, line / height);
            let (frame, rest) = (rest % time, rest / time);
            let (channel, sample) = (rest % channels, rest / channels);
            let row = (sample * (time / frames) + frame / frames) * rows + y / patch;
            let within = (channel * frames + frame % frames) * patch + y % patch;
            let places = tubelets[row * columns * depth + within * patch..].chunks(depth);
            for (pixels, tubelet) in pixels.chunks_exact_mut(patch).zip(places) {
                copy(&tubelet[..patch], pixels);
            }
        });
    }
}

/// Videos as numbers.
#[derive(Clone, Copy, Debug)]
pub struct Numbers<'a> {
    /// As many as the sizes say.
    pub values: &'a [f32],
    /// `[batch, channels, time, height, width]`
    pub sizes: [usize; 5],
}

impl Source for Numbers<'_> {
    fn sizes(&self) -> [usize; 5] {
        self.sizes
    }

    fn write(&self, _: Level, place: Place, cut: &Cut, out: &mut [f32]) {
        let ([_, channels, time, height, width], Cut { frames, patch, .. }) = (self.sizes, *cut);
        let Place { clip, frame, row, column } = place;
        let columns = patch.min(width.saturating_sub(column));
        for (line, out) in out.chunks_exact_mut(patch).enumerate() {
            let (y, rest) = (row + line % patch, line / patch);
            let (channel, frame) = (rest / frames, frame + rest % frames);
            if y >= height || columns == 0 {
                out.fill(0.0);
                continue;
            }
            let start = (((clip * channels + channel) * time + frame) * height + y) * width + column;
            let (pixels, beyond) = out.split_at_mut(columns);
            copy(&self.values[start..start + columns], pixels);
            beyond.fill(0.0);
        }
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
