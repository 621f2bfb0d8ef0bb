//! Clips out of recorded episodes.

use std::borrow::Cow;

use prevision_video::FrameBuffer;

use super::EpisodeReader;
use crate::dataset::side;
use crate::films::{FilmPlan, FilmSource, Films};
use crate::sampling::start;
use crate::{
    Array2, Clip, ClipDataset, ClipRequest, ClipShape, ClipSource, DataConfig, DataError, Found, SkipReason,
    SkippedFile, SourceConfig, Split,
};

/// The episodes of one side of a split that are long enough for a clip.
///
/// A clip of `frames` with a frame step of `n` covers `frames * n` rows, as in stable-worldmodel: it observes every n-th row
/// and carries the actions of all rows between its first and last frame.
pub(crate) struct EpisodeClips {
    reader: EpisodeReader,
    episodes: Vec<usize>,
    short: Vec<SkippedFile>,
    actions: Option<Array2>,
    state: Option<Array2>,
    films: Films,
    frames: usize,
    step: usize,
    clips_per_video: usize,
}

impl EpisodeClips {
    pub(crate) fn open(config: &DataConfig, split: Split, seed: u64) -> Result<Self, DataError> {
        let SourceConfig::Episodes { path, image, action, state } = &config.source else {
            return Err(DataError::Config("data.source.kind is not \"episodes\"".into()));
        };
        let reader = EpisodeReader::open(path, image)?;
        let span = config.frames * config.frame_step;
        let (episodes, short): (Vec<_>, Vec<_>) =
            side(config, reader.len(), split, seed)?.into_iter().partition(|&episode| reader.length(episode) >= span);
        let short: Vec<_> = short
            .into_iter()
            .map(|episode| SkippedFile {
                path: reader.video_path(episode),
                reason: SkipReason::TooShort {
                    has: format!("{} frames", reader.length(episode)),
                    needs: format!("{span}"),
                },
            })
            .collect();
        if episodes.is_empty() {
            let message = format!(
                "none of the {} episodes of this part has the {span} frames of a clip (data.frames x data.frame_step)",
                short.len()
            );
            return Err(DataError::Empty { path: path.clone(), message });
        }
        let column = |name: &str| {
            if name.is_empty() { Ok(None) } else { reader.column(name).map(Some) }
        };
        // A clip of one frame has no action between frames.
        let mut actions = if config.frames > 1 { column(action)? } else { None };
        for value in actions.iter_mut().flat_map(|actions| &mut actions.data).filter(|value| value.is_nan()) {
            *value = 0.0;
        }
        let state = column(state)?;
        let films = Films::new(
            config,
            split,
            episodes.len(),
            (0..reader.len()).map(|episode| Cow::Owned(reader.video_path(episode))),
        )?;
        Ok(Self {
            episodes,
            short,
            actions,
            state,
            films,
            frames: config.frames,
            step: config.frame_step,
            clips_per_video: config.clips_per_video,
            reader,
        })
    }
}

impl FilmSource for EpisodeClips {
    fn plan(&self, video: usize, request: &ClipRequest) -> Result<FilmPlan, SkippedFile> {
        let episode = self.episodes[video];
        let length = self.reader.length(episode);
        let path = self.reader.video_path(episode);
        let start = start(request, self.clips_per_video, length - self.frames * self.step);
        let indices: Vec<usize> = (0..self.frames).map(|frame| start + frame * self.step).collect();
        let skip = |reason| SkippedFile { path: path.clone(), reason };
        let index = self.films.index(video, &path).map_err(skip)?;
        let found = index.timestamps().len();
        if found != length {
            return Err(skip(SkipReason::Broken(format!("has {found} frames, ep_len.npz says {length}"))));
        }
        Ok(FilmPlan { path, index, indices, start })
    }

    fn finish(&self, video: usize, plan: FilmPlan, frames: FrameBuffer) -> Clip {
        let episode = self.episodes[video];
        let times = plan.indices.iter().map(|&frame| plan.index.timestamps()[frame]).collect();
        let first = self.reader.offset(episode) + plan.start;
        let actions = self.actions.as_ref().map(|actions| {
            let rows = actions.slice(first, (self.frames - 1) * self.step);
            Array2::new(rows.data, self.frames - 1, self.step * actions.columns)
        });
        let state = self.state.as_ref().map(|state| {
            let rows = (0..self.frames).flat_map(|frame| state.row(first + frame * self.step)).copied().collect();
            Array2::new(rows, self.frames, state.columns)
        });
        let source = ClipSource { path: plan.path, video: episode, start: plan.start };
        Clip { frames, times, actions, state, label: None, source }
    }
}

impl ClipDataset for EpisodeClips {
    fn videos(&self) -> usize {
        self.episodes.len()
    }

    fn clips_per_video(&self) -> usize {
        self.clips_per_video
    }

    fn clip(&self, request: &ClipRequest) -> Result<Clip, DataError> {
        self.films.clip(self, request)
    }

    fn clips(&self, requests: &[ClipRequest]) -> Vec<Result<Clip, DataError>> {
        self.films.clips(self, requests)
    }

    fn find(&self, request: &ClipRequest) -> Found {
        self.films.find(self, request)
    }

    fn shape(&self) -> ClipShape {
        let (width, height) = self.films.size;
        ClipShape {
            frames: self.frames,
            height,
            width,
            action_dim: self.actions.as_ref().map(|actions| self.step * actions.columns),
            state_dim: self.state.as_ref().map(|state| state.columns),
        }
    }

    fn skipped(&self) -> Vec<SkippedFile> {
        [self.short.clone(), self.films.skipped()].concat()
    }

    fn decoded_frames(&self) -> u64 {
        self.films.decoded_frames()
    }
}
