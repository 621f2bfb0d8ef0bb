//! The world model as evaluation and planning know it.

use burn::tensor::{Tensor, assert_shape};
use prevision_kernels::Pixels;

use crate::ActionJepa;

/// Encodes observations and imagines the latents that follow action sequences. Used off the tape: take `model.valid()` and tensors
/// of a device without autodiff.
pub trait WorldModel {
    /// Encodes every frame.
    ///
    /// # Shapes
    /// - observation: `[batch, channels, time, height, width]`
    /// - output: `[batch, time, dim]`
    fn encode(&self, observation: Pixels) -> Tensor<3>;

    /// Imagines several action sequences from the same past.
    ///
    /// # Shapes
    /// - latents: `[batch, h, dim]`, consecutive, the last one is the present
    /// - actions: `[batch, samples, h - 1 + k, action]`; action `i` leaves latent `i`
    /// - output: `[batch, samples, k, dim]`
    fn rollout(&self, latents: Tensor<3>, actions: Tensor<4>) -> Tensor<4>;

    /// Length of a latent vector.
    fn latent_dim(&self) -> usize;

    /// How many past latents the model can use.
    fn history(&self) -> usize;
}

impl WorldModel for ActionJepa {
    fn encode(&self, observation: Pixels) -> Tensor<3> {
        ActionJepa::encode(self, observation)
    }

    fn rollout(&self, latents: Tensor<3>, actions: Tensor<4>) -> Tensor<4> {
        let [batch, samples, steps, action_dim] = actions.dims();
        let [_, history, dim] = latents.dims();
        assert_shape!(latents, [batch, _, _]);
        let rows = batch * samples;
        let start = latents.unsqueeze_dim::<4>(1).expand([batch, samples, history, dim]).reshape([rows, history, dim]);
        let predicted = ActionJepa::rollout(self, start, actions.reshape([rows, steps, action_dim]));
        predicted.reshape([batch, samples, steps + 1 - history, dim])
    }

    fn latent_dim(&self) -> usize {
        ActionJepa::latent_dim(self)
    }

    fn history(&self) -> usize {
        ActionJepa::history(self)
    }
}
