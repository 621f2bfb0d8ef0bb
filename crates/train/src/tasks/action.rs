//! The action-conditioned model with its losses, from one encoding of the clips.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use prevision_core::config::check::message;
use prevision_core::{Normalise, Spaces};
use prevision_model::{
    ActionJepa, ActionJepaConfig, ActionWorldModel, ClipBatch, FrozenModel, Moments, PositionScale, WorldModel,
    normalise_latents,
};
use prevision_objective::{Draw, Frames, LossTerms, Needs, Prediction, Seen, spread};

use super::ModelContext;
use crate::schedule::momentum;
use crate::{AnyTask, Task};

/// Training of an [`ActionJepa`].
pub struct ActionTask {
    model: ActionJepaConfig,
    context: ModelContext,
    needs: Needs,
}

/// Clips as the predictor sees them.
struct Clips {
    /// The encoded moments, from the first.
    moments: Moments,
    /// What predictions of the moments after the first aim at, `[batch, steps, dim]`.
    targets: Tensor<3>,
    /// `[batch, time - 1, action]`
    actions: Tensor<3>,
}

/// Makes the task for the registry.
pub(super) fn make(model: ActionJepaConfig, context: &ModelContext) -> Result<Box<dyn AnyTask>, String> {
    Ok(Box::new(ActionTask::new(model, context)?))
}

impl ActionTask {
    /// The task of a valid configuration.
    ///
    /// # Errors
    /// The key below `[model]` that does not fit the objective or the schedule.
    pub fn new(model: ActionJepaConfig, context: &ModelContext) -> Result<Self, String> {
        let still = context.objective.first_that_needs(|needs| needs.static_part);
        if let (None, Some(term)) = (&model.static_encoder, still) {
            return Err(message("static_encoder", "unset", format_args!("given for objective.{term}: set its kind")));
        }
        if let (Some(momentum), None) = (context.final_momentum, model.target.momentum()) {
            let allowed = format!("\"momentum\" with schedule.final_momentum = {momentum}");
            return Err(message("target.kind", "\"shared\"", allowed));
        }
        let needs = context.objective.needs();
        if needs.heads.levels == model.levels.is_empty() {
            let (levels, allowed) = match model.levels.len() {
                0 => ("none".to_owned(), "one [[model.levels]] at least for objective.levels to train"),
                count => (format!("{count} tables"), "left out, or trained: give objective.levels a weight"),
            };
            return Err(message("levels", levels, allowed));
        }
        Ok(Self { model, context: context.clone(), needs })
    }

    /// How many moments, from the first, the context encoder has to see of `time`.
    fn moments_to_encode(&self, model: &ActionJepa, time: usize) -> usize {
        match (self.needs.frames, &model.target) {
            (Frames::All, _) => time,
            (Frames::First, Some(_)) => 1,
            (Frames::First, None) => self.needs.rollout.unwrap_or(0) + 1,
        }
    }

    /// The rollout from the first moment alone with the true actions, so that a predictor with a longer history learns every shorter
    /// one too.
    fn rollout(&self, model: &ActionJepa, clips: &Clips, steps: usize) -> Prediction {
        let predicted = model.rollout_moments(clips.moments.narrow(0, 1), clips.actions.clone().narrow(1, 0, steps));
        self.aimed(predicted, clips)
    }

    /// Predictions of every moment after the first, each from those before it as they were encoded.
    fn one_step(&self, model: &ActionJepa, clips: &Clips) -> Prediction {
        let [_, steps, _] = clips.actions.dims();
        self.aimed(model.one_step(&clips.moments.narrow(0, steps), clips.actions.clone()), clips)
    }

    /// Predictions of the moments after the first, and what they aim at: latents, and proprioception behind them.
    fn aimed(&self, predicted: Moments, clips: &Clips) -> Prediction {
        let [_, steps, _] = predicted.latents.dims();
        let target = clips.targets.clone().narrow(1, 0, steps);
        let target = if self.needs.normalised_targets { normalise_latents(target) } else { target };
        match (predicted.proprioception, &clips.moments.proprioception) {
            (Some(state), Some(states)) => Prediction {
                predicted: Tensor::cat(vec![predicted.latents, state], 2),
                target: Tensor::cat(vec![target, states.clone().narrow(1, 1, steps)], 2),
            },
            _ => Prediction { predicted: predicted.latents, target },
        }
    }

    fn freeze(&self, model: ActionJepa, spaces: &Spaces, normalise: &Normalise, device: &Device) -> ActionWorldModel {
        let normalised = self.needs.normalised_targets;
        ActionWorldModel::new(model, spaces.clone(), *normalise, normalised, device.clone())
    }
}

