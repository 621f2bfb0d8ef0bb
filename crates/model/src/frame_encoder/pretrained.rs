//! An encoder whose weights were learned elsewhere, frozen: a token for every patch of a frame, or one vector.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use prevision_core::Camera;
use prevision_core::config::check::{ensure, multiple_of};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FrameShape;
use crate::pretrained::{FeatureCache, Pretrained, PretrainedSpec};
use crate::video_vit::VideoVit;
use crate::{Pixels, normalise_latents};

/// Frames that are encoded at once, at most.
const AT_ONCE: usize = 16;

/// What a latent is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LatentOf {
    /// All tokens of the patches, row by row (V-JEPA 2-AC, DINO-WM).
    #[default]
    Tokens,
    /// Their mean.
    Mean,
    /// The class token.
    Class,
}

/// Configuration of a [`PretrainedEncoder`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PretrainedEncoderConfig {
    /// A file of `prevision import`. Read when a training begins; the run keeps the weights.
    pub path: PathBuf,
    /// What a latent is made of. Default `tokens`.
    pub latent: LatentOf,
    /// Whether every token is layer-normed without affine parameters, and predictions of it too (V-JEPA 2-AC, `normalize_reps`). Default true.
    pub normalise: bool,
    /// A folder where latents of frames are kept, so that none is computed twice, in this training or in another. Unset: they are not kept.
    pub cache: Option<PathBuf>,
    /// What the file says it holds. Filled in when an experiment is read.
    pub holds: Option<String>,
}

impl Default for PretrainedEncoderConfig {
    fn default() -> Self {
        Self { path: PathBuf::new(), latent: LatentOf::default(), normalise: true, cache: None, holds: None }
    }
}

impl PretrainedEncoderConfig {
    /// The same with what the file holds.
    ///
    /// # Errors
    /// The key `path`, its value and why there is no pretrained model.
    pub fn complete(self) -> Result<Self, String> {
        if self.holds.is_some() {
            return Ok(self);
        }
        let wrong = |message: String| {
            format!(
                "path is {:?}, but must be a file of `prevision import`: {message}",
                self.path.display().to_string()
            )
        };
        if self.path.as_os_str().is_empty() {
            return Err(wrong("it is not given".to_owned()));
        }
        let spec = PretrainedSpec::of_file(&self.path).map_err(|error| wrong(error.to_string()))?;
        let holds = serde_json::to_string(&spec).map_err(|error| error.to_string())?;
        let complete = Self { holds: Some(holds), ..self };
        complete.validate()?;
        Ok(complete)
    }

    /// What the file holds.
    fn spec(&self) -> Result<PretrainedSpec, String> {
        let text = self.holds.as_deref().ok_or("holds is unset, but must be what the file at `path` says of itself")?;
        serde_json::from_str(text)
            .map_err(|error| format!("holds is not what a file of `prevision import` says: {error}"))
    }

    /// Builds the encoder for frames of this shape, with fresh weights: [`PretrainedEncoder::load`] brings in the others.
    ///
    /// # Panics
    /// If it is not known what the file holds: [`validate_input`](Self::validate_input) refuses that.
    pub fn init(&self, input: FrameShape, device: &Device) -> PretrainedEncoder {
        let spec = self.spec().expect("validated: it is known what the file holds");
        let patch = spec.encoder.patch;
        let grid = [input.height / patch, input.width / patch];
        PretrainedEncoder {
            vit: spec.encoder.init(input.channels, device).freeze(),
            grid: if self.latent == LatentOf::Tokens { grid } else { [1, 1] },
            width: spec.encoder.dim,
            fixed: Arc::new(Fixed {
                cache: self.cache.as_ref().map(|folder| {
                    FeatureCache::new(
                        folder,
                        &self.cache_key(&spec, grid),
                        Self::numbers(self.latent, grid, spec.encoder.dim),
                    )
                }),
                tubelet: spec.encoder.tubelet,
                mean: spec.input.mean,
                std: spec.input.std,
                latent: self.latent,
                normalise: self.normalise,
                path: self.path.clone(),
                hash: spec.weights,
            }),
        }
    }

    /// What latents of a frame depend on beside its pixels.
    fn cache_key(&self, spec: &PretrainedSpec, [rows, columns]: [usize; 2]) -> String {
        let what = format!("{:?} {} {:?} {:?}", self.latent, self.normalise, spec.input.mean, spec.input.std);
        format!("{} {rows}x{columns} {what}", spec.weights)
    }

    /// Numbers in a latent.
    fn numbers(latent: LatentOf, [rows, columns]: [usize; 2], width: usize) -> usize {
        if latent == LatentOf::Tokens { rows * columns * width } else { width }
    }

