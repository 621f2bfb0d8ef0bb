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
//! - [`level`]: what slower models predict, from detached latents to detached latents
//!
//! Beside each stands its [`Term`]: its keys, what it [needs](Needs) of a model, and its value from what it [sees](Seen). Terms are
//! registered by name ([`built_in`]); an [`Objective`] is a weighted sum of those that a configuration names.

#[cfg(test)]
mod check;
mod draw;
mod loss_terms;
mod needs;
mod objective;
mod seen;
mod spread;
mod term;
mod terms;

pub use draw::Draw;
pub use loss_terms::LossTerms;
pub use needs::{Frames, Needs};
pub use objective::Objective;
pub use seen::{Prediction, Seen};
pub use spread::spread;
pub use term::{Term, TermContext, Terms};
pub use terms::built_in;
pub use terms::covariance::covariance;
pub use terms::distance::{Times, distance};
pub use terms::inverse_dynamics::inverse_dynamics;
pub use terms::levels::level;
pub use terms::position::position;
pub use terms::prediction::{PredictionLoss, prediction};
pub use terms::sigreg::{directions, sigreg, sigreg_of_moments};
pub use terms::static_similarity::static_similarity;
pub use terms::temporal_similarity::temporal_similarity;
pub use terms::variance::variance;
