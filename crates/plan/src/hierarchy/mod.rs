//! Looking far ahead with slower models: places that nobody has met yet, imagined.
//!
//! A search over the steps of a slower model ([`SlowModel`](prevision_model::SlowModel)) is a search over places, not over actions: from
//! where the agent is, every place that some stride leads to is imagined, and from those the next, until the goal is among them. Places that
//! look alike are one, so that what is searched grows with the world and not with the number of action sequences. The shortest way found
//! is a sequence of sub-goals in latent space, each a stride apart, for the level below.
//!
//! - [`Strides`]: the action sequences that are imagined
//! - [`ImaginedMap`]: places and the strides between them
//! - [`Choice`]: how many levels to use, by what was measured

mod choice;
mod config;
mod map;
mod strides;

pub use choice::{Choice, LevelResult};
pub use config::HierarchyConfig;
pub use map::{Compare, ImaginedMap};
pub use strides::Strides;