    /// Side of a patch, if latents are grids of tokens; `None` also as long as it is not known what the file holds.
    pub(crate) fn patch(&self) -> Option<usize> {
        let spec = self.spec().ok()?;
        (self.latent == LatentOf::Tokens).then_some(spec.encoder.patch)
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        if self.holds.is_none() {
            return Ok(());
        }
        let spec = self.spec()?;
        let has_class = self.latent != LatentOf::Class || spec.encoder.class_token;
        ensure(has_class, "latent", "\"class\"", "\"tokens\" or \"mean\": the pretrained encoder has no class token")
    }

    /// Checks that frames of this camera can be encoded; `key` is that of the encoder.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate_input(&self, key: &str, camera: Camera) -> Result<(), String> {
        let patch = self.spec().map_err(|message| format!("{key}.{message}"))?.encoder.patch;
        let of = format!("the patch of {key}");
        multiple_of("frame height", camera.height, &of, patch)?;
        multiple_of("frame width", camera.width, &of, patch)
    }
}

/// A frozen encoder of single frames. One of tubelets sees a frame as often as a tubelet has frames, as V-JEPA 2-AC does.
#[derive(Module, Debug)]
pub struct PretrainedEncoder {
    vit: VideoVit,
    #[module(skip)]
    grid: [usize; 2],
    width: usize,
    #[module(skip)]
    fixed: Arc<Fixed>,
}

/// What is not learned.
#[derive(Debug)]
struct Fixed {
    cache: Option<FeatureCache>,
    tubelet: usize,
    mean: [f32; 3],
    std: [f32; 3],
    latent: LatentOf,
    normalise: bool,
    path: PathBuf,
    /// SHA-256 of the weights.
    hash: String,
}

impl PretrainedEncoder {
    /// The same with the weights of its file.
    ///
    /// # Errors
    /// If they cannot be read, or are others than those that the run was begun with.
    pub fn load(self) -> Result<Self, String> {
        let Fixed { path, hash, .. } = &*self.fixed;
        let broken = |message: String| format!("path is {:?}: {message}", path.display().to_string());
        let device = self.vit.norm.gamma.lazy_device();
        let read = Pretrained::load(Path::new(path), &device.clone().without_autodiff());
        let read = read.map_err(|error| broken(error.to_string()))?;
        if read.spec.weights != *hash {
            return Err(broken("holds other weights than those that the experiment was made for".to_owned()));
        }
        Ok(Self { vit: read.networks.encoder.fork(&device).freeze(), ..self })
    }

    /// Encodes every frame, off the tape. Latents that are kept are not computed again.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - output: `[batch * time, dim]`
    pub fn forward(&self, video: Pixels) -> Tensor<2> {
        let device = video.device();
        let frames = video.without_autodiff().normalised_by(self.fixed.mean, self.fixed.std).single_frames();
        let latents = match &self.fixed.cache {
            Some(cache) => cache.latents(&frames, |missing| self.encode(missing)),
            None => self.encode(frames),
        };
        if device.is_autodiff() { latents.autodiff() } else { latents }
    }

    /// # Shapes
    /// - frames: `[n, channels, 1, height, width]`
    /// - output: `[n, dim]`
    fn encode(&self, frames: Pixels) -> Tensor<2> {
        let vit = self.vit.clone().valid();
        let Fixed { tubelet, latent, normalise, .. } = &*self.fixed;
        let count = frames.dims()[0];
        let parts = (0..count).step_by(AT_ONCE).map(|first| {
            let part = frames.clone().clips(first, AT_ONCE.min(count - first));
            let features = vit.features(part.repeated(*tubelet), None, &[vit.blocks.len()]).remove(0);
            let tokens = match latent {
                LatentOf::Tokens => features.tokens,
                LatentOf::Mean => features.tokens.mean_dim(1),
                LatentOf::Class => features.prefix.expect("validated: a class token").narrow(1, 0, 1),
            };
            let tokens = if *normalise { normalise_latents(tokens) } else { tokens };
            tokens.flatten::<2>(1, 2)
        });
        Tensor::cat(parts.collect(), 0)
    }

    /// Rows and columns of tokens; one token where the latent is a vector.
    pub fn grid(&self) -> [usize; 2] {
        self.grid
    }

    /// Length of a latent.
    pub fn dim(&self) -> usize {
        self.grid[0] * self.grid[1] * self.width
    }

    /// Whether tokens are normalised without affine parameters, as predictions of them must be.
    pub fn normalises(&self) -> bool {
        self.fixed.normalise
    }
}
