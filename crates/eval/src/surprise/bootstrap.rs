//! Intervals of what is measured over groups of matched films.

use serde::{Deserialize, Serialize};

/// A number with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Over all groups as they are.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// Measures several numbers over all of `groups`, with their intervals ([`crate::bootstrap`]); those of a single group are the numbers
/// themselves. All numbers see the same draws, so that their differences are paired.
///
/// # Panics
/// If there is no group.
pub(super) fn bootstrap<const N: usize>(
    groups: usize,
    seed: u64,
    measure: impl Fn(&[usize]) -> [f64; N],
) -> [Estimate; N] {
    let values = measure(&(0..groups).collect::<Vec<_>>());
    std::array::from_fn(|index| {
        let value = values[index];
        let [low, high] = crate::bootstrap(groups, seed, |drawn| measure(drawn)[index]).unwrap_or([value; 2]);
        Estimate { value, low, high }
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
