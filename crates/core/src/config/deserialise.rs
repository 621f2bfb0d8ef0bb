//! From a tree of tables to the types of a section, with errors that say what to change.

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::locate::{culprit, expected_names, nearest, value_at};

/// Makes a value out of the tables under `key` (empty for the whole tree).
///
/// # Errors
/// One sentence: the full key, what was given, what is allowed, and the nearest valid name.
pub fn deserialise<T: DeserializeOwned>(key: &str, tree: &Table) -> Result<T, String> {
    let read = |tree: &Table| serde_path_to_error::deserialize::<_, T>(Value::Table(tree.clone()));
    read(tree).map_err(|error| explain(key, tree, &error, |tree| read(tree).err().map(|error| text(&error))))
}

fn text(error: &serde_path_to_error::Error<toml::de::Error>) -> String {
    error.inner().message().trim().to_owned()
}

fn explain(
    section: &str,
    tree: &Table,
    error: &serde_path_to_error::Error<toml::de::Error>,
    fails: impl Fn(&Table) -> Option<String>,
) -> String {
    let prefix: Vec<String> = error
        .path()
        .iter()
        .map_while(|segment| match segment {
            serde_path_to_error::Segment::Map { key } => Some(key.clone()),
            serde_path_to_error::Segment::Seq { index } => Some(index.to_string()),
            _ => None,
        })
        .collect();
    let prefix = longest_existing(tree, prefix);
    let message = text(error);
    let path = culprit(tree, &prefix, fails).unwrap_or(prefix);
    let full = |path: &[String]| {
        let section = (!section.is_empty()).then_some(section);
        section.into_iter().chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(".")
    };
    let (key, allowed) = (full(&path), expected_names(&message));
    if message.starts_with("unknown field") {
        let (last, parents) = path.split_last().map_or(("", &[][..]), |(last, parents)| (last.as_str(), parents));
        return super::schema::unknown_key(&full(parents), last, &allowed);
    }
    let given = value_at(tree, &path).filter(|value| !value.is_table());
    let given = given.map_or_else(String::new, |value| format!(" = {value}"));
    let written = value_at(tree, &path).and_then(Value::as_str).unwrap_or_default();
    let hint = nearest(written, allowed).map(|name| format!("; did you mean `{name}`?"));
    format!("`{key}`{given}: {message}{}", hint.unwrap_or_default())
}

fn longest_existing(tree: &Table, mut path: Vec<String>) -> Vec<String> {
    while !path.is_empty() && value_at(tree, &path).is_none() {
        path.pop();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "read by serde alone")]
    struct Section {
        lr: f64,
        solver: Solver,
    }

    #[derive(Debug, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    #[allow(dead_code, reason = "read by serde alone")]
    enum Solver {
        Cem { samples: usize },
        Icem { samples: usize, keep_elites: usize },
    }

    fn refused(text: &str) -> String {
        deserialise::<Section>("plan", &text.parse().unwrap()).unwrap_err()
    }

    #[test]
    fn key_value_and_what_is_allowed_are_named() {
        assert_eq!(
            refused("lr = \"fast\"\nsolver = { kind = \"cem\", samples = 3 }"),
            "`plan.lr` = \"fast\": invalid type: string \"fast\", expected f64"
        );
        let message = refused("lr = 1\nsolver = { kind = \"cme\", samples = 3 }");
        assert!(
            message.contains("`plan.solver.kind` = \"cme\"") && message.contains("did you mean `cem`?"),
            "{message}"
        );
        let message = refused("lr = 1\nsolver = { kind = \"icem\", samples = 3, keep_elite = 1, keep_elites = 2 }");
        assert!(
            message.contains("unknown key `plan.solver.keep_elite`; did you mean `plan.solver.keep_elites`?"),
            "{message}"
        );
    }
}
