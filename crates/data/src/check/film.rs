//! What one camera saw in one episode, in numbers that fit into memory for all episodes.

use prevision_core::FrameBuffer;
use prevision_core::frames::Window;
use prevision_video::{ClipRead, FrameSource as _, OpenOptions, Video};

use super::finding::Finding;
use crate::sources::{EpisodeFrames, EpisodeSource};

/// Longest side of the pictures that are looked at, pixels.
const SIDE: usize = 128;
/// Frames that are read at a time.
const CHUNK: usize = 64;
/// Pictures in a signature.
const SIGNATURE: usize = 8;
/// Side of a picture in a signature, in cells.
pub(super) const CELLS: usize = 8;
/// A frame whose brightness and spread are below this, of 255, is black.
const BLACK: f32 = 3.0;

/// What one camera saw in one episode.
#[derive(Clone, Debug, Default)]
pub(super) struct Film {
    /// Per frame the mean of its samples, 0 to 255.
    pub(super) brightness: Vec<f32>,
    /// Per frame the deviation of its samples.
    spread: Vec<f32>,
    /// Per frame but the first the mean difference from the frame before, 0 to 255.
    pub(super) change: Vec<f32>,
    /// A few frames in small, evenly spaced.
    pub(super) signature: Vec<f32>,
    /// Frames a second of its video, and the longest time between two frames over the usual one; none without a video of its own.
    pub(super) rate: Option<(f64, f64)>,
    /// Sums of the samples of red, green and blue, and of their squares; number of pixels.
    pub(super) sums: ([f64; 3], [f64; 3], f64),
}

impl Film {
    /// Looks at all frames. What cannot be read is a finding.
    pub(super) fn look(source: &dyn EpisodeSource, camera: &str, episode: usize) -> Result<Self, Finding> {
        let length = source.length(episode);
        let unreadable = |message: String| Finding::error("unreadable-video", message);
        let (path, first) = match source.frames_of(camera, episode) {
            EpisodeFrames::Own => {
                let mut film = Self::default();
                let mut last = None;
                for start in (0..length).step_by(CHUNK) {
                    let chunk: Vec<usize> = (start..length.min(start + CHUNK)).collect();
                    let frames =
                        source.frames(camera, episode, &chunk).map_err(|error| unreadable(error.to_string()))?;
                    film.add(&frames, length, &mut last);
                }
                return Ok(film);
            }
            EpisodeFrames::Video(path) => (path, None),
            EpisodeFrames::Part { path, first } => (path, Some(first)),
        };
        let mut video = Video::open(&path, &OpenOptions::default()).map_err(|error| unreadable(error.to_string()))?;
        let found = video.len();
        let contradicts = if let Some(first) = first { found < first + length } else { found != length };
        if contradicts {
            let needed = first.map_or(length.to_string(), |first| format!("{first}..{}", first + length));
            let message = format!("{} has {found} frames, the table has rows for {needed}", path.display());
            return Err(Finding::error("frame-count", message));
        }
        let (width, height) = video.size();
        let scale = (SIDE as f64 / width.max(height) as f64).min(1.0);
        let side = |length: usize| ((length as f64 * scale).round() as usize).max(1);
        let mut film = Self { rate: rate(&video, first.unwrap_or(0), length), ..Self::default() };
        let mut last = None;
        let mut out = FrameBuffer::new(0, side(height), side(width));
        let indices: Vec<usize> = (0..length).map(|frame| first.unwrap_or(0) + frame).collect();
        for chunk in indices.chunks(CHUNK) {
            let window = Window::whole(width, height);
            let mut clip = [ClipRead { indices: chunk.to_vec(), window, mirror: false, out }];
            video.read_clips(&mut clip).map_err(|error| unreadable(error.to_string()))?;
            let [clip] = clip;
            film.add(&clip.out, length, &mut last);
            out = clip.out;
        }
        Ok(film)
    }

