//! `rollout`: the error of predicted latents against baselines.

use std::path::Path;

use serde_json::Value;

use super::{json, over_horizons};
use crate::format::{number, number_at, percent};
use crate::measure::RolloutErrors;
use crate::{Chart, EvalError, Evaluation, Latents, Needs, Seen, Shown, Suite, Table, Tile};

/// Sums up errors batch by batch.
#[derive(Default)]
pub(super) struct Rollout {
    errors: Option<RolloutErrors>,
}

impl Suite for Rollout {
    fn needs(&self, evaluation: &Evaluation<'_>) -> Option<Needs> {
        evaluation.model.predicts().then(|| Needs { predictions: true, ..Needs::default() })
    }

    fn measure(&mut self, seen: &Seen<'_>) -> Result<(), EvalError> {
        let (predicted, _) = seen.predictions()?;
        let targets = Latents::of(seen.sequences(seen.targets.clone()))?;
        let predicted = Latents::of(seen.sequences(predicted))?;
        let errors = self.errors.get_or_insert_with(|| RolloutErrors::new(predicted.steps(), predicted.dim()));
        errors.add(&targets, seen.observed, &predicted, &seen.clips.sources);
        Ok(())
    }

    fn finish(&mut self, evaluation: &Evaluation<'_>) -> Result<Value, EvalError> {
        json(&self.errors.take().map(|errors| errors.finish(&evaluation.horizons)))
    }

    fn show(&self, _: &str, results: &Value) -> Shown {
        let rows = rows(results);
        let mut shown = Shown::default();
        if rows.is_empty() {
            return shown;
        }
        shown.lines.push("latent rollout error    model      copy      mean  model/copy  95 % interval".to_owned());
        shown.lines.extend(rows.iter().map(|Row { numbers: [horizon, model, copy, mean], interval }| {
            let share = model / copy;
            let line = format!(
                "  {horizon:>3} steps ahead   {model:>9.5} {copy:>9.5} {mean:>9.5}   {share:>8.3}  {}",
                between(*interval)
            );
            line.trim_end().to_owned()
        }));
        if let Some([horizon, model, copy, _]) = rows.last().map(|row| row.numbers).filter(|row| row[2] > 0.0) {
            let remark = format!("of the copy baseline\u{2019}s, {} steps ahead", number(horizon));
            shown.headline.push(Tile::new("Latent error", percent(model / copy), remark));
        }
        let line = |name: &str, key: &str| over_horizons(name, Some(results), key);
        shown.charts.push(Chart {
            title: "Latent rollout error".to_owned(),
            x: "steps ahead".to_owned(),
            series: vec![line("model", "model"), line("copy of the present", "copy"), line("mean latent", "mean")],
        });
        let cells = |Row { numbers: [horizon, model, copy, mean], interval }: &Row| {
            let share = if *copy > 0.0 { number(model / copy) } else { "\u{2013}".to_owned() };
            vec![number(*horizon), number(*model), number(*copy), number(*mean), share, between(*interval)]
        };
        shown.tables.push(Table {
            caption: "Latent rollout error (mean squared)".to_owned(),
            heads: ["Steps ahead", "Model", "Copy", "Mean", "Model / copy", "95 % interval"]
                .map(str::to_owned)
                .to_vec(),
            rows: rows.iter().map(cells).collect(),
        });
        shown.tables.extend(by_video(results));
        shown
    }
}

/// The errors of each video at the longest horizon, where the model does worst beside copying first; `None` of a single video or of many.
fn by_video(results: &Value) -> Option<Table> {
    const MOST: usize = 50;
    let entry = results.as_array()?.last()?;
    let horizon = number_at(entry, &["horizon"])?;
    let row = |video: &Value| {
        let name = Path::new(video.get("file")?.as_str()?).file_name()?.to_string_lossy().into_owned();
        let at = |key| number_at(video, &[key]);
        Some((format!("{} ({name})", number(at("video")?)), at("model")?, at("copy")?))
    };
    let mut videos: Vec<(String, f64, f64)> = entry.get("videos")?.as_array()?.iter().filter_map(row).collect();
    videos.sort_by(|(_, model, copy), (_, other, other_copy)| (other * copy).total_cmp(&(model * other_copy)));
    let cells = |(name, model, copy): (String, f64, f64)| {
        let share = if copy > 0.0 { number(model / copy) } else { "\u{2013}".to_owned() };
        vec![name, number(model), number(copy), share]
    };
    (2..=MOST).contains(&videos.len()).then(|| Table {
        caption: format!("Latent rollout error by video, {} steps ahead", number(horizon)),
        heads: ["Video", "Model", "Copy", "Model / copy"].map(str::to_owned).to_vec(),
        rows: videos.into_iter().map(cells).collect(),
    })
}

/// What is shown of an entry.
struct Row {
    /// Horizon, model, copy and mean.
    numbers: [f64; 4],
    /// Of model over copy.
    interval: Option<[f64; 2]>,
}

/// Every entry.
fn rows(results: &Value) -> Vec<Row> {
    let row = |entry: &Value| {
        let at = |key| number_at(entry, &[key]);
        let numbers = [at("horizon")?, at("model")?, at("copy")?, at("mean")?];
        let interval = entry.get("interval").and_then(Value::as_array).filter(|ends| ends.len() == 2);
        Some(Row { numbers, interval: interval.and_then(|ends| Some([ends[0].as_f64()?, ends[1].as_f64()?])) })
    };
    results.as_array().into_iter().flatten().filter_map(row).collect()
}

/// An interval in words; nothing without one.
fn between(interval: Option<[f64; 2]>) -> String {
    interval.map(|[low, high]| format!("{low:.3} to {high:.3}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn people_see_errors_beside_those_of_copying() {
        let results = json!([
            {"horizon": 1, "model": 0.25, "copy": 0.5, "mean": 1.0},
            {"horizon": 8, "model": 0.5, "copy": 2.0, "mean": 1.0, "interval": [0.125, 0.5]},
        ]);
        let shown = Rollout::default().show("rollout", &results);
        assert_eq!(shown.lines[1], "    1 steps ahead     0.25000   0.50000   1.00000      0.500");
        assert!(shown.lines[2].ends_with("0.250  0.125 to 0.500"), "{}", shown.lines[2]);
        assert_eq!(shown.headline, [Tile::new("Latent error", "25 %", "of the copy baseline\u{2019}s, 8 steps ahead")]);
        assert_eq!(shown.charts[0].series[1].points, [(1.0, 0.5), (8.0, 2.0)]);
        assert_eq!(shown.tables[0].rows[1], ["8", "0.5", "2", "1", "0.25", "0.125 to 0.500"]);
        assert_eq!(Rollout::default().show("rollout", &Value::Null), Shown::default());
        let video = |video: usize, model: f64| json!({"video": video, "file": format!("/a/{video}.mp4"), "model": model, "copy": 0.5});
        let results = json!([{"horizon": 2, "model": 0.25, "copy": 0.5, "mean": 1.0, "videos": [video(3, 0.125), video(7, 0.375)]}]);
        let shown = Rollout::default().show("rollout", &results);
        assert_eq!(shown.tables[1].caption, "Latent rollout error by video, 2 steps ahead");
        assert_eq!(
            shown.tables[1].rows,
            [["7 (7.mp4)", "0.375", "0.5", "0.75"], ["3 (3.mp4)", "0.125", "0.5", "0.25"]]
        );
    }
}
