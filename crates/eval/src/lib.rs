//! What a frozen model knows: rollout error, probes, collapse, retrieval, and the report.
//!
//! [`evaluate`] runs the [`Suite`]s on validation clips and returns [`EvalResults`], which serialise under fixed names:
//!
//! - [`rollout`]: the error of predicted latents, per horizon, against copying the present and against the mean
//! - [`probe`]: where the agent is, read from frozen and from predicted latents
//! - [`collapse`]: how many dimensions the latents use
//! - [`retrieval`]: whether a predicted latent is nearest to its own future
//!
//! The measurements are functions of arrays on the host ([`Latents`]), separate from the calls of the model.
//! [`report::write`] makes one self-contained HTML page of a run folder.

mod action;
pub mod collapse;
mod error;
mod evaluate;
mod latents;
mod masked;
pub mod probe;
pub mod report;
mod results;
pub mod retrieval;
pub mod rollout;
mod suite;
mod symmetric;
mod tokens;

pub use error::EvalError;
pub use evaluate::evaluate;
pub use latents::Latents;
pub use results::EvalResults;
pub use suite::Suite;
