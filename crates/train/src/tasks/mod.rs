//! The tasks that are registered: models with their losses.

mod action;
mod masked;
mod multi_view;

use std::sync::Arc;

use prevision_core::config::Registry;
use prevision_objective::Objective;

pub use action::ActionTask;
pub use masked::MaskedTask;
pub use multi_view::MultiViewTask;

use crate::AnyTask;

/// What models are made with beside their keys, the section `[model]`.
#[derive(Clone)]
pub struct ModelContext {
    /// The losses.
    pub objective: Arc<Objective>,
    /// Momentum of a target encoder at the last step, `schedule.final_momentum`; `None`: the model's own throughout.
    pub final_momentum: Option<f64>,
}

/// The kinds of model that are registered.
pub type Models = Registry<ModelContext, Box<dyn AnyTask>>;

/// The built-in kinds.
pub fn built_in_models() -> Models {
    Models::new("model")
        .with("action-conditioned", action::make)
        .with("masked", masked::make)
        .with("multi-view", multi_view::make)
}
