//! The video files of a data set: their indices and decoders, and what is done to their frames.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prevision_core::FrameBuffer;
use prevision_storage::StorageError;
use prevision_video::{FrameSource as _, OpenOptions, Video, VideoError, VideoIndex};

use crate::files::{Decoders, IndexCache, Indices};
use crate::pixels::Transform;
use crate::{ClipRequest, DataConfig, DataError, SkipReason, SkippedFile};

/// The frames of one file that make a clip.
pub(super) struct FileFrames {
    /// Number of the file.
    pub(super) file: usize,
    pub(super) path: PathBuf,
    pub(super) index: Arc<VideoIndex>,
    pub(super) indices: Vec<usize>,
}

impl FileFrames {
    /// Pixels that have to be decoded for them.
    pub(super) fn work(&self) -> u64 {
        let info = self.index.info();
        self.index.frames_to_decode(&self.indices) as u64 * info.width as u64 * info.height as u64
    }

    fn skipped(&self, reason: SkipReason) -> SkippedFile {
        SkippedFile { path: self.path.clone(), reason }
    }
}

/// Files by number. What is known of them is shared by all threads.
pub(super) struct VideoFiles {
    options: OpenOptions,
    indices: Indices,
    decoders: Decoders,
    decoded: AtomicU64,
    max_broken_fraction: f64,
}

impl VideoFiles {
    pub(super) fn new(config: &DataConfig) -> Self {
        Self {
            options: OpenOptions {
                threads: config.decoder_threads,
                patience: Duration::from_secs_f64(config.read_timeout),
            },
            indices: Indices::new(IndexCache::of_user()),
            decoders: Decoders::default(),
            decoded: AtomicU64::new(0),
            max_broken_fraction: config.max_broken_fraction,
        }
    }

    /// Width and height of the first file that opens.
    pub(super) fn first_size<'a>(
        &self,
        candidates: impl Iterator<Item = Cow<'a, Path>>,
    ) -> Result<(usize, usize), DataError> {
        let mut skipped = vec![];
        for path in candidates {
            match Video::open(&path, &self.options) {
                Ok(video) => return Ok(video.size()),
                Err(error) => {
                    let reason = SkipReason::Broken(error.to_string());
                    skipped.push(SkippedFile { path: path.into_owned(), reason });
                }
            }
        }
        Err(DataError::TooManyBroken { videos: skipped.len(), skipped, allowed: self.max_broken_fraction })
    }

    /// Sets the index of a file, which then need not be read from it.
    pub(super) fn preset(&self, file: usize, index: VideoIndex) {
        self.indices.preset(file, index);
    }

    /// Frames that were decoded so far, wanted or not.
    pub(super) fn decoded_frames(&self) -> u64 {
        self.decoded.load(Ordering::Relaxed)
    }

    /// The index of a file.
    pub(super) fn index(&self, file: usize, path: &Path) -> Result<Arc<VideoIndex>, SkippedFile> {
        let found = self.indices.get(file, path, &self.options);
        let (index, opened) = found.map_err(|reason| SkippedFile { path: path.to_owned(), reason })?;
        if let Some(opened) = opened {
            self.decoded.fetch_add(opened.decoded_frames(), Ordering::Relaxed);
            self.decoders.give_back(file, opened);
        }
        Ok(index)
    }

    /// The frames of clips of one file, each `[frames, size.1, size.0, 3]`. The decoder stays open for the next clips unless it
    /// failed.
    pub(super) fn read(
        &self,
        transform: &Transform,
        size: (usize, usize),
        clips: &[(&FileFrames, &ClipRequest)],
    ) -> Result<Vec<FrameBuffer>, SkippedFile> {
        let Some((first, _)) = clips.first() else {
            return Ok(vec![]);
        };
        let info = first.index.info();
        let (stored, display) = ((info.width, info.height), (info.display_width, info.display_height));
        let mut clips = clips
            .iter()
            .map(|(frames, request)| transform.clip_read(stored, display, &frames.indices, request, size))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|reason| first.skipped(reason))?;
        let start = clips.iter().flat_map(|clip| &clip.indices).copied().min().unwrap_or(0);
        let mut decoder = match self.decoders.take(first.file, start) {
            Some(decoder) => decoder,
            None => Video::open_indexed(&first.path, &self.options, Arc::clone(&first.index)).map_err(|error| {
                self.indices.forget(first.file, &first.path);
                first.skipped(SkipReason::Broken(error.to_string()))
            })?,
        };
        let before = decoder.decoded_frames();
        let read = transform.read(&mut decoder, &mut clips);
        self.decoded.fetch_add(decoder.decoded_frames() - before, Ordering::Relaxed);
        read.map_err(|error| {
            if matches!(error, VideoError::Storage(StorageError::Changed { .. })) {
                self.indices.forget(first.file, &first.path);
            }
            first.skipped(SkipReason::Broken(error.to_string()))
        })?;
        self.decoders.give_back(first.file, decoder);
        Ok(clips.into_iter().map(|clip| clip.out).collect())
    }
}
