//! Actions drawn at random: the baseline that every other policy must beat.

use prevision_core::{Space, seed};

use super::{Decision, Policy, PolicyError, Start};
use crate::TimeStep;

/// Draws every action uniformly from the action space, as a function of (seed, episode, step).
#[derive(Debug, Clone)]
pub struct Random {
    space: Space,
    episodes: Vec<(u64, u64)>,
    steps: Vec<u64>,
}

impl Random {
    /// The name of this policy.
    pub const NAME: &'static str = "random";

    /// A random policy for this action space.
    pub fn new(space: Space) -> Self {
        Self { space, episodes: Vec::new(), steps: Vec::new() }
    }
}

impl Policy for Random {
    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        self.episodes = episodes.iter().map(|start| (start.seed, start.episode)).collect();
        self.steps = vec![0; episodes.len()];
        Ok(())
    }

    fn act(&mut self, rows: &[usize], _seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let draw = |row: &usize| {
            let (seed, episode) = self.episodes[*row];
            let mut rng = seed::rng(seed, "random-policy", self.steps[*row], episode);
            self.steps[*row] += 1;
            Decision::of(self.space.sample(&mut rng))
        };
        Ok(rows.iter().map(draw).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_episode_does_not_depend_on_the_others() {
        let first = TimeStep::default();
        let start = |episode| Start { seed: 3, episode, first: &first, goal: None, watched: false };
        let space = Space::Ball { dim: 2, radius: 1.5 };
        let mut both = Random::new(space.clone());
        both.begin(&[start(4), start(5)]).unwrap();
        let mut one = Random::new(space);
        one.begin(&[start(5)]).unwrap();
        for step in 0..3 {
            let together = both.act(&[0, 1], &[&first, &first]).unwrap();
            let alone = one.act(&[0], &[&first]).unwrap();
            assert_eq!(together[1], alone[0], "step {step}");
            assert_ne!(together[0], together[1]);
            assert!(alone[0].action[0].hypot(alone[0].action[1]) <= 1.5 + 1e-6);
        }
    }
}
