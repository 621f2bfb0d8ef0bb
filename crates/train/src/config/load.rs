//! Reading an experiment file, with errors that say what to change.

use std::path::Path;

use toml::{Table, Value};

use super::ExperimentConfig;
use super::locate::{culprit, expected_names, nearest, value_at};
use super::overlay::{assign, assignment, merge};
use crate::TrainError;

/// Reads an experiment from a TOML file and lays `overrides` over it, each `section.key=value` with a TOML value or a
/// bare string; then checks every value.
///
/// A key that is absent has its default. An override of a `kind` drops the keys that the file gives for another kind.
///
/// # Errors
/// When the file cannot be read or is not TOML; when a key is unknown, or a value has the wrong type or is out of range. The
/// message names the file, the full key, what was given, what is allowed and the nearest valid key.
pub fn load(path: &Path, overrides: &[String]) -> Result<ExperimentConfig, TrainError> {
    let text = std::fs::read_to_string(path).map_err(|source| TrainError::read(path, source))?;
    parse(&text, path, overrides)
}

/// As [`load`], from text; `path` is what errors call it.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, path: &Path, overrides: &[String]) -> Result<ExperimentConfig, TrainError> {
    let invalid = |message: String| TrainError::Config { path: path.to_owned(), message };
    let mut given: Table = text.parse().map_err(|error: toml::de::Error| invalid(error.to_string()))?;
    let assignments = overrides.iter().map(|text| assignment(text)).collect::<Result<Vec<_>, _>>().map_err(invalid)?;
    assign(&mut given, assignments);
    let mut resolved = defaults();
    merge(&mut resolved, &given);
    let config = deserialise(&resolved).map_err(|error| invalid(explain(&resolved, &error)))?;
    config.validate().map_err(invalid)?;
    Ok(config)
}

fn defaults() -> Table {
    match Value::try_from(ExperimentConfig::default()) {
        Ok(Value::Table(table)) => table,
        _ => Table::new(),
    }
}

fn deserialise(tree: &Table) -> Result<ExperimentConfig, serde_path_to_error::Error<toml::de::Error>> {
    serde_path_to_error::deserialize(Value::Table(tree.clone()))
}

