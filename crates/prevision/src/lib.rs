//! JEPA world models on video: train on clips, evaluate latent predictions, plan with the model.
//!
//! This crate re-exports the framework, in the order of the data's way; the `prevision` binary is a thin layer over it.
//!
//! - [`video`]: frames out of files, files out of frames
//! - [`data`]: clips out of data sets, and the loader
//! - [`env`](mod@env): worlds to act in, recorded as video
//! - [`kernels`]: fused operations with backward passes
//! - [`model`]: encoders, target encoder, predictors, heads
//! - [`objective`]: prediction losses and what prevents collapse
//! - [`train`]: experiments, the training loop, checkpoints
//! - [`eval`]: what a frozen model knows, and the report
//! - [`plan`]: costs, solvers, closed-loop episodes

pub use prevision_data as data;
pub use prevision_env as env;
pub use prevision_eval as eval;
pub use prevision_kernels as kernels;
pub use prevision_model as model;
pub use prevision_objective as objective;
pub use prevision_plan as plan;
pub use prevision_train as train;
pub use prevision_video as video;
