//! Clips out of recorded episodes.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use prevision_core::{Array2, Camera, Clip, ClipSource, FrameBuffer, Observations, Spaces};

use super::columns::Columns;
use super::format::{EpisodeFrames, EpisodeSource};
use super::source::EpisodesOptions;
use crate::clips::sampling::start;
use crate::clips::{Sampler, side};
use crate::pixels::Transform;
use crate::sources::planned::PlannedClips;
use crate::sources::video_files::{FileFrames, VideoFiles};
use crate::{ClipDataset, ClipRequest, DataConfig, DataError, Found, SkipReason, SkippedFile, Split};

/// The episodes of one side of a split that are long enough for a clip.
///
/// A clip of `frames` with a frame step of `n` covers `frames * n` moments, as in stable-worldmodel: it observes every n-th moment
/// and carries the actions of all moments between its first and last frame.
pub(super) struct EpisodeClips {
    recording: Box<dyn EpisodeSource>,
    path: PathBuf,
    /// Name and size (width, height) of each camera.
    cameras: Vec<(String, (usize, usize))>,
    columns: Columns,
    episodes: Vec<usize>,
    files: VideoFiles,
    /// Numbers of the files that several episodes share.
    shared: HashMap<PathBuf, usize>,
    transform: Transform,
    sampler: Sampler,
    spaces: Spaces,
    clips_per_video: usize,
}

impl EpisodeClips {
    pub(super) fn open(
        options: &EpisodesOptions,
        recording: Box<dyn EpisodeSource>,
        config: &DataConfig,
        split: Split,
        seed: u64,
    ) -> Result<Self, DataError> {
        let path = options.path.clone();
        check_cameras(&path, recording.as_ref(), &options.cameras)?;
        let (long, short) = long_enough(options, recording.as_ref(), config)?;
        let episodes = side(config, &path, (&long, &[]), &short, split, seed)?;
        let columns = Columns::read(options, recording.as_ref(), config)?;
        let (files, transform) = (VideoFiles::new(config), Transform::new(config, split));
        let size = |camera: &String| match transform.fixed_size() {
            Some(size) => Ok((camera.clone(), size)),
            None => first_size(&files, recording.as_ref(), camera).map(|size| (camera.clone(), size)),
        };
        let cameras = options.cameras.iter().map(size).collect::<Result<Vec<_>, DataError>>()?;
        Ok(Self {
            spaces: spaces(config, &cameras, &columns),
            sampler: Sampler::new(config, episodes.len(), short),
            shared: shared_files(recording.as_ref(), &options.cameras, &episodes),
            recording,
            path,
            cameras,
            columns,
            episodes,
            files,
            transform,
            clips_per_video: config.clips_per_video,
        })
    }

    /// The frames of one camera that are these moments of an episode.
    fn camera_plan(&self, camera: usize, video: usize, moments: &[usize]) -> Result<CameraPlan, SkippedFile> {
        let episode = self.episodes[video];
        let length = self.recording.length(episode);
        let (file, path, first, shared) = match self.recording.frames_of(&self.cameras[camera].0, episode) {
            EpisodeFrames::Own => return Ok(CameraPlan::Own(moments.to_vec())),
            EpisodeFrames::Video(path) => (camera * self.episodes.len() + video, path, 0, false),
            EpisodeFrames::Part { path, first } => {
                (self.shared.get(&path).copied().unwrap_or(video), path, first, true)
            }
        };
        let index = self.files.index(file, &path)?;
        let found = index.timestamps().len();
        let broken = |message| Err(SkippedFile { path: path.clone(), reason: SkipReason::Broken(message) });
        if shared && found < first + length {
            return broken(format!("has {found} frames, episode {episode} needs {first}..{}", first + length));
        }
        if !shared && found != length {
            return broken(format!("has {found} frames, the recording says {length}"));
        }
        let indices = moments.iter().map(|moment| first + moment).collect();
        Ok(CameraPlan::File(FileFrames { file, path, index, indices }, first))
    }

