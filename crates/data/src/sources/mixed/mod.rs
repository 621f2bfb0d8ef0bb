//! Several data sets as one, mixed by weight.

mod actions;
mod dataset;
mod order;
mod streams;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use prevision_core::config::check::ensure;
use prevision_core::config::{Options, check};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::Source;
use crate::{ClipDataset, DataConfig, DataError, Split};
use dataset::MixedClips;

/// Several data sets as one, `kind = "mixed"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MixedOptions {
    /// Vector stream of the clips that says which numbers of an action their data set has, 1, and which it has not, 0; empty for none.
    /// It is there only where data sets lack numbers of others. Default `action_mask`.
    action_mask: String,
}

impl Default for MixedOptions {
    fn default() -> Self {
        Self { action_mask: "action_mask".to_owned() }
    }
}

impl Options for MixedOptions {}

/// The data sets that are mixed, each a source of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PartOptions {
    /// The share of the clips that come from this data set is its weight over the sum of all weights, however many videos it has.
    /// Default 1.
    weight: f64,
    /// Names of cameras and vectors in the clips, by the name that they have in this data set. Default `{}`: they keep theirs.
    rename: BTreeMap<String, String>,
    /// Names of the numbers of an action; those of one name are one number of the mix. Unset: `action.0`, `action.1`, …, or `choice.0`, …
    /// where an action is one of several choices.
    actions: Option<Vec<String>>,
}

impl Default for PartOptions {
    fn default() -> Self {
        Self { weight: 1.0, rename: BTreeMap::new(), actions: None }
    }
}

impl Options for PartOptions {
    fn validate(&self) -> Result<(), String> {
        check("weight", self.weight).above(0.0)?;
        let names = |key: &str, names: &[&String], text: String| {
            let different: BTreeSet<_> = names.iter().filter(|name| !name.is_empty()).collect();
            ensure(different.len() == names.len(), key, text, "different names")
        };
        names("rename", &self.rename.values().collect::<Vec<_>>(), format!("{:?}", self.rename))?;
        let actions = self.actions.as_deref().unwrap_or_default();
        names("actions", &actions.iter().collect::<Vec<_>>(), format!("{actions:?}"))
    }
}

/// The source: the data sets, and how they are mixed.
pub(super) struct MixedSource {
    options: MixedOptions,
    parts: Vec<(PartOptions, Box<dyn Source>)>,
}

impl MixedSource {
    /// # Errors
    /// If there is no part.
    pub(super) fn new(options: MixedOptions, parts: Vec<(PartOptions, Box<dyn Source>)>) -> Result<Self, String> {
        ensure(!parts.is_empty(), "parts", "empty", "a list of one data set or more")?;
        Ok(Self { options, parts })
    }
}

/// The full key of a part.
fn key(part: usize) -> String {
    format!("data.source.parts.{part}")
}

impl Source for MixedSource {
    fn path(&self) -> &Path {
        self.parts[0].1.path()
    }

    fn validate(&self, config: &DataConfig) -> Result<(), String> {
        for (number, (_, source)) in self.parts.iter().enumerate() {
            // A source calls its keys as if it were the only one.
            let full = |message: String| message.replace("data.source.", &format!("{}.", key(number)));
            source.validate(config).map_err(full)?;
        }
        Ok(())
    }

    fn open(&self, config: &DataConfig, split: Split, seed: u64) -> Result<Arc<dyn ClipDataset>, DataError> {
        let mut parts = Vec::with_capacity(self.parts.len());
        for (options, source) in &self.parts {
            parts.push((options, source.open(config, split, seed)?));
        }
        Ok(Arc::new(MixedClips::new(&self.options, parts).map_err(DataError::Config)?))
    }
}
