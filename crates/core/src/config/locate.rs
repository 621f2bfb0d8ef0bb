//! Finding the key that a configuration error is about.
//!
//! `serde_path_to_error` loses its way inside a table with a `kind` key, which serde buffers. There the culprit is found
//! by taking keys away: the one without which the error is another, or gone, is the one.

use toml::{Table, Value};

/// The keys of the offending entry of `tree`, below `prefix`; `fails` says what is wrong with a tree, if anything.
pub(super) fn culprit(
    tree: &Table,
    prefix: &[String],
    fails: impl Fn(&Table) -> Option<String>,
) -> Option<Vec<String>> {
    let error = fails(tree)?;
    let mut candidates = Vec::new();
    paths(tree, &mut Vec::new(), &mut candidates);
    // Without an innocent `kind`, or an innocent key that has no default, the error is another as well; without an innocent table
    // around the culprit too. So the surest suspects come first: those whose absence is no error in itself.
    let mut suspects: Vec<(u8, Vec<String>)> = candidates
        .into_iter()
        .filter(|path| path.starts_with(prefix))
        .filter_map(|path| {
            let then = fails(&without(tree, &path));
            let missed = then.as_ref().is_some_and(|then| then.starts_with("missing field"));
            let table = value_at(tree, &path).is_some_and(Value::is_table);
            let kind = path.last().is_some_and(|key| key == "kind");
            (then.as_ref() != Some(&error)).then_some((
                if table {
                    3
                } else if kind {
                    2
                } else {
                    u8::from(missed)
                },
                path,
            ))
        })
        .collect();
    suspects.sort_by_key(|(rank, path)| (*rank, std::cmp::Reverse(path.len())));
    suspects.into_iter().next().map(|(_, path)| path)
}

fn paths(table: &Table, above: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    for (key, value) in table {
        above.push(key.clone());
        found.push(above.clone());
        match value {
            Value::Table(inner) => paths(inner, above, found),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if let Value::Table(inner) = item {
                        above.push(index.to_string());
                        paths(inner, above, found);
                        above.pop();
                    }
                }
            }
            _ => {}
        }
        above.pop();
    }
}

fn without(tree: &Table, path: &[String]) -> Table {
    let mut tree = tree.clone();
    let Some((last, parents)) = path.split_last() else { return tree };
    let Some((first, inner)) = parents.split_first() else {
        tree.remove(last);
        return tree;
    };
    let table = inner.iter().try_fold(tree.get_mut(first), |value, key| match value {
        Some(Value::Table(table)) => Some(table.get_mut(key)),
        Some(Value::Array(items)) => Some(key.parse::<usize>().ok().and_then(|index| items.get_mut(index))),
        _ => None,
    });
    if let Some(Some(Value::Table(table))) = table {
        table.remove(last);
    }
    tree
}

/// The value at a path; a place in an array is a key as well, counted from 0.
pub(super) fn value_at<'a>(tree: &'a Table, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(tree.get(first)?, |value, key| match value {
        Value::Table(table) => table.get(key),
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The candidate most similar to `given`, if any is similar at all.
pub fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (candidate, strsim::normalized_damerau_levenshtein(given, candidate)))
        .filter(|&(_, similarity)| similarity > 0.5)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(candidate, _)| candidate)
}

/// The names in backquotes of a serde message such as ``expected one of `a`, `b` ``, after the first.
pub(super) fn expected_names(message: &str) -> Vec<&str> {
    message.split_once("expected").map(|(_, tail)| tail.split('`').skip(1).step_by(2).collect()).unwrap_or_default()
}
