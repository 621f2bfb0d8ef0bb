//! What a model imagines for candidate actions.

use std::ops::Range;

use burn::prelude::*;
use prevision_model::{Distance, Latents};

use super::Steps;

/// Candidates of some episodes of a scene, rolled out.
#[derive(Clone, Debug)]
pub struct Imagined {
    /// The episodes of the scene that they are for.
    pub rows: Range<usize>,
    /// Latents after each action, `[b * samples, horizon, tokens, d]`.
    pub latents: Latents,
    /// The actions, `[b, samples, horizon, a]`.
    pub actions: Tensor<4>,
    /// What the learned distance needs of the latents of these steps, `[b, samples, horizon or 1, e]`.
    starts: Option<(Steps, Tensor<4>)>,
}

impl Imagined {
    /// Every latent as one vector, `[b, samples, horizon, tokens * d]`.
    pub fn vectors(&self) -> Tensor<4> {
        let [rows, samples, steps, _] = self.actions.dims();
        let vectors = self.latents.vectors();
        let [.., width] = vectors.dims();
        vectors.reshape([rows, samples, steps, width])
    }

    /// Puts together what was imagined, and computes what `starts` names: for whatever costs read it, only once.
    pub fn new(
        rows: Range<usize>,
        latents: Latents,
        actions: Tensor<4>,
        starts: Option<(Steps, &dyn Distance)>,
    ) -> Self {
        let [count, samples, ..] = actions.dims();
        let starts = starts.map(|(steps, distance)| {
            let counted = steps.counted(latents.tokens.clone(), 1);
            let [rollouts, moments, tokens, width] = counted.dims();
            let starts = distance.starts(counted.reshape([rollouts * moments, tokens, width]));
            let [_, width] = starts.dims();
            (steps, starts.reshape([count, samples, moments, width]))
        });
        Self { rows, latents, actions, starts }
    }

    /// What the learned distance needs of the imagined latents that count ([`Distance::starts`]).
    ///
    /// # Shapes
    /// - output: `[b, samples, horizon or 1, e]`
    ///
    /// # Panics
    /// If no cost or constraint has said that it reads these steps ([`Cost::starts`](super::Cost::starts)).
    pub fn starts(&self, steps: Steps) -> Tensor<4> {
        match &self.starts {
            Some((known, starts)) if *known >= steps => {
                if *known == steps {
                    starts.clone()
                } else {
                    steps.counted(starts.clone(), 2)
                }
            }
            _ => panic!("a cost reads the starts of {steps:?} steps without saying so in Cost::starts"),
        }
    }
}
