//! All that is known of a video file before any of its frames is asked for.

use std::sync::Arc;

use prevision_storage::Version;
use serde::{Deserialize, Serialize, Serializer};

use crate::VideoInfo;
use crate::convert::MAX_SIDE;
use crate::index::FrameIndex;
use crate::packets::PacketTable;
use prevision_core::frames::Orientation;

/// The index of one video file: its packets, its frames with their times, and what is in it. It is made when a file is opened
/// ([`Video::open`](crate::Video::open)); with it the same file opens again without being read through
/// ([`Video::open_indexed`](crate::Video::open_indexed)). It can be stored with serde.
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "StoredIndex")]
pub struct VideoIndex {
    #[serde(serialize_with = "write_packets")]
    pub(crate) packets: Arc<PacketTable>,
    pub(crate) frames: FrameIndex,
    pub(crate) info: VideoInfo,
    pub(crate) orientation: Orientation,
    /// Disposable packets may be left out.
    pub(crate) selective: bool,
    /// The object that it was made of, as whatever stores the index identifies it.
    #[serde(skip)]
    pub(crate) version: Option<Version>,
}

impl VideoIndex {
    /// What is in the file.
    pub fn info(&self) -> &VideoInfo {
        &self.info
    }

    /// When each frame is shown, seconds from the first one; never falling.
    pub fn timestamps(&self) -> &[f64] {
        self.frames.times()
    }

    /// The same index with other times: those of the video that this one was made of, one for each frame, never falling.
    ///
    /// # Panics
    /// If there are not as many times as frames.
    #[must_use]
    pub fn with_times(&self, times: &[f64]) -> Self {
        Self {
            packets: Arc::clone(&self.packets),
            frames: self.frames.with_times(times),
            info: self.info.clone(),
            orientation: self.orientation,
            selective: self.selective,
            version: self.version.clone(),
        }
    }

    /// Which version of an object in storage it was made of; `None` for a file, and after it was stored with serde.
    pub fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// The same index, of this version of the object: another one is not opened with it.
    #[must_use]
    pub fn of_version(self, version: Version) -> Self {
        Self { version: Some(version), ..self }
    }

    /// The frame that is shown at a time, seconds from the first frame: the last one that begins no later.
    pub fn index_at(&self, seconds: f64) -> usize {
        self.frames.at(seconds)
    }

    /// About how many frames have to be decoded for these: from the key frame before the first to the last.
    pub fn frames_to_decode(&self, indices: &[usize]) -> usize {
        let (Some(&first), Some(&last)) = (indices.iter().min(), indices.iter().max()) else {
            return 0;
        };
        let packet = self.frames.packet_of(last).unwrap_or(last);
        (packet + 1).saturating_sub(self.frames.access_point(first))
    }
}

fn write_packets<S: Serializer>(packets: &Arc<PacketTable>, serializer: S) -> Result<S::Ok, S::Error> {
    packets.serialize(serializer)
}

/// An index as it comes out of storage, where it may have been damaged.
#[derive(Deserialize)]
struct StoredIndex {
    packets: PacketTable,
    frames: FrameIndex,
    info: VideoInfo,
    orientation: Orientation,
    selective: bool,
}

impl TryFrom<StoredIndex> for VideoIndex {
    type Error = &'static str;

    fn try_from(stored: StoredIndex) -> Result<Self, &'static str> {
        let StoredIndex { packets, frames, info, orientation, selective } = stored;
        // Pixels may be longer than they are wide, or the other way round.
        let shown = [info.display_width, info.display_height].iter().all(|&side| side <= MAX_SIDE << 16);
        if !shown || [info.width, info.height].iter().any(|side| !(1..=MAX_SIDE).contains(side)) {
            return Err("a video index with frames of no size that there is");
        }
        if !frames.is_sound(packets.records().len()) || !packets.is_sound() {
            return Err("a video index that contradicts itself");
        }
        Ok(Self { packets: Arc::new(packets), frames, info, orientation, selective, version: None })
    }
}
