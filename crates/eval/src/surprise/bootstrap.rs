//! Intervals of what is measured over groups of matched films.

use prevision_core::seed;
use rand::Rng;
use serde::{Deserialize, Serialize};

/// Samples of the groups.
const SAMPLES: u64 = 2000;
/// Share of the samples on either side of an interval.
const TAIL: f64 = 0.025;

/// A number with the interval that 95 % of the samples fall into.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Over all groups as they are.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// Measures several numbers over all of `groups`, and over samples of as many groups with replacement (the percentile bootstrap). All
/// numbers see the same samples, so that their differences are paired. The samples are a function of `seed` alone.
///
/// # Panics
/// If there is no group, or `measure` gives another count of numbers.
pub(super) fn bootstrap<const N: usize>(
    groups: usize,
    seed: u64,
    measure: impl Fn(&[usize]) -> [f64; N],
) -> [Estimate; N] {
    let values = measure(&(0..groups).collect::<Vec<_>>());
    let mut samples: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(SAMPLES as usize));
    let mut drawn = vec![0; groups];
    for sample in 0..SAMPLES {
        let mut rng = seed::rng(seed, "surprise", 0, sample);
        drawn.fill_with(|| rng.random_range(0..groups));
        for (samples, value) in samples.iter_mut().zip(measure(&drawn)) {
            samples.push(value);
        }
    }
    std::array::from_fn(|index| {
        let samples = &mut samples[index];
        samples.sort_unstable_by(f64::total_cmp);
        let last = samples.len() - 1;
        let at = |share: f64| samples[(share * last as f64).round() as usize];
        Estimate { value: values[index], low: at(TAIL), high: at(1.0 - TAIL) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_share_is_that_of_the_binomial() {
        // 60 of 100 right: 0.6 with a standard error of 0.049.
        let right = |group: usize| f64::from(u8::from(group < 60));
        let mean = |groups: &[usize]| groups.iter().map(|&group| right(group)).sum::<f64>() / groups.len() as f64;
        let [share, difference] = bootstrap(100, 3, |groups| [mean(groups), mean(groups) - mean(groups)]);
        assert_eq!(share.value, 0.6);
        assert!((share.low - 0.504).abs() < 0.02 && (share.high - 0.696).abs() < 0.02, "{share:?}");
        assert_eq!(difference, Estimate { value: 0.0, low: 0.0, high: 0.0 }, "samples are shared");
        assert_eq!(bootstrap(100, 3, |groups| [mean(groups)])[0], share, "and a function of the seed");
    }
}
