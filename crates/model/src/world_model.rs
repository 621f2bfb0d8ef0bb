//! The world model as planning and evaluation know it.

use burn::tensor::{Device, Int, Tensor, TensorData};
use prevision_core::{Normalise, Spaces};

use crate::ObservationBatch;
use crate::adaptable::Adaptable;

/// What is fixed about a world model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSpec {
    /// The clips it was trained on: the streams it sees, the actions it takes.
    pub spaces: Spaces,
    /// What pixels become before it sees them.
    pub normalise: Normalise,
    /// How many past latents it can use.
    pub history: usize,
    /// Tokens in a latent; a model of vectors has one.
    pub tokens: usize,
    /// Numbers in a token.
    pub token_width: usize,
    /// How many of the tokens, the first ones, stay while an episode lasts.
    pub static_tokens: usize,
    /// Rows and columns of the grid that tokens lie on, row by row: one token in every place, then another in every place if there are
    /// more. `[1, 1]` where tokens have no places.
    pub grid: [usize; 2],
}

impl ModelSpec {
    /// A model whose latent is one vector of so many numbers, and which predicts from the last latent alone.
    pub fn of_vectors(spaces: &Spaces, normalise: &Normalise, width: usize) -> Self {
        Self {
            spaces: spaces.clone(),
            normalise: *normalise,
            history: 1,
            tokens: 1,
            token_width: width,
            static_tokens: 0,
            grid: [1, 1],
        }
    }
}

/// Latents of consecutive moments of several episodes.
#[derive(Clone, Debug)]
pub struct Latents {
    /// `[b, t, tokens, d]`
    pub tokens: Tensor<4>,
    /// What a model carries from moment to moment beside the latents it shows, `[b, t, c]`.
    pub carry: Option<Tensor<3>>,
}

impl Latents {
    /// Latents without a carried state.
    ///
    /// # Shapes
    /// - tokens: `[b, t, tokens, d]`
    pub fn new(tokens: Tensor<4>) -> Self {
        Self { tokens, carry: None }
    }

    /// `[b, t, tokens, d]`
    pub fn dims(&self) -> [usize; 4] {
        self.tokens.dims()
    }

    /// Every latent as one vector, `[b, t, tokens * d]`.
    pub fn vectors(&self) -> Tensor<3> {
        let [rows, time, tokens, width] = self.dims();
        self.tokens.clone().reshape([rows, time, tokens * width])
    }

    /// The moments `start .. start + count`.
    #[must_use]
    pub fn moments(&self, start: usize, count: usize) -> Self {
        Self {
            tokens: self.tokens.clone().narrow(1, start, count),
            carry: self.carry.clone().map(|carry| carry.narrow(1, start, count)),
        }
    }

    /// The last moment of every episode, `[b, 1, tokens, d]`.
    #[must_use]
    pub fn last(&self) -> Self {
        self.moments(self.dims()[1] - 1, 1)
    }

    /// The episodes `start .. start + count`.
    #[must_use]
    pub fn rows(&self, start: usize, count: usize) -> Self {
        Self {
            tokens: self.tokens.clone().narrow(0, start, count),
            carry: self.carry.clone().map(|carry| carry.narrow(0, start, count)),
        }
    }

    /// These episodes, in this order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let indices: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
        let indices = Tensor::<1, Int>::from_data(TensorData::new(indices, [rows.len()]), &self.tokens.device());
        Self {
            tokens: self.tokens.clone().select(0, indices.clone()),
            carry: self.carry.clone().map(|carry| carry.select(0, indices)),
        }
    }

    /// The episodes of all parts, of equally many moments, one after the other.
    ///
    /// # Panics
    /// If there is no part.
    #[must_use]
    pub fn join(mut parts: Vec<Self>) -> Self {
        if parts.len() == 1 {
            return parts.remove(0);
        }
        let (tokens, carry): (Vec<_>, Vec<_>) = parts.into_iter().map(|part| (part.tokens, part.carry)).unzip();
        let carry: Option<Vec<Tensor<3>>> = carry.into_iter().collect();
        Self { tokens: Tensor::cat(tokens, 0), carry: carry.map(|carry| Tensor::cat(carry, 0)) }
    }

    /// The same on the tape; nothing is derived with respect to them.
    #[must_use]
    pub fn autodiff(self) -> Self {
        Self { tokens: self.tokens.autodiff(), carry: self.carry.map(Tensor::autodiff) }
    }
}

/// What a model knows when it begins to imagine.
#[derive(Clone, Debug)]
pub struct Past {
    /// Latents of the last moments, the present one last, `[b, h, tokens, d]`.
    pub latents: Latents,
    /// The actions between them, `[b, h - 1, a]`; `None` when `h` is 1.
    pub actions: Option<Tensor<3>>,
}

impl Past {
    /// The episodes `start .. start + count`.
    #[must_use]
    pub fn rows(&self, start: usize, count: usize) -> Self {
        Self {
            latents: self.latents.rows(start, count),
            actions: self.actions.clone().map(|actions| actions.narrow(0, start, count)),
        }
    }

