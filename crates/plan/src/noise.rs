//! Where a solver's randomness comes from: white noise per episode and iteration, seeded or injected.

use prevision_core::seed;
use rand::Rng;
use rand_distr::{Open01, StandardNormal};

/// Randomness for a solver: white Gaussian noise, or uniform numbers for choices.
pub trait NoiseSource {
    /// How many episodes are planned for at once.
    fn rows(&self) -> usize;

    /// Fills `out` with independent samples of `N(0, 1)` for one episode (a row of the batch) and one iteration.
    ///
    /// # Shapes
    /// - out: `[samples, horizon, a]`
    fn fill(&mut self, row: usize, iteration: usize, out: &mut [f32]);

    /// Fills `out` with independent samples of the uniform distribution over the numbers between 0 and 1, for one episode and one
    /// iteration.
    ///
    /// # Shapes
    /// - out: `[samples, horizon, a]`
    fn uniform(&mut self, row: usize, iteration: usize, out: &mut [f32]);
}

/// Noise that is a function of (seed, episode, plan, iteration) alone, so that what an episode is given does not
/// depend on which others are planned with it.
#[derive(Clone, Debug)]
pub struct SeededNoise {
    seed: u64,
    plan: u64,
    episodes: Vec<u64>,
}

impl SeededNoise {
    /// Noise for the `plan`-th plan of these episodes, one row each.
    pub fn new(seed: u64, plan: u64, episodes: Vec<u64>) -> Self {
        Self { seed, plan, episodes }
    }

    fn rng(&self, what: &str, row: usize, iteration: usize) -> impl Rng + use<> {
        let epoch = (self.plan << 24) | iteration as u64;
        seed::rng(self.seed, what, epoch, self.episodes[row])
    }
}

impl NoiseSource for SeededNoise {
    fn rows(&self) -> usize {
        self.episodes.len()
    }

    fn fill(&mut self, row: usize, iteration: usize, out: &mut [f32]) {
        let mut rng = self.rng("plan-noise", row, iteration);
        for value in out {
            *value = rng.sample(StandardNormal);
        }
    }

    fn uniform(&mut self, row: usize, iteration: usize, out: &mut [f32]) {
        let mut rng = self.rng("plan-choices", row, iteration);
        for value in out {
            *value = rng.sample(Open01);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(noise: &mut SeededNoise, row: usize, iteration: usize) -> Vec<f32> {
        let mut out = vec![0.0; 4000];
        noise.fill(row, iteration, &mut out);
        out
    }

    #[test]
    fn depends_on_the_episode_and_not_on_its_row() {
        let mut together = SeededNoise::new(3, 5, vec![0, 7, 9]);
        let mut alone = SeededNoise::new(3, 5, vec![7]);
        assert_eq!((together.rows(), alone.rows()), (3, 1));
        assert_eq!(draw(&mut together, 1, 2), draw(&mut alone, 0, 2));
        let reference = draw(&mut alone, 0, 2);
        assert_ne!(reference, draw(&mut alone, 0, 3));
        assert_ne!(reference, draw(&mut SeededNoise::new(3, 6, vec![7]), 0, 2));
        assert_ne!(reference, draw(&mut SeededNoise::new(4, 5, vec![7]), 0, 2));
        assert_ne!(reference, draw(&mut together, 0, 2));
    }

    #[test]
    fn choices_are_drawn_evenly_between_0_and_1() {
        let (mut values, mut again) = (vec![0.0; 4000], vec![0.0; 4000]);
        SeededNoise::new(1, 0, vec![4]).uniform(0, 3, &mut values);
        SeededNoise::new(1, 0, vec![0, 4]).uniform(1, 3, &mut again);
        assert_eq!(values, again);
        let mean = values.iter().sum::<f32>() / 4000.0;
        let below = values.iter().filter(|value| **value < 0.25).count();
        assert!((mean - 0.5).abs() < 0.02 && (900..1100).contains(&below), "{mean} {below}");
        assert!(values.iter().all(|value| *value > 0.0 && *value < 1.0));
    }

    #[test]
    fn is_standard_normal() {
        let values = draw(&mut SeededNoise::new(1, 0, vec![0]), 0, 0);
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / values.len() as f32;
        assert!(mean.abs() < 0.06 && (variance - 1.0).abs() < 0.1, "{mean} {variance}");
    }
}
