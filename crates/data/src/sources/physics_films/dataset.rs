//! Clips of possible films. Film `i` is a pure function of (seed, i).

use std::path::{Path, PathBuf};

use prevision_core::{Clip, ClipSource, Spaces, seed};
use rand::Rng;

use super::scene::Scene;
use super::{NAME, PhysicsFilmsOptions};
use crate::clips::sampling::start;
use crate::clips::side;
use crate::pixels::Transform;
use crate::sources::one_camera::{self, Drawn};
use crate::{ClipDataset, ClipRequest, DataConfig, DataError, SkippedFile, Split};

/// The films of one side of a split.
pub(super) struct PhysicsFilms {
    options: PhysicsFilmsOptions,
    videos: Vec<usize>,
    seed: u64,
    /// Width and height.
    size: (usize, usize),
    transform: Transform,
    spaces: Spaces,
    clips_per_video: usize,
}

impl PhysicsFilms {
    pub(super) fn open(
        options: &PhysicsFilmsOptions,
        config: &DataConfig,
        split: Split,
        seed: u64,
    ) -> Result<Self, DataError> {
        let transform = Transform::new(config, split);
        let size = transform.fixed_size().unwrap_or((options.canvas, options.canvas));
        let all: Vec<usize> = (0..options.videos).collect();
        Ok(Self {
            options: options.clone(),
            videos: side(config, Path::new(NAME), (&all, &[]), &[], split, seed)?,
            seed,
            size,
            transform,
            spaces: one_camera::spaces(config, size),
            clips_per_video: config.clips_per_video,
        })
    }
}

impl ClipDataset for PhysicsFilms {
    fn videos(&self) -> usize {
        self.videos.len()
    }

    fn clips_per_video(&self) -> usize {
        self.clips_per_video
    }

    fn clip(&self, request: &ClipRequest) -> Result<Clip, DataError> {
        let video = self.videos[request.video];
        let Spaces { frames, frame_step, .. } = self.spaces;
        let start = start(request, self.options.length - frames * frame_step);
        let mut rng = seed::rng(self.seed, "physics-films", 0, video as u64);
        let scene = Scene::draw(&self.options, &mut rng);
        let present = rng.random_bool(self.options.objects);
        let drawn = Drawn {
            frames: scene.render(start, frame_step, frames, [present; 2]),
            source: ClipSource { path: PathBuf::from(NAME), video, start },
            label: None,
        };
        one_camera::clip(drawn, &self.transform, request, &self.spaces, self.size)
    }

    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn skipped(&self) -> Vec<SkippedFile> {
        vec![]
    }
}
