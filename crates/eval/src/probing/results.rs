//! What probes found, and how people see it.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

/// What was found of one task.
#[derive(Clone, Debug, Serialize)]
pub struct TaskResults {
    /// The task.
    pub task: String,
    /// Its classes.
    pub classes: Vec<String>,
    /// Videos that gave views.
    pub videos: usize,
    /// Videos that were tested, the units of the intervals.
    pub tested_videos: usize,
    /// Clips of them.
    pub clips: usize,
    /// Views of those: what a head classifies.
    pub views: usize,
    /// Splits.
    pub folds: usize,
    /// Videos that gave none, and why.
    pub skipped: Vec<String>,
    /// Each head on each sort of features.
    pub results: Vec<ProbeResult>,
    /// Wall time.
    pub seconds: f64,
}

/// A number of a head on features.
#[derive(Clone, Debug, Serialize)]
pub struct ProbeResult {
    /// The head.
    pub head: String,
    /// What was measured: `accuracy`, `top1`, `mrr`.
    pub metric: &'static str,
    /// Of what: `model`, `random`, `pixels`; `majority` for always answering the most frequent class of the training rows.
    pub features: &'static str,
    /// The mean over tested videos of a video's mean over its views.
    pub value: f64,
    /// Its 95 % bootstrap interval over videos.
    pub interval: [f64; 2],
    /// That of the model minus this, of the same videos; absent for the model itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_minus_this: Option<Difference>,
    /// What was chosen by validation in each split; empty if nothing is chosen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chosen: Vec<Value>,
}

/// A paired difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The mean over videos.
    pub value: f64,
    /// Its 95 % bootstrap interval over videos.
    pub interval: [f64; 2],
    /// Whether all of the interval is above 0.
    pub beats: bool,
}

impl TaskResults {
    /// The results for people.
    pub fn table(&self) -> String {
        let folds = match self.folds {
            1 => format!("{} videos tested", self.tested_videos),
            folds => format!("all tested in {folds} folds"),
        };
        let mut text = format!(
            "{}: {} classes, {} views of {} clips of {} videos, {folds}\n",
            self.task,
            self.classes.len(),
            self.views,
            self.clips,
            self.videos
        );
        if !self.skipped.is_empty() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{} videos gave no clip; the first: {}", self.skipped.len(), self.skipped[0]);
        }
        let heads = ("head", "metric", "features", "value", "95 %", "model - this", "95 %");
        let _ = writeln!(
            text,
            "{:<10} {:<8} {:<8} {:>6}  {:<14}  {:>12}  {}",
            heads.0, heads.1, heads.2, heads.3, heads.4, heads.5, heads.6
        );
        let mut last = ("", "");
        for result in &self.results {
            let here = (result.head.as_str(), result.metric);
            let shown = if here == last { ("", "") } else { here };
            last = here;
            let [low, high] = result.interval;
            let difference = result.model_minus_this.map(|Difference { value, interval: [low, high], beats }| {
                format!("{value:>+12.3}  {low:+.3} to {high:+.3}{}", if beats { "  beaten" } else { "" })
            });
            let line = format!(
                "{:<10} {:<8} {:<8} {:>6.3}  {low:.3} to {high:.3}  {}",
                shown.0,
                shown.1,
                result.features,
                result.value,
                difference.unwrap_or_default()
            );
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_what_is_beaten() {
        let result = |features, value, model_minus_this| ProbeResult {
            head: "linear".to_owned(),
            metric: "accuracy",
            features,
            value,
            interval: [value - 0.1, value + 0.1],
            model_minus_this,
            chosen: Vec::new(),
        };
        let difference = |low: f64| Difference { value: low + 0.1, interval: [low, low + 0.2], beats: low > 0.0 };
        let results = TaskResults {
            task: "speed".to_owned(),
            classes: vec!["1x".to_owned(), "2x".to_owned()],
            videos: 9,
            tested_videos: 9,
            clips: 18,
            views: 36,
            folds: 5,
            skipped: vec!["a.mp4: broken".to_owned()],
            results: vec![
                result("model", 0.75, None),
                result("random", 0.5, Some(difference(0.15))),
                result("pixels", 0.7, Some(difference(-0.05))),
            ],
            seconds: 1.0,
        };
        assert_eq!(
            results.table(),
            "speed: 2 classes, 36 views of 18 clips of 9 videos, all tested in 5 folds\n\
             1 videos gave no clip; the first: a.mp4: broken\n\
             head       metric   features  value  95 %            model - this  95 %\n\
             linear     accuracy model     0.750  0.650 to 0.850\n                    \
             random    0.500  0.400 to 0.600        +0.250  +0.150 to +0.350  beaten\n                    \
             pixels    0.700  0.600 to 0.800        +0.050  -0.050 to +0.150\n"
        );
    }
}
