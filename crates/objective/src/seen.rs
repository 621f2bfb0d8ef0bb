//! What terms see of a model and a batch.

use burn::prelude::*;
use prevision_model::{ClipBatch, Heads};

use crate::Draw;

/// Predicted latents and what they aim at.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// `[batch, steps or tokens, dim]`
    pub predicted: Tensor<3>,
    /// `[batch, steps or tokens, dim]`, normalised where a term needs that.
    pub target: Tensor<3>,
}

/// What a model made of a batch: all that terms see. A model fills in what the terms [need](crate::Needs).
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    /// The latents of the encoded moments, `[batch, time, dim]`, or of the views of a clip; `None` from a model that encodes neither one by
    /// one.
    pub latents: Option<Tensor<3>>,
    /// A pair for a model that goes step by step, a pair for each mask for a masked one.
    pub predictions: Vec<Prediction>,
    /// Predictions of every moment after the first, each from the encoded moment before it (teacher forcing), with what they aim at.
    pub one_step: Option<Prediction>,
    /// The parts that regularisers against collapse compare, `[samples, channels]` each, see [`crate::spread`].
    pub spread: Vec<Tensor<2>>,
    /// The clips.
    pub batch: &'a ClipBatch,
    /// The heads of the model, if it has any.
    pub heads: Option<&'a Heads>,
    /// How many of the numbers of a latent, the first ones, are its static part.
    pub static_width: usize,
    /// Height and width of the only camera's frames, pixels; 0 without one.
    pub frame: [usize; 2],
    /// What random choices depend on.
    pub draw: Draw,
}

impl<'a> Seen<'a> {
    /// What terms see of a model of vectors without heads: the latents of all moments, whose numbers must not collapse. Predictions
    /// are added by the model.
    ///
    /// # Shapes
    /// - latents: `[batch, time, dim]`
    pub fn of_latents(latents: Tensor<3>, batch: &'a ClipBatch, draw: Draw) -> Self {
        let spread = vec![latents.clone().flatten(0, 1)];
        Self {
            latents: Some(latents),
            predictions: vec![],
            one_step: None,
            spread,
            batch,
            heads: None,
            static_width: 0,
            frame: [0; 2],
            draw,
        }
    }

    /// The latents of the encoded moments, `[batch, time, dim]`.
    ///
    /// # Panics
    /// If the model has none: a term that asks for them says so, by [`Needs::latents`](crate::Needs::latents) or [`Needs::time`](crate::Needs::time).
    pub fn latents(&self) -> Tensor<3> {
        self.latents.clone().expect("a term that needs the time was given latents of no moments")
    }

    /// All latents one below the other, off the tape, `[batch * time, dim]`: for heads that measure and do not shape the encoder.
    ///
    /// # Panics
    /// As [`latents`](Self::latents).
    pub fn detached(&self) -> Tensor<2> {
        self.latents().flatten::<2>(0, 1).detach()
    }

    /// The model's heads.
    ///
    /// # Panics
    /// If it has none: a term that asks for one says so, by [`Needs::heads`](crate::Needs::heads).
    pub fn heads(&self) -> &Heads {
        self.heads.expect("a term that needs a head was given none")
    }

    /// The mean of a term over the parts that regularisers compare, `[1]`.
    ///
    /// # Panics
    /// If there is no part.
    pub fn over_spread(&self, term: impl Fn(Tensor<2>) -> Tensor<1>) -> Tensor<1> {
        mean(self.spread.iter().map(|part| term(part.clone())))
    }
}

/// The mean of some values, `[1]`.
///
/// # Panics
/// If there are none.
pub(crate) fn mean(values: impl ExactSizeIterator<Item = Tensor<1>>) -> Tensor<1> {
    let count = values.len() as f64;
    values.reduce(|a, b| a + b).expect("a mean of at least one value") / count
}
