//! Parts by name: what can be configured, and how it is made.

use std::sync::Arc;

use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use toml::Table;

use super::check::within;
use super::locate::nearest;
use super::overlay::merge;
use super::{deserialise, schema};

/// The keys of a part: a struct with defaults, whose documentation becomes that of the JSON Schema.
pub trait Options: Default + Serialize + DeserializeOwned + JsonSchema {
    /// Checks every value.
    ///
    /// # Errors
    /// The key, its value and what is allowed, see [`check`](mod@super::check).
    fn validate(&self) -> Result<(), String> {
        Ok(())
    }

    /// The keys with what they refer to put in place, such as what a file says of itself: done once, when an experiment is read, and kept with
    /// the run.
    ///
    /// # Errors
    /// The key, its value and what is wrong with what it refers to.
    fn complete(self) -> Result<Self, String> {
        Ok(self)
    }
}

/// The keys of a part that has none.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoKeys {}

impl Options for NoKeys {}

/// Parts of one sort, in the order in which they were registered. `C` is what a part is made with beside its keys, `P` what is made.
pub struct Registry<C: ?Sized, P> {
    sort: &'static str,
    pub(super) entries: Vec<Entry<C, P>>,
}

/// Makes a part out of its keys and what it is made with. Before the keys stand the registry that the part is in, and the full key of
/// its table.
pub(super) type Make<C, P> = Arc<dyn Fn(&Registry<C, P>, &str, &Table, &C) -> Result<P, String> + Send + Sync>;

/// Completes the keys of a part with their defaults; the arguments are those of [`Make`] but the last.
pub(super) type Resolve<C, P> = fn(&Registry<C, P>, &str, &Table) -> Result<Table, String>;

pub(super) struct Entry<C: ?Sized, P> {
    pub(super) name: String,
    pub(super) schema: fn(&Registry<C, P>) -> Schema,
    pub(super) resolve: Resolve<C, P>,
    pub(super) make: Make<C, P>,
    /// Whether it is made of other parts.
    pub(super) composed: bool,
}

impl<C: ?Sized, P> Clone for Entry<C, P> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            schema: self.schema,
            resolve: self.resolve,
            make: Arc::clone(&self.make),
            composed: self.composed,
        }
    }
}

impl<C: ?Sized, P> Clone for Registry<C, P> {
    fn clone(&self) -> Self {
        Self { sort: self.sort, entries: self.entries.clone() }
    }
}

impl<C: ?Sized, P> Registry<C, P> {
    /// No parts yet; `sort` is what they are in messages, for example `solver`.
    pub fn new(sort: &'static str) -> Self {
        Self { sort, entries: Vec::new() }
    }

    /// With a part more. A name that is taken is taken over, in its place, so that built-in parts can be replaced.
    ///
    /// `make` is given the part's keys, checked, and what parts of this sort are made with; the message of its error begins with the
    /// key at fault, below the part's table.
    #[must_use]
    pub fn with<O: Options>(
        self,
        name: &str,
        make: impl Fn(O, &C) -> Result<P, String> + Send + Sync + 'static,
    ) -> Self {
        self.with_entry(Entry {
            name: name.to_owned(),
            schema: |_| schema::of::<O>(),
            resolve: |_, key, table| Ok(to_table(&within(key, read::<O>(key, table)?.complete())?)),
            make: Arc::new(move |_, key, table, context| within(key, make(read::<O>(key, table)?, context))),
            composed: false,
        })
    }

    /// With an entry more, or in the place of the one of its name.
    pub(super) fn with_entry(mut self, entry: Entry<C, P>) -> Self {
        match self.entries.iter_mut().find(|known| known.name == entry.name) {
            Some(known) => *known = entry,
            None => self.entries.push(entry),
        }
        self
    }

    /// The names, in the order of registration.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    /// Place of a name in the order of registration.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.names().position(|known| known == name)
    }

    /// The keys of a part with every default in place. `key` is the full key of the part's table.
    ///
    /// # Errors
    /// One sentence with the key at fault, if there is no such part, or a key is unknown or has a value that is not allowed.
    pub fn resolve(&self, key: &str, name: &str, table: &Table) -> Result<Table, String> {
        (self.find(key, name)?.resolve)(self, key, table)
    }

    /// Makes a part.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve), and those of the part itself.
    pub fn make(&self, key: &str, name: &str, table: &Table, context: &C) -> Result<P, String> {
        (self.find(key, name)?.make)(self, key, table, context)
    }

    /// The JSON Schema of a table whose key `kind` names one of the parts.
    pub fn schema_by_kind(&self) -> Schema {
        self.by_kind(self.entries.iter())
    }

    /// The JSON Schema of a table whose key `kind` names one of these entries.
    pub(super) fn by_kind<'a>(&self, entries: impl Iterator<Item = &'a Entry<C, P>>) -> Schema
    where
        C: 'a,
        P: 'a,
    {
        let branches: Vec<_> = entries
            .map(|entry| {
                let mut branch = (entry.schema)(self);
                schema::property(&mut branch, "kind", json!({ "const": entry.name }));
                branch
            })
            .collect();
        schema::literal(json!({ "oneOf": branches }))
    }

    /// The JSON Schema of a table with a table of each part's keys under its name. With `weighted` a part has a key `weight` more,
    /// and a number may stand for it.
    pub fn schema_by_name(&self, weighted: bool) -> Schema {
        let mut all = schema::literal(json!({ "type": "object", "properties": {}, "additionalProperties": false }));
        for entry in &self.entries {
            let mut part = (entry.schema)(self);
            if weighted {
                let weight =
                    json!({ "type": "number", "description": "Weight of the part; 0 switches it off. Default 1." });
                schema::property(&mut part, "weight", weight);
                part = schema::literal(json!({ "anyOf": [part, { "type": "number" }] }));
            }
            schema::property(&mut all, &entry.name, part.to_value());
        }
        all
    }

    pub(super) fn find(&self, key: &str, name: &str) -> Result<&Entry<C, P>, String> {
        self.entries.iter().find(|entry| entry.name == name).ok_or_else(|| {
            let hint = nearest(name, self.names()).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            let known: Vec<&str> = self.names().collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            format!("{key}: there is no {} `{name}`{hint}\n  known: {known}", self.sort)
        })
    }
}

