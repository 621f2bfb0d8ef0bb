//! `[plan.reflex]`: a reflex that proposes plans, or acts alone.

use std::path::PathBuf;

use prevision_core::config::Options;
use prevision_core::config::check::{check, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a planner does with a reflex that was distilled from its plans.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReflexConfig {
    /// The file of the reflex, in the run folder unless it is absolute. Unset: there is none.
    pub file: Option<PathBuf>,
    /// Whether the reflex acts without a search. Otherwise searches start from what it proposes, or from the rest of the plan before
    /// where that is better. Default false.
    pub alone: bool,
    /// Standard deviation of the first sampled actions around what it proposes, never more than `plan.initial_std`. Unset: its own error
    /// on plans that it did not learn from.
    pub std: Option<f64>,
}

impl Options for ReflexConfig {
    fn validate(&self) -> Result<(), String> {
        let named = self.file.is_some() || !self.alone;
        ensure(named, "alone", self.alone, "false, unless `file` names a reflex")?;
        self.std.map_or(Ok(()), |std| check("std", std).above(0.0)?.done())
    }
}
