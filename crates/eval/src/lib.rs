//! What a frozen model knows: rollout error, probes, collapse, retrieval, and the report.
//!
//! [`evaluate`] runs suites on held-out clips and returns [`EvalResults`]. A [`Suite`] measures any [`FrozenModel`]; those that are
//! [built in](built_in) are registered by the same calls as a user's own:
//!
//! - `rollout`: the error of predicted latents, per horizon, against copying the present and against the mean
//! - `probe`: where the agent is, read from frozen and from predicted latents
//! - `collapse`: how many dimensions the latents use
//! - `retrieval`: whether a predicted latent is nearest to its own future
//!
//! The measurements themselves, in [`measure`], are functions of arrays on the host, separate from the calls of the model.
//! [`probing`] reads classes from the features of a frozen encoder. [`report::write`] makes one self-contained HTML page of a run folder.
//!
//! [`FrozenModel`]: prevision_model::FrozenModel

mod bootstrap;
mod clips;
mod config;
mod error;
mod evaluate;
mod fit;
pub mod format;
pub mod landscape;
mod mean_of;
pub mod measure;
pub mod probing;
pub mod report;
mod results;
mod shown;
mod suite;
mod suites;
pub mod surprise;

pub use bootstrap::bootstrap;
pub use config::EvalConfig;
pub use error::EvalError;
pub use evaluate::{EvalData, OpenTraining, evaluate};
pub use mean_of::MeanOf;
pub use measure::Latents;
pub use results::EvalResults;
pub use shown::{Chart, Series, Shown, Table, Tile};
pub use suite::{Evaluation, NamedSuite, Needs, Seen, Suite, Suites};
pub use suites::{ProbeConfig, built_in};
