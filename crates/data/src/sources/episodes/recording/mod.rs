//! The layout in which episodes are written: stable-worldmodel's `video` format
//! (<https://github.com/galilai-group/stable-worldmodel>), so that either side reads what the other wrote.
//!
//! ```text
//! ep_len.npz                  int32 [episodes]       rows of each episode
//! ep_offset.npz               int64 [episodes]       first row of each episode in the columns
//! <column>.npz                any number [rows, ...] all episodes back to back
//! <camera>/ep_<i>.mp4                                frame t of episode i is row ep_offset[i] + t
//! <first camera>/spaces.json                         what the cameras, vectors, actions and states are; not in stable-worldmodel
//! ```
//!
//! Row `t` of `action` is the action that leaves frame `t`; the last row of an episode is undefined (NaN). `spaces.json` lies in the
//! folder of a camera because stable-worldmodel takes every entry of the recording's own folder for a column; without a camera it
//! lies there all the same.

mod archives;
mod layout;
mod reader;
mod schema;
mod sink;
mod writer;

pub(super) use archives::Archives;
pub(super) use layout::{Frames, LENGTHS, OFFSETS, entries, frames_in, frames_of_camera, is_name, is_recording};
pub use reader::EpisodeReader;
pub(super) use sink::RecordingSink;
pub use writer::{EpisodeOptions, EpisodeWriter};
