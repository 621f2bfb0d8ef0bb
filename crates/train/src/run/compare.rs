//! What may not change between the parts of one run.

use toml::{Table, Value};

/// Sections and keys that decide what a step computes. Everything else may change: the budget, the optimiser, the schedules, and what
/// is done with the trained model.
const FIXED: [&str; 6] = ["seed", "data", "model", "objective", "train.accumulate", "train.precision"];

/// Keys in them that make no difference to what a step computes. Data may have moved.
const FREE: [&str; 6] = [
    "data.source.path",
    "data.workers",
    "data.decoder_threads",
    "data.read_timeout",
    "data.prefetch_mb",
    "data.max_broken_fraction",
];

/// The first key, with both values, in which two resolved experiments differ and must not.
pub(crate) fn first_difference(old: &Table, new: &Table) -> Option<(String, String, String)> {
    FIXED.iter().find_map(|key| differing(key, value_at(old, key), value_at(new, key)))
}

fn value_at<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let (parents, last) = key.rsplit_once('.').map_or((None, key), |(parents, last)| (Some(parents), last));
    let table = parents.map_or(Some(table), |parents| value_at(table, parents)?.as_table())?;
    table.get(last)
}

fn differing(key: &str, old: Option<&Value>, new: Option<&Value>) -> Option<(String, String, String)> {
    if old == new || is_free(key) {
        return None;
    }
    if let (Some(Value::Table(old)), Some(Value::Table(new))) = (old, new) {
        // A different kind explains all other differences of its table.
        let kind = old.contains_key("kind").then_some("kind");
        let names = kind.into_iter().chain(old.keys().map(String::as_str)).chain(new.keys().map(String::as_str));
        return names.into_iter().find_map(|name| differing(&format!("{key}.{name}"), old.get(name), new.get(name)));
    }
    if let (Some(Value::Array(old)), Some(Value::Array(new))) = (old, new)
        && old.len() == new.len()
        && old.iter().chain(new).all(Value::is_table)
    {
        let mut items = old.iter().zip(new).enumerate();
        return items.find_map(|(number, (old, new))| differing(&format!("{key}.{number}"), Some(old), Some(new)));
    }
    let show = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), ToString::to_string);
    Some((key.to_owned(), show(old), show(new)))
}

/// Whether a key makes no difference. Those of a data set in a mix are judged as if it were the only one.
fn is_free(key: &str) -> bool {
    let of_part = key.strip_prefix("data.source.parts.").and_then(|rest| rest.split_once('.'));
    of_part.map_or_else(|| FREE.contains(&key), |(_, name)| FREE.contains(&format!("data.source.{name}").as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OptimizerConfig, TrainConfig};
    use prevision_data::DataConfig;

    fn set(table: &mut Table, key: &str, value: impl Into<Value>) {
        match key.split_once('.') {
            Some((first, rest)) => {
                let below = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
                set(below.as_table_mut().unwrap(), rest, value);
            }
            None => {
                table.insert(key.to_owned(), value.into());
            }
        }
    }

    fn experiment() -> Table {
        let mut table = Table::new();
        set(&mut table, "seed", 0_i64);
        set(&mut table, "data", Value::try_from(DataConfig::default()).unwrap());
        set(&mut table, "data.source.path", "clips");
        set(&mut table, "model.kind", "action-conditioned");
        set(&mut table, "model.encoder.dim", 24_i64);
        set(&mut table, "objective.prediction.weight", 1.0);
        set(&mut table, "optimizer", Value::try_from(OptimizerConfig::default()).unwrap());
        set(&mut table, "train", Value::try_from(TrainConfig::default()).unwrap());
        table
    }

    #[test]
    fn every_key_of_the_lists_exists() {
        let experiment = experiment();
        for key in FIXED.iter().chain(&FREE) {
            assert!(value_at(&experiment, key).is_some(), "{key}");
        }
    }

    #[test]
    fn the_first_key_is_named_and_harmless_ones_are_free() {
        let old = experiment();
        let changed = |key: &str, value: Value| {
            let mut new = old.clone();
            set(&mut new, key, value);
            first_difference(&old, &new)
        };
        for (key, value) in [
            ("data.workers", Value::from(7_i64)),
            ("data.source.path", Value::from("elsewhere")),
            ("optimizer.lr", Value::from(0.5)),
            ("train.steps", Value::from(9_i64)),
            ("plan.horizon", Value::from(9_i64)),
        ] {
            assert_eq!(changed(key, value), None, "{key}");
        }
        let named = |key: &str, old: &str, new: &str| Some((key.to_owned(), old.to_owned(), new.to_owned()));
        assert_eq!(changed("data.size", Value::from(64_i64)), named("data.size", "none", "64"));
        assert_eq!(changed("seed", Value::from(3_i64)), named("seed", "0", "3"));
        let precision = named("train.precision", "\"float32\"", "\"bf16\"");
        assert_eq!(changed("train.precision", Value::from("bf16")), precision);
        let mixed = |path: &str, weight: f64| {
            let part = Table::from_iter([("path".to_owned(), path.into()), ("weight".to_owned(), weight.into())]);
            let mut mixed = old.clone();
            set(&mut mixed, "data.source.parts", vec![Value::Table(part)]);
            mixed
        };
        assert_eq!(first_difference(&mixed("a", 1.0), &mixed("b", 1.0)), None);
        let weight = named("data.source.parts.0.weight", "1.0", "2.0");
        assert_eq!(first_difference(&mixed("a", 1.0), &mixed("a", 2.0)), weight);
        let mut more = mixed("a", 1.0);
        set(&mut more, "data.source.parts", Vec::<Value>::new());
        assert_eq!(first_difference(&mixed("a", 1.0), &more).unwrap().0, "data.source.parts");
        let mut new = old.clone();
        new.insert("model".into(), Value::Table(Table::from_iter([("kind".to_owned(), Value::from("masked"))])));
        assert_eq!(first_difference(&old, &new).unwrap().0, "model.kind");
    }
}
