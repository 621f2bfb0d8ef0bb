//! Windows of frames in videos.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use prevision_core::FrameBuffer;
use prevision_model::pretrained::Input;
use prevision_video::{FrameSource as _, OpenOptions, Video};

use crate::Usage;

/// How a video is cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows {
    /// Frames in a window.
    pub(super) frames: usize,
    /// Every so many frames of the video are taken.
    pub(super) step: usize,
    /// Taken frames from the begin of one window to that of the next.
    pub(super) stride: usize,
}

impl Windows {
    /// Windows in a video of so many frames.
    pub(super) fn count(self, length: usize) -> usize {
        let taken = length.div_ceil(self.step);
        if taken < self.frames { 0 } else { (taken - self.frames) / self.stride + 1 }
    }

    /// Taken frames that are in none of them.
    pub(super) fn left_out(self, length: usize) -> usize {
        let taken = length.div_ceil(self.step);
        match self.count(length) {
            0 => taken,
            count => taken - ((count - 1) * self.stride + self.frames),
        }
    }

    /// The frames of a window.
    pub(super) fn indices(self, window: usize) -> impl Iterator<Item = usize> {
        let first = window * self.stride;
        (first..first + self.frames).map(move |taken| taken * self.step)
    }
}

/// A video whose windows are read one after the other. Frames of the window before that are in the next one too are kept.
pub(super) struct WindowReader {
    video: Video,
    windows: Windows,
    input: Input,
    kept: BTreeMap<usize, Vec<u8>>,
    frame: FrameBuffer,
}

impl WindowReader {
    pub(super) fn open(path: &Path, windows: Windows, input: Input) -> Result<Self> {
        let video = Video::open(path, &OpenOptions::default())?;
        let (width, height) = video.size();
        Ok(Self { video, windows, input, kept: BTreeMap::new(), frame: FrameBuffer::new(1, height, width) })
    }

    /// Frames of the video.
    pub(super) fn len(&self) -> usize {
        self.video.len()
    }

    /// Frames in a second on average; not a number, or not finite, if the video does not say.
    pub(super) fn frame_rate(&self) -> f64 {
        let times = self.video.timestamps();
        match times {
            [first, .., last] => (times.len() - 1) as f64 / (last - first),
            _ => f64::NAN,
        }
    }

    /// A window as the encoder sees it, `[frames, crop, crop, 3]`, and when its first and its last frame are shown, in seconds.
    pub(super) fn read(&mut self, window: usize) -> Result<(Vec<u8>, [f32; 2])> {
        let indices: Vec<usize> = self.windows.indices(window).collect();
        let (first, last) = (indices[0], indices[indices.len() - 1]);
        self.kept = self.kept.split_off(&first);
        let mut pixels = Vec::with_capacity(indices.len() * self.input.crop * self.input.crop * 3);
        for index in indices {
            if let Some(frame) = self.kept.get(&index) {
                pixels.extend_from_slice(frame);
                continue;
            }
            self.video.read(&[index], &mut self.frame)?;
            let frame = self.input.frame(self.frame.frame(0), self.video.size());
            pixels.extend_from_slice(&frame);
            self.kept.insert(index, frame);
        }
        let times = self.video.timestamps();
        Ok((pixels, [first, last].map(|index| times[index] as f32)))
    }
}

/// The first frames of a video, as many as the encoder takes, as it sees them: `[frames, crop, crop, 3]`.
pub(in crate::verbs) fn first_window(path: &Path, input: &Input) -> Result<Vec<u8>> {
    let windows = Windows { frames: input.frames, step: 1, stride: input.frames };
    let mut reader = WindowReader::open(path, windows, input.clone())?;
    if windows.count(reader.len()) == 0 {
        let message =
            format!("{}: {} of the {} frames that a window takes", path.display(), reader.len(), input.frames);
        return Err(Usage(message).into());
    }
    Ok(reader.read(0)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_lie_within_the_video() {
        let windows = Windows { frames: 4, step: 3, stride: 2 };
        // Frames 0, 3, .. 21 are taken: 8 of them.
        assert_eq!((windows.count(22), windows.left_out(22)), (3, 0));
        assert_eq!(windows.indices(2).collect::<Vec<_>>(), [12, 15, 18, 21]);
        assert_eq!((windows.count(25), windows.left_out(25)), (3, 1));
        assert_eq!((windows.count(9), windows.left_out(9)), (0, 3));
        assert_eq!(Windows { frames: 1, step: 1, stride: 1 }.count(5), 5);
    }
}
