//! Pretrained models that imagine what follows actions.

use burn::module::Module;
use burn::tensor::Device;
use prevision_core::{Camera, Normalise, Space, Spaces};
use serde::{Deserialize, Serialize};

use super::{Pretrained, PretrainedSpec};
use crate::frame_encoder::{FramePool, FrameVit, FrameVitConfig};
use crate::heads::Heads;
use crate::predictor::{Lewm, LewmConfig};
use crate::projector::Projector;
use crate::{ActionJepa, ActionJepaConfig, ActionPredictor, ActionPredictorConfig, ActionWorldModel};
use crate::{FrameEncoder, FrameEncoderConfig};

/// What is behind the encoder of a world model whose latent is one vector, as LeWM's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldSpec {
    /// The predictor of the next latent.
    pub predictor: LewmConfig,
    /// Hidden units of the projector that makes latents of class tokens.
    pub projector: usize,
    /// Numbers in an action.
    pub action: usize,
    /// How the checkpoint named the tensors of the encoder.
    pub names: VitNames,
}

/// How `transformers` names the tensors of a ViT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VitNames {
    /// Before version 5: `encoder.layer.0.attention.attention.query`.
    Older,
    /// From then on: `layers.0.attention.q_proj`.
    Current,
}

/// The networks behind the encoder.
#[derive(Module, Debug)]
pub struct WorldNetworks {
    /// Makes latents of class tokens.
    pub projector: Projector,
    /// Predicts the next latent.
    pub predictor: Lewm,
}

impl WorldSpec {
    /// Fresh weights.
    pub(super) fn init(&self, dim: usize, device: &Device) -> WorldNetworks {
        WorldNetworks {
            projector: Projector::new(dim, self.projector, device),
            predictor: self.predictor.init(dim, self.action, device),
        }
    }
}

impl PretrainedSpec {
    /// The keys of an experiment's `[model]` that say the same, of a world model.
    pub fn action_config(&self) -> Option<ActionJepaConfig> {
        let (world, encoder) = (self.world.as_ref()?, &self.encoder);
        let encoder = FrameVitConfig {
            patch: encoder.patch,
            width: encoder.dim,
            depth: encoder.depth,
            heads: encoder.heads,
            mlp_ratio: encoder.mlp_ratio,
            positions: encoder.positions,
            position_side: encoder.position_side,
            epsilon: encoder.epsilon,
            pool: FramePool::Class,
            projector: Some(world.projector),
            dim: encoder.dim,
        };
        Some(ActionJepaConfig {
            encoder: FrameEncoderConfig::Vit(encoder),
            predictor: ActionPredictorConfig::Lewm(world.predictor.clone()),
            ..ActionJepaConfig::default()
        })
    }

    /// The clips that a world model takes: one camera, and as many numbers in an action as it has.
    pub fn world_spaces(&self) -> Option<Spaces> {
        let world = self.world.as_ref()?;
        let side = self.input.crop;
        Some(Spaces {
            frames: world.predictor.history + 1,
            cameras: [("pixels".to_owned(), Camera { height: side, width: side })].into(),
            action: Some(Space::Unbounded { dim: world.action }),
            ..Spaces::default()
        })
    }
}

impl Pretrained {
    /// The networks as one that is trained here has them, of a world model.
    pub fn action_jepa(&self) -> Option<ActionJepa> {
        let WorldNetworks { projector, predictor } = self.networks.world.clone()?;
        let encoder = FrameVit::with_projector(self.networks.encoder.clone(), projector);
        Some(ActionJepa {
            encoder: FrameEncoder::Vit(encoder),
            static_encoder: None,
            target: None,
            predictor: ActionPredictor::Lewm(predictor),
            heads: Heads { inverse_dynamics: None, distance: None, position: None, levels: Vec::new() },
            proprioception: None,
        })
    }

    /// The model as planning knows it, `None` if it does not imagine what follows actions.
    pub fn world_model(&self, device: &Device) -> Option<ActionWorldModel> {
        let normalise = Normalise { mean: self.spec.input.mean, std: self.spec.input.std };
        let (model, spaces) = (self.action_jepa()?, self.spec.world_spaces()?);
        Some(ActionWorldModel::new(model, spaces, normalise, false, device.clone()))
    }
}
