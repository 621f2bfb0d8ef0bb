//! A world model out of two functions.

use burn::tensor::{Device, Tensor};

use crate::{Latents, ModelSpec, ObservationBatch, Past, WorldModel};

/// A world model whose latent is one vector and which predicts from the last latent alone: all that planning and evaluation need of a
/// small network of one's own.
pub struct VectorWorldModel<E, R> {
    /// What is fixed about it, see [`ModelSpec::of_vectors`].
    pub spec: ModelSpec,
    /// Where its weights are.
    pub device: Device,
    /// Encodes every moment to a vector, `[b, t, d]`.
    pub encode: E,
    /// Rolls out actions `[n, k, a]` from latents `[n, 1, d]`: the latents after each, `[n, k, d]`.
    pub roll_out: R,
}

impl<E, R> WorldModel for VectorWorldModel<E, R>
where
    E: Fn(&ObservationBatch) -> Tensor<3> + Send + Sync,
    R: Fn(Tensor<3>, Tensor<3>) -> Tensor<3> + Send + Sync,
{
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn device(&self) -> Device {
        self.device.clone()
    }

    fn encode(&self, seen: &ObservationBatch) -> Latents {
        Latents::new((self.encode)(seen).unsqueeze_dim(2))
    }

    fn imagine(&self, past: &Past, actions: Tensor<4>) -> Latents {
        let [rows, samples, steps, width] = actions.dims();
        let last = past.latents.last().vectors();
        let start = last.repeat_dim(1, samples).reshape([rows * samples, 1, self.spec.token_width]);
        let actions = actions.reshape([rows * samples, steps, width]);
        Latents::new((self.roll_out)(start, actions).unsqueeze_dim(2))
    }
}

#[cfg(test)]
mod tests {
    use prevision_core::{Normalise, Spaces};

    use super::*;

    #[test]
    fn candidates_of_an_episode_start_at_its_last_latent() {
        let device = Device::flex();
        let model = VectorWorldModel {
            spec: ModelSpec::of_vectors(&Spaces::default(), &Normalise::default(), 1),
            device: device.clone(),
            encode: |_: &ObservationBatch| unreachable!(),
            roll_out: |start: Tensor<3>, actions: Tensor<3>| start + actions.cumsum(1),
        };
        let latents = Latents::new(Tensor::from_floats([[[[7.0]], [[1.0]]], [[[7.0]], [[2.0]]]], &device));
        let past = Past { latents, actions: None };
        let actions =
            Tensor::from_floats([[[[10.0], [20.0]], [[30.0], [40.0]]], [[[50.0], [60.0]], [[70.0], [80.0]]]], &device);
        let imagined = model.imagine(&past, actions);
        assert_eq!(imagined.dims(), [4, 2, 1, 1]);
        let values = imagined.tokens.into_data().try_into_vec_as::<f32>().unwrap();
        assert_eq!(values, [11.0, 31.0, 31.0, 71.0, 52.0, 112.0, 72.0, 152.0]);
    }
}
