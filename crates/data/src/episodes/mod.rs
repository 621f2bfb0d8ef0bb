//! Recorded episodes: one mp4 per episode, one numpy archive per column.
//!
//! The layout is stable-worldmodel's `video` format (<https://github.com/galilai-group/stable-worldmodel>), so that either
//! side reads what the other wrote:
//!
//! ```text
//! ep_len.npz            int32 [episodes]            rows of each episode
//! ep_offset.npz         int64 [episodes]            first row of each episode in the columns
//! <column>.npz          any number [rows, ...]      all episodes back to back
//! <image column>/ep_<i>.mp4                         frame t of episode i is row ep_offset[i] + t
//! ```
//!
//! Row `t` of `action` is the action that leaves frame `t`; the last row of an episode is undefined (NaN).

pub(crate) mod dataset;
mod reader;
mod writer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prevision_video::FrameBuffer;

use crate::Array2;

pub use reader::EpisodeReader;
pub use writer::{EpisodeOptions, EpisodeWriter};

/// One recorded episode.
pub struct Episode {
    /// RGB frames `[t, h, w, 3]`.
    pub frames: FrameBuffer,
    /// Columns by name, each with one row per frame: `action` (row `t` leaves frame `t`, the last row is NaN), `state`, ...
    pub columns: BTreeMap<String, Array2>,
}

const LENGTHS: &str = "ep_len";
const OFFSETS: &str = "ep_offset";

fn column_path(dir: &Path, column: &str) -> PathBuf {
    dir.join(format!("{column}.npz"))
}

fn video_path(dir: &Path, image: &str, episode: usize) -> PathBuf {
    dir.join(image).join(format!("ep_{episode}.mp4"))
}
