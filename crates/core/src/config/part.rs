//! Parts as a configuration names them.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::check::check;

/// A part with its own keys: `kind = "icem"` and, beside it, what that kind reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The name under which it is registered.
    pub kind: String,
    /// Its own keys.
    #[serde(flatten)]
    pub keys: Table,
}

impl Part {
    /// A part whose keys all have their defaults.
    pub fn new(kind: &str) -> Self {
        Self { kind: kind.to_owned(), keys: Table::new() }
    }

    /// The same part with a key set.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.keys.insert(key.to_owned(), value.into());
        self
    }
}

/// Parts by name, each with a weight and its own keys: a table that holds `weight` and the keys, or just a number, the weight.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WeightedParts(pub Table);

impl WeightedParts {
    /// The same parts, and one more.
    #[must_use]
    pub fn with(mut self, name: &str, part: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), part.into());
        self
    }

    /// Name, weight and own keys of every part, by name. A weight that is not given is 1.
    ///
    /// # Errors
    /// The key below this table, its value and what is allowed, if an entry is neither a number nor a table, or its weight is no
    /// finite number of 0 or more.
    pub fn entries(&self) -> Result<Vec<(String, f64, Table)>, String> {
        self.0.iter().map(|(name, value)| entry(name, value)).collect()
    }
}

fn entry(name: &str, value: &Value) -> Result<(String, f64, Table), String> {
    let number = |key: &str, value: &Value| {
        let number = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
        number.ok_or_else(|| format!("{key} is {value}, but must be a number, the weight"))
    };
    let (weight, keys) = match value {
        Value::Table(table) => {
            let mut keys = table.clone();
            let weight = keys.remove("weight").map_or(Ok(1.0), |value| number(&format!("{name}.weight"), &value))?;
            (weight, keys)
        }
        other => (number(name, other)?, Table::new()),
    };
    let key = if value.is_table() { format!("{name}.weight") } else { name.to_owned() };
    check(&key, weight).at_least(0.0)?;
    Ok((name.to_owned(), weight, keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_weight_and_a_table_has_one_beside_its_keys() {
        let parts: WeightedParts =
            toml::from_str("a = 16\nb = { weight = 0.5, margin = 1 }\nc = { margin = 2 }").unwrap();
        let entries = parts.entries().unwrap();
        let found: Vec<(&str, f64, usize)> =
            entries.iter().map(|(name, weight, keys)| (name.as_str(), *weight, keys.len())).collect();
        assert_eq!(found, [("a", 16.0, 0), ("b", 0.5, 1), ("c", 1.0, 1)]);
        let refused = |text: &str| toml::from_str::<WeightedParts>(text).unwrap().entries().unwrap_err();
        assert_eq!(refused("a = -1"), "a is -1, but must be 0 or more");
        assert_eq!(refused("a = { weight = \"x\" }"), "a.weight is \"x\", but must be a number, the weight");
    }

    #[test]
    fn a_part_is_its_kind_and_its_keys() {
        let part: Part = toml::from_str("kind = \"icem\"\nsamples = 9").unwrap();
        assert_eq!(part, Part::new("icem").with("samples", 9));
        assert_eq!(toml::to_string(&part).unwrap(), "kind = \"icem\"\nsamples = 9\n");
    }
}
