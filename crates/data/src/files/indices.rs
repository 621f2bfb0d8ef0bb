//! The indices of the videos in use: made once, kept in memory and on disk.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prevision_video::{OpenOptions, Video, VideoError, VideoIndex};

use super::IndexCache;
use crate::SkipReason;

/// Frames of all indices that are kept in memory: about 100 MB.
const KEPT_FRAMES: usize = 1 << 20;

/// Indices by the number of the file.
pub(crate) struct Indices {
    cache: IndexCache,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    entries: HashMap<usize, Entry>,
    frames: usize,
    clock: u64,
}

struct Entry {
    /// The index, or why the file can never be used.
    result: Result<Arc<VideoIndex>, SkipReason>,
    used: u64,
    /// Frames it is counted with; 0 if it always stays.
    weight: usize,
}

impl Indices {
    pub(crate) fn new(cache: IndexCache) -> Self {
        Self { cache, known: Mutex::default() }
    }

    /// The index of a file, and an open decoder if one had to be opened for it.
    pub(crate) fn get(
        &self,
        file: usize,
        path: &Path,
        options: &OpenOptions,
    ) -> Result<(Arc<VideoIndex>, Option<Video>), SkipReason> {
        if let Some(result) = self.lock().find(file) {
            return result.map(|index| (index, None));
        }
        if let Some(index) = self.cache.load(path) {
            let index = Arc::new(index);
            self.lock().insert(file, Ok(Arc::clone(&index)));
            return Ok((index, None));
        }
        match Video::open(path, options) {
            Ok(opened) => {
                self.cache.store(path, opened.index());
                self.lock().insert(file, Ok(Arc::clone(opened.index())));
                Ok((Arc::clone(opened.index()), Some(opened)))
            }
            Err(error) => {
                let reason = SkipReason::Broken(error.to_string());
                // What the system or a storage refused may be allowed later; a damaged file stays damaged.
                if !matches!(error, VideoError::Open { .. } | VideoError::Timeout { .. } | VideoError::Storage(_)) {
                    self.lock().insert(file, Err(reason.clone()));
                }
                Err(reason)
            }
        }
    }

    /// Sets an index that need not be made, for as long as this lives.
    pub(crate) fn preset(&self, file: usize, index: VideoIndex) {
        let mut known = self.lock();
        known.entries.insert(file, Entry { result: Ok(Arc::new(index)), used: 0, weight: 0 });
    }

    /// Forgets what is known of a file that turned out to be another one.
    pub(crate) fn forget(&self, file: usize, path: &Path) {
        self.cache.remove(path);
        self.lock().remove(file);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn find(&mut self, file: usize) -> Option<Result<Arc<VideoIndex>, SkipReason>> {
        self.clock += 1;
        let clock = self.clock;
        self.entries.get_mut(&file).map(|entry| {
            entry.used = clock;
            entry.result.clone()
        })
    }

    fn insert(&mut self, file: usize, result: Result<Arc<VideoIndex>, SkipReason>) {
        self.remove(file);
        self.clock += 1;
        let weight = result.as_ref().map_or(0, |index| index.timestamps().len());
        self.frames += weight;
        self.entries.insert(file, Entry { result, used: self.clock, weight });
        while self.frames > KEPT_FRAMES && self.entries.len() > 1 {
            let removable = self.entries.iter().filter(|(_, entry)| entry.weight > 0);
            let Some(oldest) = removable.min_by_key(|(_, entry)| entry.used).map(|(&file, _)| file) else {
                return;
            };
            self.remove(oldest);
        }
    }

    fn remove(&mut self, file: usize) {
        if let Some(entry) = self.entries.remove(&file) {
            self.frames -= entry.weight;
        }
    }
}