    /// The frames of one camera in the clips of one episode.
    fn read_camera(
        &self,
        camera: usize,
        video: usize,
        plans: &[(EpisodePlan, &ClipRequest)],
    ) -> Result<Vec<FrameBuffer>, SkippedFile> {
        let (name, size) = &self.cameras[camera];
        let mut wanted = Vec::with_capacity(plans.len());
        let mut own = Vec::new();
        for (plan, request) in plans {
            match &plan.cameras[camera] {
                CameraPlan::File(frames, _) => wanted.push((frames, *request)),
                CameraPlan::Own(indices) => {
                    let skip = |reason| SkippedFile { path: self.path.clone(), reason };
                    let frames = self.recording.frames(name, self.episodes[video], indices);
                    let frames = frames.map_err(|error| skip(SkipReason::Broken(error.to_string())))?;
                    own.push(self.transform.apply(frames, request, *size).map_err(skip)?);
                }
            }
        }
        // The frames of a camera in one episode are either all in a file, or none.
        if own.is_empty() { self.files.read(&self.transform, *size, &wanted) } else { Ok(own) }
    }
}

/// The frames of a clip.
pub(super) struct EpisodePlan {
    cameras: Vec<CameraPlan>,
    /// The clip's first moment.
    start: usize,
}

/// The frames of a clip from one camera.
enum CameraPlan {
    /// In a file, in which the episode begins with this frame.
    File(FileFrames, usize),
    /// From the recording itself.
    Own(Vec<usize>),
}

impl CameraPlan {
    /// Seconds of each frame from the start of the episode, if there is a clock.
    fn times(&self) -> Option<Vec<f64>> {
        let Self::File(frames, first) = self else { return None };
        let times = frames.index.timestamps();
        Some(frames.indices.iter().map(|&frame| times[frame] - times[*first]).collect())
    }
}

impl PlannedClips for EpisodeClips {
    type Plan = EpisodePlan;

    fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    fn plan(&self, video: usize, request: &ClipRequest) -> Result<EpisodePlan, SkippedFile> {
        let Spaces { frames, frame_step: step, .. } = self.spaces;
        let start = start(request, self.recording.length(self.episodes[video]) - frames * step);
        let moments: Vec<usize> = (0..frames).map(|frame| start + frame * step).collect();
        let cameras = (0..self.cameras.len()).map(|camera| self.camera_plan(camera, video, &moments));
        Ok(EpisodePlan { cameras: cameras.collect::<Result<_, _>>()?, start })
    }

    fn work(&self, plan: &EpisodePlan) -> u64 {
        let work = |camera: &CameraPlan| if let CameraPlan::File(frames, _) = camera { frames.work() } else { 0 };
        plan.cameras.iter().map(work).sum()
    }

    fn read(&self, video: usize, plans: Vec<(EpisodePlan, &ClipRequest)>) -> Result<Vec<Clip>, SkippedFile> {
        let episode = self.episodes[video];
        let mut observations = vec![Observations::default(); plans.len()];
        for (camera, (name, _)) in self.cameras.iter().enumerate() {
            for (seen, frames) in observations.iter_mut().zip(self.read_camera(camera, video, &plans)?) {
                seen.cameras.insert(name.clone(), frames);
            }
        }
        let clip = |(EpisodePlan { cameras, start }, _), mut observations: Observations| {
            let rows = |column: &Array2| self.columns.rows_of(column, episode, start);
            for (name, column) in &self.columns.vectors {
                observations.vectors.insert(name.clone(), rows(column));
            }
            let Spaces { frames, frame_step: step, .. } = self.spaces;
            let steps = || (0..frames).map(|frame| (start + frame * step) as f64).collect();
            let first: Option<&CameraPlan> = cameras.first();
            let path = match first {
                Some(CameraPlan::File(frames, _)) => &frames.path,
                _ => &self.path,
            };
            Clip {
                observations,
                times: first.and_then(CameraPlan::times).unwrap_or_else(steps),
                actions: self.columns.actions_of(episode, start),
                state: self.columns.state.as_ref().map(rows),
                label: None,
                source: ClipSource { path: path.clone(), video: episode, start },
            }
        };
        Ok(plans.into_iter().zip(observations).map(|(plan, observations)| clip(plan, observations)).collect())
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
        self.planned_clip(request)
    }

