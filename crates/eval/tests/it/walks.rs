//! Clips made in memory: a bright square of 3 x 3 pixels that walks about; the state is its centre.

use std::collections::BTreeMap;

use prevision_core::{Array2, Camera, Clip, ClipSource, FrameBuffer, Observations, Space, Spaces, seed};
use prevision_data::{ClipDataset, ClipRequest, DataError, SkippedFile};
use rand::Rng;

const SIDE: usize = 16;
pub(crate) const FRAMES: usize = 8;

/// Walks, each a video of `length` frames.
pub(crate) struct Walks {
    first: u64,
    videos: usize,
    length: usize,
    spaces: Spaces,
}

impl Walks {
    /// `videos` walks from number `first` on, each as long as a clip.
    pub(crate) fn new(first: u64, videos: usize) -> Self {
        let spaces = Spaces {
            frames: FRAMES,
            frame_step: 1,
            cameras: BTreeMap::from([("pixels".to_owned(), Camera { height: SIDE, width: SIDE })]),
            vectors: BTreeMap::new(),
            action: Some(Space::Unbounded { dim: 2 }),
            state: Some(2),
        };
        Self { first, videos, length: FRAMES, spaces }
    }

    pub(crate) fn training() -> Self {
        Self::new(1000, 60)
    }

    pub(crate) fn held_out() -> Self {
        Self::new(0, 14)
    }

    /// The same with other streams.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Spaces)) -> Self {
        change(&mut self.spaces);
        self
    }

    /// The same with longer videos.
    pub(crate) fn of_length(self, length: usize) -> Self {
        Self { length, ..self }
    }
}

impl ClipDataset for Walks {
    fn videos(&self) -> usize {
        self.videos
    }

    fn clips_per_video(&self) -> usize {
        1
    }

    fn clip(&self, request: &ClipRequest) -> Result<Clip, DataError> {
        let number = self.first + request.video as u64;
        let (frames, actions, state) = walk(number, self.length);
        let start = (2 * request.clip + 1) * (self.length - FRAMES + 1) / (2 * request.clips);
        let bytes = frames.frame_bytes();
        let mut seen = FrameBuffer::new(FRAMES, SIDE, SIDE);
        seen.data.copy_from_slice(&frames.data[start * bytes..(start + FRAMES) * bytes]);
        Ok(Clip {
            observations: Observations::of_camera("pixels", seen),
            times: (0..FRAMES).map(|t| t as f64).collect(),
            actions: self.spaces.action.as_ref().map(|_| actions.slice(start, FRAMES - 1)),
            state: self.spaces.state.map(|_| state.slice(start, FRAMES)),
            label: None,
            source: ClipSource { path: "walks".into(), video: request.video, start },
        })
    }

    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn skipped(&self) -> Vec<SkippedFile> {
        Vec::new()
    }
}

fn walk(number: u64, length: usize) -> (FrameBuffer, Array2, Array2) {
    let mut rng = seed::rng(1, "walk", 0, number);
    let mut frames = FrameBuffer::new(length, SIDE, SIDE);
    let (mut actions, mut state) = (Array2::default(), Array2::default());
    let mut place: [i32; 2] = [rng.random_range(1..15), rng.random_range(1..15)];
    for t in 0..length {
        for (dy, dx) in (0..9).map(|i| (i / 3 - 1, i % 3 - 1)) {
            let pixel = ((place[1] + dy) as usize * SIDE + (place[0] + dx) as usize) * 3;
            frames.frame_mut(t)[pixel..pixel + 3].fill(255);
        }
        state.push(&place.map(|axis| axis as f32));
        let next = place.map(|axis| (axis + rng.random_range(-2..=2)).clamp(1, 14));
        actions.push(&[0, 1].map(|axis| (next[axis] - place[axis]) as f32));
        place = next;
    }
    (frames, actions, state)
}
