//! Configuration of the built-in models: the keys beside `model.kind`.

use burn::tensor::Device;
use prevision_core::config::check::{ensure, message};
use prevision_core::config::{Options, within};
use prevision_core::{Camera, Spaces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::frame_encoder::{FrameEncoder, FrameEncoderConfig};
use crate::heads::{DistanceHeadConfig, HeadFlags, Heads, InverseDynamics, PositionHead};
use crate::initialisation::draw_parameters;
use crate::levels::LevelConfig;
use crate::masks::MaskConfig;
use crate::predictor::{ActionPredictorConfig, MaskedPredictorConfig};
use crate::target_encoder::{TargetConfig, target_copy};
use crate::video_vit::{PositionKind, VideoVitConfig, check_positions};
use crate::{ActionJepa, MaskedJepa};

/// Configuration of an [`ActionJepa`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Slower world models over the same latents, the fastest first; the objective trains them. Default none.
    pub levels: Vec<LevelConfig>,
    /// The vector stream of the clips that the predictor sees beside the latents, and predicts with them. Default none.
    pub proprioception: Option<String>,
}

impl ActionJepaConfig {
    /// Builds the model with fresh weights drawn from the device's generator (seed the device first).
    ///
    /// # Panics
    /// If the clips do not fit: [`validate_spaces`](Self::validate_spaces) refuses them.
    pub fn init(&self, spaces: &Spaces, heads: &HeadFlags, device: &Device) -> ActionJepa {
        let (_, camera) = self.camera(spaces).expect("clips of one camera");
        let (frame, action_width) = (camera.into(), spaces.action_width());
        let proprioception = self.proprioception.as_ref().map_or(0, |name| spaces.vectors[name]);
        let encoder = self.encoder.init(frame, device);
        let static_encoder = self.static_encoder.as_ref().map(|config| config.init(frame, device));
        let fixed = static_encoder.as_ref().map_or(0, FrameEncoder::dim);
        let predictor = self.predictor.init(&encoder, fixed, proprioception, action_width, device);
        let dim = fixed + encoder.dim();
        let heads = Heads {
            inverse_dynamics: heads.inverse_dynamics.then(|| match encoder.grid() {
                [1, 1] => InverseDynamics::new(dim, action_width, device),
                grid => InverseDynamics::of_grid(grid, encoder.dim(), action_width, device),
            }),
            distance: heads.distance.then(|| self.distance.init(&encoder, fixed, device)),
            position: heads.position.then(|| match encoder.grid() {
                [1, 1] => PositionHead::new(dim, device),
                grid => PositionHead::of_grid(grid, encoder.dim(), device),
            }),
            levels: if heads.levels {
                self.levels
                    .iter()
                    .map(|config| config.init(&encoder, static_encoder.as_ref(), action_width, device))
                    .collect()
            } else {
                Vec::new()
            },
        };
        draw_parameters(&encoder);
        draw_parameters(&static_encoder);
        draw_parameters(&predictor);
        draw_parameters(&heads);
        let target = self.target.momentum().map(|_| target_copy(&encoder));
        let proprioception = self.proprioception.clone();
        ActionJepa { encoder, static_encoder, target, predictor, heads, proprioception }
    }

    /// The only camera of clips that have the proprioception, and no other vectors.
    fn camera<'a>(&self, spaces: &'a Spaces) -> Result<(&'a str, Camera), String> {
        spaces.only_camera_beside(self.proprioception.as_deref())
    }

    /// Checks that the model can be trained on clips of these streams.
    ///
    /// # Errors
    /// A message naming what does not fit.
    pub fn validate_spaces(&self, spaces: &Spaces) -> Result<(), String> {
        let (_, camera) = self.camera(spaces)?;
        let message = "an action-conditioned model needs actions, the data have none";
        spaces.action.as_ref().map(|_| ()).ok_or(message)?;
        if let Some(encoder) = &self.static_encoder {
            encoder.validate_input("model.static_encoder", camera)?;
        }
        self.encoder.validate_input("model.encoder", camera)
    }

    /// Checks that what works on a grid of tokens has one, and that what needs a norm at the encoder's output has that.
    fn validate_grid(&self) -> Result<(), String> {
        let grid = self.encoder.patch();
        let with_norm = !matches!(self.encoder, FrameEncoderConfig::Patches(_) | FrameEncoderConfig::Pretrained(_));
        let normed = matches!(self.predictor, ActionPredictorConfig::Gru(_) | ActionPredictorConfig::Transformer(_));
        if normed && !with_norm {
            return Err(
                "encoder.kind is patches or pretrained, but must be strided-conv, impala or vit with predictor.kind gru and                  transformer, whose predictions pass through the encoder's norm; or set predictor.kind to block-causal,                  residual-conv or residual-mlp"
                    .to_owned(),
            );
        }
        let projector = match &self.encoder {
            FrameEncoderConfig::Vit(config) => config.projector,
            _ => None,
        };
        if let Some(hidden) = projector {
            let allowed =
                "unset with predictor.kind gru and transformer, whose predictions pass through the encoder's norm";
            ensure(!normed, "encoder.projector", hidden, allowed)?;
            let momentum = self.target.momentum();
            ensure(momentum.is_none(), "encoder.projector", hidden, "unset with target.kind = \"momentum\"")?;
        }
        let users = [
            ("predictor.kind is residual-conv", matches!(self.predictor, ActionPredictorConfig::ResidualConv(_))),
            ("distance.kind is field", matches!(self.distance, DistanceHeadConfig::Field(_))),
        ];
        let Some((user, _)) = users.into_iter().find(|&(_, used)| used) else { return Ok(()) };
        if grid.is_none() {
            return Err(format!("{user}, but must have a grid of tokens to work on: set encoder.kind to patches"));
        }
        match &self.static_encoder {
            Some(config) if config.patch() != grid => {
                Err(format!("{user}, but must have static_encoder.kind = patches with the patch of the encoder"))
            }
            _ => Ok(()),
        }
    }

    /// Checks that what is seen beside the latents is seen by a predictor that can, and that a frozen encoder is not to be followed.
    fn validate_inputs(&self) -> Result<(), String> {
        let block_causal = matches!(self.predictor, ActionPredictorConfig::BlockCausal(_));
        if let Some(name) = self.proprioception.as_ref().filter(|_| !block_causal) {
            return Err(message(
                "proprioception",
                format!("{name:?}"),
                "unset, or predictor.kind = block-causal, which sees it",
            ));
        }
        if block_causal && self.static_encoder.is_some() {
            let allowed = "residual-conv, residual-mlp, gru or transformer with a static_encoder, which block-causal does not see";
            return Err(message("predictor.kind", "block-causal", allowed));
        }
        let frozen = matches!(self.encoder, FrameEncoderConfig::Pretrained(_));
        if frozen && self.target.momentum().is_some() {
            return Err(message(
                "target.kind",
                "\"momentum\"",
                "\"shared\" with a pretrained encoder, which does not move",
            ));
        }
        Ok(())
    }

    /// The model with the weights that its encoders have from elsewhere.
    ///
    /// # Errors
    /// The key at fault, and why its weights cannot be had.
    pub fn load_pretrained(model: ActionJepa) -> Result<ActionJepa, String> {
        let encoder = within("encoder", model.encoder.load_pretrained())?;
        let static_encoder = model.static_encoder.map(FrameEncoder::load_pretrained).transpose();
        let static_encoder = within("static_encoder", static_encoder)?;
        Ok(ActionJepa { encoder, static_encoder, ..model })
    }
}

