//! The results of an evaluation, as they are written.

use serde::Serialize;

use crate::collapse::Collapse;
use crate::probe::ProbeResults;
use crate::retrieval::Retrieval;
use crate::rollout::RolloutError;

/// What an evaluation measured. Suites that were not asked for, or do not apply, are absent from the JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EvalResults {
    /// Validation clips that were measured on.
    pub clips: usize,
    /// Wall time of the evaluation.
    pub seconds: f64,
    /// Latent prediction errors, one entry for every horizon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Vec<RolloutError>>,
    /// Positions read from latents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeResults>,
    /// How many dimensions the latents use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collapse: Option<Collapse>,
    /// Whether predictions are nearest to their own future.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retrieval: Option<Retrieval>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_suites_are_absent_and_names_are_fixed() {
        let mut results = EvalResults { clips: 3, seconds: 0.5, ..EvalResults::default() };
        assert_eq!(serde_json::to_string(&results).unwrap(), r#"{"clips":3,"seconds":0.5}"#);
        results.rollout = Some(vec![RolloutError { horizon: 4, model: 0.5, copy: 1.0, mean: 2.0 }]);
        results.collapse = Some(Collapse { effective_rank: 3.0, rankme: 4.0, std_min: 0.1, std_mean: 1.0 });
        let json = serde_json::to_value(&results).unwrap();
        assert_eq!(json["rollout"][0], serde_json::json!({"horizon": 4, "model": 0.5, "copy": 1.0, "mean": 2.0}));
        assert_eq!(
            json["collapse"],
            serde_json::json!({"effective_rank": 3.0, "rankme": 4.0, "std_min": 0.1, "std_mean": 1.0})
        );
        assert!(json.get("probe").is_none());
    }
}
