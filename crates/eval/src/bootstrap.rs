//! How far a number that was measured on some videos would spread on others.

use prevision_core::seed;
use rand::Rng;

/// How often units are drawn anew.
const DRAWS: usize = 2000;
/// Share of the draws below the interval, and above it.
const TAIL: f64 = 0.025;

/// The 95 % interval of a number over units that are independent of each other, such as videos: the percentile bootstrap (Efron 1979), in
/// which the units are drawn anew with replacement. `statistic` makes the number of the units drawn, whose numbers from 0 it is given; draws of
/// which it makes none (a number that is not finite) are left out. `None` without two units, or if no draw gives a number.
pub fn bootstrap(units: usize, seed: u64, statistic: impl Fn(&[usize]) -> f64) -> Option<[f64; 2]> {
    if units < 2 {
        return None;
    }
    let mut rng = seed::rng(seed, "bootstrap", 0, 0);
    let mut drawn = vec![0; units];
    let mut values: Vec<f64> = (0..DRAWS)
        .map(|_| {
            drawn.fill_with(|| rng.random_range(0..units));
            statistic(&drawn)
        })
        .filter(|value| value.is_finite())
        .collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values.get(((values.len().checked_sub(1)?) as f64 * share).round() as usize).copied();
    Some([at(TAIL)?, at(1.0 - TAIL)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the mean of 100 units, half of them 0 and half of them 1, the standard deviation is 0.05.
    #[test]
    fn the_interval_of_a_mean_is_two_standard_deviations_each_way() {
        let mean = |drawn: &[usize]| drawn.iter().map(|unit| (unit % 2) as f64).sum::<f64>() / drawn.len() as f64;
        let [low, high] = bootstrap(100, 1, mean).unwrap();
        assert!((low - 0.402).abs() < 0.015 && (high - 0.598).abs() < 0.015, "{low} {high}");
        assert_eq!(bootstrap(100, 1, mean), bootstrap(100, 1, mean));
    }

    #[test]
    fn one_unit_has_no_interval_and_draws_without_a_number_do_not_count() {
        assert_eq!(bootstrap(1, 0, |_| 1.0), None);
        assert_eq!(bootstrap(5, 0, |_| f64::NAN), None);
        let some = bootstrap(5, 0, |drawn| if drawn[0] == 0 { f64::NAN } else { 2.0 });
        assert_eq!(some, Some([2.0, 2.0]));
    }
}
