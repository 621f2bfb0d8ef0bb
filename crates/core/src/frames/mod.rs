//! Frames in memory: the buffer that every reader fills, parts of pictures, and how stored pictures lie.

mod buffer;
mod orientation;
mod random_box;
pub mod resize;
mod window;

pub use buffer::FrameBuffer;
pub use orientation::Orientation;
pub use random_box::random_box;
pub use window::Window;
