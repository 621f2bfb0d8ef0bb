//! Where a solver's randomness comes from: white noise per episode and iteration, seeded or injected.

use prevision_core::seed;
use rand::Rng;
use rand_distr::StandardNormal;

/// White Gaussian noise for a solver.
pub trait NoiseSource {
    /// How many episodes are planned for at once.
    fn rows(&self) -> usize;

    /// Fills `out` with independent samples of `N(0, 1)` for one episode (a row of the batch) and one iteration.
    ///
    /// # Shapes
    /// - out: `[samples, horizon, a]`
    fn fill(&mut self, row: usize, iteration: usize, out: &mut [f32]);
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
}

impl NoiseSource for SeededNoise {
    fn rows(&self) -> usize {
        self.episodes.len()
    }

    fn fill(&mut self, row: usize, iteration: usize, out: &mut [f32]) {
        let epoch = (self.plan << 24) | iteration as u64;
        let mut rng = seed::rng(self.seed, "plan-noise", epoch, self.episodes[row]);
        for value in out {
            *value = rng.sample(StandardNormal);
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
    fn is_standard_normal() {
        let values = draw(&mut SeededNoise::new(1, 0, vec![0]), 0, 0);
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / values.len() as f32;
        assert!(mean.abs() < 0.06 && (variance - 1.0).abs() < 0.1, "{mean} {variance}");
    }
}
