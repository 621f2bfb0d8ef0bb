//! The book's pages about the experiment file, against the schema and the reader of experiments.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use prevision::{App, Experiment};
use serde_json::Value;

use crate::support::{stdout, succeed};

/// Keys that every part has: named in the text, not in the table of each part.
const EVERYWHERE: [&str; 3] = ["kind", "weight", "enforce"];

#[test]
fn the_tables_have_the_keys_of_the_schema_and_no_others() {
    let schema: Value = serde_json::from_str(&stdout(&succeed(&["schema"]))).expect("JSON");
    let (mut known, mut named, mut text) = (BTreeSet::new(), BTreeSet::new(), String::new());
    collect(&schema, "", &mut known);
    for (page, content) in experiment_pages() {
        for key in keys(&content) {
            assert!(known.contains(&key), "{page}: a table has `{key}`, which is no key of `prevision schema`");
            named.insert(key);
        }
        text += &content;
    }
    for key in &known {
        let name = key.rsplit('.').next().unwrap_or(key);
        let found = named.contains(key) || EVERYWHERE.contains(&name) && text.contains(&format!("`{name}`"));
        assert!(found, "no table of docs/src/experiment*.md has `{key}`, a key of `prevision schema`");
    }
}

#[test]
fn no_table_is_broken() {
    for (page, content) in experiment_pages() {
        let lines: Vec<&str> = content.lines().collect();
        for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with('|')) {
            let head = index == 0 || lines[index - 1].is_empty();
            let rule = lines.get(index + 1).is_some_and(|next| next.starts_with("|---"));
            assert!(!head || rule, "{page}:{}: a row without a head: {line}", index + 1);
        }
    }
}

#[test]
fn every_experiment_that_is_shown_can_be_read() {
    let app = App::new();
    let read = |page: &str, text: &str, overrides: &[String]| {
        let read = Experiment::parse(text, Path::new(page), overrides, app.parts());
        assert!(read.is_ok(), "{}\n{text}", read.expect_err("an error"));
    };
    // Many blocks show one section: what every experiment must have is laid over them.
    let needed = ["data.source.path=clips", "train.steps=1"].map(str::to_owned);
    let tutorial = [("tutorial.md".to_owned(), content(&root().join("docs/src/tutorial.md")))];
    for (page, content) in experiment_pages().into_iter().chain(tutorial) {
        for block in content.split("```toml\n").skip(1) {
            read(&page, block.split("```").next().unwrap_or(block), &needed);
        }
    }
    for folder in fs::read_dir(root().join("experiments")).expect("the experiments") {
        let file = folder.expect("an entry").path().join("experiment.toml");
        if file.exists() {
            read(&file.display().to_string(), &content(&file), &[]);
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn content(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Name and text of the pages about the experiment file.
fn experiment_pages() -> Vec<(String, String)> {
    let files = fs::read_dir(root().join("docs/src")).expect("the book").map(|entry| entry.expect("an entry").path());
    let named = files.map(|path| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path));
    let pages = named.filter(|(name, _)| name.starts_with("experiment"));
    pages.map(|(name, path)| (name, content(&path))).collect()
}

/// Full names of the sections in the headings of a page, and of the keys in the tables below them whose first column is `key`.
fn keys(page: &str) -> Vec<String> {
    let (mut keys, mut sections, mut in_table) = (Vec::new(), Vec::new(), false);
    for line in page.lines() {
        if line.starts_with('#') {
            sections = if line.contains("`[") { names(line) } else { vec![String::new()] };
            keys.extend(sections.iter().filter(|section| !section.is_empty()).cloned());
        } else if let Some(row) = line.strip_prefix('|') {
            let first = row.split('|').next().unwrap_or_default();
            in_table |= first.trim() == "key";
            for name in names(first).iter().filter(|_| in_table) {
                keys.extend(sections.iter().map(|section| format!("{section}.{name}").trim_matches('.').to_owned()));
            }
        } else {
            in_table = false;
        }
    }
    keys
}

/// What stands in backticks, without the brackets around it.
fn names(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(|name| name.trim_matches(['[', ']']).to_owned()).collect()
}

/// Full names of all keys of a schema.
fn collect(schema: &Value, section: &str, known: &mut BTreeSet<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let key = format!("{section}.{name}").trim_matches('.').to_owned();
        collect(property, &key, known);
        known.insert(key);
    }
    let choices = ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|name| schema[name].as_array()).flatten();
    choices.chain(schema.get("items")).for_each(|choice| collect(choice, section, known));
}
