//! Which video a request is drawn from when the first choice cannot be used.

use crate::ledger::Ledger;
use crate::order::permutation;
use crate::{ClipRequest, DataConfig, DataError, Draw, SkippedFile};

/// The choice of videos on one side of a data set, and the list of those that could not be used.
pub(crate) struct Draws {
    ledger: Ledger,
    videos: usize,
    clips_per_video: usize,
    allowed: f64,
}

impl Draws {
    pub(crate) fn new(config: &DataConfig, videos: usize) -> Self {
        Self {
            ledger: Ledger::default(),
            videos,
            clips_per_video: config.clips_per_video,
            allowed: config.max_broken_fraction,
        }
    }

    /// The files that could not be used so far.
    pub(crate) fn skipped(&self) -> Vec<SkippedFile> {
        self.ledger.list()
    }

    /// Tries the request's video and then, if it is a random draw, others in the request's own random order. All clips of a
    /// video's group get the same order, so that they stay together.
    pub(crate) fn first_usable<T>(
        &self,
        request: &ClipRequest,
        attempt: impl Fn(usize) -> Result<T, SkippedFile>,
    ) -> Result<T, DataError> {
        let failed = |video: usize, file: SkippedFile| {
            self.ledger.add(video, file.clone());
            self.ledger.check(self.videos, self.allowed).map(|()| file)
        };
        let file = match attempt(request.video) {
            Ok(found) => return Ok(found),
            Err(file) => failed(request.video, file)?,
        };
        if request.draw == Draw::Uniform {
            return Err(DataError::Skipped(file));
        }
        for video in self.replacements(request) {
            match attempt(video) {
                Ok(found) => return Ok(found),
                Err(file) => failed(video, file)?,
            };
        }
        Err(DataError::TooManyBroken { skipped: self.ledger.list(), videos: self.videos, allowed: self.allowed })
    }

    /// The other videos in the request's order.
    fn replacements(&self, request: &ClipRequest) -> impl Iterator<Item = usize> {
        let (group, own) = (request.slot / self.clips_per_video, request.video);
        permutation(request.seed, "replacement", request.epoch, group as u64, self.videos)
            .into_iter()
            .filter(move |&video| video != own)
    }
}
