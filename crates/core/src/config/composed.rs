//! Parts that are made of other parts of their sort.

use std::sync::Arc;

use schemars::Schema;
use serde_json::{Value as Json, json};
use toml::{Table, Value};

use super::check::{message, within};
use super::registry::{Entry, Options, Registry, read, to_table};
use super::schema;

/// The key of the list of parts.
const PARTS: &str = "parts";

/// One table of the list.
struct Item<I> {
    /// Its full key.
    key: String,
    kind: String,
    /// The keys of the part itself.
    keys: Table,
    /// Those that stand beside them.
    beside: I,
}

impl<C: ?Sized, P> Registry<C, P> {
    /// With a part more that is made of others of this registry, whatever the order in which they are registered. Beside its own keys
    /// `O` it has a key `parts`, a list of tables: each names a `kind`, gives the keys of that kind, and the keys `I` beside them. A part
    /// that is made of others is none of the kinds.
    ///
    /// `make` is given the keys, checked, and the parts, made; the message of its error begins with the key at fault, below the part's
    /// table.
    #[must_use]
    pub fn with_composed<O: Options, I: Options>(
        self,
        name: &str,
        make: impl Fn(O, Vec<(I, P)>, &C) -> Result<P, String> + Send + Sync + 'static,
    ) -> Self {
        self.with_entry(Entry {
            name: name.to_owned(),
            schema: composed_schema::<O, I, C, P>,
            resolve: |registry, key, table| {
                let (own, items) = read_items::<O, I, C, P>(registry, key, table)?;
                let mut resolved = to_table(&own);
                let tables = items.into_iter().map(|item| {
                    let mut table = registry.resolve(&item.key, &item.kind, &item.keys)?;
                    table.extend(to_table(&item.beside));
                    table.insert("kind".to_owned(), item.kind.into());
                    Ok(Value::Table(table))
                });
                resolved.insert(PARTS.to_owned(), Value::Array(tables.collect::<Result<_, String>>()?));
                Ok(resolved)
            },
            make: Arc::new(move |registry, key, table, context| {
                let (own, items) = read_items::<O, I, C, P>(registry, key, table)?;
                let parts = items.into_iter().map(|item| {
                    let part = registry.make(&item.key, &item.kind, &item.keys, context)?;
                    Ok((item.beside, part))
                });
                within(key, make(own, parts.collect::<Result<_, String>>()?, context))
            }),
            composed: true,
        })
    }

    /// The entries that are made of no others.
    fn simple(&self) -> impl Iterator<Item = &Entry<C, P>> {
        self.entries.iter().filter(|entry| !entry.composed)
    }
}

fn composed_schema<O: Options, I: Options, C: ?Sized, P>(registry: &Registry<C, P>) -> Schema {
    let beside = schema::of::<I>();
    let mut items = registry.by_kind(registry.simple()).to_value();
    for branch in items["oneOf"].as_array_mut().into_iter().flatten() {
        if let (Some(into), Some(from)) =
            (branch["properties"].as_object_mut(), beside.as_value()["properties"].as_object())
        {
            into.extend(from.clone());
        }
    }
    let mut all = schema::of::<O>();
    let description = beside.get("description").cloned().unwrap_or_default();
    schema::property(&mut all, PARTS, json!({ "description": description, "type": "array", "items": items }));
    all
}

fn read_items<O: Options, I: Options, C: ?Sized, P>(
    registry: &Registry<C, P>,
    key: &str,
    table: &Table,
) -> Result<(O, Vec<Item<I>>), String> {
    let mut own = table.clone();
    let tables = match own.remove(PARTS) {
        None => vec![],
        Some(Value::Array(tables)) => tables,
        Some(other) => return Err(message(&format!("{key}.{PARTS}"), other, "a list of tables")),
    };
    let tables = tables.into_iter().enumerate().map(|(number, value)| {
        let key = format!("{key}.{PARTS}.{number}");
        match value {
            Value::Table(table) => Ok((kind_of(registry, &key, &table)?, key, table)),
            other => Err(message(&key, other, "a table")),
        }
    });
    let tables = tables.collect::<Result<Vec<_>, String>>()?;
    // All keys at once: the nearest one may be one beside those of the part.
    schema::check_keys(key, table, &composed_schema::<O, I, C, P>(registry))?;
    let names = schema::of::<I>();
    let is_beside =
        |name: &str| matches!(&names.as_value()["properties"], Json::Object(names) if names.contains_key(name));
    let items = tables.into_iter().map(|(kind, key, mut table)| {
        table.remove("kind");
        let (beside, keys): (Table, Table) = table.into_iter().partition(|(name, _)| is_beside(name));
        Ok(Item { beside: read::<I>(&key, &beside)?, kind, keys, key })
    });
    let items = items.collect::<Result<Vec<_>, String>>()?;
    Ok((read::<O>(key, &own)?, items))
}

