//! What every solver searches in.

use std::time::Duration;

use prevision_core::Space;
use prevision_core::config::check::ensure;

use crate::action_plan::ActionPlan;

/// The sequences of actions that a solver searches: how long they are, and what an action can be.
#[derive(Clone, Debug, PartialEq)]
pub struct SolverContext {
    /// Steps planned ahead, in actions of the model.
    pub horizon: usize,
    /// What one raw action can be.
    pub space: Space,
    /// Raw actions in one action of the model, one after the other; each lies in the space by itself.
    pub block: usize,
    /// Standard deviation of the first samples of every plan, in the unit of actions.
    pub initial_std: f32,
    /// After how much time a search ends, with the iteration that it is in; `None`: after its last iteration.
    pub deadline: Option<Duration>,
}

impl SolverContext {
    /// Numbers in one action of the model.
    pub fn action_width(&self) -> usize {
        self.block * self.space.width()
    }

    /// Numbers in one sequence, `horizon * a`.
    pub fn sequence(&self) -> usize {
        self.horizon * self.action_width()
    }

    /// Brings every raw action into the space.
    ///
    /// # Panics
    /// If the numbers do not divide into raw actions.
    pub fn project(&self, actions: &mut [f32]) {
        let width = self.space.width();
        assert!(actions.len().is_multiple_of(width), "{} numbers do not divide into actions of {width}", actions.len());
        actions.chunks_exact_mut(width).for_each(|action| self.space.project(action));
    }

    /// The warm start's actions, or zeros, `[rows, horizon, a]`.
    ///
    /// # Panics
    /// If the warm start has other rows, steps or components.
    pub fn first_plan(&self, rows: usize, warm_start: Option<&ActionPlan>) -> Vec<f32> {
        let Some(plan) = warm_start else { return vec![0.0; rows * self.sequence()] };
        let given = [plan.rows(), plan.horizon, plan.action_width];
        let wanted = [rows, self.horizon, self.action_width()];
        assert_eq!(given, wanted, "a warm start of [b, horizon, a] = {given:?} does not fit a search of {wanted:?}");
        plan.actions.clone()
    }

    /// Refuses choices, for a solver that moves actions by small steps.
    ///
    /// # Errors
    /// The key at fault, the solver and what to use instead.
    pub fn check_vectors(&self, solver: &str) -> Result<(), String> {
        let instead = "a solver of choices, such as categorical-cem or projected-gradient: actions are";
        ensure(self.is_convex(), "kind", solver, format_args!("{instead} {}", self.space))
    }

    /// Refuses vectors, for a solver of choices.
    ///
    /// # Errors
    /// The key at fault, the solver and what to use instead.
    pub fn check_choices(&self, solver: &str) -> Result<(), String> {
        let instead = "a solver of vectors, such as cem, icem or gradient: actions are";
        ensure(!self.is_convex(), "kind", solver, format_args!("{instead} {}", self.space))
    }

    /// Whether the mean of actions is itself an action: of vectors it is, of choices it is not.
    pub fn is_convex(&self) -> bool {
        !matches!(self.space, Space::Discrete { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(space: Space, block: usize) -> SolverContext {
        SolverContext { horizon: 1, space, block, initial_std: 1.0, deadline: None }
    }

    #[test]
    fn every_raw_action_of_a_block_is_brought_into_the_space() {
        let mut actions = [3.0, 4.0, 0.3, -0.4, 0.0, 0.0];
        let ball = context(Space::Ball { dim: 2, radius: 2.5 }, 3);
        ball.project(&mut actions);
        assert_eq!(actions, [1.5, 2.0, 0.3, -0.4, 0.0, 0.0]);
        assert_eq!((ball.action_width(), ball.is_convex()), (6, true));
        let mut actions = [0.1, 0.2, 0.0, 7.0, -1.0, -2.0];
        let choices = context(Space::Discrete { count: 3 }, 2);
        choices.project(&mut actions);
        assert_eq!(actions, [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
        assert!(!choices.is_convex());
    }

    #[test]
    #[should_panic(expected = "3 numbers do not divide into actions of 2")]
    fn ragged_actions_panic() {
        context(Space::Unbounded { dim: 2 }, 1).project(&mut [0.0; 3]);
    }
}
