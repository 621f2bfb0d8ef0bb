//! Configuration of a whole model: the section `model` of an experiment.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::frame_encoder::{FrameEncoder, FrameEncoderConfig};
use crate::heads::{DistanceHeadConfig, HeadFlags, Heads, InverseDynamics, PositionHead};
use crate::initialisation::draw_parameters;
use crate::masks::MaskConfig;
use crate::predictor::{ActionPredictorConfig, MaskedPredictorConfig};
use crate::target::{TargetConfig, target_copy};
use crate::validate::{check, within};
use crate::video_vit::{VideoVitConfig, check_positions};
use crate::{ActionJepa, InputShape, Jepa, MaskedJepa};

/// Which model, and how it is built. In a file the key `kind` chooses: `action-conditioned` (default) or `masked`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ModelConfig {
    /// Predicts the next latent from the action.
    ActionConditioned(ActionJepaConfig),
    /// Predicts the latents of hidden tubelets (V-JEPA).
    Masked(MaskedJepaConfig),
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self::ActionConditioned(ActionJepaConfig::default())
    }
}

impl ModelConfig {
    /// Builds the model with fresh weights drawn from the device's generator (seed the device first). `heads` is used by the
    /// action-conditioned model alone.
    pub fn init(&self, input: &InputShape, heads: &HeadFlags, device: &Device) -> Jepa {
        match self {
            Self::ActionConditioned(config) => Jepa::Action(config.init(input, heads, device)),
            Self::Masked(config) => Jepa::Masked(config.init(input, device)),
        }
    }

    /// Checks every value on its own.
    ///
    /// # Errors
    /// A message naming the key below `model`, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        match self {
            Self::ActionConditioned(config) => config.validate(),
            Self::Masked(config) => config.validate(),
        }
    }

    /// Checks that the model can take clips of this shape.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate_input(&self, input: &InputShape) -> Result<(), String> {
        match self {
            Self::ActionConditioned(config) => {
                check(
                    input.action_dim > 0,
                    "action_dim of the data",
                    input.action_dim,
                    "at least 1 for an action-conditioned model",
                )?;
                if let Some(encoder) = &config.static_encoder {
                    encoder.validate_input(input)?;
                }
                config.encoder.validate_input(input)
            }
            Self::Masked(config) => config.encoder.validate_input(input),
        }
    }

    /// Momentum of the target encoder; `None` when context and target share weights.
    pub fn target_momentum(&self) -> Option<f64> {
        match self {
            Self::ActionConditioned(config) => config.target.momentum(),
            Self::Masked(config) => Some(config.momentum),
        }
    }
}

/// Configuration of an [`ActionJepa`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActionJepaConfig {
    /// The encoder of single frames; default `strided-conv`.
    pub encoder: FrameEncoderConfig,
    /// The predictor of the next latent; default `gru`.
    pub predictor: ActionPredictorConfig,
    /// Where prediction targets come from; default `shared`.
    pub target: TargetConfig,
    /// The learned step distance, built only when the objective trains it.
    pub distance: DistanceHeadConfig,
    /// An encoder of its own for what stays while an episode lasts, as a floor plan does. Its latent comes before the other; the
    /// predictor leaves it as it is and sees it beside the action. Default none.
    pub static_encoder: Option<FrameEncoderConfig>,
}

impl ActionJepaConfig {
    /// Builds the model with fresh weights drawn from the device's generator (seed the device first).
    pub fn init(&self, input: &InputShape, heads: &HeadFlags, device: &Device) -> ActionJepa {
        let encoder = self.encoder.init(input, device);
        let static_encoder = self.static_encoder.as_ref().map(|config| config.init(input, device));
        let fixed = static_encoder.as_ref().map_or(0, FrameEncoder::dim);
        let predictor = self.predictor.init(&encoder, fixed, input.action_dim, device);
        let dim = fixed + encoder.dim();
        let heads = Heads {
            inverse_dynamics: heads.inverse_dynamics.then(|| InverseDynamics::new(dim, input.action_dim, device)),
            distance: heads.distance.then(|| self.distance.init(&encoder, fixed, device)),
            position: heads.position.then(|| PositionHead::new(dim, device)),
        };
        draw_parameters(&encoder);
        draw_parameters(&static_encoder);
        draw_parameters(&predictor);
        draw_parameters(&heads);
        let target = self.target.momentum().map(|_| target_copy(&encoder));
        ActionJepa { encoder, static_encoder, target, predictor, heads }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        within("encoder", self.encoder.validate())?;
        if let Some(config) = &self.static_encoder {
            within("static_encoder", config.validate())?;
        }
        within("predictor", self.predictor.validate())?;
        self.validate_grid()?;
        within("target", self.target.validate())?;
        within("distance", self.distance.validate())
    }

