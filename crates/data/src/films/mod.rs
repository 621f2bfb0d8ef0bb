//! Films for measuring violations of expectation: matched films of which some are possible and some are not.
//!
//! ```text
//! films.npz      films       uint8 [films, frames, height, width], or [films, frames, height, width, 3]
//! labels.json    one object a film: i, block, quad, possible; a and b if there are two halves that differ
//! ```
//!
//! or a table of video files, see [`FilmSet::open`].

mod array;
mod labels;
mod table;

use std::path::{Path, PathBuf};

use prevision_core::FrameBuffer;
use prevision_video::{FrameSource as _, OpenOptions, Video};

use crate::pixels::Transform;
use crate::{ClipRequest, DataConfig, DataError, Draw, SkippedFile, Split};

pub(crate) use array::write_films;
pub use labels::FilmLabels;

/// What is known of a film beside its frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Film {
    /// What it is called: its number in an array, or its file.
    pub name: String,
    /// The matched films it belongs to.
    pub group: String,
    /// What happens in it; films of one kind are also measured by themselves.
    pub kind: String,
    /// Whether it could be so.
    pub possible: bool,
}

/// Matched films. Frames are read when they are asked for.
#[derive(Debug)]
pub struct FilmSet {
    path: PathBuf,
    films: Vec<Film>,
    frames: Frames,
}

/// Where frames are.
#[derive(Debug)]
enum Frames {
    /// Gray or RGB in memory, `[films, frames, height, width, channels]`.
    Array { pixels: Vec<u8>, shape: [usize; 5] },
    /// A file each.
    Files(Vec<PathBuf>),
}

impl FilmSet {
    /// Opens a folder with `films.npz` and `labels.json`, or a table: a CSV file with a head line and the columns `path` (a video file,
    /// relative to the table), `group`, `possible` (`true` or `false`) and, if wanted, `kind`.
    ///
    /// # Errors
    /// If something is missing or not what it should be.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let (films, frames) = if path.is_dir() { array::read(path)? } else { table::read(path)? };
        if films.is_empty() {
            return Err(DataError::Empty { path: path.to_owned(), message: "no film".to_owned() });
        }
        Ok(Self { path: path.to_owned(), films, frames })
    }

    /// The films, in order.
    pub fn films(&self) -> &[Film] {
        &self.films
    }

    /// All frames of a film as it is.
    ///
    /// # Errors
    /// If its file cannot be read.
    ///
    /// # Panics
    /// If there is no such film.
    pub fn read_whole(&self, film: usize) -> Result<FrameBuffer, DataError> {
        let size = match &self.frames {
            Frames::Array { shape: [_, _, height, width, _], .. } => (*width, *height),
            Frames::Files(paths) => Video::open(&paths[film], &OpenOptions::default())?.size(),
        };
        self.read(film, &DataConfig::default(), size)
    }

    /// All frames of a film, brought to `size` (width, height) as clips are in an evaluation by `config`.
    ///
    /// # Errors
    /// If its file cannot be read, or has another size and `config` has none (`data.size`).
    ///
    /// # Panics
    /// If there is no such film.
    pub fn read(&self, film: usize, config: &DataConfig, size: (usize, usize)) -> Result<FrameBuffer, DataError> {
        let transform = Transform::new(config, Split::Validation);
        let request =
            ClipRequest { seed: 0, epoch: 0, slot: film, video: film, clip: 0, clips: 1, draw: Draw::Uniform };
        let skipped = |path: &Path, reason| DataError::Skipped(SkippedFile { path: path.to_owned(), reason });
        match &self.frames {
            Frames::Array { pixels, shape: [_, frames, height, width, channels] } => {
                let bytes = frames * height * width * channels;
                let stored = &pixels[film * bytes..(film + 1) * bytes];
                let data =
                    if *channels == 3 { stored.to_vec() } else { stored.iter().flat_map(|&it| [it; 3]).collect() };
                let found = FrameBuffer { data, frames: *frames, height: *height, width: *width };
                transform.apply(found, &request, size).map_err(|reason| skipped(&self.path, reason))
            }
            Frames::Files(paths) => {
                let path = &paths[film];
                let mut video = Video::open(path, &OpenOptions::default())?;
                let info = video.info();
                let (stored, display) = ((info.width, info.height), (info.display_width, info.display_height));
                let all: Vec<usize> = (0..video.len()).collect();
                let clip = transform.clip_read(stored, display, &all, &request, size);
                let mut clip = [clip.map_err(|reason| skipped(path, reason))?];
                transform.read(&mut video, &mut clip)?;
                let [clip] = clip;
                Ok(clip.out)
            }
        }
    }
}