    fn clips(&self, requests: &[ClipRequest]) -> Vec<Result<Clip, DataError>> {
        self.planned_clips(requests)
    }

    fn find(&self, request: &ClipRequest) -> Found {
        self.planned_find(request)
    }

    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn skipped(&self) -> Vec<SkippedFile> {
        self.sampler.skipped()
    }

    fn decoded_frames(&self) -> u64 {
        self.files.decoded_frames()
    }
}

/// Checks that the cameras are there.
fn check_cameras(path: &Path, recording: &dyn EpisodeSource, wanted: &[String]) -> Result<(), DataError> {
    let there = recording.cameras()?;
    let Some(missing) = wanted.iter().find(|name| !there.contains(name)) else { return Ok(()) };
    let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
    Err(DataError::format(path, format!("has no camera `{missing}`; cameras here: {there}")))
}

/// The episodes that have the moments of a clip, and those that are too short.
fn long_enough(
    options: &EpisodesOptions,
    recording: &dyn EpisodeSource,
    config: &DataConfig,
) -> Result<(Vec<usize>, Vec<SkippedFile>), DataError> {
    let span = config.frames * config.frame_step;
    let (long, short): (Vec<_>, Vec<_>) =
        (0..recording.episodes()).partition(|&episode| recording.length(episode) >= span);
    let skipped = |episode: usize| SkippedFile {
        path: options
            .cameras
            .first()
            .and_then(|camera| file_of(recording, camera, episode))
            .unwrap_or_else(|| options.path.clone()),
        reason: SkipReason::TooShort { has: format!("{} frames", recording.length(episode)), needs: format!("{span}") },
    };
    if long.is_empty() {
        let message = format!(
            "none of the {} episodes has the {span} frames of a clip (data.frames x data.frame_step)",
            short.len()
        );
        return Err(DataError::Empty { path: options.path.clone(), message });
    }
    Ok((long, short.into_iter().map(skipped).collect()))
}

/// The file of a camera's frames in an episode.
fn file_of(recording: &dyn EpisodeSource, camera: &str, episode: usize) -> Option<PathBuf> {
    match recording.frames_of(camera, episode) {
        EpisodeFrames::Video(path) | EpisodeFrames::Part { path, .. } => Some(path),
        EpisodeFrames::Own => None,
    }
}

/// Width and height of a camera's frames: those of the first episode that can be read, of either side.
fn first_size(files: &VideoFiles, recording: &dyn EpisodeSource, camera: &str) -> Result<(usize, usize), DataError> {
    if file_of(recording, camera, 0).is_none() {
        let frames = recording.frames(camera, 0, &[0])?;
        return Ok((frames.width, frames.height));
    }
    let paths = (0..recording.episodes()).filter_map(|episode| file_of(recording, camera, episode));
    files.first_size(paths.map(Cow::Owned))
}

/// Numbers for the files that several episodes share, behind those of the files of single episodes.
fn shared_files(recording: &dyn EpisodeSource, cameras: &[String], episodes: &[usize]) -> HashMap<PathBuf, usize> {
    let mut shared = HashMap::new();
    for camera in cameras {
        for &episode in episodes {
            if let EpisodeFrames::Part { path, .. } = recording.frames_of(camera, episode) {
                let next = cameras.len() * episodes.len() + shared.len();
                shared.entry(path).or_insert(next);
            }
        }
    }
    shared
}

fn spaces(config: &DataConfig, cameras: &[(String, (usize, usize))], columns: &Columns) -> Spaces {
    let camera =
        |(name, (width, height)): &(String, (usize, usize))| (name.clone(), Camera { height: *height, width: *width });
    Spaces {
        frames: config.frames,
        frame_step: config.frame_step,
        cameras: cameras.iter().map(camera).collect(),
        vectors: columns.vectors.iter().map(|(name, rows)| (name.clone(), rows.columns)).collect::<BTreeMap<_, _>>(),
        action: columns.action_space.clone(),
        state: columns.state.as_ref().map(|state| state.columns),
    }
}
