//! Which video a clip is taken from when the first choice cannot be used.

use super::order::permutation;
use crate::skipped::SkippedList;
use crate::{ClipRequest, DataConfig, DataError, Draw, SkippedFile};

/// The choice of videos on one side of a data set, and the list of those that could not be used.
pub(crate) struct Sampler {
    skipped: SkippedList,
    /// Known from the beginning to be too short, and not among `videos`.
    short: Vec<SkippedFile>,
    videos: usize,
    allowed: f64,
}

impl Sampler {
    /// For so many videos. `short` are others, which are known to be too short for a clip.
    pub(crate) fn new(config: &DataConfig, videos: usize, short: Vec<SkippedFile>) -> Self {
        Self { skipped: SkippedList::default(), short, videos, allowed: config.max_broken_fraction }
    }

    /// The files that could not be used so far.
    pub(crate) fn skipped(&self) -> Vec<SkippedFile> {
        [self.short.clone(), self.skipped.list()].concat()
    }

    /// Tries the request's video and then, if the draw is random, others in the request's own random order. All clips of a
    /// video's group get the same order, so that they stay together.
    pub(crate) fn first_usable<T>(
        &self,
        request: &ClipRequest,
        attempt: impl Fn(usize) -> Result<T, SkippedFile>,
    ) -> Result<T, DataError> {
        let file = match attempt(request.video) {
            Ok(found) => return Ok(found),
            Err(file) => self.note(request.video, file)?,
        };
        if request.draw == Draw::Uniform {
            return Err(DataError::Skipped(file));
        }
        for video in self.replacements(request) {
            match attempt(video) {
                Ok(found) => return Ok(found),
                Err(file) => self.note(video, file)?,
            };
        }
        Err(self.too_many())
    }

    /// Notes a file that cannot be used; fails when there are too many of them.
    fn note(&self, video: usize, file: SkippedFile) -> Result<SkippedFile, DataError> {
        self.skipped.add(video, file.clone());
        if self.skipped.is_too_long(self.videos, self.allowed) { Err(self.too_many()) } else { Ok(file) }
    }

    fn too_many(&self) -> DataError {
        DataError::TooManyBroken { skipped: self.skipped.list(), videos: self.videos, allowed: self.allowed }
    }

    /// The other videos in the request's order.
    fn replacements(&self, request: &ClipRequest) -> impl Iterator<Item = usize> {
        let (group, own) = (request.slot / request.clips, request.video);
        permutation(request.seed, "replacement", request.epoch, group as u64, self.videos)
            .into_iter()
            .filter(move |&video| video != own)
    }
}
