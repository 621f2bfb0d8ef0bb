//! What parts of one's own are written with: `use prevision::prelude::*`.

pub use prevision_core::config::{NoKeys, Options, check};
pub use prevision_core::{
    Action, Array2, Camera, FrameBuffer, Normalise, Observations, Space, Spaces, seed, whole_file,
};
pub use prevision_data::{ClipDataset, DataError, EpisodeFormat, EpisodeFrames, EpisodeSource, EpisodesInMemory};
pub use prevision_env::registry::{Purpose, World};
pub use prevision_env::{
    Decision, EnvError, Environment, EnvironmentSpec, Goal, Mark, Policy, PolicyError, Start, TimeStep, Worlds,
};
pub use prevision_eval::probing::{ClipShape, Measured, ProbeData, ProbeHead, ProbeTask, View};
pub use prevision_eval::{EvalError, Evaluation, MeanOf, Shown, Suite};
pub use prevision_model::{
    ClipBatch, Distance, FrozenModel, Latents, ModelSpec, ObservationBatch, Past, Pixels, VectorWorldModel, WorldModel,
};
pub use prevision_objective::{Draw, Frames, LossTerms, Needs, Objective, Prediction, Seen, Term};
pub use prevision_plan::ActionPlan;
pub use prevision_plan::constraint::Constraint;
pub use prevision_plan::cost::{Cost, CostContext, Imagined, Measure, Scene};
pub use prevision_plan::noise::NoiseSource;
pub use prevision_plan::score::Score;
pub use prevision_plan::solver::{Sampler, Solution, Solved, Solver, SolverContext};
pub use prevision_train::{ModelContext, Task};

pub use crate::app::{App, Verb, verb};
