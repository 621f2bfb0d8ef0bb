//! Encoders, target encoder, predictors, masks and heads of a JEPA.
//!
//! Two families share this crate:
//!
//! - [`ActionJepa`] encodes every frame to one latent vector and predicts the next latent from the action that was taken; it is what
//!   planning searches with.
//! - [`MaskedJepa`] (V-JEPA) encodes the visible tubelets of a clip and predicts the latents of the hidden ones.
//!
//! A module is built from its configuration (`config.init(..)`) and moves through forward passes by reference. Variants are enums
//! mirrored by configuration enums; the backend is chosen at run time by the [`burn::tensor::Device`].

mod action_jepa;
mod activation;
mod config;
mod error;
pub mod frame_encoder;
mod grid;
pub mod heads;
mod initialisation;
mod input;
mod jepa;
mod layers;
mod masked_jepa;
pub mod masks;
pub mod predictor;
pub mod target;
mod validate;
pub mod video_vit;
pub mod weights;
mod world_model;

pub use action_jepa::ActionJepa;
pub use activation::Activation;
pub use config::{ActionJepaConfig, MaskedJepaConfig, ModelConfig};
pub use error::ModelError;
pub use frame_encoder::{FrameEncoder, FrameEncoderConfig};
pub use heads::{
    DistanceField, DistanceFieldConfig, DistanceHead, DistanceHeadConfig, HeadFlags, Heads, InverseDynamics,
    PositionHead, StepDistance, StepDistanceConfig,
};
pub use input::InputShape;
pub use jepa::Jepa;
pub use layers::LayerNorm;
pub use masked_jepa::MaskedJepa;
pub use masks::{MaskConfig, MaskPair, MaskSampler, TokenIds, gather_tokens, token_ids};
pub use predictor::{ActionPredictor, ActionPredictorConfig, MaskedPredictor, MaskedPredictorConfig};
pub use target::TargetConfig;
pub use video_vit::{PositionKind, VideoVit, VideoVitConfig};
pub use world_model::WorldModel;
