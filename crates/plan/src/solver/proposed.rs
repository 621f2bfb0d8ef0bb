//! No search at all.

use super::{Sampler, Solved, Solver, SolverContext};
use crate::action_plan::ActionPlan;
use crate::noise::NoiseSource;
use crate::score::Score;

/// Takes the plan that it is started from as it is, and imagines it once.
#[derive(Clone, Debug)]
pub struct Proposed {
    sampler: Sampler,
}

impl Proposed {
    /// For plans of this kind.
    pub fn new(context: &SolverContext) -> Self {
        Self { sampler: Sampler::new(context, 1, 0.0) }
    }
}

impl Solver for Proposed {
    fn name(&self) -> &'static str {
        "proposed"
    }

    fn solve(&self, score: &dyn Score, warm_start: Option<&ActionPlan>, noise: &mut dyn NoiseSource) -> Solved {
        let actions = self.sampler.context().first_plan(noise.rows(), warm_start);
        Ok(self.sampler.solution(actions, score))
    }
}
