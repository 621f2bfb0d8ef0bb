//! What training did: loss curves and their company.

use std::collections::BTreeMap;

use serde_json::Value;

use super::chart::LineChart;
use super::html::{figures, section, table};
use super::run::Run;
use crate::format::{duration, number_at, percent, words};
use crate::{Series, Table};

/// A small chart of the total, every term, the learning rate and the gradient norm.
pub(super) fn curves(run: &Run) -> String {
    let mut terms: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for line in &run.metrics {
        let (Some(step), Some(losses)) = (number_at(line, &["step"]), line.get("loss").and_then(Value::as_object))
        else {
            continue;
        };
        for (name, value) in losses {
            terms.entry(name).or_default().extend(value.as_f64().filter(|v| v.is_finite()).map(|value| (step, value)));
        }
    }
    let total = terms.remove("total").map(|points| ("total loss".to_owned(), points));
    let rest = terms.into_iter().map(|(name, points)| (words(name), points));
    let others = ["learning_rate", "gradient_norm"].into_iter().map(|key| {
        let at = |line: &Value| Some((number_at(line, &["step"])?, number_at(line, &[key])?));
        (words(key), run.metrics.iter().filter_map(at).collect())
    });
    let chart = |(name, points): (String, Vec<(f64, f64)>)| {
        let title = capital(&name);
        let from_zero = points.iter().all(|point| point.1 == 0.0);
        let series = [Series { name, points }];
        LineChart { title: &title, x: "steps", series: &series, faint: &[], marks: false, from_zero }.figure()
    };
    let charts: String = total.into_iter().chain(rest).chain(others).map(chart).collect();
    let note = "Every term before weighting; the total is their weighted sum.";
    let times = run.train.as_ref().map(stages).map_or_else(String::new, |stages| table(&stages));
    section("training", "Training", note, &(figures(charts) + &times))
}

/// What the time of the training went to; no rows where that is not known.
fn stages(train: &Value) -> Table {
    let stages = train.get("stages").and_then(Value::as_object);
    let seconds = |key: &str| number_at(train, &["stages", key]);
    let total: f64 = stages.into_iter().flatten().filter_map(|(key, _)| seconds(key)).sum();
    let known = stages.into_iter().flatten().filter_map(|(key, _)| Some((words(key), seconds(key)?)));
    Table {
        caption: "Where the time went".to_owned(),
        heads: ["stage", "time", "share"].map(str::to_owned).into(),
        rows: known.map(|(name, seconds)| vec![name, duration(seconds), percent(seconds / total.max(1e-9))]).collect(),
    }
}

/// With a capital at the start.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
