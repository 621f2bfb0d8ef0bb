//! What is fixed about a reflex; it stands as JSON in its file.

use burn::prelude::*;
use prevision_core::Spaces;
use prevision_model::{ModelSpec, ReflexNetworkConfig, WorldModel};
use serde::{Deserialize, Serialize};

use super::fingerprint::{fingerprint, same};
use super::inputs::Inputs;

/// Rounds of a network, at most.
const MOST_ROUNDS: usize = 1000;

/// What is fixed about a [`Reflex`](super::Reflex): the model it belongs to, its sizes, and how wrong it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReflexSpec {
    /// The clips that the model was trained on.
    pub spaces: Spaces,
    /// Tokens in a latent, numbers in a token, and how many of the tokens stay.
    pub latent: [usize; 3],
    /// Latents of a fixed picture, which tell models of the same kind apart.
    pub fingerprint: Vec<f32>,
    /// Whether it sees the shortest paths of the model's learned distance.
    pub field: bool,
    /// Sizes of the network.
    pub network: ReflexNetworkConfig,
    /// Numbers in an action of the model.
    pub action_width: usize,
    /// Root mean square of the actions that it has learned from.
    pub action_scale: f32,
    /// Mean and deviation of what it sees.
    pub scale: Scale,
    /// How wrong it is.
    pub error: ReflexError,
}

/// Root mean square differences to planned actions that were held out, over all steps and numbers, in the unit of actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReflexError {
    /// Of the reflex.
    pub reflex: f32,
    /// Of the mean of the planned actions, step by step.
    pub mean: f32,
    /// Of doing nothing.
    pub zero: f32,
}

/// What brings the numbers in places to mean 0 and deviation 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Of each channel.
    pub mean: Vec<f32>,
    /// Of each channel.
    pub deviation: Vec<f32>,
}

impl Scale {
    /// Of numbers in places, `[n, places, channels]`, row-major.
    pub(super) fn measure(values: &[f32], channels: usize) -> Self {
        let count = (values.len() / channels).max(1) as f64;
        let (mut sums, mut squares) = (vec![0.0; channels], vec![0.0; channels]);
        for place in values.chunks_exact(channels) {
            for ((sum, square), value) in sums.iter_mut().zip(&mut squares).zip(place) {
                *sum += f64::from(*value) / count;
                *square += f64::from(*value).powi(2) / count;
            }
        }
        // A channel that is the same everywhere says nothing, whatever it is divided by.
        let deviation = |(square, mean): (f64, &f64)| (square - mean * mean).max(0.0).sqrt();
        let deviation = squares.into_iter().zip(&sums).map(deviation).map(|it| if it > 1e-6 { it as f32 } else { 1.0 });
        Self { deviation: deviation.collect(), mean: sums.iter().map(|mean| *mean as f32).collect() }
    }

    /// # Shapes
    /// - places, output: `[n, places, channels]`
    pub(super) fn apply(&self, places: Tensor<3>) -> Tensor<3> {
        let device = places.device();
        let row =
            |values: &[f32]| Tensor::<3>::from_data(TensorData::new(values.to_vec(), [1, 1, values.len()]), &device);
        (places - row(&self.mean)) / row(&self.deviation)
    }
}

impl ReflexSpec {
    /// How latents lie in places.
    pub(super) fn inputs(&self) -> Inputs {
        let [tokens, token_width, static_tokens] = self.latent;
        let spec = ModelSpec {
            tokens,
            static_tokens,
            grid: self.network.grid,
            ..ModelSpec::of_vectors(&self.spaces, &prevision_core::Normalise::default(), token_width)
        };
        Inputs::new(&spec, self.field)
    }

    /// Steps that it answers with.
    pub fn horizon(&self) -> usize {
        self.network.outputs / self.action_width.max(1)
    }

    /// Whether its parts fit together, as far as they are not checked with the weights.
    fn sound(&self) -> bool {
        let [tokens, token_width, static_tokens] = self.latent;
        let channels = self.network.channels;
        let places = self.network.grid[0].saturating_mul(self.network.grid[1]);
        let finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
        self.action_width > 0
            && token_width > 0
            && static_tokens < tokens
            && places > 0
            && self.network.rounds <= MOST_ROUNDS
            && self.network.outputs.is_multiple_of(self.action_width)
            && self.network.outputs > 0
            && [self.scale.mean.len(), self.scale.deviation.len()] == [channels; 2]
            && finite(&self.scale.mean)
            && finite(&self.scale.deviation)
            && self.scale.deviation.iter().all(|deviation| *deviation > 0.0)
            && finite(&[self.action_scale, self.error.reflex])
    }

    /// Refuses a reflex of another model.
    ///
    /// # Errors
    /// What is different.
    pub fn check(&self, model: &dyn WorldModel) -> Result<(), String> {
        if !self.sound() {
            return Err("its parts do not fit together".to_owned());
        }
        let spec = model.spec();
        let other = |held: String, given: String| {
            Err(format!("it is a reflex for {held}, the model has {given}: it is of another model; distil it anew"))
        };
        let latents = |[tokens, width, still]: [usize; 3], grid: [usize; 2]| {
            format!("latents of {tokens} tokens of {width} numbers, {still} of them static, on a grid of {grid:?}")
        };
        let given = ([spec.tokens, spec.token_width, spec.static_tokens], spec.grid);
        let held = (self.latent, self.network.grid);
        if held != given {
            return other(latents(held.0, held.1), latents(given.0, given.1));
        }
        if self.action_width != spec.spaces.action_width() || self.spaces.action != spec.spaces.action {
            let actions = |spaces: &Spaces| match &spaces.action {
                Some(space) => format!("blocks of {} actions, each {space}", spaces.frame_step),
                None => "no actions".to_owned(),
            };
            return other(actions(&self.spaces), actions(&spec.spaces));
        }
        let inputs = Inputs::of_model(model)?;
        if inputs != self.inputs() || inputs.channels() != self.network.channels {
            return other("another learned distance".to_owned(), "its own".to_owned());
        }
        if !same(&self.fingerprint, &fingerprint(model)) {
            return Err("its model had other weights; distil it anew".to_owned());
        }
        Ok(())
    }
}
