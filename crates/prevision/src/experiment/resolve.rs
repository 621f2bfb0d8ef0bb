//! Every default in place, every value checked.

use prevision_core::config::{Registry, WeightedParts, within};
use toml::{Table, Value};

use super::Experiment;
use crate::Parts;

impl Experiment {
    /// Puts the defaults of every named part in place.
    ///
    /// # Errors
    /// The key at fault, if a part does not exist, or one of its keys is wrong.
    pub fn resolve(&mut self, parts: &Parts) -> Result<(), String> {
        let source = &mut self.data.source;
        source.keys = parts.sources.resolve("data.source", &source.kind, &source.keys)?;
        self.model.keys = parts.models.resolve("model", &self.model.kind, &self.model.keys)?;
        if parts.terms.place("prediction").is_some() {
            self.objective.0.entry("prediction").or_insert(Value::Float(1.0));
        }
        self.objective = weighted("objective", &self.objective, &parts.terms)?;
        self.env = self.env.resolve(&parts.worlds)?;
        self.eval = self.eval.resolve(&parts.suites)?;
        self.plan = self.plan.resolve(&parts.plan)?;
        Ok(())
    }

    /// Checks every value that can be checked without opening a file.
    ///
    /// # Errors
    /// A sentence with the key, what was given and what is allowed.
    pub fn validate(&self, parts: &Parts) -> Result<(), String> {
        self.settings().validate()?;
        self.source(parts)?;
        self.task(parts)?;
        self.env.world(&parts.worlds).map(|_| ())
    }
}

/// Weighted parts with every default in place.
fn weighted<C: ?Sized, P>(
    key: &str,
    given: &WeightedParts,
    registry: &Registry<C, P>,
) -> Result<WeightedParts, String> {
    let mut resolved = Table::new();
    for (name, weight, keys) in within(key, given.entries())? {
        let mut keys = registry.resolve(&format!("{key}.{name}"), &name, &keys)?;
        keys.insert("weight".to_owned(), Value::Float(weight));
        resolved.insert(name, Value::Table(keys));
    }
    Ok(WeightedParts(resolved))
}
