//! A world model worked by hand, for tests.

use burn::prelude::*;
use prevision_core::{Normalise, Space, Spaces};
use prevision_model::{Distance, DistanceHead, Latents, ModelSpec, ObservationBatch, Past, WorldModel};

/// The latent, of one token, moves by the action, and by a tenth of the actions before the present where they are known.
pub(crate) struct Drift {
    spec: ModelSpec,
    head: Option<DistanceHead>,
}

impl Drift {
    /// With latents and actions of `width` numbers.
    pub(crate) fn new(width: usize) -> Self {
        let spaces =
            Spaces { frames: 3, frame_step: 1, action: Some(Space::Unbounded { dim: width }), ..Spaces::default() };
        let normalise = Normalise::default();
        let spec = ModelSpec { spaces, normalise, history: 3, tokens: 1, token_width: width, static_tokens: 0 };
        Self { spec, head: None }
    }

    /// With a learned distance.
    pub(crate) fn with_distance(self, head: DistanceHead) -> Self {
        Self { head: Some(head), ..self }
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
}
