//! What happens to the frames of a clip.

mod picture;
mod transform;

pub(crate) use picture::{decode_picture, encode_jpeg, picture_size};
pub(crate) use transform::{Transform, scaled};
