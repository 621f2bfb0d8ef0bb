//! Intervals over videos.

use prevision_core::seed;
use rand::Rng;

/// Resamplings of the videos.
const DRAWS: usize = 4000;

/// The 95 % bootstrap interval of a mean, by percentiles (Efron and Tibshirani 1993, chapter 13): from `[2.5 %, 97.5 %]` of the means of 4000
/// resamplings, which depend on the seed and the number of values alone, so that values of the same videos are resampled alike.
///
/// # Panics
/// If there are no values.
pub(super) fn bootstrap(values: &[f64], seed: u64) -> [f64; 2] {
    let count = values.len();
    let mut rng = seed::rng(seed, "probe-bootstrap", 0, 0);
    let mut means: Vec<f64> = (0..DRAWS)
        .map(|_| (0..count).map(|_| values[rng.random_range(0..count)]).sum::<f64>() / count as f64)
        .collect();
    means.sort_by(f64::total_cmp);
    let tail = DRAWS / 40;
    [means[tail], means[DRAWS - 1 - tail]]
}

/// The mean.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_as_wide_as_the_normal_approximation_says() {
        let values: Vec<f64> = (0..100).map(|i| f64::from(i % 2)).collect();
        // 1.96 standard errors of 0.05 around one half.
        let [low, high] = bootstrap(&values, 1);
        assert!((low - 0.402).abs() < 0.015 && (high - 0.598).abs() < 0.015, "{low} to {high}");
        assert_eq!(bootstrap(&[0.25; 7], 1), [0.25, 0.25]);
        assert_eq!(mean(&[1.0, 2.0, 6.0]), 3.0);
    }
}
