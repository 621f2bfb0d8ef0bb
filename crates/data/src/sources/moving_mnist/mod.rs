//! Handwritten digits that drift and bounce off the walls, made on the fly.

mod dataset;
mod digits;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use prevision_core::config::check::{ensure, positive};
use prevision_core::config::{Options, check};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::{Source, check_no_rate, check_path};
use crate::{ClipDataset, DataConfig, DataError, Split};
use dataset::MovingMnist;

/// Moving MNIST, `kind = "moving-mnist"` (Srivastava et al. 2015, <https://arxiv.org/abs/1502.04681>).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MovingMnistOptions {
    /// MNIST's images, an idx3 file, gzipped or not; or a folder with one `*images-idx3-ubyte*` in it. No default.
    path: PathBuf,
    /// MNIST's labels of these images, an idx1 file, gzipped or not; or a folder with one `*labels-idx1-ubyte*` in it. The digit is then
    /// the class of a video, which must have one. Unset: videos have no class.
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<PathBuf>,
    /// Digits in a video. Default 2.
    digits: usize,
    /// Number of videos. Default 10000.
    videos: usize,
    /// Frames of a video. Default 20.
    length: usize,
    /// Height and width of the videos. Default 64.
    canvas: usize,
}

impl Default for MovingMnistOptions {
    fn default() -> Self {
        Self { path: PathBuf::new(), labels: None, digits: 2, videos: 10_000, length: 20, canvas: 64 }
    }
}

impl Options for MovingMnistOptions {
    fn validate(&self) -> Result<(), String> {
        positive("digits", self.digits)?;
        if self.labels.is_some() {
            ensure(self.digits == 1, "digits", self.digits, "1 where labels are given: a video has one class")?;
        }
        positive("videos", self.videos)?;
        // A digit has 28 pixels.
        check("canvas", self.canvas as f64).within(28.0, 65_536.0)?.done()
    }
}

impl Source for MovingMnistOptions {
    fn path(&self) -> &Path {
        &self.path
    }

    fn validate(&self, config: &DataConfig) -> Result<(), String> {
        check_path(&self.path)?;
        check_no_rate(config)?;
        let span = config.frames * config.frame_step;
        let allowed = format!("{span} (data.frames x data.frame_step) or more");
        ensure(self.length >= span, "data.source.length", self.length, allowed)
    }

    fn open(&self, config: &DataConfig, split: Split, seed: u64) -> Result<Arc<dyn ClipDataset>, DataError> {
        Ok(Arc::new(MovingMnist::open(self, config, split, seed)?))
    }
}
