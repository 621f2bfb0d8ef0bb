//! The JSON Schema of the experiment file, with all that is registered.

use prevision_core::config::schema::{literal, of, property};
use prevision_eval::EvalConfig;
use prevision_plan::PlanConfig;
use schemars::Schema;
use serde_json::{Value, json};

use super::Experiment;
use crate::Parts;

impl Experiment {
    /// The JSON Schema of an experiment file: its sections, and in them every part that is registered.
    pub fn schema(parts: &Parts) -> Schema {
        let mut all = of::<Self>();
        section(&mut all, "data", |data| property(data, "source", parts.sources.schema_by_kind().to_value()));
        let networks = "The networks: `kind`, and the keys of that kind. Default kind `action-conditioned`.";
        property(&mut all, "model", described(networks, parts.models.schema_by_kind()));
        let losses = "The losses: terms by name, each with its weight and its own keys.";
        property(&mut all, "objective", described(losses, parts.terms.schema_by_name(true)));
        section(&mut all, "env", |env| flatten(env, &parts.worlds.schema_by_name(false)));
        property(&mut all, "eval", EvalConfig::schema(&parts.suites).to_value());
        property(&mut all, "plan", PlanConfig::schema(&parts.plan).to_value());
        all
    }
}

/// A schema with a description of its own.
fn described(description: &str, mut schema: Schema) -> Value {
    schema.ensure_object().insert("description".to_owned(), description.into());
    schema.to_value()
}

/// Changes the schema of a section.
fn section(all: &mut Schema, name: &str, change: impl FnOnce(&mut Schema)) {
    let current = all.as_value()["properties"][name].clone();
    let mut current = if current.is_object() { literal(current) } else { literal(json!({ "type": "object" })) };
    change(&mut current);
    property(all, name, current.to_value());
}

/// Puts the properties of one schema beside those of another, and lets no others stand there.
fn flatten(into: &mut Schema, from: &Schema) {
    if let Value::Object(properties) = &from.as_value()["properties"] {
        for (name, value) in properties {
            property(into, name, value.clone());
        }
    }
    into.ensure_object().insert("additionalProperties".to_owned(), json!(false));
}
