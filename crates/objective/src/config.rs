//! The objective of an experiment: which terms there are, and their weights.

use prevision_model::{HeadFlags, InputShape};
use serde::{Deserialize, Serialize};

use crate::{DistanceConfig, PredictionLoss};

/// The prediction loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PredictionConfig {
    /// `l1`, `l2` or `smooth-l1`. Default `l2`.
    pub loss: PredictionLoss,
    /// Weight of the term. Default 1.
    pub weight: f64,
    /// Whether targets are layer-normed without affine parameters (V-JEPA). Default false.
    pub normalise_targets: bool,
    /// Steps rolled out from the first frame of a clip with the true actions; the loss is the mean over steps.
    /// Action-conditioned models only. Default 8.
    pub rollout_steps: usize,
    /// Whether the gradient stops at targets that come from the context encoder itself; a momentum target never
    /// gets one. Action-conditioned models only. Default false, as in `eb_jepa` and LeWM.
    pub detach_targets: bool,
}

impl Default for PredictionConfig {
    fn default() -> Self {
        Self {
            loss: PredictionLoss::L2,
            weight: 1.0,
            normalise_targets: false,
            rollout_steps: 8,
            detach_targets: false,
        }
    }
}

/// Which terms the objective has, and their weights. A weight of 0 switches a term off: it is not computed.
///
/// Everything but the prediction is off by default, and all but the prediction, the variance and the covariance need an
/// action-conditioned model. The recipe of `eb_jepa` for
/// two rooms is `variance = 16, covariance = 8, temporal_similarity = 12, inverse_dynamics = 1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectiveConfig {
    /// The prediction loss.
    pub prediction: PredictionConfig,
    /// Weight of the hinge on the standard deviation of every latent dimension. Default 0.
    pub variance: f64,
    /// The standard deviation that the hinge asks for. Default 1.
    pub variance_margin: f64,
    /// Weight of the squared off-diagonal covariances. Default 0.
    pub covariance: f64,
    /// Weight of the squared difference of neighbouring latents. Default 0.
    pub temporal_similarity: f64,
    /// Weight of the squared deviation of the static part of latents (`model.static_dim`) from its mean over the frames of an
    /// episode. Default 0.
    pub static_similarity: f64,
    /// Weight of the inverse dynamics error. Default 0.
    pub inverse_dynamics: f64,
    /// Weight of the sketched Gaussian regularisation. Default 0.
    pub sigreg: f64,
    /// Random directions that the sketch draws anew each step. Default 256.
    pub sigreg_directions: usize,
    /// The learned distance in steps.
    pub distance: DistanceConfig,
    /// Weight of the position head's error, on detached latents. Needs a state whose first two columns are the position in
    /// pixels, x then y. Default 0.
    pub position: f64,
}

impl Default for ObjectiveConfig {
    fn default() -> Self {
        Self {
            prediction: PredictionConfig::default(),
            variance: 0.0,
            variance_margin: 1.0,
            covariance: 0.0,
            temporal_similarity: 0.0,
            static_similarity: 0.0,
            inverse_dynamics: 0.0,
            sigreg: 0.0,
            sigreg_directions: 256,
            distance: DistanceConfig::default(),
            position: 0.0,
        }
    }
}

impl ObjectiveConfig {
    /// The heads that the terms of non-zero weight need.
    pub fn heads(&self) -> HeadFlags {
        HeadFlags {
            inverse_dynamics: self.inverse_dynamics > 0.0,
            distance: self.distance.weight > 0.0,
            position: self.position > 0.0,
        }
    }

