//! The expert of a system as a policy.

use super::system::{Controller, System};
use crate::{Decision, FactorValues, Policy, PolicyError, Start, TimeStep};

/// Acts by the controller of the system, which it sets up for the factors that the world tells of.
pub(super) struct Feedback<S: System> {
    rows: Vec<(S, Controller<S::Motion>)>,
}

/// The name of this policy.
pub(super) const EXPERT: &str = "expert";

impl<S: System> Feedback<S> {
    pub(super) fn new() -> Self {
        Self { rows: Vec::new() }
    }
}

fn unfit<S: System>(state: Option<&Vec<f32>>) -> PolicyError {
    let message = format!("a state is {state:?}, expected {} in {}", S::STATE_TEXT, S::NAME);
    PolicyError::Unfit { policy: EXPERT.to_owned(), message }
}

impl<S: System> Policy for Feedback<S> {
    fn name(&self) -> String {
        EXPERT.to_owned()
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        let row = |start: &Start<'_>| {
            let mut system = S::new(&FactorValues::from_info(&S::factors(), &start.first.info));
            let state = start.goal.and_then(|goal| goal.state.as_ref());
            let goal = state.and_then(|state| system.place(state)).ok_or_else(|| unfit::<S>(state))?;
            let controller = system.expert(&goal);
            Ok((system, controller))
        };
        self.rows = episodes.iter().map(row).collect::<Result<_, PolicyError>>()?;
        Ok(())
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let mut decisions = Vec::with_capacity(rows.len());
        for (row, now) in rows.iter().zip(seen) {
            let (system, controller) = &mut self.rows[*row];
            let state = now.state.as_ref();
            let motion = state.and_then(|state| system.place(state)).ok_or_else(|| unfit::<S>(state))?;
            let bounded = |(value, largest): (f64, &f32)| (value as f32).clamp(-largest, *largest);
            decisions.push(Decision::of(controller(&motion).into_iter().zip(S::ACTION).map(bounded).collect()));
        }
        Ok(decisions)
    }
}
