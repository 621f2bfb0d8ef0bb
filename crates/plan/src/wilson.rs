//! The Wilson score interval of a rate.

/// Quantile 0.975 of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The 95 % Wilson score interval `[low, high]` of a rate of `successes` in `trials` (Wilson 1927); `[0, 1]` without
/// trials.
pub fn wilson(successes: usize, trials: usize) -> [f64; 2] {
    if trials == 0 {
        return [0.0, 1.0];
    }
    let (n, rate) = (trials as f64, successes as f64 / trials as f64);
    let centre = rate + Z * Z / (2.0 * n);
    let half = Z * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    [((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_intervals() {
        // Worked in double precision from the closed form; the first two agree with the tables for ten trials.
        for (successes, trials, want) in [
            (0, 10, [0.0, 0.277_532_8]),
            (10, 10, [0.722_467_2, 1.0]),
            (1, 2, [0.094_531_2, 0.905_468_8]),
            (50, 100, [0.403_831_5, 0.596_168_5]),
            (45, 50, [0.786_398_2, 0.956_524_2]),
        ] {
            let got = wilson(successes, trials);
            let error = (got[0] - want[0]).abs().max((got[1] - want[1]).abs());
            assert!(error < 1e-6, "{successes}/{trials}: {got:?}, expected {want:?}");
        }
        assert_eq!(wilson(0, 0), [0.0, 1.0]);
    }
}