    /// Checks that what works on a grid of tokens has one, and that what needs a norm at the encoder's output has that.
    fn validate_grid(&self) -> Result<(), String> {
        let patch = |config: &FrameEncoderConfig| match config {
            FrameEncoderConfig::Patches(config) => Some(config.patch),
            _ => None,
        };
        let grid = patch(&self.encoder);
        let normed = matches!(self.predictor, ActionPredictorConfig::Gru(_) | ActionPredictorConfig::Transformer(_));
        if normed && grid.is_some() {
            return Err(
                "encoder.kind = patches: must be strided-conv, impala or vit with predictor.kind gru and transformer, \
                 whose predictions pass through the encoder's norm; or set predictor.kind to residual-conv or residual-mlp"
                    .to_owned(),
            );
        }
        let users = [
            ("predictor.kind = residual-conv", matches!(self.predictor, ActionPredictorConfig::ResidualConv(_))),
            ("distance.kind = field", matches!(self.distance, DistanceHeadConfig::Field(_))),
        ];
        let Some((user, _)) = users.into_iter().find(|&(_, used)| used) else { return Ok(()) };
        if grid.is_none() {
            return Err(format!("{user}: must have a grid of tokens to work on; set encoder.kind to patches"));
        }
        match &self.static_encoder {
            Some(config) if patch(config) != grid => {
                Err(format!("{user}: must have static_encoder.kind = patches with the patch of the encoder"))
            }
            _ => Ok(()),
        }
    }
}

/// Configuration of a [`MaskedJepa`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaskedJepaConfig {
    /// The context encoder, and the target encoder alike.
    pub encoder: VideoVitConfig,
    /// The predictor of hidden tokens.
    pub predictor: MaskedPredictorConfig,
    /// The masks drawn for every clip; default the short-range and the long-range one of V-JEPA.
    pub masks: Vec<MaskConfig>,
    /// Momentum of the target encoder; default 0.99925.
    pub momentum: f64,
}

impl Default for MaskedJepaConfig {
    fn default() -> Self {
        Self {
            encoder: VideoVitConfig::default(),
            predictor: MaskedPredictorConfig::default(),
            masks: vec![MaskConfig::short_range(), MaskConfig::long_range()],
            momentum: 0.99925,
        }
    }
}

impl MaskedJepaConfig {
    /// Builds the model with fresh weights drawn from the device's generator (seed the device first).
    pub fn init(&self, input: &InputShape, device: &Device) -> MaskedJepa {
        let encoder = self.encoder.init(input.channels, device);
        let predictor = self.predictor.init(&self.encoder, self.encoder.grid(input), device);
        draw_parameters(&encoder);
        draw_parameters(&predictor);
        let target = target_copy(&encoder);
        MaskedJepa { encoder, target, predictor }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        within("encoder", self.encoder.validate())?;
        within("predictor", self.predictor.validate())?;
        let positions = check_positions("width", self.encoder.positions, self.predictor.width, self.predictor.heads);
        within("predictor", positions)?;
        check(!self.masks.is_empty(), "masks", "[]", "a list of at least one mask")?;
        for (index, mask) in self.masks.iter().enumerate() {
            within(&format!("masks[{index}]"), mask.validate())?;
        }
        check((0.0..=1.0).contains(&self.momentum), "momentum", self.momentum, "in [0, 1]")
    }
}
