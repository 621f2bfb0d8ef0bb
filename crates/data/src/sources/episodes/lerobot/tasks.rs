//! What the episodes of a data set are about.

use std::path::Path;

use serde::Deserialize;

use super::info::Version;
use crate::DataError;
use crate::files::content;
use crate::tables::ParquetTable;

/// A line of `meta/tasks.jsonl`.
#[derive(Deserialize)]
struct Line {
    task_index: usize,
    task: String,
}

/// The texts of the tasks, by the number that rows have in `task_index`. None if there is no list of them.
///
/// # Errors
/// If the list cannot be read or makes no sense.
pub(super) fn tasks(root: &Path, version: Version) -> Result<Vec<String>, DataError> {
    let path = root.join(if version == Version::Two { "meta/tasks.jsonl" } else { "meta/tasks.parquet" });
    if !content::is_there(&path)? {
        return Ok(vec![]);
    }
    let bad = |message: String| DataError::format(&path, message);
    let mut listed = Vec::new();
    if version == Version::Two {
        let text = String::from_utf8(content::read(&path)?).map_err(|_| bad("is not UTF-8".to_owned()))?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let line = serde_json::from_str(line).map_err(|error| bad(format!("line {}: {error}", number + 1)));
            let Line { task_index, task } = line?;
            listed.push((task_index, task));
        }
    } else {
        let table = ParquetTable::open(&path)?;
        let numbers = table.numbers("task_index")?.counts();
        let numbers = numbers.map_err(|message| bad(format!("column `task_index` {message}")))?;
        // The texts are the index of the pandas table, whatever that is called.
        let names = table.names();
        let name = names.iter().find(|name| *name != "task_index");
        let name = name.ok_or_else(|| bad("has no column of texts".to_owned()))?;
        let mut texts = Vec::new();
        table.texts(name, |text| {
            texts.push(text.unwrap_or_default().to_owned());
            Ok(())
        })?;
        listed.extend(numbers.into_iter().zip(texts));
    }
    let mut tasks = vec![None; listed.len()];
    for (number, text) in listed {
        match tasks.get_mut(number) {
            Some(task @ None) => *task = Some(text),
            _ => return Err(bad(format!("task_index {number} is there twice or not below the number of tasks"))),
        }
    }
    Ok(tasks.into_iter().flatten().collect())
}
