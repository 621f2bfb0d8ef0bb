//! Derivatives with respect to actions, by automatic differentiation.

use burn::prelude::*;

/// Values that were computed of actions, and their derivatives.
#[derive(Clone, Debug)]
pub struct OnTape {
    /// `[b, samples]`, off the tape.
    pub values: Tensor<2>,
    /// The derivative of each value with respect to its own actions, `[b, samples, horizon, a]`; `None` if the values were not
    /// computed of the actions, as far as the tape knows.
    pub gradient: Option<Tensor<4>>,
}

/// Computes `values` of actions on a tape, and goes back. The tape ends with the call. A [`Score`](super::Score) of one's own can give
/// its [`Gradients`](super::Gradients) by this.
///
/// # Shapes
/// - actions: `[b, samples, horizon, a]`, off the tape
/// - values: `[b, samples]`, each a function of its own actions alone
pub fn differentiate(actions: Tensor<4>, values: impl FnOnce(Tensor<4>) -> Tensor<2>) -> OnTape {
    let leaf = actions.without_autodiff().autodiff().require_grad();
    let values = values(leaf.clone());
    let gradient = values.is_tracked().then(|| {
        // No value depends on the actions of another: the derivative of their sum holds those of all.
        let mut gradients = values.clone().sum().backward();
        leaf.grad_remove(&mut gradients).unwrap_or_else(|| leaf.clone().without_autodiff().zeros_like())
    });
    OnTape { values: values.without_autodiff(), gradient }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_into_vec_as::<f32>().unwrap()
    }

    #[test]
    fn every_value_has_the_derivative_of_its_own_actions() {
        let actions = Tensor::<4>::from_floats([[[[1.0, 2.0]], [[3.0, -4.0]]]], &Device::flex());
        let found = differentiate(actions.clone(), |actions| actions.square().sum_dim(3).reshape([1, 2]));
        assert_eq!(host(found.values), [5.0, 25.0]);
        assert_eq!(host(found.gradient.unwrap()), [2.0, 4.0, 6.0, -8.0]);
        let constant = differentiate(actions, |_| Tensor::ones([1, 2], &Device::flex()));
        assert_eq!(host(constant.values), [1.0, 1.0]);
        assert!(constant.gradient.is_none());
    }
}
