//! What terms need of a model and of a batch.

use prevision_model::HeadFlags;

/// Which moments of a clip have to be encoded with the context encoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Frames {
    /// The first one; and, where the context encoder makes the targets, those of the predictions.
    #[default]
    First,
    /// All.
    All,
}

/// What a term needs. What no term needs is not computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "questions that have nothing to do with each other")]
pub struct Needs {
    /// Moments that have to be encoded.
    pub frames: Frames,
    /// Predictions with their targets, over so many steps from the first moment where a model goes step by step. The key that says
    /// how many is called `rollout_steps`.
    pub rollout: Option<usize>,
    /// Predictions of every moment after the first from those before it, see [`Seen::one_step`](crate::Seen::one_step).
    pub one_step: bool,
    /// Whether targets of predictions are normalised ([`prevision_model::normalise_latents`]).
    pub normalised_targets: bool,
    /// Heads that learn by the term.
    pub heads: HeadFlags,
    /// The latents of each clip one by one, of its moments or of views of it, see [`Seen::latents`](crate::Seen::latents). Masked models
    /// have none.
    pub latents: bool,
    /// Latents of moments that follow each other, with the actions between them.
    pub time: bool,
    /// A static part of the latents.
    pub static_part: bool,
    /// All clips of the batch: the term is no mean over clips. A process that has a part of a batch computes it over its part, as
    /// batches are one by one where gradients are accumulated.
    pub global_batch: bool,
}

impl Needs {
    /// What both need; the longer rollout of the two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let frames = if self.frames == Frames::All { Frames::All } else { other.frames };
        let heads = HeadFlags {
            inverse_dynamics: self.heads.inverse_dynamics || other.heads.inverse_dynamics,
            distance: self.heads.distance || other.heads.distance,
            position: self.heads.position || other.heads.position,
            levels: self.heads.levels || other.heads.levels,
        };
        Self {
            frames,
            rollout: self.rollout.max(other.rollout),
            one_step: self.one_step || other.one_step,
            normalised_targets: self.normalised_targets || other.normalised_targets,
            heads,
            latents: self.latents || other.latents,
            time: self.time || other.time,
            static_part: self.static_part || other.static_part,
            global_batch: self.global_batch || other.global_batch,
        }
    }
}
