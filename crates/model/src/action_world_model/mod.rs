//! The action-conditioned model, frozen: as planning and as evaluation know it.

mod adaptable;

use burn::tensor::{Device, Tensor};
use prevision_core::{Normalise, Spaces};

use crate::adaptable::Adaptable;
use crate::frozen::{Forecast, FrozenModel, Wanted, predict};
use crate::normalise::normalise_latents;
use crate::predictor::Moments;
use crate::world_model::{Distance, InverseModel, Latents, ModelSpec, Past, SlowModel, WorldModel};
use crate::{ActionJepa, ClipBatch, ObservationBatch, PositionScale};

/// An [`ActionJepa`] off the tape, with what is fixed about it.
pub struct ActionWorldModel {
    model: ActionJepa,
    spec: ModelSpec,
    /// Whether predictions aim at normalised latents.
    normalise_targets: bool,
    device: Device,
}

impl ActionWorldModel {
    /// `model` is off the tape (`model.valid()`) and on `device`. Tokens of the static part come first, if they are as wide as the
    /// others; else a latent is one token.
    pub fn new(
        model: ActionJepa,
        spaces: Spaces,
        normalise: Normalise,
        normalise_targets: bool,
        device: Device,
    ) -> Self {
        let [rows, columns] = model.encoder.grid();
        let (places, still, all) = (rows * columns, model.static_dim(), model.latent_dim());
        let moving = all - still;
        let (tokens, static_tokens, grid) = match still {
            0 => (places, 0, [rows, columns]),
            still if still == moving => (2 * places, places, [rows, columns]),
            _ => (1, 0, [1, 1]),
        };
        let history = model.history();
        let token_width = all / tokens;
        let spec = ModelSpec { spaces, normalise, history, tokens, token_width, static_tokens, grid };
        Self { model, spec, normalise_targets, device }
    }

    /// The same with another model of the same shape.
    fn with(&self, model: ActionJepa) -> Self {
        Self { model, spec: self.spec.clone(), normalise_targets: self.normalise_targets, device: self.device.clone() }
    }

    /// Vectors as tokens.
    ///
    /// # Shapes
    /// - vectors: `[b, t, tokens * d]`
    /// - output: `[b, t, tokens, d]`
    fn tokens(&self, vectors: Tensor<3>) -> Tensor<4> {
        let [rows, time, _] = vectors.dims();
        vectors.reshape([rows, time, self.spec.tokens, self.spec.token_width])
    }
}

impl WorldModel for ActionWorldModel {
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn device(&self) -> Device {
        self.device.clone()
    }

    fn encode(&self, seen: &ObservationBatch) -> Latents {
        let carry = self.model.proprioception.as_ref().map(|name| seen.vectors[name].clone());
        Latents { tokens: self.tokens(self.model.encode(seen.only_camera().clone())), carry }
    }

    fn imagine(&self, past: &Past, actions: Tensor<4>) -> Latents {
        let [episodes, samples, steps, width] = actions.dims();
        let rows = episodes * samples;
        let for_samples = |moments: Tensor<3>| {
            let [_, history, width] = moments.dims();
            let moments = moments.unsqueeze_dim::<4>(1).expand([episodes, samples, history, width]);
            moments.reshape([rows, history, width])
        };
        let start = Moments {
            latents: for_samples(past.latents.vectors()),
            proprioception: past.latents.carry.clone().map(for_samples),
        };
        let history = start.latents.dims()[1];
        let actions = match &past.actions {
            Some(before) => {
                let known = before.dims()[1];
                let before = before.clone().unsqueeze_dim::<4>(1).expand([episodes, samples, known, width]);
                Tensor::cat(vec![before, actions], 2)
            }
            None => actions,
        };
        let actions = actions.reshape([rows, history - 1 + steps, width]);
        let next = self.model.rollout_moments(start, actions);
        Latents { tokens: self.tokens(next.latents), carry: next.proprioception }
    }

    fn distance(&self) -> Option<&dyn Distance> {
        self.model.heads.distance.as_ref().map(|head| head as &dyn Distance)
    }

    fn inverse_dynamics(&self) -> Option<&dyn InverseModel> {
        self.model.heads.inverse_dynamics.as_ref().map(|head| head as &dyn InverseModel)
    }

    fn levels(&self) -> Vec<&dyn SlowModel> {
        self.model.heads.levels.iter().map(|level| level as &dyn SlowModel).collect()
    }

    fn adaptable(&self) -> Option<&dyn Adaptable> {
        // On the tape a batch norm would mix the episodes.
        (!self.model.has_batch_norm()).then_some(self as &dyn Adaptable)
    }

    fn readout(&self, name: &str, latents: &Latents) -> Option<Tensor<3>> {
        let head = self.model.heads.position.as_ref().filter(|_| name == "position")?;
        let camera = self.spec.spaces.cameras.values().next()?;
        let [rows, time, tokens, width] = latents.dims();
        let vectors = latents.tokens.clone().reshape([rows * time, tokens * width]);
        let scale = PositionScale::new(camera.width, camera.height);
        Some(scale.to_pixels(head.forward(vectors)).reshape([rows, time, 2]))
    }
}

impl FrozenModel for ActionWorldModel {
    fn spaces(&self) -> &Spaces {
        &self.spec.spaces
    }

    fn normalise(&self) -> &Normalise {
        &self.spec.normalise
    }

    fn device(&self) -> Device {
        self.device.clone()
    }

    fn longest_horizon(&self) -> (usize, &'static str) {
        (self.spec.spaces.frames.saturating_sub(1), "steps")
    }

    fn forecast(&self, batch: &ClipBatch, wanted: Wanted) -> Forecast {
        let video = batch.observations.only_camera();
        let latents = self.encode(&batch.observations);
        let predicted = (wanted.steps > 0).then(|| predict(self, &latents, batch, wanted.steps));
        let has_target = self.model.target.is_some();
        let targets = if has_target { self.model.encode_target(video.clone()) } else { latents.vectors() };
        let targets = if self.normalise_targets { normalise_latents(targets) } else { targets };
        let apart = wanted.context && (has_target || self.normalise_targets);
        Forecast { context: apart.then_some(latents.tokens), targets: self.tokens(targets), observed: 1, predicted }
    }

    fn static_tokens(&self) -> usize {
        self.spec.static_tokens
    }
}
