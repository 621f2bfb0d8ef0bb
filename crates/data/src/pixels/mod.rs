//! What happens to the frames of a clip.

mod crop;
mod transform;

pub(crate) use transform::{Transform, scaled};
