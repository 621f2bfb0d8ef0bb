//! Files that appear complete or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use prevision_core::whole_file;

use crate::VideoError;

/// A file that is written under a temporary name in its own folder; dropped without [`TemporaryFile::keep`], it is removed.
pub(crate) struct TemporaryFile {
    target: PathBuf,
    temporary: PathBuf,
    kept: bool,
}

impl TemporaryFile {
    /// Creates the empty temporary file beside `target`.
    pub(crate) fn create(target: &Path) -> Result<Self, VideoError> {
        if target.file_name().is_none() {
            return Err(VideoError::write(target, "create the file", "the path has no file name"));
        }
        let temporary = whole_file::partial(target);
        fs::File::create(&temporary).map_err(|error| VideoError::write(target, "create the file", error))?;
        Ok(Self { target: target.to_owned(), temporary, kept: false })
    }

    /// Where to write.
    pub(crate) fn path(&self) -> &Path {
        &self.temporary
    }

    /// The final name, for messages.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Gives the finished file its name.
    pub(crate) fn keep(mut self) -> Result<(), VideoError> {
        fs::rename(&self.temporary, &self.target)
            .map_err(|error| VideoError::write(&self.target, "rename into place", error))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing is left to be done if the file has gone already.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}
