//! stable-worldmodel's formats of Lance tables (`stable_worldmodel/data/formats/lance.py`, `lance_video.py`).
//!
//! ```text
//! <table>.lance          a row for each moment
//!                        episode_idx, step_idx    int32
//!                        <camera>                 binary: a JPEG or PNG picture (format `lance`)
//!                        <column>                 a number, or a list of a fixed size
//! <table>_videos.lance   a row for each episode and camera (format `lance_video`)
//!                        episode_idx              int32
//!                        video_key                the camera
//!                        video_bytes              binary: a video
//! ```
//!
//! Files of Lance 2.0 and newer; the newest version of a table is read. What is deleted is left out. Without the cargo feature `lance`
//! tables are only recognised.

mod place;

#[cfg(feature = "lance")]
mod moments;
#[cfg(feature = "lance")]
mod new_table;
#[cfg(feature = "lance")]
mod numbers;
#[cfg(feature = "lance")]
mod runtime;
#[cfg(feature = "lance")]
mod table;
#[cfg(feature = "lance")]
mod videos;
#[cfg(feature = "lance")]
mod write;
#[cfg(feature = "lance")]
mod write_videos;

#[cfg(feature = "lance")]
pub(super) use self::moments::Lance;
pub(super) use self::place::{is_lance, is_lance_video};
#[cfg(feature = "lance")]
pub(super) use self::videos::LanceVideos;
#[cfg(feature = "lance")]
pub(super) use self::write::LanceSink;
#[cfg(feature = "lance")]
pub(super) use self::write_videos::LanceVideoSink;

/// What is said of a table by a program that has no Lance.
#[cfg(not(feature = "lance"))]
pub(super) fn not_built(at: &std::path::Path) -> crate::DataError {
    let message = "Lance tables take a program that was built with `cargo build --release --features prevision/lance`";
    crate::DataError::format(at, message)
}

/// The column that says which episode a row is of. It never decreases.
#[cfg(feature = "lance")]
const EPISODE: &str = "episode_idx";
/// The column that says which moment of its episode a row is.
#[cfg(feature = "lance")]
const STEP: &str = "step_idx";
/// The column that says which camera a video is of.
#[cfg(feature = "lance")]
const CAMERA: &str = "video_key";
/// The column of the videos.
#[cfg(feature = "lance")]
const VIDEO: &str = "video_bytes";
