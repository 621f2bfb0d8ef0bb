//! Encoders, target encoder, predictors, masks and heads of a JEPA.
//!
//! Three families share this crate:
//!
//! - [`ActionJepa`] encodes every frame to one latent vector and predicts the next latent from the action that was taken; it is what
//!   planning searches with.
//! - [`MaskedJepa`] (V-JEPA) encodes the visible tubelets of a clip and predicts the latents of the hidden ones;
//! - [`MultiViewJepa`] (`LeVJEPA`) embeds a clip and small parts of it alike, and predicts nothing.
//!
//! A module is built from its configuration (`config.init(..)`) and moves through forward passes by reference. Variants are enums
//! mirrored by configuration enums; the backend is chosen at run time by the [`burn::tensor::Device`].

mod action_jepa;
mod action_world_model;
mod activation;
mod adaptable;
mod batch;
mod config;
mod error;
mod finite;
pub mod frame_encoder;
mod frozen;
mod frozen_masked;
mod grid;
pub mod heads;
mod initialisation;
mod layers;
pub mod levels;
mod masked_jepa;
pub mod masks;
mod multi_view;
mod normalise;
pub mod parameters;
mod pixels;
pub mod predictor;
pub mod pretrained;
mod projector;
mod reflex;
pub mod target_encoder;
mod vector_world_model;
pub mod video_vit;
pub mod weights;
mod world_model;

pub use action_jepa::ActionJepa;
pub use action_world_model::ActionWorldModel;
pub use activation::Activation;
pub use adaptable::{Adaptable, Transition};
pub use batch::{ClipBatch, ObservationBatch};
pub use config::{ActionJepaConfig, MaskedJepaConfig};
pub use error::ModelError;
pub use finite::is_finite;
pub use frame_encoder::{FrameEncoder, FrameEncoderConfig, FrameShape};
pub use frozen::{Forecast, FrozenModel, FrozenWorldModel, Wanted};
pub use frozen_masked::FrozenMaskedModel;
pub use heads::{
    DistanceField, DistanceFieldConfig, DistanceHead, DistanceHeadConfig, HeadFlags, Heads, InverseDynamics,
    PositionHead, PositionScale, StepDistance, StepDistanceConfig,
};
pub use layers::LayerNorm;
pub use levels::{Level, LevelConfig};
pub use masked_jepa::MaskedJepa;
pub use masks::{MaskConfig, MaskPair, MaskSampler, TokenIds, gather_tokens, token_ids};
pub use multi_view::{
    FrozenMultiView, MultiViewConfig, MultiViewJepa, MultiViewProjectorConfig, View, ViewConfig, ViewSampler,
};
pub use normalise::normalise_latents;
pub use pixels::Pixels;
pub use predictor::{ActionPredictor, ActionPredictorConfig, MaskedPredictor, MaskedPredictorConfig, Moments};
pub use projector::Projector;
pub use reflex::{ReflexNetwork, ReflexNetworkConfig};
pub use target_encoder::TargetConfig;
pub use vector_world_model::VectorWorldModel;
pub use video_vit::{AttentionKind, PositionKind, VideoVit, VideoVitConfig};
pub use world_model::{Distance, InverseModel, Latents, ModelSpec, Past, SlowModel, WorldModel};
