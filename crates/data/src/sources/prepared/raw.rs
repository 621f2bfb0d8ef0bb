//! Memory-mapped shards of raw frames.
#![allow(unsafe_code, reason = "a mapping is only sound as long as nobody changes the file")]

use std::fs::File;
use std::path::Path;

use memmap2::{Advice, Mmap};
use prevision_core::resample::resample;
use prevision_video::ClipRead;

use super::format::{Entry, Place, raw_path};
use crate::{DataError, SkipReason};

/// The shards of a prepared set.
pub(super) struct Shards {
    maps: Vec<Mmap>,
}

impl Shards {
    /// Maps the shards that the entries lie in.
    pub(super) fn open(folder: &Path, entries: &[Entry]) -> Result<Self, DataError> {
        let mut needed: Vec<u64> = vec![];
        for entry in entries {
            // There are no more shards than videos (see `Entry::check`).
            if let Place::Raw { shard, offset, .. } = entry.place {
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
    ///
    /// # Errors
    /// If a frame is not the one that was written.
    pub(super) fn read(&self, entry: &Entry, clip: &mut ClipRead) -> Result<(), SkipReason> {
        let Place::Raw { shard, offset, frames } = &entry.place else {
            return Ok(());
        };
        let (width, height) = entry.size;
        let bytes = width * height * 3;
        let (map, offset) = (&self.maps[*shard], *offset as usize);
        for index in &clip.indices {
            // Advice: what is not in memory is read in large pieces, all of the clip at a time. Without it all works as well.
            let _ = map.advise_range(Advice::WillNeed, offset + index * bytes, bytes);
        }
        let frame = |&index: &usize| &map[offset + index * bytes..][..bytes];
        if let Some(index) = clip.indices.iter().find(|index| !frames.check(**index, frame(index))) {
            return Err(SkipReason::Broken(format!(
                "frame {index} in {} is damaged: its checksum is wrong; prepare it again",
                raw_path(Path::new(""), *shard).display()
            )));
        }
        resample(clip.indices.iter().map(frame), entry.size, &clip.window, clip.mirror, &mut clip.out);
        Ok(())
    }
}
