//! `table.toml`, which says what a table does not.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;

use super::resample::Rule;
use crate::DataError;

/// The name of the file, beside the table.
pub(super) const OPTIONS: &str = "table.toml";
/// The entry of `resample` for all columns without one of their own.
const DEFAULT: &str = "default";

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TableOptions {
    /// How rows find their frames. Unset: by the one of `frame` and `time` that the table has.
    pub(super) align: Option<Align>,
    /// What `time` counts from. Unset: relative.
    pub(super) clock: Option<Clock>,
    /// Rules by column, and one for the others called `default`.
    resample: BTreeMap<String, Rule>,
    /// How far a frame may be from a row that it is made of; seconds, or frames where rows have frames.
    pub(super) max_gap: Option<f64>,
    /// Columns made of several of the table's.
    pub(super) columns: BTreeMap<String, Vec<String>>,
}

/// How rows find their frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Align {
    /// By the number of the frame.
    Frame,
    /// By time.
    Time,
}

/// What times count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Clock {
    /// The first frame of the video.
    Relative,
    /// Anything: the first row of a video is at its first frame.
    Absolute,
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Relative => "\"relative\"",
            Self::Absolute => "\"absolute\"",
        })
    }
}

impl TableOptions {
    /// Reads the file of a folder, if there is one.
    ///
    /// # Errors
    /// If it cannot be read, has an unknown key or a value that is not allowed.
    pub(super) fn read(folder: &Path) -> Result<Self, DataError> {
        let path = folder.join(OPTIONS);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(&path).map_err(|error| DataError::io(&path, error))?;
        let bad = |message: String| DataError::format(&path, message);
        let options: Self = toml::from_str(&text).map_err(|error| bad(error.to_string().trim_end().to_owned()))?;
        if let Some(gap) = options.max_gap.filter(|gap| !(gap.is_finite() && *gap >= 0.0)) {
            return Err(bad(format!("max_gap is {gap}, expected a number of 0 or more")));
        }
        Ok(options)
    }

    /// The rule for a column, if one is given.
    pub(super) fn rule(&self, column: &str) -> Option<Rule> {
        self.resample.get(column).or_else(|| self.resample.get(DEFAULT)).copied()
    }

    /// A column of `resample` that is not among these.
    pub(super) fn unknown_rule(&self, known: impl Fn(&str) -> bool) -> Option<&str> {
        self.resample.keys().map(String::as_str).find(|name| *name != DEFAULT && !known(name))
    }
}
