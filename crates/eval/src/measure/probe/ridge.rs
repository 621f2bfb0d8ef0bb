//! The linear probe: ridge regression in closed form.

use crate::measure::symmetric::Symmetric;

/// The penalty over the mean variance of the features.
const PENALTY: f64 = 1e-3;

/// A linear map from features to positions with an intercept, in double precision.
#[derive(Clone, Debug)]
pub struct Ridge {
    mean: Vec<f64>,
    /// Of every feature, for x and for y.
    weights: [Vec<f64>; 2],
    intercept: [f64; 2],
}

impl Ridge {
    /// Solves `(X^T X / n + p I) W = X^T Y / n` for centred features and positions, where the penalty `p` is
    /// one thousandth of the features' mean variance.
    ///
    /// # Shapes
    /// - features: `[n, dim]`, row-major
    /// - positions: `n`
    ///
    /// # Panics
    /// If there are no samples, or features do not fill rows.
    pub fn fit(features: &[f32], positions: &[[f64; 2]]) -> Self {
        let count = positions.len();
        assert!(count > 0 && features.len().is_multiple_of(count), "{} features of {count} samples", features.len());
        let dim = features.len() / count;
        let rows = || features.chunks_exact(dim);
        let mut mean = vec![0.0; dim];
        for row in rows() {
            mean.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value) / count as f64);
        }
        let intercept: [f64; 2] =
            std::array::from_fn(|axis| positions.iter().map(|position| position[axis]).sum::<f64>() / count as f64);
        let mut moments = [vec![0.0; dim], vec![0.0; dim]];
        for (row, position) in rows().zip(positions) {
            for axis in 0..2 {
                let target = (position[axis] - intercept[axis]) / count as f64;
                let centred = row.iter().zip(&mean).map(|(&value, mean)| f64::from(value) - mean);
                moments[axis].iter_mut().zip(centred).for_each(|(sum, value)| *sum += target * value);
            }
        }
        let covariance = Symmetric::gram(rows(), &mean).scale(1.0 / count as f64);
        // The smallest number keeps constant features solvable: their weights are 0.
        let penalty = (PENALTY * covariance.diagonal().sum::<f64>() / dim as f64).max(f64::MIN_POSITIVE.sqrt());
        let solved = covariance.add_to_diagonal(penalty).solve(moments);
        Self { mean, weights: solved.unwrap_or_else(|| [vec![0.0; dim], vec![0.0; dim]]), intercept }
    }

    /// The position of one row of features.
    ///
    /// # Panics
    /// If the row has another length.
    pub fn predict(&self, features: &[f32]) -> [f64; 2] {
        assert_eq!(features.len(), self.mean.len(), "features of another length");
        std::array::from_fn(|axis| {
            let sum = features.iter().zip(&self.mean).zip(&self.weights[axis]);
            self.intercept[axis] + sum.map(|((&value, mean), weight)| (f64::from(value) - mean) * weight).sum::<f64>()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_feature_matches_the_closed_form() {
        // Feature -1, 0, 1, 2 has mean 0.5 and variance 1.25; x = 3 f + 1, y = -f.
        let features = [-1.0_f32, 0.0, 1.0, 2.0];
        let positions = [[-2.0, 1.0], [1.0, 0.0], [4.0, -1.0], [7.0, -2.0]];
        let ridge = Ridge::fit(&features, &positions);
        let shrink = 1.25 / (1.25 * 1.001);
        let got = ridge.predict(&[2.5]);
        assert!((got[0] - (2.5 + 3.0 * 2.0 * shrink)).abs() < 1e-9, "{got:?}");
        assert!((got[1] - (-0.5 - 2.0 * shrink)).abs() < 1e-9, "{got:?}");
    }

    #[test]
    fn constant_features_answer_the_mean() {
        let ridge = Ridge::fit(&[4.0, 1.0, 4.0, 1.0], &[[1.0, 5.0], [3.0, 7.0]]);
        assert_eq!(ridge.predict(&[4.0, 1.0]), [2.0, 6.0]);
    }

    #[test]
    fn more_dimensions_than_samples_are_solvable() {
        let ridge = Ridge::fit(&[1.0, 2.0, 3.0, -1.0, -2.0, -3.0], &[[1.0, 0.0], [-1.0, 0.0]]);
        let got = ridge.predict(&[1.0, 2.0, 3.0]);
        assert!((got[0] - 1.0).abs() < 0.01 && got[1].abs() < 1e-9, "{got:?}");
    }
}
