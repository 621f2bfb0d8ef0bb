//! Reading experiment files through the library: what is laid over what, and what errors say.

use std::path::Path;

use prevision::{App, Experiment, ExperimentError};
use serde_json::Value as Json;
use toml::{Table, Value};

const MINIMAL: &str = "[data.source]\nkind = \"videos\"\npath = \"clips\"\n[train]\nsteps = 10\n";

fn parse(text: &str, overrides: &[&str]) -> Result<Experiment, ExperimentError> {
    let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
    Experiment::parse(text, Path::new("an/experiment.toml"), &overrides, App::new().parts())
}

/// Checks that the message about what is added to [`MINIMAL`] names the file and everything in `named`.
fn refused(more: &str, overrides: &[&str], named: &[&str]) {
    let message = parse(&format!("{MINIMAL}{more}"), overrides).unwrap_err().to_string();
    for name in named.iter().chain(&["an/experiment.toml"]) {
        assert!(message.contains(name), "{name:?} is not in: {message}");
    }
}

#[test]
fn the_file_is_laid_over_the_defaults_and_the_command_line_over_the_file() {
    let text = format!("{MINIMAL}log_every = 3\n[optimizer]\nlr = 2e-3\n[objective]\nvariance = 16");
    let overrides = ["optimizer.lr=3e-4", "objective.variance.margin=2", "plan.solver.kind=mppi"];
    let experiment = parse(&text, &overrides).unwrap();
    assert_eq!((experiment.train.log_every, experiment.optimizer.lr), (3, 3e-4));
    let resolved = experiment.to_table();
    assert_eq!(resolved["plan"]["solver"]["temperature"].as_float(), Some(0.5), "every default is in place");
    assert_eq!(resolved["objective"]["variance"]["margin"].as_float(), Some(2.0));
    assert_eq!(resolved["objective"]["prediction"]["weight"].as_float(), Some(1.0));
    assert_eq!(parse(&experiment.to_toml(), &[]).unwrap(), experiment);
}

#[test]
fn wrong_keys_and_values_are_named() {
    refused("[optimizer]\nlr = \"fast\"", &[], &["optimizer.lr", "\"fast\"", "expected f64"]);
    refused("[plan.solver]\nkind = \"mppi\"\ntemperature = \"hot\"", &[], &["plan.solver.temperature", "\"hot\""]);
    refused("", &["plan.solver.kind=cme"], &["plan.solver", "`cme`", "did you mean `cem`?"]);
    refused("", &["train.steps=-3"], &["train.steps", "-3"]);
    refused("", &["optimizer.lr=0"], &["optimizer.lr is 0"]);
    refused("", &["optimizer.lr=nan"], &["optimizer.lr is NaN"]);
    refused("", &["plan.solver.elites=300"], &["plan.solver.elites is 300, but must be 200"]);
    refused("[schedule]\nfinal_momentum = 1.0", &[], &["schedule.final_momentum"]);
    refused("[schedule.learning_rate]\nwarmup_steps = 20", &[], &["schedule.learning_rate.warmup_steps is 20"]);
    refused("", &["objective.variance=-1"], &["objective.variance is -1"]);
    refused("", &["env.name=to-rooms"], &["env.name", "did you mean `two-rooms`?"]);
}

#[test]
fn keys_that_nothing_would_read_are_refused() {
    let hint = "`momentum` is a key of kind = \"momentum\"";
    refused("[model.target]\nmomentum = 0.99", &[], &["model.target.momentum", hint]);
    refused("[data.crop]\nkind = \"stretch\"\nshort_sid = 3", &[], &["unknown key `data.crop.short_sid`"]);
    refused("", &["data.source.fps=3"], &["unknown key `data.source.fps`"]);
}

#[test]
fn a_missing_budget_a_broken_file_and_a_missing_file_are_named() {
    let missing = parse("[data.source]\nkind = \"videos\"\npath = \"c\"", &[]).unwrap_err().to_string();
    assert!(missing.contains("train.steps and train.minutes are both unset"), "{missing}");
    let broken = parse("[data", &[]).unwrap_err().to_string();
    assert!(broken.starts_with("an/experiment.toml"), "{broken}");
    let absent = Experiment::load(Path::new("no/such.toml"), &[], App::new().parts()).unwrap_err();
    assert!(matches!(absent, ExperimentError::Read { .. }) && absent.to_string().contains("no/such.toml"));
}

#[test]
fn every_experiment_of_the_repository_is_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().join("experiment.toml"));
    let valid =
        files.filter(|file| file.is_file()).map(|file| Experiment::load(&file, &[], App::new().parts()).unwrap());
    assert!(valid.count() >= 2);
}

/// A key of the schema, with the keys `kind` that make tables above it be of the kind that has it.
struct Key {
    path: Vec<String>,
    kinds: Vec<(Vec<String>, String)>,
}

/// All keys of a schema.
fn keys(schema: &Json, path: &[String], kinds: &[(Vec<String>, String)], found: &mut Vec<Key>) {
    for branch in ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten() {
        let mut kinds = kinds.to_vec();
        if let Some(kind) = branch["properties"]["kind"]["const"].as_str() {
            kinds.push((path.to_vec(), kind.to_owned()));
        }
        keys(branch, path, &kinds, found);
    }
    if schema["items"].is_object() {
        keys(&schema["items"], &[path, &["0".to_owned()]].concat(), kinds, found);
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        let path = [path, std::slice::from_ref(name)].concat();
        keys(schema, &path, kinds, found);
        found.push(Key { path, kinds: kinds.to_vec() });
    }
}

/// Sets a key of a tree; a part of its path that is `0` is the first item of a list.
fn set(tree: &mut Table, path: &[String], value: Value) {
    let (first, rest) = path.split_first().unwrap();
    if rest.is_empty() {
        tree.insert(first.clone(), value);
        return;
    }
    let (list, rest) = if rest[0] == "0" { (true, &rest[1..]) } else { (false, rest) };
    let empty = if list { Value::Array(vec![Value::Table(Table::new())]) } else { Value::Table(Table::new()) };
    let below = tree.entry(first.clone()).or_insert(empty);
    let below = if list { &mut below.as_array_mut().unwrap()[0] } else { below };
    set(below.as_table_mut().unwrap(), rest, value);
}

#[test]
fn a_typo_in_any_key_of_any_table_names_the_nearest_key() {
    let app = App::new();
    let mut found = Vec::new();
    keys(Experiment::schema(app.parts()).as_value(), &[], &[], &mut found);
    assert!(found.len() > 150, "{} keys", found.len());
    for Key { path, kinds } in &found {
        let name = path.last().unwrap();
        if name == "0" {
            continue;
        }
        // The first letter is typed twice.
        let mut wrong = path.clone();
        wrong.last_mut().unwrap().insert_str(0, &name[..1]);
        let mut tree = Table::new();
        for (table, kind) in kinds {
            set(&mut tree, &[table.as_slice(), &["kind".to_owned()]].concat(), kind.as_str().into());
        }
        set(&mut tree, &wrong, 1.into());
        let text = toml::to_string(&tree).unwrap();
        let message = parse(&text, &[]).expect_err(&text).to_string();
        let expected = format!("unknown key `{}`; did you mean `{}`?", wrong.join("."), path.join("."));
        assert!(message.contains(&expected), "{expected}\n{message}\n{text}");
    }
}
