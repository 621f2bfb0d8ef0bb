//! Keys that had another name in an earlier version.

use toml::{Table, Value};

/// The full key of before, and that of now.
const RENAMED: [(&str, &str); 2] = [("eval.probe_steps", "eval.probe.steps"), ("plan.memory", "plan.memory.obstacles")];

/// Gives keys of an experiment file the names that they have now, with a warning, so that files of before are read.
pub(super) fn rename(given: &mut Table) {
    for (before, now) in RENAMED {
        if let Some(value) = take(given, before) {
            tracing::warn!("{before} is called {now} now");
            put(given, now, value);
        }
    }
}

fn take(table: &mut Table, key: &str) -> Option<Value> {
    match key.split_once('.') {
        // A table is what such a key is now.
        None if table.get(key).is_some_and(Value::is_table) => None,
        None => table.remove(key),
        Some((first, rest)) => take(table.get_mut(first)?.as_table_mut()?, rest),
    }
}

/// A key that is there already stays as it is.
fn put(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            table.entry(key).or_insert(value);
        }
        Some((first, rest)) => {
            if let Value::Table(inner) = table.entry(first).or_insert_with(|| Value::Table(Table::new())) {
                put(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::rename;
    use toml::Table;

    #[test]
    fn keys_of_before_get_their_new_names() {
        let renamed = |text: &str| {
            let mut table: Table = text.parse().unwrap();
            rename(&mut table);
            table.to_string().replace('\n', " ")
        };
        assert_eq!(renamed("[eval]\nprobe_steps = 20"), "[eval.probe] steps = 20 ");
        assert_eq!(renamed("[eval]\nprobe_steps = 20\nprobe = { steps = 3 }"), "[eval.probe] steps = 3 ");
        assert_eq!(renamed("[plan]\nmemory = 80"), "[plan.memory] obstacles = 80 ");
        assert_eq!(renamed("[plan.memory]\nnear = 2"), "[plan.memory] near = 2 ");
        assert_eq!(renamed("seed = 1"), "seed = 1 ");
    }
}
