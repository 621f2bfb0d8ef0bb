//! `AdamW` over a model, in two groups: parameters with two or more axes decay, biases and norms do not.

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::{AdamW, AdamWConfig, AdamWState, AdaptiveMomentumState, GradientsParams, Optimizer as _};
use burn::tensor::Tensor;

use super::state::Moments;
use crate::config::OptimizerConfig;

/// Burn's [`AdamW`] applied to every parameter of a model that has a gradient.
///
/// It differs from Burn's `ModuleOptimizer` in what the state is keyed by: the path of a parameter in the model, which a
/// model that was built anew shares, instead of the parameter's random identity.
pub struct Optimizer {
    decaying: AdamW,
    plain: AdamW,
    pub(super) moments: Moments,
}

impl Optimizer {
    /// An optimiser that has made no step.
    pub fn new(config: &OptimizerConfig) -> Self {
        let group = |weight_decay: f64| {
            AdamWConfig::new()
                .with_beta_1(config.betas[0] as f32)
                .with_beta_2(config.betas[1] as f32)
                .with_epsilon(config.epsilon as f32)
                .with_weight_decay(weight_decay as f32)
                .build()
        };
        Self { decaying: group(config.weight_decay), plain: group(0.0), moments: Moments::default() }
    }

    /// One step: `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`, then
    /// `p = (1 - lr * decay) p - lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)`
    /// (Loshchilov and Hutter, 2019, algorithm 2, as `torch.optim.AdamW`). Parameters without a gradient stay.
    #[must_use]
    pub fn step<M: Module>(&mut self, learning_rate: f64, model: M, gradients: GradientsParams) -> M {
        model.map(&mut Step { optimizer: self, learning_rate, gradients, path: Vec::new() })
    }
}

struct Step<'a> {
    optimizer: &'a mut Optimizer,
    learning_rate: f64,
    gradients: GradientsParams,
    path: Vec<String>,
}

impl ModuleMapper for Step<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else { return param };
        let path = self.path.join(".");
        let optimizer = &mut *self.optimizer;
        let state = optimizer
            .moments
            .take::<D>(&path)
            .map(|(steps, first, second)| AdamWState::new(AdaptiveMomentumState::new(steps, first, second)));
        let group = if D > 1 { &optimizer.decaying } else { &optimizer.plain };
        let (id, tensor, mapper) = param.consume();
        let strategy = tensor.gradient_checkpointing_strategy();
        let (tensor, state) = group.step(self.learning_rate, tensor.without_autodiff(), gradient, state);
        if let Some(AdamWState { momentum }) = state {
            optimizer.moments.put(path, momentum.time, momentum.moment_1, momentum.moment_2);
        }
        let tensor = match strategy {
            Some(strategy) => tensor.autodiff().with_gradient_checkpointing_strategy(strategy).require_grad(),
            None => tensor,
        };
        Param::from_mapped_value(id, tensor, mapper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::Device;

    fn layer() -> Linear {
        let device = Device::flex().autodiff();
        let mut layer = LinearConfig::new(2, 1).init(&device);
        layer.weight = Param::from_tensor(Tensor::from_floats([[1.0], [-2.0]], &device));
        layer.bias = Some(Param::from_tensor(Tensor::from_floats([0.5], &device)));
        layer
    }

    fn gradients(layer: &Linear, scale: f32) -> GradientsParams {
        let device = Device::flex();
        let mut gradients = GradientsParams::new();
        gradients.register(layer.weight.id, Tensor::<2>::from_floats([[0.3 * scale], [-4.0 * scale]], &device));
        gradients.register(layer.bias.as_ref().unwrap().id, Tensor::<1>::from_floats([0.1 * scale], &device));
        gradients
    }

    fn values(layer: &Linear) -> Vec<f32> {
        let weight = layer.weight.val().into_data().try_to_vec_as::<f32>().unwrap();
        let bias = layer.bias.as_ref().unwrap().val().into_data().try_to_vec_as::<f32>().unwrap();
        weight.into_iter().chain(bias).collect()
    }

    /// `p`, `m`, `v` after one step of torch.optim.AdamW's formula, in f64.
    fn reference([p, m, v]: [f64; 3], g: f64, t: i32, decay: f64) -> [f64; 3] {
        let (lr, b1, b2, eps) = (0.1, 0.9, 0.999, 1e-8);
        let (m, v) = (b1 * m + (1.0 - b1) * g, b2 * v + (1.0 - b2) * g * g);
        let step = lr / (1.0 - b1.powi(t)) * m / ((v / (1.0 - b2.powi(t))).sqrt() + eps);
        [p * (1.0 - lr * decay) - step, m, v]
    }

    #[test]
    fn steps_are_pytorchs_and_only_matrices_decay() {
        let mut optimizer = Optimizer::new(&OptimizerConfig { weight_decay: 0.5, ..OptimizerConfig::default() });
        let layer = layer();
        let first = gradients(&layer, 1.0);
        let layer = optimizer.step(0.1, layer, first);
        // The first step is lr * sign(g) after decay by 1 - 0.1 * 0.5; the bias does not decay.
        for (value, expected) in values(&layer).into_iter().zip([0.85, -1.8, 0.4]) {
            assert!((value - expected).abs() < 1e-5, "{value} is not {expected}");
        }
        let mut expected = [([1.0, 0.0, 0.0], 0.3, 0.5), ([-2.0, 0.0, 0.0], -4.0, 0.5), ([0.5, 0.0, 0.0], 0.1, 0.0)];
        let mut layer = layer;
        for (parameter, gradient, decay) in &mut expected {
            *parameter = reference(*parameter, *gradient, 1, *decay);
        }
        for (t, scale) in [(2, -0.5_f32), (3, 2.0)] {
            let more = gradients(&layer, scale);
            layer = optimizer.step(0.1, layer, more);
            for (parameter, gradient, decay) in &mut expected {
                *parameter = reference(*parameter, *gradient * f64::from(scale), t, *decay);
            }
        }
        for (value, (expected, ..)) in values(&layer).into_iter().zip(expected) {
            assert!((f64::from(value) - expected[0]).abs() < 2e-6, "{value} is not {}", expected[0]);
        }
        assert!(layer.weight.val().is_require_grad());
    }

    #[test]
    fn a_parameter_without_a_gradient_stays() {
        let mut optimizer = Optimizer::new(&OptimizerConfig { weight_decay: 0.5, ..OptimizerConfig::default() });
        let layer = layer();
        let before = values(&layer);
        assert_eq!(values(&optimizer.step(0.1, layer, GradientsParams::new())), before);
    }
}
