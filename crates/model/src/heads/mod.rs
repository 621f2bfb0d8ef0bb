//! Small networks trained beside the predictor. Each exists only when its loss has a weight.

mod attentive_probe;
mod distance;
mod distance_field;
mod inverse_dynamics;
mod position;
mod step_distance;

use burn::module::Module;

pub use attentive_probe::{AttentiveProbe, AttentiveProbeConfig, Pool};
pub use distance::{DistanceHead, DistanceHeadConfig};
pub use distance_field::{DistanceField, DistanceFieldConfig};
pub use inverse_dynamics::InverseDynamics;
pub use position::{PositionHead, PositionScale};
pub use step_distance::{StepDistance, StepDistanceConfig};

use crate::levels::Level;

/// Which heads to build; the objective derives this from its weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each head is there or not")]
pub struct HeadFlags {
    /// Build [`InverseDynamics`].
    pub inverse_dynamics: bool,
    /// Build [`DistanceHead`].
    pub distance: bool,
    /// Build [`PositionHead`].
    pub position: bool,
    /// Build the slower models, a [`Level`] each.
    pub levels: bool,
}

/// The heads of a model.
#[derive(Module, Debug)]
pub struct Heads {
    /// Action between two consecutive latents.
    pub inverse_dynamics: Option<InverseDynamics>,
    /// Number of steps between two latents.
    pub distance: Option<DistanceHead>,
    /// Position from a latent, a probe.
    pub position: Option<PositionHead>,
    /// Slower world models over the latents, the fastest first.
    pub levels: Vec<Level>,
}
