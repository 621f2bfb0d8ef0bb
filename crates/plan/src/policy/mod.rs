//! Planning as a policy.

mod adapting;
mod guided;
mod hierarchical;
mod history;
mod latent_policy;
mod located;
mod memory;
mod planner;
mod proposal;
mod receding;
mod remembering;
mod way;

pub use adapting::Adapting;
pub use guided::{Guided, GuidedOptions, Met};
pub use hierarchical::Hierarchical;
pub(crate) use history::streams_of;
pub use latent_policy::{Choices, Guidance, LatentPolicy};
pub use planner::{Planner, PlannerOptions};
pub use proposal::Proposal;
pub use receding::RecedingHorizon;
pub use remembering::Remembering;
pub use way::WayOptions;
