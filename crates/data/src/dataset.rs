//! What every source of clips has in common.

use std::sync::Arc;

use prevision_video::{FrameSource, OpenOptions, Video};

use crate::decoders::Decoders;
use crate::episodes::dataset::EpisodeClips;
use crate::ledger::Ledger;
use crate::moving_mnist::MovingMnist;
use crate::order::permutation;
use crate::pictures::Pictures;
use crate::videos::VideoClips;
use crate::{Clip, ClipRequest, ClipShape, DataConfig, DataError, Draw, SkipReason, SkippedFile, SourceConfig, Split};

/// One side of a data set, from which clips of one shape are drawn.
pub trait ClipDataset: Send + Sync {
    /// Number of videos or episodes on this side of the split.
    fn videos(&self) -> usize;

    /// Clips drawn from each of them in an epoch.
    fn clips_per_video(&self) -> usize;

    /// Number of clips in an epoch.
    fn clips_per_epoch(&self) -> usize {
        self.videos() * self.clips_per_video()
    }

    /// Draws a clip. The answer is a pure function of the request: with [`Draw::Random`] a video that cannot be used is
    /// replaced by the next one in a random order of (seed, epoch, slot); with [`Draw::Uniform`] it is an error.
    ///
    /// # Errors
    /// [`DataError::Skipped`] with [`Draw::Uniform`]; [`DataError::TooManyBroken`].
    fn clip(&self, request: &ClipRequest) -> Result<Clip, DataError>;

    /// The shape of every clip.
    fn shape(&self) -> ClipShape;

    /// The videos that were found unusable so far, in the order of the data set.
    fn skipped(&self) -> Vec<SkippedFile>;
}

/// Opens one side of a data set. Only lists are read: a video is opened when a clip is drawn from it, except that without
/// `size` the first one that opens tells the size.
///
/// # Errors
/// If the configuration is wrong, the source is missing or empty, or this side of the split has no video.
pub fn open(config: &DataConfig, split: Split, seed: u64) -> Result<Arc<dyn ClipDataset>, DataError> {
    config.validate().map_err(DataError::Config)?;
    let dataset: Arc<dyn ClipDataset> = match &config.source {
        SourceConfig::Videos { .. } => Arc::new(VideoClips::open(config, split, seed)?),
        SourceConfig::Episodes { .. } => Arc::new(EpisodeClips::open(config, split, seed)?),
        SourceConfig::MovingMnist { .. } => Arc::new(MovingMnist::open(config, split, seed)?),
    };
    Ok(dataset)
}

/// The videos of a side; an error if there is none.
pub(crate) fn side(config: &DataConfig, videos: usize, split: Split, seed: u64) -> Result<Vec<usize>, DataError> {
    let side = crate::split::split(seed, videos, config.validation_fraction, split);
    if side.is_empty() {
        let name = if split == Split::Train { "training" } else { "validation" };
        let message = format!(
            "no video is left for {name}: {videos} in all, data.validation_fraction is {}",
            config.validation_fraction
        );
        return Err(DataError::Empty { path: config.source.path().clone(), message });
    }
    Ok(side)
}

/// The files of a data set: their decoders, what is done to their frames, and which of them could not be used.
pub(crate) struct Films {
    pub(crate) pictures: Pictures,
    pub(crate) size: (usize, usize),
    decoders: Decoders<(usize, bool), Video>,
    ledger: Ledger,
    videos: usize,
    clips_per_video: usize,
    allowed: f64,
}

impl Films {
    /// `candidates` are the files of both sides, from which the size is learnt if the configuration does not tell it; `videos`
    /// the number of files on this side.
    pub(crate) fn new<'a>(
        config: &DataConfig,
        split: Split,
        videos: usize,
        mut candidates: impl Iterator<Item = std::borrow::Cow<'a, std::path::Path>>,
    ) -> Result<Self, DataError> {
        let pictures = Pictures::new(config, split);
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
                match Video::open(&path, &OpenOptions::default()) {
                    Ok(video) => break video.size(),
                    Err(error) => skipped
                        .push(SkippedFile { path: path.into_owned(), reason: SkipReason::Broken(error.to_string()) }),
                }
            }
        };
        Ok(Self {
            pictures,
            size,
            decoders: Decoders::new(),
            ledger: Ledger::default(),
            videos,
            clips_per_video: config.clips_per_video,
            allowed: config.max_broken_fraction,
        })
    }

    /// The files that could not be used so far.
    pub(crate) fn skipped(&self) -> Vec<SkippedFile> {
        self.ledger.list()
    }

    /// Lends an open decoder of a video to `work`. It stays open for the next clip unless the work failed.
    pub(crate) fn with_decoder<T>(
        &self,
        video: usize,
        path: &std::path::Path,
        request: &ClipRequest,
        work: impl FnOnce(&mut Video) -> Result<T, SkipReason>,
    ) -> Result<T, SkipReason> {
        let augmented = self.pictures.augmented(request);
        let mut decoder = if let Some(decoder) = self.decoders.take(&(video, augmented)) {
            decoder
        } else {
            let size = self.pictures.decoded_size(augmented);
            let options = OpenOptions { size, ..OpenOptions::default() };
            Video::open(path, &options).map_err(|error| SkipReason::Broken(error.to_string()))?
        };
        let result = work(&mut decoder)?;
        self.decoders.give_back((video, augmented), decoder);
        Ok(result)
    }

    /// Tries the request's video and then, if it is a random draw, others in the request's own random order. All clips of a
    /// video's group get the same order, so that they stay together.
    pub(crate) fn draw(
        &self,
        request: &ClipRequest,
        attempt: impl Fn(usize) -> Result<Clip, SkippedFile>,
    ) -> Result<Clip, DataError> {
        let failed = |video: usize, file: SkippedFile| {
            self.ledger.add(video, file.clone());
            self.ledger.check(self.videos, self.allowed).map(|()| file)
        };
        let file = match attempt(request.video) {
            Ok(clip) => return Ok(clip),
            Err(file) => failed(request.video, file)?,
        };
        if request.draw == Draw::Uniform {
            return Err(DataError::Skipped(file));
        }
        let group = request.slot / self.clips_per_video;
        for video in permutation(request.seed, "replacement", request.epoch, group as u64, self.videos) {
            if video == request.video {
                continue;
            }
            match attempt(video) {
                Ok(clip) => return Ok(clip),
                Err(file) => failed(video, file)?,
            };
        }
        Err(DataError::TooManyBroken { skipped: self.ledger.list(), videos: self.videos, allowed: self.allowed })
    }
}
