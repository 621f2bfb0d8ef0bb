//! Collapse: how many dimensions latents use.

use serde::Serialize;

use super::symmetric::Symmetric;

/// What `RankMe` adds to the normalised singular values (Garrido et al. 2023, equation 2).
const RANKME_EPSILON: f64 = 1e-7;

/// How spread out latents are. All values are 0 for latents that are all zero.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Collapse {
    /// Participation ratio `(sum of l)^2 / sum of l^2` of the eigenvalues `l` of the covariance matrix (Gao et al. 2017, "A
    /// theory of multineuronal dimensionality"): the number of dimensions that would carry the same variance if they shared it
    /// equally; from 1 to `dim`, and 0 for constant latents.
    pub effective_rank: f64,
    /// `RankMe` (Garrido et al. 2023): the exponential of the entropy of the singular values of the latents, not centred,
    /// normalised to sum 1; from 1 to the smaller of `dim` and the number of latents.
    pub rankme: f64,
    /// The smallest standard deviation of a dimension.
    pub std_min: f64,
    /// The mean standard deviation of the dimensions.
    pub std_mean: f64,
}

/// Measures latents of length `dim`, given row by row.
///
/// # Panics
/// If there are fewer than two rows, or the values do not fill rows.
pub fn collapse(values: &[f32], dim: usize) -> Collapse {
    let rows = values.len() / dim;
    assert!(
        rows >= 2 && values.len() == rows * dim,
        "collapse needs two latents of length {dim}, got {} values",
        values.len()
    );
    let each = || values.chunks_exact(dim);
    let mut mean = vec![0.0; dim];
    for row in each() {
        mean.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value) / rows as f64);
    }
    let covariance = Symmetric::gram(each(), &mean).scale(1.0 / (rows as f64 - 1.0));
    // The trace and the squared norm are the sums of the eigenvalues and of their squares.
    let (trace, squares): (f64, f64) = (covariance.diagonal().sum(), covariance.squared_norm());
    let deviations: Vec<f64> = covariance.diagonal().map(f64::sqrt).collect();
    Collapse {
        effective_rank: if squares > 0.0 { trace * trace / squares } else { 0.0 },
        rankme: rankme(Symmetric::gram(each(), &vec![0.0; dim])),
        std_min: deviations.iter().copied().fold(f64::INFINITY, f64::min),
        std_mean: deviations.iter().sum::<f64>() / dim as f64,
    }
}

/// The exponential of the entropy of the normalised singular values, from the Gram matrix `Z^T Z` whose eigenvalues are their
/// squares.
fn rankme(gram: Symmetric) -> f64 {
    let singular: Vec<f64> = gram.eigenvalues().into_iter().map(|value| value.max(0.0).sqrt()).collect();
    let sum: f64 = singular.iter().sum();
    if sum == 0.0 {
        return 0.0;
    }
    let entropy: f64 = singular
        .iter()
        .map(|value| {
            let share = value / sum + RANKME_EPSILON;
            -share * share.ln()
        })
        .sum();
    entropy.exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonal_dimensions_of_equal_variance_count_fully() {
        // Columns (1, -1, 0, 0) and (0, 0, 1, -1): centred, orthogonal, equal.
        let found = collapse(&[1.0, 0.0, -1.0, 0.0, 0.0, 1.0, 0.0, -1.0], 2);
        assert!((found.effective_rank - 2.0).abs() < 1e-9);
        assert!((found.rankme - 2.0).abs() < 1e-5);
        let expected = (2.0_f64 / 3.0).sqrt();
        assert!((found.std_min - expected).abs() < 1e-9 && (found.std_mean - expected).abs() < 1e-9);
    }

    #[test]
    fn unequal_variances_count_partly() {
        // Variances 2 and 0.5 up to a factor: participation ratio 2.5^2 / 4.25; singular values 2 : 1.
        let found = collapse(&[2.0, 0.0, -2.0, 0.0, 0.0, 1.0, 0.0, -1.0], 2);
        assert!((found.effective_rank - 25.0 / 17.0).abs() < 1e-9);
        let entropy = -(2.0_f64 / 3.0) * (2.0_f64 / 3.0).ln() - (1.0_f64 / 3.0) * (1.0_f64 / 3.0).ln();
        assert!((found.rankme - entropy.exp()).abs() < 1e-5);
    }

    #[test]
    fn latents_on_a_line_have_rank_one_and_fewer_rows_than_dimensions_work() {
        let found = collapse(&[1.0, 2.0, 3.0, -1.0, -2.0, -3.0], 3);
        assert!((found.effective_rank - 1.0).abs() < 1e-9, "{found:?}");
        assert!((found.rankme - 1.0).abs() < 1e-4, "{found:?}");
    }

    #[test]
    fn constant_latents_have_collapsed() {
        let found = collapse(&[1.0, 2.0, 1.0, 2.0, 1.0, 2.0], 2);
        assert_eq!((found.effective_rank, found.std_min, found.std_mean), (0.0, 0.0, 0.0));
        assert!((found.rankme - 1.0).abs() < 1e-4);
        assert_eq!(collapse(&[0.0; 4], 2).rankme, 0.0);
    }
}
