//! Films of an object that moves behind an occluder and comes out again, made on the fly: what may be expected of the world, for the
//! violation-of-expectation films of [`crate::films`].

mod dataset;
mod quadruplets;
mod scene;

use std::path::Path;
use std::sync::Arc;

use prevision_core::config::check::{ensure, positive};
use prevision_core::config::{Options, check};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::{Source, check_no_rate};
use crate::{ClipDataset, DataConfig, DataError, Split};
use dataset::PhysicsFilms;

pub use quadruplets::write_quadruplets;

/// What stands for the path of films that are in no file.
const NAME: &str = "physics-films";

/// Possible films, `kind = "physics-films"`: a bright object on a floor moves from left to right, behind a dark occluder and out on its
/// other side, or there is no object at all; in some a lamp along the upper edge lights up, which means nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PhysicsFilmsOptions {
    /// Number of films. Default 10000.
    pub videos: usize,
    /// Frames of a film. Default 24.
    pub length: usize,
    /// Height and width of the films. Default 64.
    pub canvas: usize,
    /// Share of the films that have an object. Default 0.5.
    pub objects: f64,
    /// Share of the films that have a lamp. Default 0.5.
    pub lamps: f64,
    /// First and last frame at which a lamp lights up, drawn uniformly. Default `[13, 13]`.
    pub lamp_frame: [usize; 2],
}

impl Default for PhysicsFilmsOptions {
    fn default() -> Self {
        Self { videos: 10_000, length: 24, canvas: 64, objects: 0.5, lamps: 0.5, lamp_frame: [13, 13] }
    }
}

impl Options for PhysicsFilmsOptions {
    fn validate(&self) -> Result<(), String> {
        positive("videos", self.videos)?;
        check("length", self.length as f64).within(2.0, 65_536.0)?;
        check("canvas", self.canvas as f64).within(16.0, 4096.0)?;
        check("objects", self.objects).within(0.0, 1.0)?;
        check("lamps", self.lamps).within(0.0, 1.0)?;
        let [first, last] = self.lamp_frame;
        ensure(first <= last, "lamp_frame", format!("[{first}, {last}]"), "two ascending numbers of frames")
    }
}

impl Source for PhysicsFilmsOptions {
    fn path(&self) -> &Path {
        Path::new(NAME)
    }

    fn validate(&self, config: &DataConfig) -> Result<(), String> {
        check_no_rate(config)?;
        let span = config.frames * config.frame_step;
        let allowed = format!("{span} (data.frames x data.frame_step) or more");
        ensure(self.length >= span, "data.source.length", self.length, allowed)
    }

    fn open(&self, config: &DataConfig, split: Split, seed: u64) -> Result<Arc<dyn ClipDataset>, DataError> {
        Ok(Arc::new(PhysicsFilms::open(self, config, split, seed)?))
    }
}
