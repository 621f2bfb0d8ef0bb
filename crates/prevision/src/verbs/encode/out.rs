//! Where features go, and what is told of them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::pictures::Drawn;
use crate::features::{FeatureContents, FeatureFormat, FeatureTensor, FeatureWriter, WindowFeatures};

/// What was done.
#[derive(Serialize)]
pub(super) struct Encoded {
    #[serde(serialize_with = "prevision_storage::path_text::serialize")]
    pub(super) file: PathBuf,
    /// Those that the file has.
    pub(super) tensors: Vec<FeatureTensor>,
    pub(super) windows: usize,
    pub(super) frames_left_out: usize,
    pub(super) seconds: f64,
    pub(super) seconds_per_window: f64,
    /// Videos of the features.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) drawn: Vec<Drawn>,
}

/// A file that is to be written, in a format.
#[derive(Clone, Copy)]
pub(super) struct Out<'a> {
    pub(super) path: &'a Path,
    pub(super) format: &'a dyn FeatureFormat,
}

impl<'a> Out<'a> {
    /// Begins the file, for so many windows.
    pub(super) fn begin(
        self,
        contents: FeatureContents,
        windows: usize,
        frames_left_out: usize,
    ) -> Result<OutFile<'a>> {
        let path = self.path;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
        }
        let writer = self.format.create(path, &contents).with_context(|| unwritten(path))?;
        let tensors = contents.tensors.iter().filter(|tensor| self.format.holds(&contents, tensor.name));
        let tensors = tensors.cloned().collect();
        Ok(OutFile { path, tensors, writer, windows, frames_left_out, done: 0, start: Instant::now() })
    }
}

/// A file that is being written.
pub(super) struct OutFile<'a> {
    path: &'a Path,
    tensors: Vec<FeatureTensor>,
    writer: Box<dyn FeatureWriter>,
    windows: usize,
    frames_left_out: usize,
    done: usize,
    start: Instant,
}

impl OutFile<'_> {
    /// Writes the next windows, and tells how many were written by now.
    pub(super) fn write(&mut self, made: &WindowFeatures, windows: usize) -> Result<usize> {
        self.writer.write(made).with_context(|| unwritten(self.path))?;
        self.done += windows;
        Ok(self.done)
    }

    /// Puts the file in its place.
    pub(super) fn finish(self) -> Result<Encoded> {
        self.writer.finish().with_context(|| unwritten(self.path))?;
        let seconds = self.start.elapsed().as_secs_f64();
        Ok(Encoded {
            file: self.path.to_owned(),
            tensors: self.tensors,
            windows: self.windows,
            frames_left_out: self.frames_left_out,
            seconds,
            seconds_per_window: seconds / self.windows.max(1) as f64,
            drawn: Vec::new(),
        })
    }
}

fn unwritten(path: &Path) -> String {
    format!("{}: cannot be written", path.display())
}
