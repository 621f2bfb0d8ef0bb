//! Prediction losses and the regularisers that prevent collapse.
//!
//! Every loss is a pure function of tensors in a file of its own, and returns a mean of shape `[1]`:
//!
//! - [`prediction`]: latents against their targets, one step or a rollout
//! - [`variance`], [`covariance`]: VICReg's regularisers
//! - [`temporal_similarity`], [`inverse_dynamics`]: PLDM's regularisers
//! - [`static_similarity`]: the static part of latents is that of the episode
//! - [`sigreg`]: sketched isotropic Gaussian regularisation
//! - [`distance`]: the learned distance in steps, a quantile regression on detached latents
//! - [`position`]: where the agent is, read from detached latents
//!
//! [`ObjectiveConfig`] names the terms and their weights; [`ObjectiveConfig::action_terms`] and
//! [`ObjectiveConfig::masked_terms`] compute them for a model and a batch of clips.

mod action;
#[cfg(test)]
mod check;
mod config;
mod covariance;
mod distance;
mod inverse_dynamics;
mod masked;
mod position;
mod prediction;
mod sigreg;
mod static_similarity;
mod temporal_similarity;
mod terms;
mod variance;

pub use action::ActionInputs;
pub use config::{ObjectiveConfig, PredictionConfig};
pub use covariance::covariance;
pub use distance::{DistanceConfig, Times, distance};
pub use inverse_dynamics::inverse_dynamics;
pub use position::{PositionScale, position};
pub use prediction::{PredictionLoss, normalise, prediction};
pub use sigreg::{directions, sigreg};
pub use static_similarity::static_similarity;
pub use temporal_similarity::temporal_similarity;
pub use terms::LossTerms;
pub use variance::variance;
