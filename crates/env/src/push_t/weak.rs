//! The policy that stable-worldmodel records weak data with.

use prevision_core::seed;
use rand::Rng;

use super::dynamics::{Control, State};
use crate::{Decision, Policy, PolicyError, Start, TimeStep};

/// Side of the square around the block that targets stay in, halved, in pixels.
pub const REACH: f64 = 100.0;

/// Draws each target uniformly from the square of ±100 pixels around the agent, and brings it into the square of ±100 pixels around the
/// block (`WeakPolicy`, `dist_constraint = 100`).
#[derive(Debug, Clone)]
pub struct Weak {
    control: Control,
    /// Seed, episode and step of each row.
    rows: Vec<(u64, u64, u64)>,
}

impl Weak {
    /// The name of this policy.
    pub const NAME: &'static str = "weak";

    /// For actions of this meaning.
    pub fn new(control: Control) -> Self {
        Self { control, rows: Vec::new() }
    }
}

/// The state that a policy of this world sees.
pub(super) fn seen_state(policy: &str, seen: &TimeStep) -> Result<State, PolicyError> {
    seen.state.as_deref().and_then(State::of_numbers).ok_or_else(|| PolicyError::Unfit {
        policy: policy.to_owned(),
        message: format!("the state is {:?}, expected the seven numbers of push-t", seen.state),
    })
}

impl Policy for Weak {
    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        self.rows = episodes.iter().map(|start| (start.seed, start.episode, 0)).collect();
        Ok(())
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let mut decisions = Vec::with_capacity(rows.len());
        for (row, seen) in rows.iter().zip(seen) {
            let now = seen_state(Self::NAME, seen)?;
            let (seed, episode, step) = &mut self.rows[*row];
            let mut rng = seed::rng(*seed, "push-t/weak", *step, *episode);
            *step += 1;
            let target = [0, 1].map(|axis| {
                let drawn = now.agent[axis] + rng.random_range(-REACH..=REACH);
                drawn.clamp(now.block[axis] - REACH, now.block[axis] + REACH)
            });
            decisions.push(Decision::of(self.control.towards(now.agent, target).to_vec()));
        }
        Ok(decisions)
    }
}
