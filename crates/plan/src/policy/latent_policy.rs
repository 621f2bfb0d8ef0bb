//! Policies that act on latents, so that others can be put around them.

use burn::prelude::*;
use prevision_env::{Decision, Policy, PolicyError, TimeStep};
use prevision_model::{Latents, Past};

/// A policy in two halves: it encodes what is seen, then it chooses. Whoever stands around it sees the latents in between, and tells
/// it of obstacles.
pub trait LatentPolicy: Policy {
    /// Takes in what is seen in these rows. Gives the latents of the past where new plans are to be made, `None` where earlier ones
    /// are followed.
    ///
    /// # Errors
    /// If what is seen does not fit the model.
    fn observe(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Option<Past>, PolicyError>;

    /// The latents of what the goals of these rows look like, `[rows, 1, tokens, d]`; `None` in a world that shows none.
    fn goals(&self, rows: &[usize]) -> Option<Latents>;

    /// Chooses the next action of these rows, after [`observe`](Self::observe) has given `past` for them.
    ///
    /// # Errors
    /// If it fails.
    fn choose(&mut self, rows: &[usize], past: Option<Past>, guidance: Guidance) -> Result<Choices, PolicyError>;
}

impl<P: LatentPolicy + ?Sized> LatentPolicy for Box<P> {
    fn observe(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Option<Past>, PolicyError> {
        (**self).observe(rows, seen)
    }

    fn goals(&self, rows: &[usize]) -> Option<Latents> {
        (**self).goals(rows)
    }

    fn choose(&mut self, rows: &[usize], past: Option<Past>, guidance: Guidance) -> Result<Choices, PolicyError> {
        (**self).choose(rows, past, guidance)
    }
}

/// What a policy on latents is told by those around it.
#[derive(Clone, Debug, Default)]
pub struct Guidance {
    /// Steps that passing each place of the model's learned distance takes beside what was learned, `[rows, places]`.
    pub obstacles: Option<Tensor<2>>,
    /// Where plans are to lead instead of to the goals, `[rows, 1, tokens, d]`.
    pub goals: Option<Latents>,
    /// Which of the rows are led along a known way that has not failed lately, to what is within reach of the next plan; empty: none.
    pub led: Vec<bool>,
}

/// What a policy on latents chooses.
#[derive(Clone, Debug)]
pub struct Choices {
    /// The decision of each row.
    pub decisions: Vec<Decision>,
    /// The latents that new plans are to lead to before the next ones are made, `[rows, 1, tokens, d]`; `None` without new plans.
    pub expected: Option<Latents>,
}
