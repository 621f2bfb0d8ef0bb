//! Configuration of the multi-view model.

use burn::tensor::Device;
use prevision_core::Spaces;
use prevision_core::config::check::{ensure, multiple_of, positive};
use prevision_core::config::{Options, within};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MultiViewJepa, ViewConfig};
use crate::Projector;
use crate::config::CHANNELS;
use crate::initialisation::draw_parameters;
use crate::video_vit::{AttentionKind, PositionKind, VideoVitConfig};

/// Configuration of a [`MultiViewJepa`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MultiViewConfig {
    /// The encoder. It needs `class_token = true`. By default upstream's form, of a small size: a tubelet of one frame, block-causal attention.
    pub encoder: VideoVitConfig,
    /// From class tokens to the embeddings that are compared.
    pub projector: MultiViewProjectorConfig,
    /// The views of a clip.
    pub views: ViewConfig,
}

impl Default for MultiViewConfig {
    fn default() -> Self {
        let encoder = VideoVitConfig {
            tubelet: 1,
            class_token: true,
            attention: AttentionKind::BlockCausal,
            ..VideoVitConfig::default()
        };
        Self { encoder, projector: MultiViewProjectorConfig::default(), views: ViewConfig::default() }
    }
}

/// Configuration of the projector of a [`MultiViewJepa`]. The default is upstream's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MultiViewProjectorConfig {
    /// Hidden units. Default 2048.
    pub hidden: usize,
    /// Numbers in an embedding. Default 256.
    pub dim: usize,
}

impl Default for MultiViewProjectorConfig {
    fn default() -> Self {
        Self { hidden: 2048, dim: 256 }
    }
}

impl MultiViewConfig {
    /// Builds the model with fresh weights drawn from the device's generator (seed the device first).
    pub fn init(&self, device: &Device) -> MultiViewJepa {
        let encoder = self.encoder.init(CHANNELS, device);
        let MultiViewProjectorConfig { hidden, dim } = self.projector;
        let projector = Projector::between(self.encoder.dim, hidden, dim, device);
        draw_parameters(&encoder);
        draw_parameters(&projector);
        MultiViewJepa { encoder, projector }
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

impl Options for MultiViewConfig {
    fn validate(&self) -> Result<(), String> {
        within("encoder", self.encoder.validate())?;
        ensure(self.encoder.class_token, "encoder.class_token", false, "true, as views are told by that token")?;
        let learned = self.encoder.positions == PositionKind::Learned;
        let allowed = "rope, rope-tiled or sin-cos, which are of any size";
        ensure(!learned, "encoder.positions", "\"learned\"", allowed)?;
        within("projector", positive("hidden", self.projector.hidden))?;
        within("projector", positive("dim", self.projector.dim))?;
        within("views", self.views.validate())?;
        within("views", multiple_of("size", self.views.size, "model.encoder.patch", self.encoder.patch))
    }
}
