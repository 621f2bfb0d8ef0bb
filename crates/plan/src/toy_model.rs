//! A world model worked by hand, for tests.

use std::collections::BTreeMap;

use burn::prelude::*;
use prevision_core::{Normalise, Space, Spaces};
use prevision_model::{Distance, DistanceHead, InverseModel, Latents, ModelSpec, ObservationBatch, Past, WorldModel};

/// The latent, of one token, is the state. It moves by the action, and by a tenth of the actions before the present where they are known.
/// Where it has two numbers, the position is twice the latent.
pub(crate) struct Drift {
    spec: ModelSpec,
    head: Option<DistanceHead>,
    inverse: bool,
}

impl Drift {
    /// With latents and actions of `width` numbers.
    pub(crate) fn new(width: usize) -> Self {
        let vectors = BTreeMap::from([("state".to_owned(), width)]);
        let action = Some(Space::Unbounded { dim: width });
        let spaces = Spaces { frames: 3, vectors, action, ..Spaces::default() };
        let normalise = Normalise::default();
        let spec = ModelSpec { history: 3, ..ModelSpec::of_vectors(&spaces, &normalise, width) };
        Self { spec, head: None, inverse: false }
    }

    /// With a learned distance.
    pub(crate) fn with_distance(self, head: DistanceHead) -> Self {
        Self { head: Some(head), ..self }
    }

    /// With the inverse of its dynamics, as far as they depend on the action alone.
    pub(crate) fn with_inverse(self) -> Self {
        Self { inverse: true, ..self }
    }

    /// With actions that are blocks of `block` raw ones.
    pub(crate) fn in_blocks(mut self, block: usize) -> Self {
        let width = self.spec.spaces.action_width() / block;
        self.spec.spaces.frame_step = block;
        self.spec.spaces.action = Some(Space::Unbounded { dim: width });
        self
    }
}

impl WorldModel for Drift {
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn device(&self) -> Device {
        Device::flex()
    }

    fn encode(&self, seen: &ObservationBatch) -> Latents {
        let state = seen.vectors["state"].clone();
        Latents::new(state.unsqueeze_dim(2))
    }

    fn imagine(&self, past: &Past, actions: Tensor<4>) -> Latents {
        let [rows, samples, horizon, width] = actions.dims();
        let mut present = past.latents.last().tokens;
        if let Some(before) = &past.actions {
            present = present + before.clone().sum_dim(1).unsqueeze_dim(2) * 0.1;
        }
        let latents = present + actions.cumsum(2);
        Latents::new(latents.reshape([rows * samples, horizon, 1, width]))
    }

    fn distance(&self) -> Option<&dyn Distance> {
        self.head.as_ref().map(|head| head as &dyn Distance)
    }

    fn inverse_dynamics(&self) -> Option<&dyn InverseModel> {
        self.inverse.then_some(&Difference as &dyn InverseModel)
    }

    fn readout(&self, name: &str, latents: &Latents) -> Option<Tensor<3>> {
        (name == "position" && self.spec.token_width == 2).then(|| latents.vectors() * 2.0)
    }
}

/// The action is how far the latent moves.
struct Difference;

impl InverseModel for Difference {
    fn action(&self, now: Tensor<3>, next: Tensor<3>) -> Tensor<2> {
        (next - now).flatten(1, 2)
    }
}
