//! The shape of what a model is built for.

/// Sizes of the clips a model is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputShape {
    /// Colour channels.
    pub channels: usize,
    /// Frames in a clip.
    pub frames: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// Numbers in one action; 0 when the data has no actions.
    pub action_dim: usize,
    /// Numbers in one state; 0 when the data has no states.
    pub state_dim: usize,
}
