//! Vision transformer over the tubelets of a clip (V-JEPA 2, `src/models/vision_transformer.py`).

mod attention;
mod block;
mod learned;
mod mlp;
pub mod rope;
pub mod sin_cos;
mod tubelet;
mod vit;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use attention::Attention;
pub use block::{Block, BlockConfig};
pub use learned::LearnedPositions;
pub use mlp::Mlp;
pub use prevision_kernels::Rotation;
pub use tubelet::TubeletEmbed;
pub(crate) use vit::check_positions;
pub use vit::{Features, VideoVit, VideoVitConfig};

/// Which tokens a token sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AttentionKind {
    /// All of the clip (V-JEPA). The default.
    #[default]
    Full,
    /// Those of its tubelet and of the tubelets before: a latent knows nothing of the future, and is the same however the clip goes on
    /// (`LeVJEPA`). The class token sees all, and no other token sees it.
    BlockCausal,
    /// Those of its tubelet: a latent knows nothing of the rest of the clip, as where frames are encoded one by one (V-JEPA 2-AC, `DINO-WM`).
    /// The class token sees all, and no other token sees it.
    Tubelet,
}

/// How tokens know their place in time, row and column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PositionKind {
    /// Rotary positions over three axes, proper (V-JEPA 2.1): both members of a pair turn by the same angle.
    Rope,
    /// Rotary positions as in V-JEPA 2's released weights: frequencies tiled over channels, so that the members of a pair differ.
    RopeTiled,
    /// As `rope`, with rows and columns scaled to those of a grid of 16 by 16 (V-JEPA 2.1's released weights). Of encoders alone: a predictor
    /// turns by `rope`.
    RopeScaled,
    /// A fixed table of sines and cosines added to the tokens (V-JEPA 1).
    SinCos,
    /// A learned table added to the tokens of each frame, interpolated for other sizes (ViT, DINOv2, I-JEPA). Of encoders alone.
    Learned,
}
