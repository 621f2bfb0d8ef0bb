//! `retrieval`: whether a predicted latent is nearest to its own future.

use serde_json::Value;

use super::{json, over_horizons};
use crate::format::{number, number_at, percent};
use crate::measure::retrieval;
use crate::{Chart, EvalError, Evaluation, Latents, Needs, Seen, Shown, Suite, Tile};

/// Keeps one vector for every predicted moment, and one for what came.
#[derive(Default)]
pub(super) struct RetrievalSuite {
    predicted: Option<Latents>,
    futures: Option<Latents>,
}

impl Suite for RetrievalSuite {
    fn needs(&self, evaluation: &Evaluation<'_>) -> Option<Needs> {
        evaluation.model.predicts().then(|| Needs { predictions: true, ..Needs::default() })
    }

    fn measure(&mut self, seen: &Seen<'_>) -> Result<(), EvalError> {
        let (predicted, futures) = seen.predictions()?;
        Latents::append_to(&mut self.predicted, seen.summary(predicted))?;
        Latents::append_to(&mut self.futures, seen.summary(futures))
    }

    fn finish(&mut self, evaluation: &Evaluation<'_>) -> Result<Value, EvalError> {
        let pair = self.predicted.take().zip(self.futures.take());
        json(&pair.map(|(predicted, futures)| retrieval(&predicted, &futures, &evaluation.horizons)))
    }

    fn show(&self, _: &str, results: &Value) -> Shown {
        let mut shown = Shown::default();
        let at = |key| number_at(results, &[key]);
        if let (Some(top1), Some(mrr)) = (at("top1"), at("mrr")) {
            shown.lines.push(format!("retrieval               top-1 {top1:.3}, MRR {mrr:.3}"));
            let among = at("candidates").map_or_else(String::new, |count| format!(" among {}", number(count)));
            shown.tiles.push(Tile::new("Own future first", percent(top1), format!("MRR {}{among}", number(mrr))));
        }
        let line = |name: &str, key: &str| over_horizons(name, results.get("horizons"), key);
        shown.charts.push(Chart {
            title: "Retrieval of the own future".to_owned(),
            x: "steps ahead".to_owned(),
            series: vec![line("own future ranked first", "top1"), line("mean reciprocal rank", "mrr")],
        });
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn people_see_both_scores() {
        let results = json!({"top1": 0.875, "mrr": 0.9375, "candidates": 256, "horizons": [{"horizon": 8, "top1": 0.875, "mrr": 0.9375}]});
        let shown = RetrievalSuite::default().show("retrieval", &results);
        assert_eq!(shown.lines, ["retrieval               top-1 0.875, MRR 0.938"]);
        assert_eq!(shown.tiles, [Tile::new("Own future first", "88 %", "MRR 0.938 among 256")]);
        assert_eq!(shown.charts[0].series[0].points, [(8.0, 0.875)]);
    }
}
