//! `probe`: where the agent is, read from latents; for clips with a state, whose first two numbers are its position.

use burn::tensor::Tensor;
use prevision_core::config::Options;
use prevision_core::config::check::positive;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{json, over_horizons};
use crate::format::{number, number_at};
use crate::measure::probe::{MlpOptions, Samples, probe};
use crate::measure::read;
use crate::{Chart, EvalError, Evaluation, Latents, Needs, Seen, Shown, Suite, Tile};

/// Configuration of the probes, `[eval.probe]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProbeConfig {
    /// Optimiser steps of the MLP probe. Default 2000.
    pub steps: usize,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self { steps: 2000 }
    }
}

impl Options for ProbeConfig {
    fn validate(&self) -> Result<(), String> {
        positive("steps", self.steps)
    }
}

/// Keeps one vector for every moment, with its position.
pub(super) struct Probe {
    config: ProbeConfig,
    training: Collected,
    test: Collected,
    predicted: Option<Latents>,
}

/// Samples of one side.
#[derive(Default)]
struct Collected {
    latents: Option<Latents>,
    positions: Vec<[f64; 2]>,
}

impl Probe {
    pub(super) fn new(config: ProbeConfig) -> Self {
        Self { config, training: Collected::default(), test: Collected::default(), predicted: None }
    }
}

impl Collected {
    fn push(&mut self, seen: &Seen<'_>) -> Result<(), EvalError> {
        let state: Option<Tensor<3>> = seen.clips.state.clone().filter(|state| state.dims()[2] >= 2);
        let state = state
            .ok_or_else(|| EvalError::Suite("a probe needs clips with a state of two numbers or more".to_owned()))?;
        Latents::append_to(&mut self.latents, seen.summary(seen.targets.clone()))?;
        let values = read(state.narrow(2, 0, 2))?;
        self.positions.extend(values.chunks_exact(2).map(|xy| [f64::from(xy[0]), f64::from(xy[1])]));
        Ok(())
    }

    fn samples(&mut self) -> Option<Samples> {
        Some(Samples { latents: self.latents.take()?, positions: std::mem::take(&mut self.positions) })
    }
}

impl Suite for Probe {
    fn needs(&self, evaluation: &Evaluation<'_>) -> Option<Needs> {
        // A latent belongs to a position if there is one of each at every moment of the clips.
        let spaces = evaluation.spaces;
        let applies = spaces.state_width() >= 2 && evaluation.moments() == spaces.frames;
        applies.then_some(Needs { predictions: true, training: true, ..Needs::default() })
    }

    fn learn(&mut self, seen: &Seen<'_>) -> Result<(), EvalError> {
        self.training.push(seen)
    }

    fn measure(&mut self, seen: &Seen<'_>) -> Result<(), EvalError> {
        Latents::append_to(&mut self.predicted, seen.summary(seen.predictions()?.0))?;
        self.test.push(seen)
    }

    fn finish(&mut self, evaluation: &Evaluation<'_>) -> Result<Value, EvalError> {
        let options = MlpOptions { steps: self.config.steps, seed: evaluation.seed, ..MlpOptions::default() };
        let (training, test, predicted) = (self.training.samples(), self.test.samples(), self.predicted.take());
        let (Some(training), Some(test), Some(predicted)) = (training, test, predicted) else { return Ok(Value::Null) };
        let device = evaluation.model.device();
        json(&probe(&training, &test, &predicted, &evaluation.horizons, &options, &device)?)
    }

    fn show(&self, _: &str, results: &Value) -> Shown {
        let mut shown = Shown::default();
        let at = |key: &str| number_at(results, &[key]);
        let (mlp, linear) = (at("position_px"), at("linear_px"));
        if let (Some(mlp), Some(linear)) = (mlp, linear) {
            shown.lines.push(format!(
                "position probe error    {mlp:.2} (MLP), {linear:.2} (linear), in the unit of the state"
            ));
        }
        if let Some(error) = mlp {
            let linear = linear.map(|error| format!("linear {}", number(error)));
            let blind = at("mean_px").map(|error| format!("blind guess {}", number(error)));
            let remark = linear.into_iter().chain(blind).collect::<Vec<_>>().join(", ");
            shown.headline.push(Tile::new(
                "Position error",
                number(error),
                "probe on frozen latents, in the unit of the state",
            ));
            shown.tiles.push(Tile::new("Position error", number(error), remark));
        }
        let line = |name: &str, key: &str| {
            let mut line = over_horizons(name, results.get("predicted"), key);
            if !line.points.is_empty() {
                // Step 0 is the encoded present.
                line.points.splice(0..0, at(key).map(|error| (0.0, error)));
            }
            line
        };
        shown.charts.push(Chart {
            title: "Position read from predicted latents".to_owned(),
            x: "steps ahead".to_owned(),
            series: vec![line("MLP probe", "position_px"), line("linear probe", "linear_px")],
        });
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn people_see_the_unit_of_the_state() {
        let results = json!({"position_px": 0.61, "linear_px": 1.42, "mean_px": 22.8,
            "predicted": [{"horizon": 2, "position_px": 0.9, "linear_px": 1.8}]});
        let shown = Probe::new(ProbeConfig::default()).show("probe", &results);
        assert_eq!(shown.lines, ["position probe error    0.61 (MLP), 1.42 (linear), in the unit of the state"]);
        assert_eq!(shown.tiles, [Tile::new("Position error", "0.61", "linear 1.42, blind guess 22.8")]);
        assert_eq!(shown.charts[0].series[1].points, [(0.0, 1.42), (2.0, 1.8)]);
    }
}