impl Task for ActionTask {
    type Model = ActionJepa;

    fn validate(&self, spaces: &Spaces) -> Result<(), String> {
        self.model.validate_spaces(spaces)?;
        let longest = spaces.frames.saturating_sub(1);
        let too_long = |needs: &Needs| needs.rollout.is_some_and(|steps| steps > longest);
        if let (Some(term), Some(steps)) = (self.context.objective.first_that_needs(too_long), self.needs.rollout) {
            let allowed = format!("{longest} or less with clips of {} frames (data.frames)", spaces.frames);
            return Err(message(&format!("objective.{term}.rollout_steps"), steps, allowed));
        }
        if let Some(index) = self.model.levels.iter().position(|level| level.stride > longest) {
            let allowed = format!("{longest} or less with clips of {} frames (data.frames)", spaces.frames);
            return Err(message(&format!("model.levels[{index}].stride"), self.model.levels[index].stride, allowed));
        }
        self.context.objective.validate(spaces)
    }

    fn init(&self, spaces: &Spaces, device: &Device) -> ActionJepa {
        self.model.init(spaces, &self.needs.heads, device)
    }

    fn prepare(&self, model: ActionJepa) -> Result<ActionJepa, String> {
        ActionJepaConfig::load_pretrained(model)
    }

    fn terms(&self, model: &ActionJepa, batch: ClipBatch, draw: &Draw) -> LossTerms {
        let video = batch.observations.only_camera();
        let [_, _, time, height, width] = video.dims();
        let encoded = self.moments_to_encode(model, time);
        let latents = model.encode_clips(video.clone().frames(0, encoded));
        let static_width = model.static_dim();
        let [rows, columns] = model.encoder.grid();
        let spread = spread(&latents, static_width, rows * columns, &batch.episodes());
        let clips = || {
            let proprioception = model.proprioception.as_ref().map(|name| batch.observations.vectors[name].clone());
            let reach = if self.needs.one_step { time - 1 } else { self.needs.rollout.unwrap_or(0) };
            let targets = match &model.target {
                Some(_) => model.encode_target(video.clone().frames(1, reach)),
                None => latents.clone().narrow(1, 1, reach),
            };
            Clips {
                moments: Moments { latents: latents.clone(), proprioception },
                targets,
                actions: batch.actions.clone().expect("validated: clips with actions"),
            }
        };
        let clips = (self.needs.rollout.is_some() || self.needs.one_step).then(clips);
        let predictions: Vec<Prediction> = self
            .needs
            .rollout
            .zip(clips.as_ref())
            .map(|(steps, clips)| self.rollout(model, clips, steps))
            .into_iter()
            .collect();
        let one_step = clips.as_ref().filter(|_| self.needs.one_step).map(|clips| self.one_step(model, clips));
        self.context.objective.terms(&Seen {
            latents: Some(latents),
            predictions,
            one_step,
            spread,
            batch: &batch,
            heads: Some(&model.heads),
            static_width,
            frame: [height, width],
            draw: *draw,
        })
    }

    fn after_step(&self, model: ActionJepa, done: f64) -> ActionJepa {
        match self.momentum(done) {
            Some(momentum) => model.update_target(momentum),
            None => model,
        }
    }

    fn momentum(&self, done: f64) -> Option<f64> {
        self.model.target.momentum().map(|start| momentum(start, self.context.final_momentum, done))
    }

    fn latents(&self, model: &ActionJepa, batch: &ClipBatch) -> Option<Tensor<2>> {
        let video = batch.observations.only_camera().clone().without_autodiff();
        Some(model.valid().encode(video).flatten(0, 1))
    }

    fn positions(&self, model: &ActionJepa, batch: &ClipBatch) -> Option<Tensor<2>> {
        model.heads.position.as_ref()?;
        let (model, video) = (model.valid(), batch.observations.only_camera().clone().without_autodiff());
        let [.., height, width] = video.dims();
        let read = model.heads.position.as_ref()?.forward(model.encode(video).flatten(0, 1));
        Some(PositionScale::new(width, height).to_pixels(read))
    }

    fn world_model(
        &self,
        model: ActionJepa,
        spaces: &Spaces,
        normalise: &Normalise,
        device: &Device,
    ) -> Option<Arc<dyn WorldModel>> {
        Some(Arc::new(self.freeze(model, spaces, normalise, device)))
    }

    fn frozen(
        &self,
        model: ActionJepa,
        spaces: &Spaces,
        normalise: &Normalise,
        device: &Device,
    ) -> Option<Arc<dyn FrozenModel>> {
        Some(Arc::new(self.freeze(model, spaces, normalise, device)))
    }
}
