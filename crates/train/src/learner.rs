//! Either kind of model with its objective: what the training loop needs to know of them.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use prevision_data::{ClipBatch, ClipShape};
use prevision_kernels::Pixels;
use prevision_model::{InputShape, Jepa, MaskSampler, ModelConfig};
use prevision_objective::{ActionInputs, LossTerms, PositionScale};

use crate::TrainError;
use crate::config::ExperimentConfig;

/// The sizes of the clips of a data set, as a model needs them.
pub fn input_shape(shape: &ClipShape) -> InputShape {
    InputShape {
        channels: 3,
        frames: shape.frames,
        height: shape.height,
        width: shape.width,
        action_dim: shape.action_dim.unwrap_or(0),
        state_dim: shape.state_dim.unwrap_or(0),
    }
}

/// The objective applied to a kind of model.
pub struct Learner<'a> {
    config: &'a ExperimentConfig,
    /// For masked models.
    masks: Option<MaskSampler>,
}

impl<'a> Learner<'a> {
    /// Checks that model and objective can use clips of this shape.
    ///
    /// # Errors
    /// [`TrainError::Experiment`] with the key, its value and what the data allow.
    pub fn new(config: &'a ExperimentConfig, input: &InputShape) -> Result<Self, TrainError> {
        config.model.validate_input(input).map_err(TrainError::Experiment)?;
        let masks = match &config.model {
            ModelConfig::ActionConditioned(_) => {
                config.objective.validate_action(input).map_err(TrainError::Experiment)?;
                None
            }
            ModelConfig::Masked(model) => {
                config.objective.validate_masked().map_err(TrainError::Experiment)?;
                Some(MaskSampler::new(&model.masks, model.encoder.grid(input), config.seed))
            }
        };
        Ok(Self { config, masks })
    }

    /// A model with fresh weights, which depend on the seed alone: they are drawn on the CPU, whatever the device. On
    /// the tape if the device is.
    pub fn init(&self, input: &InputShape, device: &Device) -> Jepa {
        let cpu = if device.is_autodiff() { Device::flex().autodiff() } else { Device::flex() };
        cpu.seed(self.config.seed);
        self.config.model.init(input, &self.config.objective.heads(), &cpu).fork(device)
    }

    /// The terms of batch `number`; all their random choices depend on the seed and that number.
    pub fn terms(&self, model: &Jepa, batch: ClipBatch, number: u64) -> LossTerms {
        let objective = &self.config.objective;
        match (model, &self.masks) {
            (Jepa::Action(model), _) => {
                let episodes: Vec<usize> = batch.sources.iter().map(|source| source.video).collect();
                let step = self.config.data.frame_step as f64;
                let starts: Vec<f64> = batch.sources.iter().map(|source| source.start as f64 / step).collect();
                let actions = batch.actions.expect("validated: the data have actions");
                let inputs = ActionInputs {
                    video: batch.video,
                    actions,
                    state: batch.state,
                    episodes: &episodes,
                    starts: &starts,
                };
                objective.action_terms(model, &inputs, number, self.config.seed)
            }
            (Jepa::Masked(model), Some(masks)) => {
                let pairs = masks.sample(batch.video.dims()[0], number);
                objective.masked_terms(model, batch.video, &pairs)
            }
            (Jepa::Masked(_), None) => unreachable!("a masked model is built with its mask sampler"),
        }
    }
}

/// The latents of clips, one row per frame or token: `[n, dim]`, off the tape.
pub(crate) fn latents(model: &Jepa, video: Pixels) -> Tensor<2> {
    let video = video.without_autodiff();
    match model.valid() {
        Jepa::Action(model) => model.encode(video).flatten(0, 1),
        Jepa::Masked(model) => model.encode(video).flatten(0, 1),
    }
}

/// Where the model's position head sees the agent in each frame of `video` `[1, c, t, h, w]`: `[t, 2]` in pixels, x then y.
pub(crate) fn positions(model: &Jepa, video: Pixels) -> Option<Tensor<2>> {
    let [.., height, width] = video.dims();
    let Jepa::Action(model) = model.valid() else { return None };
    let head = model.heads.position.as_ref()?;
    let latents = model.encode(video.without_autodiff()).flatten(0, 1);
    Some(PositionScale::new(width, height).to_pixels(head.forward(latents)))
}
