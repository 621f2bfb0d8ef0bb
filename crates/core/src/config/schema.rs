//! JSON Schemas of configurations, and the check that every key of a tree stands in one.
//!
//! Serde alone lets keys pass that nothing reads: beside a variant without fields, for one. So the keys of the whole tree are compared
//! with the schema that is made of the same types.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value as Json;
use toml::{Table, Value};

use super::locate::nearest;

/// The schema of a type, with everything it refers to in place.
pub fn of<T: JsonSchema + ?Sized>() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<T>()
}

/// A schema from JSON.
///
/// # Panics
/// If it is neither an object nor a boolean.
pub fn literal(json: Json) -> Schema {
    Schema::try_from(json).expect("a schema is an object or a boolean")
}

/// Sets a property of an object's schema.
pub fn property(schema: &mut Schema, name: &str, value: Json) {
    let properties = schema.ensure_object().entry("properties").or_insert_with(|| Json::Object(serde_json::Map::new()));
    if let Json::Object(properties) = properties {
        properties.insert(name.to_owned(), value);
    }
}

/// Checks that every key of `tree`, which stands under `key` (empty for the whole), is one of the schema's.
///
/// # Errors
/// The first unknown key in full, the nearest valid one, and all that are valid in its place.
pub fn check_keys(key: &str, tree: &Table, schema: &Schema) -> Result<(), String> {
    check_table(key, tree, schema.as_value())
}

/// The message about an unknown key `name` in the table `parent`.
pub(super) fn unknown_key(parent: &str, name: &str, allowed: &[&str]) -> String {
    let full = |name: &str| if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") };
    let hint = nearest(name, allowed.iter().copied()).map(|near| format!("; did you mean `{}`?", full(near)));
    let allowed = if allowed.is_empty() { "no keys".to_owned() } else { allowed.join(", ") };
    format!("unknown key `{}`{}\n  allowed here: {allowed}", full(name), hint.unwrap_or_default())
}

fn check_table(key: &str, table: &Table, schema: &Json) -> Result<(), String> {
    let mut fields = Fields::default();
    let kind = table.get("kind").and_then(Value::as_str);
    fields.collect(kind.or_else(|| schema.get("default")?.get("kind")?.as_str()), schema);
    for (name, value) in table {
        let below = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
        match fields.named.get(name.as_str()).copied().or(fields.rest) {
            Some(schema) => check_value(&below, value, schema)?,
            None if fields.open => {}
            None => {
                let allowed: Vec<&str> = fields.named.keys().copied().collect();
                let message = unknown_key(key, name, &allowed);
                let other = fields.others.get(name.as_str());
                let hint = other.map(|kind| format!("\n  `{name}` is a key of kind = \"{kind}\"")).unwrap_or_default();
                return Err(message + &hint);
            }
        }
    }
    Ok(())
}

fn check_value(key: &str, value: &Value, schema: &Json) -> Result<(), String> {
    match value {
        Value::Table(table) => check_table(key, table, schema),
        Value::Array(items) => {
            let Some(schema) = item_schema(schema) else { return Ok(()) };
            items.iter().enumerate().try_for_each(|(index, item)| check_value(&format!("{key}.{index}"), item, schema))
        }
        _ => Ok(()),
    }
}

fn item_schema(schema: &Json) -> Option<&Json> {
    schema.get("items").or_else(|| branches(schema).find_map(item_schema))
}

fn branches(schema: &Json) -> impl Iterator<Item = &Json> {
    ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten()
}

/// The keys that a table may have.
#[derive(Default)]
struct Fields<'a> {
    named: BTreeMap<&'a str, &'a Json>,
    /// The schema of keys of any name.
    rest: Option<&'a Json>,
    /// Whether keys of any name may have any value.
    open: bool,
    /// Keys of other kinds than the table's, with their kind.
    others: BTreeMap<&'a str, &'a str>,
}