/// One sentence: the full key, what was given, what is allowed, the nearest valid key.
fn explain(tree: &Table, error: &serde_path_to_error::Error<toml::de::Error>) -> String {
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
    let message = error.inner().message().trim();
    let path = culprit(tree, &prefix, |tree| deserialise(tree).err().map(|error| error.inner().message().to_owned()))
        .unwrap_or(prefix);
    let key = path.join(".");
    let allowed = expected_names(message);
    if message.starts_with("unknown field") {
        let (last, parents) = path.split_last().map_or(("", &[][..]), |(last, parents)| (last.as_str(), parents));
        let full = |name: &str| parents.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join(".");
        let hint = nearest(last, allowed.iter().copied()).map(|name| format!("; did you mean `{}`?", full(name)));
        let allowed = if allowed.is_empty() { "no keys".to_owned() } else { allowed.join(", ") };
        return format!("unknown key `{key}`{}\n  allowed here: {allowed}", hint.unwrap_or_default());
    }
    let given = value_at(tree, &path).map_or_else(String::new, |value| format!(" = {value}"));
    let text = value_at(tree, &path).and_then(Value::as_str).unwrap_or_default();
    let hint = nearest(text, allowed.iter().copied()).map(|name| format!("; did you mean `{name}`?"));
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

    const MINIMAL: &str = "[data.source]\nkind = \"videos\"\npath = \"clips\"\n[train]\nsteps = 10\n";

    fn read(more: &str, overrides: &[&str]) -> Result<ExperimentConfig, String> {
        let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
        parse(&format!("{MINIMAL}{more}"), Path::new("an/experiment.toml"), &overrides)
            .map_err(|error| error.to_string())
    }

    fn refused(more: &str, overrides: &[&str]) -> String {
        let message = read(more, overrides).unwrap_err();
        assert!(message.contains("an/experiment.toml"), "{message}");
        message
    }

    #[test]
    fn the_file_is_laid_over_the_defaults_and_the_command_line_over_the_file() {
        let config =
            read("log_every = 3\n[optimizer]\nlr = 2e-3", &["optimizer.lr=3e-4", "plan.cost=distance"]).unwrap();
        assert_eq!((config.train.log_every, config.optimizer.lr), (3, 3e-4));
        assert_eq!(config.plan.cost, super::super::CostConfig::Distance);
        assert_eq!(config.optimizer.epsilon, 1e-8);
        let again = parse(&config.to_toml(), Path::new("resolved"), &[]).unwrap();
        assert_eq!(again, config);
    }

    #[test]
    fn an_unknown_key_names_its_nearest_neighbour() {
        let message = refused("[optimizer]\nweight_deca = 1", &[]);
        assert!(
            message.contains("unknown key `optimizer.weight_deca`; did you mean `optimizer.weight_decay`?"),
            "{message}"
        );
        assert!(message.contains("betas"), "{message}");
        let message = refused("", &["trian.steps=4"]);
        assert!(message.contains("unknown key `trian`; did you mean `train`?"), "{message}");
    }

    #[test]
    fn a_key_inside_a_tagged_table_is_found() {
        let message = refused("[plan.solver]\nkind = \"icem\"\nkeep_elite = 3", &[]);
        assert!(
            message.contains("unknown key `plan.solver.keep_elite`; did you mean `plan.solver.keep_elites`?"),
            "{message}"
        );
        let message = refused("[data.source]\nkinds = 1", &[]);
        assert!(message.contains("data.source"), "{message}");
        let message = refused("[model]\nkind = \"masked\"\n[[model.masks]]\nblock = 3", &[]);
        assert!(
            message.contains("unknown key `model.masks.0.block`; did you mean `model.masks.0.blocks`?"),
            "{message}"
        );
        let message = refused("[model.encoder]\nlatent_dimension = 3", &[]);
        assert!(message.contains("`model.encoder.latent_dimension`"), "{message}");
    }

    #[test]
    fn a_wrong_type_names_key_and_value() {
        let message = refused("[optimizer]\nlr = \"fast\"", &[]);
        assert!(
            message.contains("`optimizer.lr` = \"fast\": invalid type: string \"fast\", expected f64"),
            "{message}"
        );
        let message = refused("[plan.solver]\nkind = \"mppi\"\ntemperature = \"hot\"", &[]);
        assert!(message.contains("`plan.solver.temperature` = \"hot\""), "{message}");
        let message = refused("", &["plan.solver.kind=cme"]);
        assert!(
            message.contains("`plan.solver.kind` = \"cme\"") && message.contains("did you mean `cem`?"),
            "{message}"
        );
        let message = refused("", &["train.steps=-3"]);
        assert!(message.contains("`train.steps` = -3"), "{message}");
    }

    #[test]
    fn a_value_out_of_range_names_what_is_allowed() {
        let message = refused("", &["optimizer.lr=0"]);
        assert!(message.contains("optimizer.lr"), "{message}");
        let message = refused("", &["plan.solver.elites=300"]);
        assert!(
            message.contains("plan.solver.elites is 300, but must be 200 (plan.solver.samples) or less"),
            "{message}"
        );
        let message = refused("[schedule]\nfinal_momentum = 1.0", &[]);
        assert!(message.contains("model.target.kind"), "{message}");
        let message = refused("[schedule.learning_rate]\nwarmup_steps = 20", &[]);
        assert!(
            message.contains("schedule.learning_rate.warmup_steps is 20, but must be 10 (train.steps) or less"),
            "{message}"
        );
        assert!(refused("", &["optimizer.lr=nan"]).contains("optimizer.lr is NaN"));
    }

    #[test]
    fn a_missing_budget_a_broken_file_and_a_missing_file_are_named() {
        let path = Path::new("x.toml");
        let missing = parse("[data.source]\nkind = \"videos\"\npath = \"c\"", path, &[]).unwrap_err().to_string();
        assert!(missing.contains("train.steps and train.minutes are both unset"), "{missing}");
        let broken = parse("[data", path, &[]).unwrap_err().to_string();
        assert!(broken.starts_with("x.toml"), "{broken}");
        let absent = load(Path::new("no/such.toml"), &[]).unwrap_err().to_string();
        assert!(absent.contains("no/such.toml"), "{absent}");
    }

    #[test]
    fn every_experiment_of_the_repository_is_valid() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments");
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for file in entries.map(|entry| entry.unwrap().path().join("experiment.toml")).filter(|file| file.is_file()) {
            load(&file, &[]).unwrap();
        }
    }
}
