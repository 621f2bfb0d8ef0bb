//! Actions that were recorded, played again.

use prevision_core::Array2;

use super::{Decision, Policy, PolicyError, Start};
use crate::TimeStep;

/// Plays the actions of recorded episodes again, each from the state in which its recording began.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Actions of each episode, `[steps, width]` in a model's form.
    actions: Vec<Array2>,
    /// First state of each episode.
    states: Vec<Vec<f32>>,
    rows: Vec<usize>,
    steps: Vec<usize>,
}

impl Recorded {
    /// Episode `i` of a run plays `actions[i]` from `states[i]`; without states the world says where it begins.
    pub fn new(actions: Vec<Array2>, states: Vec<Vec<f32>>) -> Self {
        Self { actions, states, rows: Vec::new(), steps: Vec::new() }
    }
}

impl Policy for Recorded {
    fn name(&self) -> String {
        "recorded".to_owned()
    }

    fn start_state(&mut self, _seed: u64, episode: u64) -> Option<Vec<f32>> {
        self.states.get(usize::try_from(episode).ok()?).cloned()
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        let unfit = |message: String| PolicyError::Unfit { policy: self.name(), message };
        let row = |start: &Start<'_>| {
            let episode = usize::try_from(start.episode).unwrap_or(usize::MAX);
            if episode < self.actions.len() {
                return Ok(episode);
            }
            Err(unfit(format!("there are {} recorded episodes, none has number {episode}", self.actions.len())))
        };
        self.rows = episodes.iter().map(row).collect::<Result<_, _>>()?;
        self.steps = vec![0; episodes.len()];
        Ok(())
    }

    fn act(&mut self, rows: &[usize], _seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let mut decisions = Vec::with_capacity(rows.len());
        for row in rows {
            let (actions, step) = (&self.actions[self.rows[*row]], self.steps[*row]);
            if step >= actions.rows {
                let message = format!("episode {} has {} actions, but goes on", self.rows[*row], actions.rows);
                return Err(PolicyError::Unfit { policy: self.name(), message });
            }
            self.steps[*row] += 1;
            decisions.push(Decision::of(actions.row(step).to_vec()));
        }
        Ok(decisions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plays_what_was_recorded_and_no_more() {
        let first = TimeStep::default();
        let mut policy = Recorded::new(vec![Array2::new(vec![1.0, 2.0], 2, 1)], vec![vec![7.0]]);
        assert_eq!((policy.start_state(0, 0), policy.start_state(0, 1)), (Some(vec![7.0]), None));
        let start = |episode| Start { seed: 0, episode, first: &first, goal: None, watched: false };
        assert!(policy.begin(&[start(1)]).unwrap_err().to_string().contains("none has number 1"));
        policy.begin(&[start(0)]).unwrap();
        let mut next = || policy.act(&[0], &[&first]).map(|decisions| decisions[0].action.clone());
        assert_eq!((next().unwrap(), next().unwrap()), (vec![1.0], vec![2.0]));
        assert!(next().unwrap_err().to_string().contains("has 2 actions"));
    }
}
