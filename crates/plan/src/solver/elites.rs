//! The best candidates and their statistics.

use std::cmp::Ordering;

/// The `count` candidates of least cost, best first; equal costs in the order drawn.
pub fn best(costs: &[f32], count: usize) -> Vec<usize> {
    let by_cost = |a: &usize, b: &usize| -> Ordering { costs[*a].total_cmp(&costs[*b]).then(a.cmp(b)) };
    let mut order: Vec<usize> = (0..costs.len()).collect();
    let count = count.min(order.len());
    if count < order.len() {
        order.select_nth_unstable_by(count, by_cost);
        order.truncate(count);
    }
    order.sort_unstable_by(by_cost);
    order
}

/// Weighted mean of the chosen candidates, written to `mean`; the weights sum to one.
///
/// # Shapes
/// - candidates: `[samples, mean.len()]`
pub fn weighted_mean(candidates: &[f32], chosen: &[usize], weights: &[f32], mean: &mut [f32]) {
    let length = mean.len();
    mean.fill(0.0);
    for (index, weight) in chosen.iter().zip(weights) {
        for (sum, value) in mean.iter_mut().zip(&candidates[index * length..]) {
            *sum += weight * value;
        }
    }
}

/// Mean and sample standard deviation (over `n - 1`; zero for one elite) of the chosen candidates.
///
/// # Shapes
/// - candidates: `[samples, mean.len()]`
pub fn mean_and_std(candidates: &[f32], chosen: &[usize], mean: &mut [f32], std: &mut [f32]) {
    let weights = vec![1.0 / chosen.len() as f32; chosen.len()];
    weighted_mean(candidates, chosen, &weights, mean);
    std.fill(0.0);
    for index in chosen {
        for ((sum, value), mean) in std.iter_mut().zip(&candidates[index * mean.len()..]).zip(mean.iter()) {
            *sum += (value - mean) * (value - mean);
        }
    }
    let scale = 1.0 / (chosen.len().max(2) - 1) as f32;
    for sum in std {
        *sum = (*sum * scale).sqrt();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn best_first_and_infinite_last() {
        assert_eq!(best(&[3.0, f32::INFINITY, 1.0, 2.0], 3), [2, 3, 0]);
        assert_eq!(best(&[1.0, 0.0, 1.0, 0.0], 3), [1, 3, 0]);
        assert_eq!(best(&[1.0, 0.0], 9), [1, 0]);
    }

    #[test]
    fn statistics_by_hand() {
        let candidates = [1.0, 10.0, 7.0, 0.0, 3.0, 20.0];
        let (mut mean, mut std) = ([0.0; 2], [0.0; 2]);
        mean_and_std(&candidates, &[0, 2], &mut mean, &mut std);
        assert_eq!(mean, [2.0, 15.0]);
        assert!((std[0] - 2.0_f32.sqrt()).abs() < 1e-6 && (std[1] - 50.0_f32.sqrt()).abs() < 1e-5);
        mean_and_std(&candidates, &[1], &mut mean, &mut std);
        assert_eq!((mean, std), ([7.0, 0.0], [0.0, 0.0]));
        weighted_mean(&candidates, &[0, 1], &[0.25, 0.75], &mut mean);
        assert_eq!(mean, [5.5, 2.5]);
    }
}