    /// Checks every value on its own.
    ///
    /// # Errors
    /// A message that names the first key out of range, its value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        let weights = self.weights();
        for (key, weight) in weights {
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(format!("objective.{key} = {weight}: expected a finite weight of 0 (off) or more"));
            }
        }
        if weights.iter().all(|&(_, weight)| weight == 0.0) {
            return Err("objective: every weight is 0, expected at least one above 0".to_owned());
        }
        for (key, value) in [("variance_margin", self.variance_margin)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(format!("objective.{key} = {value}: expected a finite number above 0"));
            }
        }
        let quantile = self.distance.quantile;
        if !(quantile > 0.0 && quantile < 1.0) {
            return Err(format!("objective.distance.quantile = {quantile}: expected a number between 0 and 1"));
        }
        for (key, value) in [
            ("prediction.rollout_steps", self.prediction.rollout_steps),
            ("sigreg_directions", self.sigreg_directions),
            ("distance.goals", self.distance.goals),
        ] {
            if value == 0 {
                return Err(format!("objective.{key} = 0: expected 1 or more"));
            }
        }
        Ok(())
    }

    /// Checks the objective against the clips an action-conditioned model is trained on.
    ///
    /// # Errors
    /// A message that names the key, its value and what the data allow.
    pub fn validate_action(&self, input: &InputShape) -> Result<(), String> {
        let InputShape { frames, action_dim, state_dim, .. } = *input;
        let steps = self.prediction.rollout_steps;
        if self.prediction.weight > 0.0 && steps >= frames {
            return Err(format!(
                "objective.prediction.rollout_steps = {steps}: clips of {frames} frames allow at most {}",
                frames.saturating_sub(1)
            ));
        }
        if action_dim == 0 {
            return Err("model.kind = \"action-conditioned\": the data have no actions".to_owned());
        }
        let pairs = [
            ("temporal_similarity", self.temporal_similarity),
            ("inverse_dynamics", self.inverse_dynamics),
            ("distance.weight", self.distance.weight),
        ];
        if let Some((key, weight)) = pairs.into_iter().find(|&(_, weight)| weight > 0.0 && frames < 2) {
            return Err(format!(
                "objective.{key} = {weight}: needs clips of at least 2 frames, data.frames = {frames}"
            ));
        }
        if self.position > 0.0 && state_dim < 2 {
            return Err(format!(
                "objective.position = {}: needs a state of at least 2 columns (x, y in pixels), the data have {state_dim}",
                self.position
            ));
        }
        Ok(())
    }

    /// Checks that a masked model can be trained with the objective: prediction, variance and covariance apply to it.
    ///
    /// # Errors
    /// A message that names the first term that does not apply.
    pub fn validate_masked(&self) -> Result<(), String> {
        let apply = ["prediction.weight", "variance", "covariance"];
        match self.weights().into_iter().find(|&(key, weight)| !apply.contains(&key) && weight > 0.0) {
            Some((key, weight)) => Err(format!(
                "objective.{key} = {weight}: needs an action-conditioned model, expected 0 with model.kind = \"masked\""
            )),
            None => Ok(()),
        }
    }

    /// Every weight with its key.
    fn weights(&self) -> [(&'static str, f64); 9] {
        [
            ("prediction.weight", self.prediction.weight),
            ("variance", self.variance),
            ("covariance", self.covariance),
            ("temporal_similarity", self.temporal_similarity),
            ("static_similarity", self.static_similarity),
            ("inverse_dynamics", self.inverse_dynamics),
            ("sigreg", self.sigreg),
            ("distance.weight", self.distance.weight),
            ("position", self.position),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input() -> InputShape {
        InputShape { channels: 3, frames: 17, height: 65, width: 65, action_dim: 2, state_dim: 2 }
    }

    #[test]
    fn the_default_is_valid_and_needs_no_heads() {
        let config = ObjectiveConfig::default();
        assert_eq!(config.validate(), Ok(()));
        assert_eq!(config.validate_action(&input()), Ok(()));
        assert_eq!(config.validate_masked(), Ok(()));
        let heads = config.heads();
        assert!(!heads.inverse_dynamics && !heads.distance && !heads.position);
    }

    #[test]
    fn messages_name_the_key_the_value_and_what_is_allowed() {
        let config = ObjectiveConfig { covariance: -2.0, ..ObjectiveConfig::default() };
        let message = config.validate().unwrap_err();
        assert_eq!(message, "objective.covariance = -2: expected a finite weight of 0 (off) or more");
        let config = ObjectiveConfig { sigreg_directions: 0, ..ObjectiveConfig::default() };
        assert_eq!(config.validate().unwrap_err(), "objective.sigreg_directions = 0: expected 1 or more");
        let mut config = ObjectiveConfig::default();
        config.distance.quantile = f64::NAN;
        assert!(config.validate().unwrap_err().starts_with("objective.distance.quantile = NaN"));
        config = ObjectiveConfig::default();
        config.prediction.weight = 0.0;
        assert!(config.validate().unwrap_err().contains("every weight is 0"));
    }

    #[test]
    fn data_and_model_limit_the_terms() {
        let mut config = ObjectiveConfig::default();
        config.prediction.rollout_steps = 17;
        assert!(config.validate_action(&input()).unwrap_err().contains("at most 16"));
        config = ObjectiveConfig { variance: 1.0, covariance: 1.0, ..ObjectiveConfig::default() };
        assert_eq!(config.validate_masked(), Ok(()));
        config = ObjectiveConfig { position: 1.0, ..ObjectiveConfig::default() };
        assert!(config.heads().position);
        let stateless = InputShape { state_dim: 0, ..input() };
        assert!(config.validate_action(&stateless).unwrap_err().contains("objective.position = 1"));
        assert!(config.validate_masked().unwrap_err().contains("objective.position = 1"));
    }

    #[test]
    fn files_hold_only_what_differs_and_no_unknown_key() {
        let config: ObjectiveConfig =
            serde_json::from_str(r#"{"variance": 16, "prediction": {"loss": "smooth-l1"}}"#).expect("valid");
        assert_eq!(config.variance, 16.0);
        assert_eq!(config.prediction.loss, PredictionLoss::SmoothL1);
        assert_eq!(config.prediction.rollout_steps, 8);
        let error = serde_json::from_str::<ObjectiveConfig>(r#"{"varience": 16}"#).unwrap_err().to_string();
        assert!(error.contains("varience"), "{error}");
    }
}
