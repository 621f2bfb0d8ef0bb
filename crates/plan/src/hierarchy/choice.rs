//! How many levels to plan with, by what was measured.

use serde::{Deserialize, Serialize};

/// What planning with some number of levels came to, on the same tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelResult {
    /// Levels, the model itself among them.
    pub levels: usize,
    /// Episodes that arrived, as a share.
    pub success_rate: f64,
    /// Its 95 % interval.
    pub interval: [f64; 2],
    /// Floating-point operations of products in an episode.
    pub operations_per_episode: Option<f64>,
    /// Seconds of planning in an episode.
    pub seconds_per_episode: f64,
}

/// How many levels are planned with, and what was measured of each number of them. More levels can be worse: each adds its own errors
/// (H-JEPA, arXiv 2610.06805, reports 45, 17 and 1 % for one, two and three levels in one of its worlds).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The number of levels that is chosen.
    pub levels: usize,
    /// Episodes of each measurement.
    pub episodes: usize,
    /// Seed of the tasks.
    pub seed: u64,
    /// By number of levels.
    pub measured: Vec<LevelResult>,
}

impl Choice {
    /// The rule: of all numbers of levels whose success lies within the interval of the best one, the smallest.
    ///
    /// # Panics
    /// If nothing was measured.
    pub fn of(measured: Vec<LevelResult>, episodes: usize, seed: u64) -> Self {
        let best = measured.iter().max_by(|a, b| a.success_rate.total_cmp(&b.success_rate)).expect("a measurement");
        let enough = |result: &&LevelResult| result.success_rate >= best.interval[0];
        let levels = measured.iter().filter(enough).map(|result| result.levels).min().unwrap_or(best.levels);
        Self { levels, episodes, seed, measured }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(levels: usize, success_rate: f64, interval: [f64; 2]) -> LevelResult {
        LevelResult { levels, success_rate, interval, operations_per_episode: None, seconds_per_episode: 1.0 }
    }

    #[test]
    fn the_fewest_levels_that_are_as_good_as_the_best_are_chosen() {
        let chosen = |measured| Choice::of(measured, 50, 0).levels;
        let flat = || result(1, 0.2, [0.11, 0.33]);
        assert_eq!(chosen(vec![flat(), result(2, 0.9, [0.79, 0.96]), result(3, 0.92, [0.81, 0.97])]), 2);
        assert_eq!(chosen(vec![flat(), result(2, 0.5, [0.37, 0.63]), result(3, 0.92, [0.81, 0.97])]), 3);
        assert_eq!(chosen(vec![result(1, 0.45, [0.32, 0.59]), result(2, 0.17, [0.09, 0.3])]), 1);
    }
}