    fn add(&mut self, frames: &FrameBuffer, length: usize, last: &mut Option<Vec<u8>>) {
        for number in 0..frames.frames {
            let frame = frames.frame(number);
            let samples = frame.len().max(1) as f64;
            let (sums, squares, pixels) = &mut self.sums;
            let (mut sum, mut square) = (0_u64, 0_u64);
            let mut channels = [(0_u64, 0_u64); 3];
            for pixel in frame.chunks_exact(3) {
                for (channel, &sample) in channels.iter_mut().zip(pixel) {
                    channel.0 += u64::from(sample);
                    channel.1 += u64::from(sample) * u64::from(sample);
                }
            }
            for (index, channel) in channels.iter().enumerate() {
                sums[index] += channel.0 as f64;
                squares[index] += channel.1 as f64;
                sum += channel.0;
                square += channel.1;
            }
            *pixels += samples / 3.0;
            let mean = sum as f64 / samples;
            self.brightness.push(mean as f32);
            self.spread.push((square as f64 / samples - mean * mean).max(0.0).sqrt() as f32);
            if let Some(last) = last.as_ref().filter(|last| last.len() == frame.len()) {
                let difference: u64 = frame.iter().zip(last).map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
                self.change.push((difference as f64 / samples) as f32);
            }
            let place = self.brightness.len() - 1;
            let wanted = (0..SIGNATURE).any(|part| part * (length.max(1) - 1) / (SIGNATURE - 1) == place);
            if wanted {
                self.signature.extend(small(frame, frames.width, frames.height));
            }
            *last = Some(frame.to_vec());
        }
    }

    fn is_black(&self, frame: usize) -> bool {
        self.brightness[frame] < BLACK && self.spread[frame] < BLACK
    }

    /// Runs of black frames.
    pub(super) fn black(&self) -> Vec<(usize, usize)> {
        runs((0..self.brightness.len()).map(|frame| self.is_black(frame)))
    }

    /// Runs of changes of nothing, or of no more than `noise`, which lossy videos have: `(first, end)` of places in `change`.
    pub(super) fn still(&self, noise: f32) -> Vec<(usize, usize)> {
        runs(self.change.iter().map(|&change| change <= noise))
    }
}

/// Frames a second in a part of a video, and its longest gap over the usual one.
fn rate(video: &Video, first: usize, length: usize) -> Option<(f64, f64)> {
    let times = video.timestamps().get(first..first + length)?;
    let mut gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let usual = *median(&mut gaps)?;
    let longest = gaps.iter().copied().fold(0.0, f64::max);
    (usual > 0.0).then(|| (1.0 / usual, longest / usual))
}

/// The middle one of some numbers, which are put in another order.
pub(super) fn median(numbers: &mut [f64]) -> Option<&f64> {
    let middle = numbers.len() / 2;
    (!numbers.is_empty()).then(|| &*numbers.select_nth_unstable_by(middle, f64::total_cmp).1)
}

/// First and end of each stretch of places where something holds.
pub(super) fn runs(holds: impl Iterator<Item = bool>) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut open = None;
    let mut end = 0;
    for (place, holds) in holds.enumerate() {
        end = place + 1;
        match (holds, open) {
            (true, None) => open = Some(place),
            (false, Some(first)) => {
                runs.push((first, place));
                open = None;
            }
            _ => {}
        }
    }
    runs.extend(open.map(|first| (first, end)));
    runs
}

/// A frame in cells of brightness.
fn small(frame: &[u8], width: usize, height: usize) -> Vec<f32> {
    let mut cells = Vec::with_capacity(CELLS * CELLS);
    for row in 0..CELLS {
        for column in 0..CELLS {
            let (top, bottom) = (row * height / CELLS, ((row + 1) * height / CELLS).max(row * height / CELLS + 1));
            let (left, right) =
                (column * width / CELLS, ((column + 1) * width / CELLS).max(column * width / CELLS + 1));
            let (mut sum, mut count) = (0_u64, 0_u64);
            for y in top..bottom.min(height) {
                for sample in &frame[(y * width + left) * 3..(y * width + right.min(width)) * 3] {
                    sum += u64::from(*sample);
                    count += 1;
                }
            }
            cells.push(sum as f32 / count.max(1) as f32);
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::{Film, runs};
    use prevision_core::FrameBuffer;

    #[test]
    fn stretches() {
        assert_eq!(runs([true, false, true, true].into_iter()), [(0, 1), (2, 4)]);
        assert_eq!(runs([false, true, false].into_iter()), [(1, 2)]);
        assert_eq!(runs(std::iter::empty()), []);
    }

    #[test]
    fn black_and_still_frames() {
        let mut frames = FrameBuffer::new(5, 16, 16);
        for frame in [0, 1, 4] {
            frames.frame_mut(frame).fill(100);
        }
        frames.frame_mut(4)[0] = 200;
        let mut film = Film::default();
        film.add(&frames, 5, &mut None);
        assert_eq!(film.black(), [(2, 4)]);
        assert_eq!((film.still(0.0), film.still(100.0)), (vec![(0, 1), (2, 3)], vec![(0, 3)]));
        assert_eq!(film.change[1], 100.0);
        assert_eq!(film.sums.2, 5.0 * 256.0);
    }
}
