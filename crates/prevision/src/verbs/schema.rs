//! `prevision schema`: the JSON Schema of the experiment file.

use anyhow::Result;
use serde_json::Value;

use crate::Experiment;
use crate::app::App;
use crate::cli::output::say;

/// Print the JSON Schema of the experiment file, with all that is registered
///
/// Editors complete and check keys with it: save it beside the experiment and name it in the first
/// line, as in #:schema experiment.schema.json
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {}

pub(crate) fn run(app: &App, _args: &Args) -> Result<()> {
    let mut schema = Experiment::schema(app.parts()).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
        object.insert("title".to_owned(), "prevision experiment".into());
    }
    plain(&mut schema);
    say(&serde_json::to_string_pretty(&schema)?)
}

/// Takes the marks of Rust's links out of descriptions, which editors would show.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(text) if key == "description" => *text = text.replace("[`", "`").replace("`]", "`"),
                    value => plain(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}
