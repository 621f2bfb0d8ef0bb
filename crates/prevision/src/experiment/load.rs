//! Reading an experiment file, with errors that say what to change.

use std::path::Path;

use prevision_core::config::overlay::{assign, assignment, merge};
use prevision_core::config::{deserialise, schema};
use toml::Table;

use super::renamed::rename;
use super::{Experiment, ExperimentError};
use crate::Parts;

impl Experiment {
    /// Reads an experiment from a TOML file and lays `overrides` over it, each `section.key=value` with a TOML value or a bare
    /// string; then checks every key and value, and puts every default in place.
    ///
    /// A key that is absent has its default. An override of a `kind` drops the keys that the file gives for another kind.
    ///
    /// # Errors
    /// When the file cannot be read or is not TOML; when a key is unknown, or a value has the wrong type or is out of range. The
    /// message names the file, the full key, what was given, what is allowed and the nearest valid key.
    pub fn load(path: &Path, overrides: &[String], parts: &Parts) -> Result<Self, ExperimentError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ExperimentError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path, overrides, parts)
    }

    /// As [`load`](Self::load), from text; `path` is what errors call it.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn parse(text: &str, path: &Path, overrides: &[String], parts: &Parts) -> Result<Self, ExperimentError> {
        let invalid = |message: String| ExperimentError::Invalid { path: path.to_owned(), message };
        let given: Table = text.parse().map_err(|error: toml::de::Error| invalid(error.to_string()))?;
        read(given, overrides, parts).map_err(invalid)
    }

    /// As TOML that [`parse`](Self::parse) reads back.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("every configuration is a tree of tables, numbers and strings")
    }
}

fn read(mut given: Table, overrides: &[String], parts: &Parts) -> Result<Experiment, String> {
    let assignments = overrides.iter().map(|text| assignment(text)).collect::<Result<Vec<_>, _>>()?;
    assign(&mut given, assignments);
    rename(&mut given);
    let mut tree = Experiment::default().to_table();
    merge(&mut tree, &given);
    schema::check_keys("", &tree, &Experiment::schema(parts))?;
    let mut experiment: Experiment = deserialise("", &tree)?;
    experiment.resolve(parts)?;
    experiment.validate(parts)?;
    Ok(experiment)
}