/// The keys of a part, checked, with every default in place.
pub(super) fn read<O: Options>(key: &str, table: &Table) -> Result<O, String> {
    schema::check_keys(key, table, &schema::of::<O>())?;
    let mut tree = to_table(&O::default());
    merge(&mut tree, table);
    let options: O = deserialise(key, &tree)?;
    within(key, options.validate())?;
    Ok(options)
}

pub(super) fn to_table<O: Options>(options: &O) -> Table {
    match toml::Value::try_from(options) {
        Ok(toml::Value::Table(table)) => table,
        _ => Table::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::check;
    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    #[serde(default, deny_unknown_fields)]
    struct Keys {
        /// How many.
        samples: usize,
    }

    impl Default for Keys {
        fn default() -> Self {
            Self { samples: 7 }
        }
    }

    impl Options for Keys {
        fn validate(&self) -> Result<(), String> {
            check("samples", self.samples as f64).at_least(1.0)?.done()
        }
    }

    fn registry() -> Registry<usize, usize> {
        Registry::new("solver")
            .with("cem", |keys: Keys, times: &usize| Ok(keys.samples * times))
            .with("random", |_: NoKeys, times: &usize| Ok(*times))
            .with("cautious", |_: Keys, _: &usize| Err("samples is wrong".to_owned()))
    }

    #[test]
    fn parts_are_made_by_name_with_their_keys() {
        let table: Table = "samples = 3".parse().unwrap();
        let registry = registry();
        assert_eq!(registry.make("plan.solver", "cem", &table, &2), Ok(6));
        assert_eq!(registry.make("plan.solver", "random", &Table::new(), &2), Ok(2));
        assert_eq!(registry.resolve("plan.solver", "cem", &Table::new()).unwrap()["samples"].as_integer(), Some(7));
        assert!(registry.resolve("plan.solver", "random", &Table::new()).unwrap().is_empty());
        assert_eq!(registry.names().collect::<Vec<_>>(), ["cem", "random", "cautious"]);
    }

    #[test]
    fn errors_name_the_key_and_what_is_registered() {
        let refused =
            |name: &str, text: &str| registry().make("plan.solver", name, &text.parse().unwrap(), &1).unwrap_err();
        assert_eq!(
            refused("cme", ""),
            "plan.solver: there is no solver `cme`; did you mean `cem`?\n  known: cem, random, cautious"
        );
        assert_eq!(refused("cem", "samples = 0"), "plan.solver.samples is 0, but must be 1 or more");
        assert!(
            refused("cem", "sample = 1")
                .contains("unknown key `plan.solver.sample`; did you mean `plan.solver.samples`?")
        );
        assert!(refused("random", "samples = 1").contains("unknown key `plan.solver.samples`"));
        assert_eq!(refused("cautious", ""), "plan.solver.samples is wrong");
    }

    #[test]
    fn a_part_can_be_replaced() {
        let registry = registry().with("cem", |_: NoKeys, _: &usize| Ok(99));
        assert_eq!(registry.make("x", "cem", &Table::new(), &1), Ok(99));
        assert_eq!(registry.names().count(), 3);
    }

    #[test]
    fn schemas_say_what_each_part_reads() {
        let by_kind = registry().schema_by_kind().to_value();
        assert_eq!(by_kind["oneOf"][0]["properties"]["kind"]["const"], "cem");
        assert_eq!(by_kind["oneOf"][0]["properties"]["samples"]["description"], "How many.");
        let by_name = registry().schema_by_name(true);
        assert_eq!(
            by_name.clone().to_value()["properties"]["cem"]["anyOf"][0]["properties"]["weight"]["type"],
            "number"
        );
        let check = |text: &str| schema::check_keys("objective", &text.parse().unwrap(), &by_name);
        assert_eq!(check("cem = 3"), Ok(()));
        assert_eq!(check("cem = { weight = 3, samples = 2 }"), Ok(()));
        assert!(check("cem = { weigt = 3 }").unwrap_err().contains("did you mean `objective.cem.weight`?"));
        assert!(check("cme = 3").unwrap_err().contains("did you mean `objective.cem`?"));
    }
}
