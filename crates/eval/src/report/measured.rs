//! What the frozen model knows: rollout error, probe, collapse, retrieval.

use serde_json::Value;

use super::chart::{LineChart, Series};
use super::format::{number, number_at, percent};
use super::page::{section, table, tile};
use super::run::Run;

/// The section of every evaluation.
pub(super) fn evaluations(run: &Run) -> String {
    let several = run.evals.len() > 1;
    run.evals
        .iter()
        .map(|(name, eval)| {
            let title = if several { format!("Evaluation: {name}") } else { "Evaluation".to_owned() };
            let note = number_at(eval, &["clips"]).map_or_else(String::new, |clips| {
                format!("Measured on {} validation clips, with frozen weights.", number(clips))
            });
            section(&format!("eval-{name}"), &title, &note, &body(eval))
        })
        .collect()
}

fn body(eval: &Value) -> String {
    let numbers = numbers(eval);
    let numbers = if numbers.is_empty() { numbers } else { format!("<div class=\"tiles\">{numbers}</div>") };
    let charts = [rollout_chart(eval), probe_chart(eval), retrieval_chart(eval)].concat();
    let charts = if charts.is_empty() { charts } else { format!("<div class=\"grid-charts\">{charts}</div>") };
    [numbers, charts, rollout_table(eval)].concat()
}

fn rollout(eval: &Value) -> Vec<[f64; 4]> {
    let entry = |entry: &Value| {
        let at = |key| number_at(entry, &[key]);
        Some([at("horizon")?, at("model")?, at("copy")?, at("mean")?])
    };
    eval.get("rollout").and_then(Value::as_array).map_or_else(Vec::new, |list| list.iter().filter_map(entry).collect())
}

/// The error of the model over that of copying at the longest horizon.
pub(super) fn rollout_ratio(eval: &Value) -> Option<(f64, f64)> {
    let [horizon, model, copy, _] = *rollout(eval).last()?;
    (copy > 0.0).then(|| (horizon, model / copy))
}

fn rollout_chart(eval: &Value) -> String {
    let rows = rollout(eval);
    let series = |name: &str, column: usize, colour| Series {
        name: name.to_owned(),
        points: rows.iter().map(|row| (row[0], row[column])).collect(),
        colour,
    };
    let series = vec![series("model", 1, 1), series("copy of the present", 2, 2), series("mean latent", 3, 3)];
    LineChart { title: "Latent rollout error", x: "steps ahead", series, marks: true, from_zero: true }.figure()
}

fn rollout_table(eval: &Value) -> String {
    let rows: Vec<Vec<String>> = rollout(eval)
        .iter()
        .map(|[horizon, model, copy, mean]| {
            let share = if *copy > 0.0 { number(model / copy) } else { "\u{2013}".to_owned() };
            vec![number(*horizon), number(*model), number(*copy), number(*mean), share]
        })
        .collect();
    let heads = ["Steps ahead", "Model", "Copy", "Mean", "Model / copy"];
    table("Latent rollout error (mean squared)", &heads, &rows)
}

/// A list of entries with a horizon as points.
fn over_horizons(list: Option<&Value>, key: &str) -> Vec<(f64, f64)> {
    let entry = |entry: &Value| Some((number_at(entry, &["horizon"])?, number_at(entry, &[key])?));
    list.and_then(Value::as_array).map_or_else(Vec::new, |list| list.iter().filter_map(entry).collect())
}

fn probe_chart(eval: &Value) -> String {
    let Some(probe) = eval.get("probe") else { return String::new() };
    let line = |name: &str, key: &str, colour| {
        let mut points = over_horizons(probe.get("predicted"), key);
        if !points.is_empty() {
            // Step 0 is the encoded present.
            points.splice(0..0, number_at(probe, &[key]).map(|error| (0.0, error)));
        }
        Series { name: name.to_owned(), points, colour }
    };
    let mut series = vec![line("MLP probe", "position_px", 1), line("linear probe", "linear_px", 2)];
    series.retain(|series| !series.points.is_empty());
    LineChart {
        title: "Position read from predicted latents, px",
        x: "steps ahead",
        series,
        marks: true,
        from_zero: true,
    }
    .figure()
}

fn retrieval_chart(eval: &Value) -> String {
    let list = eval.get("retrieval").and_then(|retrieval| retrieval.get("horizons"));
    let line =
        |name: &str, key: &str, colour| Series { name: name.to_owned(), points: over_horizons(list, key), colour };
    let mut series = vec![line("own future ranked first", "top1", 1), line("mean reciprocal rank", "mrr", 2)];
    series.retain(|series| !series.points.is_empty());
    LineChart { title: "Retrieval of the own future", x: "steps ahead", series, marks: true, from_zero: true }.figure()
}

fn numbers(eval: &Value) -> String {
    let mut tiles = String::new();
    let at = |path: &[&str]| number_at(eval, path);
    if let Some(error) = at(&["probe", "position_px"]) {
        let blind = at(&["probe", "mean_px"]).map_or_else(String::new, |px| format!(", blind guess {} px", number(px)));
        let linear = at(&["probe", "linear_px"]).map_or_else(String::new, |px| format!("linear {} px", number(px)));
        tiles += &tile("Position error", &format!("{} px", number(error)), &format!("{linear}{blind}"));
    }
    if let Some(rank) = at(&["collapse", "effective_rank"]) {
        tiles += &tile("Effective rank", &number(rank), "participation ratio of the covariance");
    }
    if let Some(rank) = at(&["collapse", "rankme"]) {
        tiles += &tile("RankMe", &number(rank), "entropy of the singular values");
    }
    if let (Some(least), Some(mean)) = (at(&["collapse", "std_min"]), at(&["collapse", "std_mean"])) {
        tiles +=
            &tile("Standard deviation", &number(mean), &format!("mean of the dimensions, least {}", number(least)));
    }
    if let (Some(top1), Some(mrr)) = (at(&["retrieval", "top1"]), at(&["retrieval", "mrr"])) {
        let of = at(&["retrieval", "candidates"]).map_or_else(String::new, |n| format!(" among {}", number(n)));
        tiles += &tile("Own future first", &percent(top1), &format!("MRR {}{of}", number(mrr)));
    }
    tiles
}
