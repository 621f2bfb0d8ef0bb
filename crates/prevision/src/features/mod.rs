//! Features of videos in files for other programs: what is written, and the formats.
//!
//! A format is a file here that implements [`FeatureFormat`], and a line in [`FeatureFormats::built_in`]; the suffix of a file's name chooses it.

mod contents;
mod formats;
mod npy;
mod parquet;
mod safetensors;

use std::io;
use std::path::Path;

pub use contents::{FeatureContents, FeatureTensor, WindowFeatures};
pub use formats::FeatureFormats;

/// A format of files of features.
pub trait FeatureFormat: Send + Sync {
    /// What files of it end in, without the dot.
    fn suffix(&self) -> &str;

    /// Whether a file of it has the tensor of this name. Every format has the first one of [`FeatureContents::tensors`].
    fn holds(&self, contents: &FeatureContents, tensor: &str) -> bool;

    /// Begins a file, which appears when it is finished: what is dropped before leaves nothing.
    ///
    /// # Errors
    /// If it cannot be made.
    fn create(&self, path: &Path, contents: &FeatureContents) -> io::Result<Box<dyn FeatureWriter>>;
}

/// A file of features that is being written.
pub trait FeatureWriter {
    /// Writes the next windows.
    ///
    /// # Errors
    /// If they have not the shapes that were told, or the file cannot be written.
    fn write(&mut self, windows: &WindowFeatures) -> io::Result<()>;

    /// Puts the file in its place.
    ///
    /// # Errors
    /// If windows are missing, or it cannot be written; what was there before is then still there.
    fn finish(self: Box<Self>) -> io::Result<()>;
}
