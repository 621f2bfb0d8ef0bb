//! A slower model.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Tensor, assert_shape};

use crate::layers::{Activation, linear};
use crate::predictor::{ActionPredictor, Moments};
use crate::world_model::SlowModel;

/// A world model over the latents of a faster one, each of whose steps takes `stride` of its actions at once: an encoder of action
/// sequences to macro-actions, and a predictor of the latent that they lead to. Built by [`LevelConfig::init`](super::LevelConfig::init).
#[derive(Module, Debug)]
pub struct Level {
    /// The actions of a stride to hidden units, and those to the macro-action.
    pub first: Linear,
    /// Hidden units to the macro-action.
    pub second: Linear,
    /// Latent and macro-action to the latent a stride later, in several rounds.
    pub predictor: ActionPredictor,
    pub(super) stride: usize,
    pub(super) rounds: usize,
    pub(super) static_dim: usize,
}

impl Level {
    /// Steps of the faster model in a step of this one.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Encodes action sequences.
    ///
    /// # Shapes
    /// - actions: `[batch, k * stride, a]`
    /// - output: `[batch, k, action]`
    ///
    /// # Panics
    /// If the actions are not a whole number of strides.
    pub fn macro_actions(&self, actions: Tensor<3>) -> Tensor<3> {
        let [batch, steps, width] = actions.dims();
        assert!(steps.is_multiple_of(self.stride), "{steps} actions are not a whole number of strides");
        let strides = actions.reshape([batch, steps / self.stride, self.stride * width]);
        linear(&self.second, linear(&self.first, strides, Activation::Relu), Activation::Identity)
    }

    /// Predicts one latent after another, each a stride after the one before.
    ///
    /// # Shapes
    /// - start: `[batch, dim]`, the static part first
    /// - actions: `[batch, k * stride, a]`
    /// - output: `[batch, k, dim]`
    pub fn rollout(&self, start: Tensor<2>, actions: Tensor<3>) -> Tensor<3> {
        let [batch, dim] = start.dims();
        assert_shape!(actions, [batch, _, _]);
        let macros = self.macro_actions(actions);
        let [_, count, width] = macros.dims();
        // The rounds of a step all see its macro-action.
        let macros = macros.unsqueeze_dim::<4>(2).expand([batch, count, self.rounds, width]);
        let macros = macros.reshape([batch, count * self.rounds, width]);
        let fixed = self.static_dim;
        let place = (fixed > 0).then(|| start.clone().narrow(1, 0, fixed));
        let moving = start.narrow(1, fixed, dim - fixed).unsqueeze_dim(1);
        let rounds = self.predictor.rollout(Moments::of_latents(moving), macros, place.clone(), None).latents;
        let last =
            rounds.reshape([batch, count, self.rounds, dim - fixed]).narrow(2, self.rounds - 1, 1).squeeze_dim(2);
        match place {
            None => last,
            Some(place) => Tensor::cat(vec![place.unsqueeze_dim::<3>(1).expand([batch, count, fixed]), last], 2),
        }
    }
}

impl SlowModel for Level {
    fn stride(&self) -> usize {
        self.stride
    }

    fn leap(&self, from: Tensor<3>, actions: Tensor<4>) -> Tensor<3> {
        let [count, tokens, width] = from.dims();
        let [_, samples, stride, numbers] = actions.dims();
        let rows = count * samples;
        let start = from.unsqueeze_dim::<4>(1).expand([count, samples, tokens, width]).reshape([rows, tokens * width]);
        self.rollout(start, actions.reshape([rows, stride, numbers])).reshape([rows, tokens, width])
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution, Tolerance};

    use crate::frame_encoder::{FrameEncoderConfig, FrameShape, PatchesConfig};
    use crate::levels::LevelConfig;

    use super::*;

    /// A level over 2 x 3 tokens of 3 numbers, with or without as many static ones.
    fn level(with_static: bool) -> Level {
        let patches = PatchesConfig { patch: 2, hidden: 4, channels: 3, ..PatchesConfig::default() };
        let frame = FrameShape { channels: 3, height: 4, width: 6 };
        let encoder = FrameEncoderConfig::Patches(patches).init(frame, &Device::flex());
        let config = LevelConfig { stride: 3, action: 2, hidden: 5, rounds: 2 };
        config.init(&encoder, with_static.then_some(&encoder), 2, &Device::flex())
    }

    fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
        Tensor::random(shape, Distribution::Default, &Device::flex())
    }

    #[test]
    fn a_rollout_is_its_steps_and_the_static_part_stays() {
        let level = level(true);
        let (start, actions) = (random([4, 36]), random([4, 6, 2]));
        let whole = level.rollout(start.clone(), actions.clone());
        assert_eq!(whole.dims(), [4, 2, 36]);
        let first = level.rollout(start.clone(), actions.clone().narrow(1, 0, 3)).squeeze_dim::<2>(1);
        let second = level.rollout(first, actions.narrow(1, 3, 3)).squeeze_dim::<2>(1);
        let last: Tensor<2> = whole.clone().narrow(1, 1, 1).squeeze_dim(1);
        last.into_data().assert_approx_eq::<f32>(&second.into_data(), Tolerance::absolute(1e-5));
        let still = whole.narrow(1, 1, 1).narrow(2, 0, 18).reshape([4, 18]);
        still.into_data().assert_eq(&start.narrow(1, 0, 18).into_data(), false);
    }

    #[test]
    fn a_leap_is_a_rollout_from_every_latent_with_every_sequence() {
        let level = level(false);
        let (from, actions) = (random([2, 6, 3]), random([2, 4, 3, 2]));
        let leaps = level.leap(from.clone(), actions.clone());
        assert_eq!((leaps.dims(), SlowModel::stride(&level)), ([8, 6, 3], 3));
        let one = level.rollout(from.narrow(0, 1, 1).reshape([1, 18]), actions.slice([1..2, 2..3]).reshape([1, 3, 2]));
        let leap = leaps.narrow(0, 6, 1).reshape([1, 1, 18]);
        leap.into_data().assert_approx_eq::<f32>(&one.into_data(), Tolerance::absolute(1e-5));
    }

    #[test]
    #[should_panic(expected = "4 actions are not a whole number of strides")]
    fn ragged_strides_panic() {
        level(false).rollout(random([1, 18]), random([1, 4, 2]));
    }
}
