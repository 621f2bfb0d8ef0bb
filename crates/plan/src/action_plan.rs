//! What a solver returns: one sequence of actions for each episode, and what the next plan starts from.

/// Planned actions of a batch of episodes, on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionPlan {
    /// Steps planned ahead.
    pub horizon: usize,
    /// Numbers in one planned action.
    pub action_width: usize,
    /// The plan to execute, `[b, horizon, a]`.
    pub actions: Vec<f32>,
    /// What each plan costs, `[b]`.
    pub cost: Vec<f32>,
    /// By how much each plan violates constraints, `[b]`; 0 if it does not.
    pub violation: Vec<f32>,
    /// How many elites are kept for the next plan (iCEM; zero otherwise).
    pub kept: usize,
    /// The kept elites, best first, `[b, kept, horizon, a]`.
    pub elites: Vec<f32>,
}

impl ActionPlan {
    /// Number of episodes.
    pub fn rows(&self) -> usize {
        self.cost.len()
    }

    /// Numbers in one sequence, `horizon * a`.
    pub fn sequence(&self) -> usize {
        self.horizon * self.action_width
    }

    /// The plan of one episode, `[horizon, a]`.
    pub fn plan(&self, row: usize) -> &[f32] {
        &self.actions[row * self.sequence()..][..self.sequence()]
    }

    /// The action of one episode at one step of the plan, `[a]`.
    pub fn action(&self, row: usize, step: usize) -> &[f32] {
        &self.plan(row)[step * self.action_width..][..self.action_width]
    }

    /// The plan seen `steps` later: what was executed is dropped and the end is filled with zeros, in the plan and in
    /// the kept elites.
    #[must_use]
    pub fn shift(&self, steps: usize) -> Self {
        let dropped = (steps * self.action_width).min(self.sequence());
        let shift = |sequences: &[f32]| {
            let mut out = vec![0.0; sequences.len()];
            for (to, from) in out.chunks_exact_mut(self.sequence()).zip(sequences.chunks_exact(self.sequence())) {
                to[..from.len() - dropped].copy_from_slice(&from[dropped..]);
            }
            out
        };
        Self { actions: shift(&self.actions), elites: shift(&self.elites), ..self.clone() }
    }

    /// The plans of these rows, in this order.
    ///
    /// # Panics
    /// If a row does not exist.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let take = |values: &[f32], length: usize| -> Vec<f32> {
            rows.iter().flat_map(|row| values[row * length..][..length].iter().copied()).collect()
        };
        Self {
            actions: take(&self.actions, self.sequence()),
            cost: take(&self.cost, 1),
            violation: take(&self.violation, 1),
            elites: take(&self.elites, self.kept * self.sequence()),
            ..*self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> ActionPlan {
        ActionPlan {
            horizon: 3,
            action_width: 2,
            actions: (0..12).map(|v| v as f32).collect(),
            cost: vec![1.0, 2.0],
            violation: vec![0.0, 3.0],
            kept: 1,
            elites: (100..112).map(|v| v as f32).collect(),
        }
    }

    #[test]
    fn shift_drops_the_executed_steps() {
        let shifted = plan().shift(2);
        assert_eq!(shifted.actions, [4.0, 5.0, 0.0, 0.0, 0.0, 0.0, 10.0, 11.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(shifted.elites[..6], [104.0, 105.0, 0.0, 0.0, 0.0, 0.0]);
        assert!(plan().shift(9).actions.iter().all(|value| *value == 0.0));
        assert_eq!(plan().action(1, 2), [10.0, 11.0]);
    }

    #[test]
    fn select_keeps_rows_together() {
        let selected = plan().select(&[1]);
        assert_eq!(selected.actions, [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]);
        assert_eq!((&selected.cost[..], &selected.violation[..]), (&[2.0][..], &[3.0][..]));
        assert_eq!(selected.elites, [106.0, 107.0, 108.0, 109.0, 110.0, 111.0]);
        assert_eq!(selected.rows(), 1);
        assert_eq!(plan().select(&[0, 1]), plan());
    }
}
