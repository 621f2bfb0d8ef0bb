//! Actions drawn at random that change slowly: they lead further than independent ones.

use prevision_core::{Space, seed};
use rand::Rng;

use super::{Decision, Policy, PolicyError, Start};
use crate::TimeStep;

/// Share of an action that the next one keeps.
const KEPT: f32 = 0.9;
/// Chance that a choice is made anew, in a world of choices.
const ANEW: f64 = 0.2;

/// Draws a random action that keeps most of the one before it: `a' = 0.9 a + sqrt(1 - 0.9²) u`, where `u` is drawn uniformly from the
/// action space, brought into the space. Of choices, a choice stays until a new one is drawn, which happens in one step of five.
/// Everything is a function of (seed, episode, step).
#[derive(Debug, Clone)]
pub struct Smooth {
    space: Space,
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    seed: u64,
    episode: u64,
    step: u64,
    action: Vec<f32>,
}

impl Smooth {
    /// The name of this policy.
    pub const NAME: &'static str = "smooth";

    /// For this action space.
    pub fn new(space: Space) -> Self {
        Self { space, rows: Vec::new() }
    }
}

impl Policy for Smooth {
    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        let row = |start: &Start<'_>| Row { seed: start.seed, episode: start.episode, step: 0, action: Vec::new() };
        self.rows = episodes.iter().map(row).collect();
        Ok(())
    }

    fn act(&mut self, rows: &[usize], _seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let next = |row: &usize| {
            let row = &mut self.rows[*row];
            let mut rng = seed::rng(row.seed, "smooth-policy", row.step, row.episode);
            let drawn = self.space.sample(&mut rng);
            row.step += 1;
            if row.action.is_empty() {
                row.action = drawn;
            } else if matches!(self.space, Space::Discrete { .. }) {
                if rng.random_bool(ANEW) {
                    row.action = drawn;
                }
            } else {
                let fresh = (1.0 - KEPT * KEPT).sqrt();
                row.action.iter_mut().zip(&drawn).for_each(|(old, new)| *old = KEPT * *old + fresh * new);
                self.space.project(&mut row.action);
            }
            Decision::of(row.action.clone())
        };
        Ok(rows.iter().map(next).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions(space: &Space, count: usize) -> Vec<Vec<f32>> {
        let first = TimeStep::default();
        let mut policy = Smooth::new(space.clone());
        policy.begin(&[Start { seed: 1, episode: 2, first: &first, goal: None, watched: false }]).unwrap();
        (0..count).map(|_| policy.act(&[0], &[&first]).unwrap().remove(0).action).collect()
    }

    #[test]
    fn it_changes_slowly_and_stays_in_the_space() {
        let drawn = actions(&Space::Box { low: vec![-1.0; 2], high: vec![1.0; 2] }, 4_000);
        let mean = |of: &dyn Fn(&[Vec<f32>]) -> f32| drawn.windows(2).map(of).sum::<f32>() / (drawn.len() - 1) as f32;
        let (square, along) = (mean(&|pair| pair[0][0] * pair[0][0]), mean(&|pair| pair[0][0] * pair[1][0]));
        assert!((0.8..0.95).contains(&(along / square)), "{along} of {square}");
        assert!(drawn.iter().flatten().all(|value| value.abs() <= 1.0));
        // A uniform draw has the variance 1/3, and so has the sum, but for what the bounds cut off.
        assert!((0.25..0.36).contains(&square), "{square}");
    }

    #[test]
    fn choices_stay_for_some_steps() {
        let drawn = actions(&Space::Discrete { count: 4 }, 2_000);
        let changes = drawn.windows(2).filter(|pair| pair[0] != pair[1]).count();
        // A new draw in a fifth of the steps, of which three quarters differ.
        assert!((250..350).contains(&changes), "{changes}");
    }
}
