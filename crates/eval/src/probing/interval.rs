//! Intervals over videos.

/// The 95 % interval of a mean over videos ([`crate::bootstrap`]); the value itself of a single one. Values of the same videos are drawn alike.
///
/// # Panics
/// If there are no values.
pub(super) fn bootstrap(values: &[f64], seed: u64) -> [f64; 2] {
    let of_drawn = |drawn: &[usize]| drawn.iter().map(|video| values[*video]).sum::<f64>() / drawn.len() as f64;
    crate::bootstrap(values.len(), seed, of_drawn).unwrap_or([mean(values); 2])
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
