//! Which tubelets of a clip are visible and which are to be predicted.

mod carry;
mod config;
mod sampler;
mod tokens;

pub use config::MaskConfig;
pub use sampler::{MaskPair, MaskSampler};
pub use tokens::{TokenIds, gather_tokens, token_ids};
