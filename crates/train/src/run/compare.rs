//! What may not change between the parts of one run.

use toml::{Table, Value};

use crate::config::ExperimentConfig;

/// Keys that make no difference to what a step computes.
const FREE: [&str; 5] =
    ["data.workers", "data.decoder_threads", "data.read_timeout", "data.prefetch_mb", "data.max_broken_fraction"];

/// The first key, with both values, in which two experiments differ and must not: the seed, the data, the model, the objective,
/// the precision and the number of batches in a step. The budget, the optimiser and the schedules may change.
pub(crate) fn first_difference(old: &ExperimentConfig, new: &ExperimentConfig) -> Option<(String, String, String)> {
    let table = |config: &ExperimentConfig| -> Table {
        let all = Table::try_from(config).expect("every configuration is a tree of tables, numbers and strings");
        let mut kept: Table =
            all.into_iter().filter(|(key, _)| ["seed", "data", "model", "objective"].contains(&key.as_str())).collect();
        let train = Table::from_iter([
            ("accumulate".to_owned(), Value::Integer(config.train.accumulate as i64)),
            ("precision".to_owned(), Value::String(config.train.precision.to_string())),
        ]);
        kept.insert("train".to_owned(), Value::Table(train));
        kept
    };
    differing("", Some(&Value::Table(table(old))), Some(&Value::Table(table(new))))
}

fn differing(key: &str, old: Option<&Value>, new: Option<&Value>) -> Option<(String, String, String)> {
    if old == new || FREE.contains(&key) {
        return None;
    }
    if let (Some(Value::Table(old)), Some(Value::Table(new))) = (old, new) {
        // A different kind explains all other differences of its table.
        let kind = old.contains_key("kind").then_some("kind");
        let names = kind.into_iter().chain(old.keys().map(String::as_str)).chain(new.keys().map(String::as_str));
        let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
        return names.into_iter().find_map(|name| differing(&below(name), old.get(name), new.get(name)));
    }
    let show = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), ToString::to_string);
    Some((key.to_owned(), show(old), show(new)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_key_is_named_and_harmless_ones_are_free() {
        let old = ExperimentConfig::default();
        let mut new = old.clone();
        new.data.workers = 7;
        new.optimizer.lr = 0.5;
        new.train.steps = Some(9);
        assert_eq!(first_difference(&old, &new), None);
        new.data.size = Some(64);
        assert_eq!(first_difference(&old, &new), Some(("data.size".into(), "none".into(), "64".into())));
        new = ExperimentConfig { seed: 3, ..old.clone() };
        assert_eq!(first_difference(&old, &new), Some(("seed".into(), "0".into(), "3".into())));
        new = old.clone();
        new.train.precision = prevision_kernels::Precision::Bfloat16;
        let precision = ("train.precision".into(), "\"float32\"".into(), "\"bf16\"".into());
        assert_eq!(first_difference(&old, &new), Some(precision));
        new = old.clone();
        new.model = prevision_model::ModelConfig::Masked(prevision_model::MaskedJepaConfig::default());
        assert_eq!(first_difference(&old, &new).unwrap().0, "model.kind");
    }
}