    /// The episodes of all parts, with equally long pasts, one after the other.
    ///
    /// # Panics
    /// If there is no part.
    #[must_use]
    pub fn join(parts: Vec<Self>) -> Self {
        let (latents, actions): (Vec<_>, Vec<_>) = parts.into_iter().map(|part| (part.latents, part.actions)).unzip();
        let actions: Option<Vec<Tensor<3>>> = actions.into_iter().collect();
        Self { latents: Latents::join(latents), actions: actions.map(|actions| Tensor::cat(actions, 0)) }
    }

    /// The same on the tape; nothing is derived with respect to it.
    #[must_use]
    pub fn autodiff(self) -> Self {
        Self { latents: self.latents.autodiff(), actions: self.actions.map(Tensor::autodiff) }
    }
}

/// Encodes observations and imagines what follows actions. Used off the tape: its weights and all tensors are on a device without
/// autodiff. What it answers for one row must not depend on the others.
pub trait WorldModel: Send + Sync {
    /// What is fixed about it.
    fn spec(&self) -> &ModelSpec;

    /// Where its weights are.
    fn device(&self) -> Device;

    /// Encodes every moment, `[b, t, tokens, d]`.
    fn encode(&self, seen: &ObservationBatch) -> Latents;

    /// Imagines several action sequences from the same past.
    ///
    /// # Shapes
    /// - past: `b` episodes
    /// - actions: `[b, samples, k, a]`, the first one leaves the present
    /// - output: `[b * samples, k, tokens, d]`
    fn imagine(&self, past: &Past, actions: Tensor<4>) -> Latents;

    /// The learned distance between latents, if it has one.
    fn distance(&self) -> Option<&dyn Distance> {
        None
    }

    /// The learned inverse of the dynamics, if it has one.
    fn inverse_dynamics(&self) -> Option<&dyn InverseModel> {
        None
    }

    /// Slower models over the same latents, the fastest first; empty without any.
    fn levels(&self) -> Vec<&dyn SlowModel> {
        Vec::new()
    }

    /// The gradient steps of its predictor, if it can be adapted while it acts.
    fn adaptable(&self) -> Option<&dyn Adaptable> {
        None
    }

    /// What a head of the model reads from latents, by the head's name, `[b, t, n]`; `None` without such a head. `position` is where
    /// the agent is, x and y in pixels of the camera.
    fn readout(&self, name: &str, latents: &Latents) -> Option<Tensor<3>> {
        let _ = (name, latents);
        None
    }
}

/// A slower world model over the latents of a faster one, each of whose steps takes many actions.
pub trait SlowModel: Send + Sync {
    /// Actions of the faster model in one of its steps.
    fn stride(&self) -> usize;

    /// Imagines where action sequences lead, several from each latent.
    ///
    /// # Shapes
    /// - from: `[n, tokens, d]`
    /// - actions: `[n, samples, stride, a]`
    /// - output: `[n * samples, tokens, d]`
    fn leap(&self, from: Tensor<3>, actions: Tensor<4>) -> Tensor<3>;
}

/// A learned inverse of the dynamics: which action leads from one latent to the next.
pub trait InverseModel: Send + Sync {
    /// The action of the model between each two consecutive latents. It must not depend on the others.
    ///
    /// # Shapes
    /// - now, next: `[n, tokens, d]`
    /// - output: `[n, a]`
    fn action(&self, now: Tensor<3>, next: Tensor<3>) -> Tensor<2>;
}

/// A learned distance: how many steps lie between latents. What is compared often is prepared once.
pub trait Distance: Send + Sync {
    /// What is needed of latents that a path starts from.
    ///
    /// # Shapes
    /// - latents: `[n, tokens, d]`
    /// - output: `[n, e]`
    fn starts(&self, latents: Tensor<3>) -> Tensor<2>;

    /// What is needed of latents that a path leads to. `obstacles` are steps that passing each place takes beside what was learned.
    ///
    /// # Shapes
    /// - latents: `[n, tokens, d]`
    /// - obstacles: `[n, places]`
    /// - output: `[n, g]`
    ///
    /// # Panics
    /// If obstacles are given to a distance without [`places`](Self::places).
    fn goals(&self, latents: Tensor<3>, obstacles: Option<Tensor<2>>) -> Tensor<2>;

    /// Steps from several starts each to a goal.
    ///
    /// # Shapes
    /// - starts: `[goals, n, e]`, goals: `[goals, g]`, as made above
    /// - output: `[goals, n]`
    fn between(&self, starts: Tensor<3>, goals: Tensor<2>) -> Tensor<2>;

    /// Number of places, if it knows places: [`starts`](Self::starts) are then the probability of each, and paths can be made longer
    /// by obstacles.
    fn places(&self) -> Option<usize> {
        None
    }
}
