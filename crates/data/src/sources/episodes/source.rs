//! Recorded episodes as a source of clips.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prevision_core::config::Options;
use prevision_core::config::check::{ensure, message};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dataset::EpisodeClips;
use super::format::Formats;
use crate::sources::source::{Source, check_no_rate, check_path};
use crate::{ClipDataset, DataConfig, DataError, Split};

/// Recorded episodes, `kind = "episodes"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::sources) struct EpisodesOptions {
    /// The folder, or whatever else the format reads. No default.
    pub(super) path: PathBuf,
    /// Format of the recording. Unset: the first known one that is found there.
    pub(super) format: Option<String>,
    /// Cameras whose frames a clip has. Default `["pixels"]`.
    pub(super) cameras: Vec<String>,
    /// Columns that a clip has as vector streams, for example proprioception. Default `[]`.
    pub(super) vectors: Vec<String>,
    /// Column of the actions; empty for none. Default `action`.
    pub(super) action: String,
    /// Column of the states; empty for none. Default `state`.
    pub(super) state: String,
}

impl Default for EpisodesOptions {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            format: None,
            cameras: vec!["pixels".to_owned()],
            vectors: vec![],
            action: "action".to_owned(),
            state: "state".to_owned(),
        }
    }
}

impl Options for EpisodesOptions {
    fn validate(&self) -> Result<(), String> {
        for (key, names) in [("cameras", &self.cameras), ("vectors", &self.vectors)] {
            let (text, named) = (format!("{names:?}"), names.iter().all(|name| !name.is_empty()));
            ensure(named, key, &text, "names")?;
            let different = names.iter().collect::<BTreeSet<_>>().len() == names.len();
            ensure(different, key, &text, "different names")?;
        }
        let any = !(self.cameras.is_empty() && self.vectors.is_empty());
        ensure(any, "cameras", "[]", "at least one camera where vectors names no stream either")
    }
}

/// The source: what to read, and the formats that it may be in.
pub(in crate::sources) struct EpisodesSource {
    options: EpisodesOptions,
    formats: Formats,
}

impl EpisodesSource {
    /// # Errors
    /// If the format is not known.
    pub(in crate::sources) fn new(options: EpisodesOptions, formats: &Formats) -> Result<Self, String> {
        if let Some(name) = options.format.as_ref().filter(|name| !formats.names().any(|known| known == *name)) {
            let known = formats.names().collect::<Vec<_>>().join(", ");
            return Err(message("format", format!("{name:?}"), format!("one of {known}")));
        }
        Ok(Self { options, formats: formats.clone() })
    }
}

impl Source for EpisodesSource {
    fn path(&self) -> &Path {
        &self.options.path
    }

    fn validate(&self, config: &DataConfig) -> Result<(), String> {
        check_path(&self.options.path)?;
        check_no_rate(config)?;
        let allowed = "false where there are actions, which would not fit mirrored frames (data.source.action)";
        ensure(!config.flip || self.options.action.is_empty(), "data.flip", config.flip, allowed)
    }

    fn open(&self, config: &DataConfig, split: Split, seed: u64) -> Result<Arc<dyn ClipDataset>, DataError> {
        let recording = self.formats.open(&self.options.path, self.options.format.as_deref())?;
        Ok(Arc::new(EpisodeClips::open(&self.options, recording, config, split, seed)?))
    }
}
