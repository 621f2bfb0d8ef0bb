//! Factors of variation: what can differ between the episodes of a world, in appearance and in physics.
//!
//! A world lists its [`Factors`]. An experiment says which of them vary and from which values ([`Variation`]), and every episode draws its
//! own values from its seed ([`FactorSampler`]).

mod factor;
mod sampler;
mod variation;

pub use factor::{Factor, FactorKind, Factors};
pub use sampler::{FactorSampler, FactorValues};
pub use variation::{FactorRange, FactorValue, Variation};
