//! Inverse dynamics: two neighbouring latents must tell the action between them.

use burn::prelude::*;

/// The mean squared error between predicted and true actions (PLDM, Sobal et al. 2025; `eb_jepa`). It keeps what the
/// agent controls in the latents; without it, `eb_jepa` measures almost no planning success.
///
/// # Shapes
/// - predicted, actions: `[n, action]`
/// - output: `[1]`
///
/// # Panics
/// If the shapes differ.
pub fn inverse_dynamics(predicted: Tensor<2>, actions: Tensor<2>) -> Tensor<1> {
    assert_eq!(predicted.dims(), actions.dims(), "predicted and true actions must have one shape");
    (predicted - actions).square().mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{gradient_error, scalar};

    #[test]
    fn is_the_mean_squared_error() {
        let device = Device::flex();
        let actions = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, -1.0]], &device);
        assert_eq!(scalar(inverse_dynamics(actions.clone(), actions.clone())), 0.0);
        assert!((scalar(inverse_dynamics(Tensor::zeros([2, 2], &device), actions)) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn gradient_matches_finite_differences() {
        let actions = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, -1.0]], &Device::flex());
        let error = gradient_error(&[0.3, -0.9, 1.1, 0.25], |x| inverse_dynamics(x.reshape([2, 2]), actions.clone()));
        assert!(error < 1e-2, "{error}");
    }
}