impl<'a> Fields<'a> {
    /// Collects those of a table of a kind.
    fn collect(&mut self, of_kind: Option<&str>, schema: &'a Json) {
        let Json::Object(object) = schema else {
            self.open |= schema == &Json::Bool(true);
            return;
        };
        if let Some(Json::Object(properties)) = object.get("properties") {
            self.named.extend(properties.iter().map(|(name, schema)| (name.as_str(), schema)));
        }
        match object.get("additionalProperties") {
            Some(Json::Bool(true)) => self.open = true,
            Some(schema @ Json::Object(_)) => self.rest = Some(schema),
            _ => {}
        }
        for branch in branches(schema) {
            match kind_of(branch) {
                Some(kind) if of_kind != Some(kind) => {
                    if let Some(Json::Object(properties)) = branch.get("properties") {
                        self.others.extend(properties.keys().map(|name| (name.as_str(), kind)));
                        self.named
                            .extend(properties.get_key_value("kind").map(|(name, schema)| (name.as_str(), schema)));
                    }
                }
                _ => self.collect(of_kind, branch),
            }
        }
    }
}

/// The name of the kind that a branch is of.
fn kind_of(branch: &Json) -> Option<&str> {
    branch.get("properties")?.get("kind")?.get("const")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};

    #[derive(Default, Serialize, Deserialize, JsonSchema)]
    #[serde(default)]
    struct Section {
        target: Target,
        masks: Vec<Mask>,
        crop: Option<Crop>,
    }

    #[derive(Default, Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind", rename_all = "kebab-case")]
    enum Target {
        #[default]
        Shared,
        Momentum(Momentum),
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Momentum {
        momentum: f64,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Mask {
        blocks: usize,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind", rename_all = "kebab-case")]
    enum Crop {
        Stretch,
        Centre { short_side: usize },
    }

    fn check(text: &str) -> Result<(), String> {
        check_keys("model", &text.parse().unwrap(), &of::<Section>())
    }

    #[test]
    fn keys_that_are_read_pass() {
        check("[target]\nkind = \"momentum\"\nmomentum = 0.9\n[[masks]]\nblocks = 3\n[crop]\nkind = \"centre\"\nshort_side = 3")
            .unwrap();
        check("[target]\nkind = \"shared\"").unwrap();
    }

    #[test]
    fn keys_beside_a_variant_without_fields_are_refused() {
        let message = check("[target]\nkind = \"shared\"\nmomentum = 0.99").unwrap_err();
        assert!(message.contains("unknown key `model.target.momentum`"), "{message}");
        assert!(message.contains("`momentum` is a key of kind = \"momentum\""), "{message}");
        let message = check("[crop]\nkind = \"stretch\"\nshort_sid = 3").unwrap_err();
        assert!(message.contains("unknown key `model.crop.short_sid`"), "{message}");
    }

    #[test]
    fn a_table_without_a_kind_is_of_the_default_one() {
        let momentum = |momentum| Section { target: Target::Momentum(Momentum { momentum }), ..Section::default() };
        let mut schema = of::<Section>();
        let mut target = schema.as_value()["properties"]["target"].clone();
        target["default"] = serde_json::to_value(momentum(0.9).target).unwrap();
        property(&mut schema, "target", target);
        assert_eq!(check_keys("model", &"[target]\nmomentum = 0.9".parse().unwrap(), &schema), Ok(()));
        assert!(check("[target]\nmomentum = 0.9").is_err(), "the default is the other kind");
    }

    #[test]
    fn unknown_keys_name_their_nearest_neighbour() {
        let message = check("[[masks]]\nblocks = 1\n[[masks]]\nblock = 3").unwrap_err();
        assert!(
            message.contains("unknown key `model.masks.1.block`; did you mean `model.masks.1.blocks`?"),
            "{message}"
        );
        let message = check("mask = 1").unwrap_err();
        assert!(
            message.contains("did you mean `model.masks`?") && message.contains("crop, masks, target"),
            "{message}"
        );
    }
}
