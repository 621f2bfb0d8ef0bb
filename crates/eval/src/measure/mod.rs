//! The measurements: functions of arrays on the host.

mod collapse;
mod latents;
mod leading;
mod principal;
pub mod probe;
mod retrieval;
mod rollout;
mod symmetric;

pub use collapse::{Collapse, collapse};
pub use latents::Latents;
pub(crate) use latents::read;
pub use principal::PrincipalComponents;
pub use retrieval::{Retrieval, RetrievalAt, retrieval};
pub use rollout::{RolloutError, RolloutErrors};