/// The kind of the part that a table of the list describes.
fn kind_of<C: ?Sized, P>(registry: &Registry<C, P>, key: &str, table: &Table) -> Result<String, String> {
    let refused = |given: &str| {
        let known: Vec<&str> = registry.simple().map(|entry| entry.name.as_str()).collect();
        Err(message(&format!("{key}.kind"), given, format_args!("one of {}", known.join(", "))))
    };
    let Some(kind) = table.get("kind") else { return refused("not set") };
    let Some(name) = kind.as_str() else { return refused(&kind.to_string()) };
    if registry.find(key, name)?.composed { refused(&kind.to_string()) } else { Ok(name.to_owned()) }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::config::{NoKeys, check};

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(default, deny_unknown_fields)]
    struct Keys {
        samples: i64,
    }

    impl Default for Keys {
        fn default() -> Self {
            Self { samples: 7 }
        }
    }

    impl Options for Keys {}

    /// What is summed.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(default, deny_unknown_fields)]
    struct Beside {
        times: i64,
    }

    impl Default for Beside {
        fn default() -> Self {
            Self { times: 1 }
        }
    }

    impl Options for Beside {
        fn validate(&self) -> Result<(), String> {
            check("times", self.times as f64).at_least(1.0)?.done()
        }
    }

    /// The sum is registered before one of the parts that it may be made of.
    fn registry() -> Registry<i64, i64> {
        Registry::new("number")
            .with("cem", |keys: Keys, factor: &i64| Ok(keys.samples * factor))
            .with_composed("sum", |_: NoKeys, parts: Vec<(Beside, i64)>, _: &i64| {
                let sum: i64 = parts.iter().map(|(beside, number)| beside.times * number).sum();
                if sum > 0 { Ok(sum) } else { Err("parts is empty".to_owned()) }
            })
            .with("one", |_: NoKeys, _: &i64| Ok(1))
    }

    fn table(text: &str) -> Table {
        text.parse().unwrap()
    }

    const TWO: &str = "parts = [{ kind = 'cem', samples = 3, times = 2 }, { kind = 'one' }, { kind = 'cem' }]";

    #[test]
    fn it_is_made_of_its_parts() {
        assert_eq!(registry().make("n", "sum", &table(TWO), &10), Ok(60 + 1 + 70));
        let resolved = registry().resolve("n", "sum", &table(TWO)).unwrap();
        let expected = "parts = [{ kind = 'cem', samples = 3, times = 2 }, { kind = 'one', times = 1 },
            { kind = 'cem', samples = 7, times = 1 }]";
        assert_eq!(resolved, table(expected));
        assert_eq!(registry().resolve("n", "sum", &resolved), Ok(resolved));
        assert_eq!(registry().resolve("n", "sum", &Table::new()), Ok(table("parts = []")));
    }

    #[test]
    fn errors_name_the_place_in_the_list() {
        let refused = |text: &str| registry().make("n", "sum", &table(text), &1).unwrap_err();
        assert_eq!(refused(""), "n.parts is empty");
        assert_eq!(refused("parts = 3"), "n.parts is 3, but must be a list of tables");
        assert_eq!(refused("parts = [{ kind = 'one' }, 3]"), "n.parts.1 is 3, but must be a table");
        assert_eq!(refused("parts = [{ times = 3 }]"), "n.parts.0.kind is not set, but must be one of cem, one");
        assert_eq!(refused("parts = [{ kind = 'sum' }]"), "n.parts.0.kind is \"sum\", but must be one of cem, one");
        let message = refused("parts = [{ kind = 'one' }, { kind = 'cme' }]");
        assert!(message.starts_with("n.parts.1: there is no number `cme`; did you mean `cem`?"), "{message}");
        assert_eq!(refused("parts = [{ kind = 'one', times = 0 }]"), "n.parts.0.times is 0, but must be 1 or more");
        for (text, expected) in [
            ("parts = [{ kind = 'cem', tims = 3 }]", "unknown key `n.parts.0.tims`; did you mean `n.parts.0.times`?"),
            (
                "parts = [{ kind = 'cem', sample = 3 }]",
                "unknown key `n.parts.0.sample`; did you mean `n.parts.0.samples`?",
            ),
            ("part = []", "unknown key `n.part`; did you mean `n.parts`?"),
        ] {
            assert!(refused(text).starts_with(expected), "{}", refused(text));
        }
        assert!(refused("parts = [{ kind = 'one', samples = 3 }]").contains("`samples` is a key of kind = \"cem\""));
    }

    #[test]
    fn the_schema_has_the_keys_of_the_parts() {
        let schema = registry().schema_by_kind().to_value();
        let parts = &schema["oneOf"][1]["properties"]["parts"];
        assert_eq!(parts["description"], "What is summed.");
        let kinds: Vec<&Json> = parts["items"]["oneOf"].as_array().unwrap().iter().collect();
        assert_eq!(kinds.len(), 2, "no sum of sums");
        for (kind, keys) in kinds.iter().zip([&["kind", "samples", "times"][..], &["kind", "times"]]) {
            let mut names: Vec<&String> = kind["properties"].as_object().unwrap().keys().collect();
            names.sort();
            assert_eq!(names, keys);
        }
    }
}
