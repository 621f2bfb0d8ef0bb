//! Covariance: keeps latent dimensions from carrying the same information.

use burn::prelude::*;
use prevision_core::config::Options;
use prevision_kernels::covariance_square;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Frames, Needs, Seen, Term};

/// The mean over the `dim (dim - 1)` off-diagonal entries of the squared covariance matrix.
///
/// VICReg (Bardes et al. 2022), equation 2, but averaged over the entries as `eb_jepa` does (VICReg divides by `dim`
/// only), which is why its coefficients are larger. Perfectly correlated dimensions of unit variance cost 1.
///
/// # Shapes
/// - latents: `[samples, dim]`
/// - output: `[1]`
///
/// # Panics
/// If there are fewer than two samples or fewer than two dimensions.
pub fn covariance(latents: Tensor<2>) -> Tensor<1> {
    let [samples, dim] = latents.dims();
    assert!(
        samples >= 2 && dim >= 2,
        "the covariance of latents [{samples}, {dim}] needs two samples and two dimensions"
    );
    covariance_square(latents)
}

/// The squared off-diagonal covariances of latent dimensions.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CovarianceTerm {}

impl Options for CovarianceTerm {}

impl Term for CovarianceTerm {
    fn needs(&self) -> Needs {
        Needs { frames: Frames::All, global_batch: true, ..Needs::default() }
    }

    fn value(&self, seen: &Seen<'_>) -> Tensor<1> {
        seen.over_spread(covariance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{gradient_error, scalar};

    #[test]
    fn perfectly_correlated_unit_variance_costs_one() {
        // Unbiased variance of (-1, 0, 1) is 1.
        let latents = Tensor::<2>::from_floats([[-1.0, -1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, -1.0]], &Device::flex());
        assert!((scalar(covariance(latents)) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn uncorrelated_dimensions_cost_nothing() {
        let latents = Tensor::<2>::from_floats([[1.0, 5.0], [1.0, -5.0], [-1.0, 5.0], [-1.0, -5.0]], &Device::flex());
        assert!(scalar(covariance(latents)).abs() < 1e-5);
    }

    #[test]
    fn mean_runs_over_the_off_diagonal_entries() {
        // Dimensions 0 and 1 are equal with variance 2, dimension 2 is constant: two of six entries are 2^2.
        let latents = Tensor::<2>::from_floats([[1.0, 1.0, 4.0], [-1.0, -1.0, 4.0]], &Device::flex());
        assert!((scalar(covariance(latents)) - 2.0 * 4.0 / 6.0).abs() < 1e-5);
    }

    #[test]
    fn gradient_matches_finite_differences() {
        let values = [0.3, -0.9, 1.1, 0.25, -1.4, 0.5, 0.7, -0.6];
        let error = gradient_error(&values, |x| covariance(x.reshape([4, 2])));
        assert!(error < 1e-2, "{error}");
    }
}
