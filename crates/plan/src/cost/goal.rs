//! What is known of the goal, computed once per episode.

use burn::prelude::*;
use prevision_kernels::Pixels;
use prevision_model::ActionJepa;

/// The goals of a batch of episodes, as costs need them.
#[derive(Clone, Debug)]
pub struct Goal {
    /// Latents of the goal observations, `[b, d]`.
    pub latent: Tensor<2>,
    /// What the model's distance head needs of them, `[b, e]`; `None` without that head.
    pub embedding: Option<Tensor<2>>,
}

impl Goal {
    /// Encodes goal observations.
    ///
    /// # Shapes
    /// - observation: `[b, c, 1, h, w]`
    pub fn encode(model: &ActionJepa, observation: impl Into<Pixels>) -> Self {
        let latents = model.encode(observation);
        let [rows, time, dim] = latents.dims();
        assert_eq!(time, 1, "a goal is one frame, not {time}");
        let latent = latents.reshape([rows, dim]);
        let embedding = model.heads.distance.as_ref().map(|head| head.goals(latent.clone()));
        Self { latent, embedding }
    }

    /// The goals of these rows, in this order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let indices: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
        let indices = Tensor::<1, Int>::from_data(TensorData::new(indices, [rows.len()]), &self.latent.device());
        let take = |tensor: &Tensor<2>| tensor.clone().select(0, indices.clone());
        Self { latent: take(&self.latent), embedding: self.embedding.as_ref().map(take) }
    }

    /// The goals of `count` rows from `start` on.
    #[must_use]
    pub fn narrow(&self, start: usize, count: usize) -> Self {
        let take = |tensor: &Tensor<2>| tensor.clone().narrow(0, start, count);
        Self { latent: take(&self.latent), embedding: self.embedding.as_ref().map(take) }
    }
}
