//! JEPA world models on video: train on clips, evaluate latent predictions, plan with the model.
//!
//! [`App`] is the command line as a library: the `prevision` binary is `App::new()`, and a program of your own is the same with parts
//! registered beside the built-in ones. [`Experiment`] is the file that a training is described in.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     prevision::App::new().run(std::env::args_os())
//! }
//! ```
//!
//! The crates of the framework, in the order of the data's way:
//!
//! - [`core`]: frames, arrays, spaces, seeds, configuration
//! - [`storage`]: objects by address
//! - [`video`]: frames out of files, files out of frames
//! - [`data`]: clips out of data sets, and the loader
//! - [`env`](mod@env): worlds to act in, policies, recordings
//! - [`kernels`]: fused operations with backward passes
//! - [`model`]: encoders, target encoder, predictors, heads, world models
//! - [`objective`]: prediction losses and what prevents collapse
//! - [`train`]: tasks, the training loop, checkpoints
//! - [`eval`]: what a frozen model knows, and the report
//! - [`plan`]: costs, solvers, closed-loop episodes

mod app;
mod bench;
mod cli;
mod experiment;
pub mod features;
pub mod prelude;
mod verbs;

pub use app::{App, Parts, Verb, verb};
pub use cli::{DeviceName, Output, Usage};
pub use experiment::{Experiment, ExperimentError, TrainedRun};

pub use prevision_core as core;
pub use prevision_data as data;
pub use prevision_env as env;
pub use prevision_eval as eval;
pub use prevision_kernels as kernels;
pub use prevision_model as model;
pub use prevision_objective as objective;
pub use prevision_plan as plan;
pub use prevision_storage as storage;
pub use prevision_train as train;
pub use prevision_video as video;

// What a verb of one's own is written with.
pub use anyhow;
pub use clap;
