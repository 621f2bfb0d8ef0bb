//! stable-worldmodel's `folder` format: a picture for each moment and camera, one numpy archive for each column.
//!
//! ```text
//! ep_len.npz, ep_offset.npz, <column>.npz     as in `recording`
//! <camera>/ep_<i>_step_<j>.jpeg               moment j of episode i; .jpg and .png are read, too
//! ```

mod picture;
mod write;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use prevision_core::{Array2, FrameBuffer};

use self::picture::Picture;
pub(super) use self::write::FolderSink;
use super::recording::{Archives, Frames, entries, frames_in, frames_of_camera, is_recording};
use super::{EpisodeFrames, EpisodeSource};
use crate::DataError;

/// Extensions of the pictures, in the order in which they are looked for.
const EXTENSIONS: [&str; 3] = ["jpeg", "jpg", "png"];

/// An open recording. A camera is a sub-folder of pictures; its size is that of its first picture that can be read.
pub(super) struct Folder {
    archives: Archives,
    cameras: Vec<Camera>,
}

struct Camera {
    name: String,
    dir: PathBuf,
    /// Width and height, once a picture was looked at.
    size: OnceLock<(usize, usize)>,
}

impl Camera {
    /// The picture of a moment, by the first extension that there is.
    fn picture(&self, episode: usize, moment: usize) -> Result<Picture, DataError> {
        let path = |extension: &str| picture_path(&self.dir, episode, moment, extension);
        for extension in EXTENSIONS {
            match Picture::open(&path(extension)) {
                Err(DataError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
                opened => return opened,
            }
        }
        Err(DataError::format(path(EXTENSIONS[0]), "is missing, and there is no .jpg or .png of that moment either"))
    }

    /// Width and height: those of the first picture of the first episode where it can be read.
    fn size(&self, lengths: &[usize]) -> Result<(usize, usize), DataError> {
        if let Some(size) = self.size.get() {
            return Ok(*size);
        }
        let mut first_error = None;
        for episode in (0..lengths.len()).filter(|&episode| lengths[episode] > 0) {
            match self.picture(episode, 0) {
                Ok(picture) => return Ok(*self.size.get_or_init(|| picture.size())),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(first_error.unwrap_or_else(|| DataError::format(&self.dir, "has no picture: all episodes are empty")))
    }
}

impl Folder {
    /// Whether there is a recording.
    pub(super) fn is_there(dir: &Path) -> bool {
        !is_recording(dir) && dir.join("ep_len.npz").is_file() && frames_in(dir) == Some(Frames::Pictures)
    }

    /// Opens a recording. Only the lengths are read.
    ///
    /// # Errors
    /// If the lengths are missing or make no sense.
    pub(super) fn open(dir: &Path) -> Result<Self, DataError> {
        let archives = Archives::open(dir, "<camera>/ep_<i>_step_<j>.jpeg")?;
        let pictures = |path: &PathBuf| path.is_dir() && frames_of_camera(path) == Some(Frames::Pictures);
        let cameras = entries(dir)?
            .into_iter()
            .filter(pictures)
            .filter_map(|dir| Some(Camera { name: dir.file_name()?.to_str()?.to_owned(), dir, size: OnceLock::new() }));
        Ok(Self { cameras: cameras.collect(), archives })
    }

    fn camera(&self, name: &str) -> Result<&Camera, DataError> {
        self.cameras
            .iter()
            .find(|camera| camera.name == name)
            .ok_or_else(|| DataError::format(&self.archives.dir, format!("has no camera `{name}`")))
    }
}

impl EpisodeSource for Folder {
    fn episodes(&self) -> usize {
        self.archives.lengths.len()
    }

    fn length(&self, episode: usize) -> usize {
        self.archives.lengths[episode]
    }

    fn cameras(&self) -> Result<Vec<String>, DataError> {
        Ok(self.cameras.iter().map(|camera| camera.name.clone()).collect())
    }

    fn columns(&self) -> Result<Vec<String>, DataError> {
        self.archives.columns()
    }

    fn column(&self, name: &str) -> Result<Array2, DataError> {
        self.archives.column(name)
    }

    fn frames_of(&self, _: &str, _: usize) -> EpisodeFrames {
        EpisodeFrames::Own
    }

    fn frames(&self, camera: &str, episode: usize, indices: &[usize]) -> Result<FrameBuffer, DataError> {
        let camera = self.camera(camera)?;
        let (width, height) = camera.size(&self.archives.lengths)?;
        let mut frames = FrameBuffer { frames: 0, height, width, data: Vec::new() };
        for &moment in indices {
            frames.data.extend(camera.picture(episode, moment)?.decode((width, height))?);
            frames.frames += 1;
        }
        Ok(frames)
    }
}

fn picture_path(dir: &Path, episode: usize, moment: usize, extension: &str) -> PathBuf {
    dir.join(format!("ep_{episode}_step_{moment}.{extension}"))
}
