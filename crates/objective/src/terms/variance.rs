//! Variance: keeps every latent dimension spread out.

use burn::prelude::*;
use prevision_core::config::{Options, check};
use prevision_kernels::variance_hinge;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Frames, Needs, Seen, Term};

/// What is added to the variance inside the square root (VICReg's code and `eb_jepa`).
const EPSILON: f64 = 1e-4;

/// The mean over dimensions of `max(0, margin - sqrt(var + 1e-4))`, with the unbiased variance over samples.
///
/// VICReg (Bardes et al. 2022), equation 1, with the constants of `eb_jepa`. Constant latents cost
/// `margin - 0.01`; latents of standard deviation `margin` and above cost nothing.
///
/// # Shapes
/// - latents: `[samples, dim]`
/// - output: `[1]`
///
/// # Panics
/// If there are fewer than two samples.
pub fn variance(latents: Tensor<2>, margin: f64) -> Tensor<1> {
    let [samples, dim] = latents.dims();
    assert!(samples >= 2, "the variance of latents [{samples}, {dim}] needs at least two samples");
    variance_hinge(latents, margin, EPSILON)
}

/// The hinge on the standard deviation of every latent dimension.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct VarianceTerm {
    /// The standard deviation that the hinge asks for. Default 1.
    margin: f64,
}

impl Default for VarianceTerm {
    fn default() -> Self {
        Self { margin: 1.0 }
    }
}

impl Options for VarianceTerm {
    fn validate(&self) -> Result<(), String> {
        check("margin", self.margin).above(0.0)?.done()
    }
}

impl Term for VarianceTerm {
    fn needs(&self) -> Needs {
        Needs { frames: Frames::All, global_batch: true, ..Needs::default() }
    }

    fn value(&self, seen: &Seen<'_>) -> Tensor<1> {
        seen.over_spread(|part| variance(part, self.margin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{gradient_error, scalar};

    #[test]
    fn constant_latents_cost_the_margin_less_one_hundredth() {
        let latents = Tensor::<2>::ones([10, 4], &Device::flex()) * 3.0;
        assert!((scalar(variance(latents.clone(), 1.0)) - 0.99).abs() < 1e-5);
        assert!((scalar(variance(latents, 2.0)) - 1.99).abs() < 1e-5);
    }

    #[test]
    fn spread_latents_cost_nothing() {
        let latents = Tensor::<2>::from_floats([[-2.0, 5.0], [2.0, 0.0], [0.0, -5.0]], &Device::flex());
        assert_eq!(scalar(variance(latents, 1.0)), 0.0);
    }

    #[test]
    fn variance_is_unbiased() {
        // Column 0: variance 2 / (2 - 1) / 4 = 0.5 for +-0.5; column 1 constant.
        let latents = Tensor::<2>::from_floats([[0.5, 7.0], [-0.5, 7.0]], &Device::flex());
        let expected = f64::midpoint(1.0 - 0.5001_f64.sqrt(), 0.99);
        assert!((scalar(variance(latents, 1.0)) - expected).abs() < 1e-5);
    }

    #[test]
    fn gradient_matches_finite_differences() {
        let values = [0.3, -0.2, 0.1, 0.25, -0.4, 0.5];
        let error = gradient_error(&values, |x| variance(x.reshape([3, 2]), 1.0));
        assert!(error < 1e-2, "{error}");
    }
}
