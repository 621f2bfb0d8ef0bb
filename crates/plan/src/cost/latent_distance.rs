//! Mean squared distance of latents.

use burn::prelude::*;

use super::{Cost, Goal, Imagined, Steps};

/// The mean over the latent's components of the squared difference to the goal's latent (`eb_jepa`'s planning objective).
#[derive(Clone, Copy, Debug)]
pub struct LatentDistance {
    /// Which steps count.
    pub steps: Steps,
}

impl Cost for LatentDistance {
    fn cost(&self, imagined: &Imagined, goal: &Goal) -> Tensor<2> {
        let latents = self.steps.counted(imagined.latents.clone());
        let [rows, samples, steps, dim] = latents.dims();
        let difference =
            latents.reshape([rows, samples, steps * dim]) - goal.latent.clone().repeat_dim(1, steps).unsqueeze_dim(1);
        difference.square().sum_dim(2).reshape([rows, samples]) / dim as f32
    }
}
