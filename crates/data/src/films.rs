//! The video files of a data set: their indices and decoders, what is done to their frames, and which of them could not be used.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prevision_storage::StorageError;
use prevision_video::{FrameBuffer, FrameSource as _, OpenOptions, Video, VideoError, VideoIndex};

use crate::decoders::Decoders;
use crate::draws::Draws;
use crate::index_cache::IndexCache;
use crate::indices::Indices;
use crate::pictures::Pictures;
use crate::{Clip, ClipRequest, DataConfig, DataError, Found, SkipReason, SkippedFile, Split};

/// Which frames of which file make a clip.
pub(crate) struct FilmPlan {
    pub(crate) path: PathBuf,
    pub(crate) index: Arc<VideoIndex>,
    pub(crate) indices: Vec<usize>,
    /// The first frame.
    pub(crate) start: usize,
}

/// What kinds of data sets know of their films.
pub(crate) trait FilmSource {
    /// Which frames of a video the request asks for; an error if the video cannot be used.
    fn plan(&self, video: usize, request: &ClipRequest) -> Result<FilmPlan, SkippedFile>;

    /// The clip, once its frames are there.
    fn finish(&self, video: usize, plan: FilmPlan, frames: FrameBuffer) -> Clip;
}

/// The files of one side of a data set.
pub(crate) struct Films {
    pictures: Pictures,
    pub(crate) size: (usize, usize),
    options: OpenOptions,
    indices: Indices,
    decoders: Decoders,
    decoded: AtomicU64,
    draws: Draws,
}