impl ActionJepaConfig {
    /// Checks that every level is slower than the one before it, by a whole number of its steps.
    fn validate_strides(&self) -> Result<(), String> {
        for (index, pair) in self.levels.windows(2).enumerate() {
            let [before, stride] = [pair[0].stride, pair[1].stride];
            let allowed = format!("a multiple of {before}, the stride of the level before it, and larger");
            let key = format!("levels[{}].stride", index + 1);
            ensure(stride > before && stride.is_multiple_of(before), &key, stride, allowed)?;
        }
        Ok(())
    }
}

impl Options for ActionJepaConfig {
    fn validate(&self) -> Result<(), String> {
        within("encoder", self.encoder.validate())?;
        if let Some(config) = &self.static_encoder {
            within("static_encoder", config.validate())?;
        }
        within("predictor", self.predictor.validate())?;
        self.validate_grid()?;
        self.validate_inputs()?;
        for (index, level) in self.levels.iter().enumerate() {
            within(&format!("levels[{index}]"), level.validate())?;
        }
        self.validate_strides()?;
        within("target", self.target.validate())?;
        within("distance", self.distance.validate())
    }

    fn complete(self) -> Result<Self, String> {
        let encoder = within("encoder", self.encoder.complete())?;
        let static_encoder = self.static_encoder.map(FrameEncoderConfig::complete).transpose();
        let complete = Self { encoder, static_encoder: within("static_encoder", static_encoder)?, ..self };
        complete.validate()?;
        Ok(complete)
    }
}

/// Colour channels of a camera.
pub(crate) const CHANNELS: usize = 3;

/// Configuration of a [`MaskedJepa`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    ///
    /// # Panics
    /// If the clips do not fit: [`validate_spaces`](Self::validate_spaces) refuses them.
    pub fn init(&self, spaces: &Spaces, device: &Device) -> MaskedJepa {
        let encoder = self.encoder.init(CHANNELS, device);
        let predictor = self.predictor.init(&self.encoder, self.grid(spaces), device);
        draw_parameters(&encoder);
        draw_parameters(&predictor);
        let target = target_copy(&encoder);
        MaskedJepa { encoder, target, predictor }
    }

    /// The token grid `[time, height, width]` of clips.
    ///
    /// # Panics
    /// If they are not of one camera.
    pub fn grid(&self, spaces: &Spaces) -> [usize; 3] {
        let (_, camera) = spaces.only_camera().expect("clips of one camera");
        self.encoder.grid(spaces.frames, camera)
    }

    /// Checks that the model can be trained on clips of these streams.
    ///
    /// # Errors
    /// A message naming what does not fit.
    pub fn validate_spaces(&self, spaces: &Spaces) -> Result<(), String> {
        let (_, camera) = spaces.only_camera()?;
        self.encoder.validate_input(spaces.frames, camera)
    }
}

impl Options for MaskedJepaConfig {
    fn validate(&self) -> Result<(), String> {
        within("encoder", self.encoder.validate())?;
        within("predictor", self.predictor.validate())?;
        let learned = self.encoder.positions == PositionKind::Learned;
        ensure(
            !learned,
            "encoder.positions",
            "\"learned\"",
            "rope, rope-tiled or sin-cos, which the predictor has too",
        )?;
        let positions = check_positions("width", self.encoder.positions, self.predictor.width, self.predictor.heads);
        within("predictor", positions)?;
        ensure(!self.masks.is_empty(), "masks", "[]", "a list of at least one mask")?;
        for (index, mask) in self.masks.iter().enumerate() {
            within(&format!("masks[{index}]"), mask.validate())?;
        }
        ensure((0.0..=1.0).contains(&self.momentum), "momentum", self.momentum, "in [0, 1]")
    }
}
