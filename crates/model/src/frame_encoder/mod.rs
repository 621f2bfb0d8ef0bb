//! Encoders of single frames: each turns one frame into one latent vector. Frames are folded into the batch.

mod impala;
mod patches;
mod pretrained;
mod strided_conv;
mod vit;

use crate::Pixels;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use prevision_core::Camera;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use impala::{Impala, ImpalaConfig};
pub use patches::{Patches, PatchesConfig};
pub use pretrained::{LatentOf, PretrainedEncoder, PretrainedEncoderConfig};
pub use strided_conv::{StridedConv, StridedConvConfig};
pub use vit::{FramePool, FrameVit, FrameVitConfig};

use crate::layers::LayerNorm;
use prevision_core::config::check::multiple_of;

/// The shape of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameShape {
    /// Colour channels.
    pub channels: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
}

impl From<Camera> for FrameShape {
    /// Cameras give red, green and blue.
    fn from(camera: Camera) -> Self {
        Self { channels: 3, height: camera.height, width: camera.width }
    }
}

/// Which frame encoder; the key `kind` chooses `impala`, `strided-conv` (default), `vit`, `patches` or `pretrained`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FrameEncoderConfig {
    /// Residual convolutions with max pooling.
    Impala(ImpalaConfig),
    /// A patch convolution and strided convolutions; fast on a CPU.
    StridedConv(StridedConvConfig),
    /// A vision transformer, mean-pooled or by its class token.
    Vit(FrameVitConfig),
    /// A token for every patch; the latent is all of them.
    Patches(PatchesConfig),
    /// A transformer that was trained elsewhere, frozen.
    Pretrained(PretrainedEncoderConfig),
}

impl Default for FrameEncoderConfig {
    fn default() -> Self {
        Self::StridedConv(StridedConvConfig::default())
    }
}

impl FrameEncoderConfig {
    /// Builds the encoder for frames of this shape.
    pub fn init(&self, input: FrameShape, device: &Device) -> FrameEncoder {
        match self {
            Self::Impala(config) => FrameEncoder::Impala(config.init(input, device)),
            Self::StridedConv(config) => FrameEncoder::StridedConv(config.init(input, device)),
            Self::Vit(config) => FrameEncoder::Vit(config.init(input, device)),
            Self::Patches(config) => FrameEncoder::Patches(config.init(input, device)),
            Self::Pretrained(config) => FrameEncoder::Pretrained(config.init(input, device)),
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        match self {
            Self::Impala(config) => config.validate(),
            Self::StridedConv(config) => config.validate(),
            Self::Vit(config) => config.validate(),
            Self::Patches(config) => config.validate(),
            Self::Pretrained(config) => config.validate(),
        }
    }

    /// The same with what it refers to.
    ///
    /// # Errors
    /// The key, its value and what is wrong with what it refers to.
    pub fn complete(self) -> Result<Self, String> {
        match self {
            Self::Pretrained(config) => config.complete().map(Self::Pretrained),
            other => Ok(other),
        }
    }

    /// Side of a patch, if latents are grids of tokens.
    pub(crate) fn patch(&self) -> Option<usize> {
        match self {
            Self::Patches(config) => Some(config.patch),
            Self::Pretrained(config) => config.patch(),
            Self::Impala(_) | Self::StridedConv(_) | Self::Vit(_) => None,
        }
    }

    /// Checks that frames of this camera can be encoded; `key` is that of the encoder, for messages.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate_input(&self, key: &str, camera: Camera) -> Result<(), String> {
        match self {
            Self::Impala(_) | Self::StridedConv(_) | Self::Patches(_) => Ok(()),
            Self::Vit(config) => {
                let patch = format!("{key}.patch");
                multiple_of("frame height", camera.height, &patch, config.patch)?;
                multiple_of("frame width", camera.width, &patch, config.patch)
            }
            Self::Pretrained(config) => config.validate_input(key, camera),
        }
    }
}

/// An encoder of single frames. All but those of patches, the pretrained one, and a vision transformer with a projector, end in a layer norm.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // one value lives for the whole run
pub enum FrameEncoder {
    /// Residual convolutions with max pooling.
    Impala(Impala),
    /// A patch convolution and strided convolutions.
    StridedConv(StridedConv),
    /// A vision transformer, mean-pooled or by its class token.
    Vit(FrameVit),
    /// A token for every patch.
    Patches(Patches),
    /// A frozen transformer.
    Pretrained(PretrainedEncoder),
}

impl FrameEncoder {
    /// Encodes every frame.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - output: `[batch, time, dim]`
    ///
    /// # Panics
    /// If channels, height or width are not those the encoder was built for.
    pub fn forward(&self, video: impl Into<Pixels>) -> Tensor<3> {
        let video = video.into();
        let [batch, _, time, _, _] = video.dims();
        let latents = match self {
            Self::Impala(encoder) => encoder.forward(video.single_frames().into_tensor().squeeze_dim(2)),
            Self::StridedConv(encoder) => encoder.forward(video),
            Self::Vit(encoder) => encoder.forward(video),
            Self::Patches(encoder) => encoder.forward(video),
            Self::Pretrained(encoder) => encoder.forward(video),
        };
        latents.reshape([batch, time, self.dim()])
    }

    /// The norm at the output; predictions of some predictors pass through it too.
    pub fn norm(&self) -> Option<&LayerNorm> {
        match self {
            Self::Impala(encoder) => Some(&encoder.norm),
            Self::StridedConv(encoder) => Some(&encoder.norm),
            Self::Vit(encoder) => encoder.norm.as_ref(),
            Self::Patches(_) | Self::Pretrained(_) => None,
        }
    }

    /// The same with weights that were learned elsewhere, where it has such.
    ///
    /// # Errors
    /// If they cannot be had; the message begins with the key below the model's.
    pub fn load_pretrained(self) -> Result<Self, String> {
        match self {
            Self::Pretrained(encoder) => encoder.load().map(Self::Pretrained),
            other => Ok(other),
        }
    }

    /// Whether every token of a latent is normalised without affine parameters.
    pub fn normalises(&self) -> bool {
        matches!(self, Self::Pretrained(encoder) if encoder.normalises())
    }

    /// Whether what it answers for a frame depends on the others while it is on the tape.
    pub(crate) fn has_batch_norm(&self) -> bool {
        matches!(self, Self::Vit(encoder) if encoder.projector.is_some())
    }

    /// Rows and columns of the tokens that a latent is made of, row by row; one token unless the encoder keeps a grid.
    pub fn grid(&self) -> [usize; 2] {
        match self {
            Self::Patches(encoder) => encoder.grid(),
            Self::Pretrained(encoder) => encoder.grid(),
            _ => [1, 1],
        }
    }

    /// Length of a latent vector.
    pub fn dim(&self) -> usize {
        let norm = match self {
            Self::Impala(encoder) => &encoder.norm,
            Self::StridedConv(encoder) => &encoder.norm,
            Self::Vit(encoder) => return encoder.dim(),
            Self::Patches(encoder) => return encoder.dim(),
            Self::Pretrained(encoder) => return encoder.dim(),
        };
        let [dim] = norm.gamma.lazy_shape().dims();
        dim
    }
}