impl Films {
    /// `candidates` are the files of both sides, from which the size is learnt if the configuration does not tell it; `videos`
    /// the number of files on this side.
    pub(crate) fn new<'a>(
        config: &DataConfig,
        split: Split,
        videos: usize,
        mut candidates: impl Iterator<Item = Cow<'a, Path>>,
    ) -> Result<Self, DataError> {
        let pictures = Pictures::new(config, split);
        let options =
            OpenOptions { threads: config.decoder_threads, patience: Duration::from_secs_f64(config.read_timeout) };
        let size = if let Some(size) = pictures.fixed_size() {
            size
        } else {
            let mut skipped = vec![];
            loop {
                let Some(path) = candidates.next() else {
                    return Err(DataError::TooManyBroken {
                        videos: skipped.len(),
                        skipped,
                        allowed: config.max_broken_fraction,
                    });
                };
                match Video::open(&path, &options) {
                    Ok(video) => break video.size(),
                    Err(error) => skipped
                        .push(SkippedFile { path: path.into_owned(), reason: SkipReason::Broken(error.to_string()) }),
                }
            }
        };
        Ok(Self {
            pictures,
            size,
            options,
            indices: Indices::new(IndexCache::of_user()),
            decoders: Decoders::default(),
            decoded: AtomicU64::new(0),
            draws: Draws::new(config, videos),
        })
    }

    /// The files that could not be used so far.
    pub(crate) fn skipped(&self) -> Vec<SkippedFile> {
        self.draws.skipped()
    }

    /// Tells the index of a video that need not be read from the file.
    pub(crate) fn preset(&self, video: usize, index: VideoIndex) {
        self.indices.preset(video, index);
    }

    /// Frames that were decoded so far, wanted or not.
    pub(crate) fn decoded_frames(&self) -> u64 {
        self.decoded.load(Ordering::Relaxed)
    }

    /// The index of a video.
    pub(crate) fn index(&self, video: usize, path: &Path) -> Result<Arc<VideoIndex>, SkipReason> {
        let (index, opened) = self.indices.get(video, path, &self.options)?;
        if let Some(opened) = opened {
            self.decoded.fetch_add(opened.decoded_frames(), Ordering::Relaxed);
            self.decoders.give_back(video, opened);
        }
        Ok(index)
    }

    /// The frames of clips of one video, each `[frames, size.1, size.0, 3]`. The decoder stays open for the next clips unless it
    /// failed.
    fn read(&self, video: usize, plans: &[(&FilmPlan, &ClipRequest)]) -> Result<Vec<FrameBuffer>, SkipReason> {
        let Some((first, _)) = plans.first() else {
            return Ok(vec![]);
        };
        let info = first.index.info();
        let (stored, display) = ((info.width, info.height), (info.display_width, info.display_height));
        let mut clips = plans
            .iter()
            .map(|(plan, request)| self.pictures.clip_read(stored, display, &plan.indices, request, self.size))
            .collect::<Result<Vec<_>, _>>()?;
        let start = clips.iter().flat_map(|clip| &clip.indices).copied().min().unwrap_or(0);
        let mut decoder = match self.decoders.take(video, start) {
            Some(decoder) => decoder,
            None => Video::open_indexed(&first.path, &self.options, Arc::clone(&first.index)).map_err(|error| {
                self.indices.forget(video, &first.path);
                SkipReason::Broken(error.to_string())
            })?,
        };
        let before = decoder.decoded_frames();
        let read = self.pictures.read(&mut decoder, &mut clips);
        self.decoded.fetch_add(decoder.decoded_frames() - before, Ordering::Relaxed);
        read.map_err(|error| {
            if matches!(error, VideoError::Storage(StorageError::Changed { .. })) {
                self.indices.forget(video, &first.path);
            }
            SkipReason::Broken(error.to_string())
        })?;
        self.decoders.give_back(video, decoder);
        Ok(clips.into_iter().map(|clip| clip.out).collect())
    }

    /// Draws a clip: from the request's video or, if that cannot be used and it is a random draw, from the next one in the
    /// request's own random order.
    pub(crate) fn clip(&self, source: &impl FilmSource, request: &ClipRequest) -> Result<Clip, DataError> {
        self.draws.first_usable(request, |video| {
            let plan = source.plan(video, request)?;
            let frames = self
                .read(video, &[(&plan, request)])
                .map_err(|reason| SkippedFile { path: plan.path.clone(), reason })?
                .swap_remove(0);
            Ok(source.finish(video, plan, frames))
        })
    }

    /// The same for several requests, those of one video in one pass.
    pub(crate) fn clips(&self, source: &impl FilmSource, requests: &[ClipRequest]) -> Vec<Result<Clip, DataError>> {
        let mut planned: BTreeMap<usize, Vec<(usize, FilmPlan)>> = BTreeMap::new();
        if requests.len() > 1 {
            for (place, request) in requests.iter().enumerate() {
                let plan = self.draws.first_usable(request, |video| Ok((video, source.plan(video, request)?)));
                if let Ok((video, plan)) = plan {
                    planned.entry(video).or_default().push((place, plan));
                }
            }
        }
        let mut drawn: Vec<Option<Clip>> = requests.iter().map(|_| None).collect();
        for (video, plans) in planned {
            let parts: Vec<_> = plans.iter().map(|(place, plan)| (plan, &requests[*place])).collect();
            let Ok(frames) = self.read(video, &parts) else {
                continue;
            };
            for ((place, plan), frames) in plans.into_iter().zip(frames) {
                drawn[place] = Some(source.finish(video, plan, frames));
            }
        }
        // What could not be read together is read alone, so that a damaged frame spoils only the clip that it is in.
        drawn
            .into_iter()
            .zip(requests)
            .map(|(clip, request)| clip.map_or_else(|| self.clip(source, request), Ok))
            .collect()
    }

    /// What a request will be drawn from, unless its clip turns out to be damaged.
    pub(crate) fn find(&self, source: &impl FilmSource, request: &ClipRequest) -> Found {
        let found = self.draws.first_usable(request, |video| {
            let FilmPlan { index, indices, .. } = source.plan(video, request)?;
            let info = index.info();
            let frames = index.frames_to_decode(&indices) as u64;
            Ok(Found { video, work: frames * info.width as u64 * info.height as u64 })
        });
        // Whoever draws the clip will meet the error.
        found.unwrap_or(Found { video: request.video, work: 0 })
    }
}
