//! Memory-mapped shards of raw frames.
#![allow(unsafe_code, reason = "a mapping is only sound as long as nobody changes the file")]

use std::fs::File;
use std::path::Path;

use memmap2::{Advice, Mmap};
use prevision_core::resample::resample;
use prevision_video::ClipRead;

use super::format::{Entry, Place, raw_path};
use crate::DataError;

/// The shards of a prepared set.
pub(super) struct Shards {
    maps: Vec<Mmap>,
}

impl Shards {
    /// Maps the shards that the entries lie in.
    pub(super) fn open(folder: &Path, entries: &[Entry]) -> Result<Self, DataError> {
        let mut needed: Vec<u64> = vec![];
        for entry in entries {
            if let Place::Raw { shard, offset } = entry.place {
                needed.resize(needed.len().max(shard + 1), 0);
                needed[shard] = needed[shard].max(offset.saturating_add(entry.bytes));
            }
        }
        let mut maps = Vec::with_capacity(needed.len());
        for (shard, bytes) in needed.into_iter().enumerate() {
            let path = raw_path(folder, shard);
            let file = File::open(&path).map_err(|error| DataError::io(&path, error))?;
            // SAFETY: shards are complete before `prepared.json` is written, and nothing in this program writes to them while
            // a loader is open. Another program that cut one off would end this one; none has a reason to.
            let map = unsafe { Mmap::map(&file) }.map_err(|error| DataError::io(&path, error))?;
            if (map.len() as u64) < bytes {
                return Err(DataError::format(&path, format!("has {} bytes, its videos need {bytes}", map.len())));
            }
            maps.push(map);
        }
        Ok(Self { maps })
    }

    /// Reads a clip of a video. All indices are those of its frames.
    pub(super) fn read(&self, entry: &Entry, clip: &mut ClipRead) {
        let Place::Raw { shard, offset } = entry.place else {
            return;
        };
        let (width, height) = entry.size;
        let bytes = width * height * 3;
        let map = &self.maps[shard];
        for index in &clip.indices {
            // Advice: what is not in memory is read in large pieces, all of the clip at a time. Without it all works as well.
            let _ = map.advise_range(Advice::WillNeed, offset as usize + index * bytes, bytes);
        }
        let frame = |&index: &usize| &map[offset as usize + index * bytes..][..bytes];
        resample(clip.indices.iter().map(frame), entry.size, &clip.window, clip.mirror, &mut clip.out);
    }
}
