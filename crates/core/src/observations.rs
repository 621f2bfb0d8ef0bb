//! What was seen, in memory, by the name of the stream.

use std::collections::BTreeMap;

use crate::{Array2, FrameBuffer};

/// Some consecutive moments of every stream: frames of cameras, rows of vectors. One moment is what a world shows now; a clip has
/// several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observations {
    /// Frames of each camera, `[t, h, w, 3]`.
    pub cameras: BTreeMap<String, FrameBuffer>,
    /// Rows of each vector stream, `[t, d]`.
    pub vectors: BTreeMap<String, Array2>,
}

impl Observations {
    /// Those of a single camera.
    pub fn of_camera(name: &str, frames: FrameBuffer) -> Self {
        Self { cameras: BTreeMap::from([(name.to_owned(), frames)]), vectors: BTreeMap::new() }
    }

    /// Number of moments; 0 without streams.
    pub fn moments(&self) -> usize {
        let frames = self.cameras.values().next().map(|frames| frames.frames);
        frames.or_else(|| self.vectors.values().next().map(|rows| rows.rows)).unwrap_or(0)
    }

    /// Appends the moments of `more`.
    ///
    /// # Panics
    /// If it has other streams, or frames of another size.
    pub fn append(&mut self, more: &Self) {
        if self.moments() == 0 {
            self.clone_from(more);
            return;
        }
        let names =
            |streams: &Self| -> Vec<String> { streams.cameras.keys().chain(streams.vectors.keys()).cloned().collect() };
        assert!(names(self) == names(more), "streams {:?} and {:?}", names(self), names(more));
        for (frames, more) in self.cameras.values_mut().zip(more.cameras.values()) {
            let (size, found) = ([frames.height, frames.width], [more.height, more.width]);
            assert!(size == found, "frames [h, w] = {size:?} and {found:?}");
            frames.data.extend_from_slice(&more.data);
            frames.frames += more.frames;
        }
        for (rows, more) in self.vectors.values_mut().zip(more.vectors.values()) {
            for row in 0..more.rows {
                rows.push(more.row(row));
            }
        }
    }

    /// Drops all but the last `moments`.
    pub fn keep_last(&mut self, moments: usize) {
        let drop = self.moments().saturating_sub(moments);
        for frames in self.cameras.values_mut() {
            frames.data.drain(..drop * frames.frame_bytes());
            frames.frames -= drop;
        }
        for rows in self.vectors.values_mut() {
            *rows = rows.slice(drop, rows.rows - drop);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(value: u8) -> Observations {
        let mut frames = FrameBuffer::new(1, 2, 2);
        frames.data.fill(value);
        let mut seen = Observations::of_camera("pixels", frames);
        seen.vectors.insert("force".into(), Array2::new(vec![f32::from(value)], 1, 1));
        seen
    }

    #[test]
    fn moments_are_appended_and_the_oldest_dropped() {
        let mut seen = Observations::default();
        for value in [1, 2, 3] {
            seen.append(&moment(value));
        }
        assert_eq!(seen.moments(), 3);
        seen.keep_last(2);
        assert_eq!(seen.moments(), 2);
        assert_eq!(seen.cameras["pixels"].frame(0), [2; 12]);
        assert_eq!(seen.vectors["force"].data, [2.0, 3.0]);
        seen.keep_last(9);
        assert_eq!(seen.moments(), 2);
    }

    #[test]
    #[should_panic(expected = "streams")]
    fn other_streams_are_refused() {
        let mut seen = moment(1);
        seen.append(&Observations::of_camera("pixels", FrameBuffer::new(1, 2, 2)));
    }
}
