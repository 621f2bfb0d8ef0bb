//! What measures a frozen model.

use burn::tensor::Tensor;
use prevision_core::Spaces;
use prevision_core::config::Registry;
use prevision_model::{ClipBatch, FrozenModel};
use serde_json::Value;

use crate::{EvalConfig, EvalError, Shown};

/// The suites that are registered.
pub type Suites = Registry<(), Box<dyn Suite>>;

/// A suite with the name that its results have.
pub type NamedSuite = (String, Box<dyn Suite>);

/// Measures a frozen model, once: it takes in batches of clips, then gives its results.
pub trait Suite: Send + Sync {
    /// What it has to be shown; `None` if it does not apply to this model or these clips: its results are then absent.
    fn needs(&self, evaluation: &Evaluation<'_>) -> Option<Needs>;

    /// Takes in a batch of training clips, if it [needs](Needs::training) them; they come after the held-out clips.
    ///
    /// # Errors
    /// If the device fails.
    fn learn(&mut self, seen: &Seen<'_>) -> Result<(), EvalError> {
        let _ = seen;
        Ok(())
    }

    /// Takes in a batch of held-out clips.
    ///
    /// # Errors
    /// If the device fails.
    fn measure(&mut self, seen: &Seen<'_>) -> Result<(), EvalError>;

    /// The results of all clips, as they are written under the suite's name.
    ///
    /// # Errors
    /// If the device fails, or what was seen allows no measurement.
    fn finish(&mut self, evaluation: &Evaluation<'_>) -> Result<Value, EvalError>;

    /// What people see of such results, on the terminal and in a report: without a choice of its own all their numbers. Results may come
    /// from a file and lack what [`finish`](Self::finish) puts in.
    fn show(&self, name: &str, results: &Value) -> Shown {
        Shown::numbers(name, results)
    }
}

/// What a suite has to be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Latents of the context encoder, see [`Seen::context`].
    pub context: bool,
    /// Predictions up to the longest horizon, see [`Seen::predicted`].
    pub predictions: bool,
    /// Training clips too, up to four times as many as held-out clips.
    pub training: bool,
}

/// What an evaluation works on.
pub struct Evaluation<'a> {
    /// The model.
    pub model: &'a dyn FrozenModel,
    /// The clips' streams.
    pub spaces: &'a Spaces,
    /// The `eval` section.
    pub config: &'a EvalConfig,
    /// The configured horizons that the clips allow, ascending and each once.
    pub horizons: Vec<usize>,
    /// Seed of random choices.
    pub seed: u64,
}

impl Evaluation<'_> {
    /// Steps ahead that are predicted when predictions are needed: the longest horizon.
    pub fn steps(&self) -> usize {
        self.horizons.last().copied().unwrap_or(0)
    }

    /// Moments that the model encodes a clip to.
    pub fn moments(&self) -> usize {
        self.model.moments()
    }
}

/// A batch of clips, encoded. Latents are `[b, t, tokens, d]`, off the tape and finite.
pub struct Seen<'a> {
    /// What the evaluation works on.
    pub evaluation: &'a Evaluation<'a>,
    /// The clips.
    pub clips: &'a ClipBatch,
    /// Latents of the context encoder at every moment. The targets, if no suite needs it.
    pub context: Tensor<4>,
    /// What predictions aim at, at every moment.
    pub targets: Tensor<4>,
    /// How many of the moments, the first ones, the model saw before it predicted.
    pub observed: usize,
    /// The predicted latents of the moments after those, as many as the longest horizon; `None` for training clips, or if no suite needs
    /// them.
    pub predicted: Option<Tensor<4>>,
}

impl Seen<'_> {
    /// Predicted latents and what they aim at, `[b, steps, tokens, d]` both.
    ///
    /// # Errors
    /// If the suite does not [need](Needs::predictions) predictions, or these are training clips.
    pub fn predictions(&self) -> Result<(Tensor<4>, Tensor<4>), EvalError> {
        let predicted = self.predicted.clone();
        let predicted =
            predicted.ok_or_else(|| EvalError::Suite("it uses predictions that it did not ask for".to_owned()))?;
        let steps = predicted.dims()[1];
        Ok((predicted, self.targets.clone().narrow(1, self.observed, steps)))
    }

    /// One vector for each moment, `[b, t, n]`, see [`FrozenModel::summary`].
    pub fn summary(&self, tokens: Tensor<4>) -> Tensor<3> {
        self.evaluation.model.summary(tokens)
    }

    /// Whether each token is a latent of its own: the model sums up the tokens of a moment by less than all their numbers. Else the tokens of
    /// a moment are one latent.
    pub fn separate_tokens(&self) -> bool {
        let [_, _, tokens, width] = self.targets.dims();
        let one = self.targets.clone().narrow(0, 0, 1).narrow(1, 0, 1);
        self.summary(one).dims()[2] != tokens * width
    }

    /// The latents as sequences, `[n, t, dim]`: one of each clip, or of each token where tokens are latents of their own.
    ///
    /// # Shapes
    /// - tokens: `[b, t, tokens, d]`
    pub fn sequences(&self, tokens: Tensor<4>) -> Tensor<3> {
        let [rows, time, count, width] = tokens.dims();
        if self.separate_tokens() {
            tokens.swap_dims(1, 2).reshape([rows * count, time, width])
        } else {
            tokens.reshape([rows, time, count * width])
        }
    }
}
