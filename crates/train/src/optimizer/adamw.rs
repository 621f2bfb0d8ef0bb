//! `AdamW` over a model, in two groups: parameters with two or more axes decay, biases and norms do not. Before it, clipping by the
//! global norm: the gradients of all parameters count as one long vector.
//!
//! Burn's own `GradientClippingConfig::Norm` clips each parameter for itself, which changes the direction of the step.

use std::collections::VecDeque;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{GradientCheckpointingStrategy, Tensor};
use prevision_kernels::optimizer::{AdamW, AdamWPass, Updated};

use super::state::Moments;
use crate::config::OptimizerConfig;

/// `AdamW` applied to every parameter of a model that has a gradient, in one pass over all of them.
///
/// It differs from Burn's `ModuleOptimizer` in what the saved state is keyed by: the path of a parameter in the model, which a
/// model that was built anew shares, instead of the parameter's random identity.
pub struct Optimizer {
    config: OptimizerConfig,
    pub(super) moments: Moments,
}

impl Optimizer {
    /// An optimiser that has made no step.
    pub fn new(config: &OptimizerConfig) -> Self {
        Self { config: config.clone(), moments: Moments::default() }
    }

    /// One step, see [`AdamWPass::run`]: gradients are scaled by `min(1, clip_norm / (norm + 1e-6))` (if `clip_norm` is above 0), as
    /// `torch.nn.utils.clip_grad_norm_` does, then `AdamW` (Loshchilov and Hutter, 2019, algorithm 2, as `torch.optim.AdamW`) moves
    /// the parameters. Those without a gradient stay.
    ///
    /// Also gives the Euclidean norm of all gradients together, before clipping: `[1]`, not read back; `None` without gradients.
    #[must_use]
    pub fn step<M: Module>(
        &mut self,
        learning_rate: f64,
        model: M,
        gradients: GradientsParams,
    ) -> (M, Option<Tensor<1>>) {
        let config = &self.config;
        let rule = AdamW {
            learning_rate,
            betas: config.betas.map(|beta| beta as f32),
            epsilon: config.epsilon as f32,
            clip_norm: (config.clip_norm > 0.0).then_some(config.clip_norm),
        };
        let mut pass = AdamWPass::default();
        let mut taken = VecDeque::new();
        let model = model.map(&mut Take {
            moments: &mut self.moments,
            weight_decay: config.weight_decay,
            gradients,
            pass: &mut pass,
            taken: &mut taken,
        });
        let norm = pass.run(&rule);
        (model.map(&mut Give { moments: &mut self.moments, pass, taken }), norm)
    }
}

/// A parameter that is in the pass.
struct Taken {
    id: ParamId,
    /// Steps made, this one included.
    steps: usize,
    strategy: Option<GradientCheckpointingStrategy>,
}

/// Moves the parameters with their moments into the pass, so that it has the only handle of each, and leaves empty ones behind.
struct Take<'a> {
    moments: &'a mut Moments,
    weight_decay: f64,
    gradients: GradientsParams,
    pass: &'a mut AdamWPass,
    taken: &'a mut VecDeque<Taken>,
}

impl ModuleMapper for Take<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else { return param };
        let (steps, moments) = match self.moments.take::<D>(param.id) {
            Some((steps, first, second)) => (steps, Some((first, second))),
            None => (0, None),
        };
        let (id, tensor, mapper) = param.consume();
        let strategy = tensor.gradient_checkpointing_strategy();
        let hole = Tensor::empty([0; D], &tensor.device());
        let weight_decay = if D > 1 { self.weight_decay } else { 0.0 };
        self.pass.push(tensor.without_autodiff(), gradient, moments, steps, weight_decay);
        self.taken.push_back(Taken { id, steps: steps + 1, strategy });
        Param::from_mapped_value(id, hole, mapper)
    }
}

/// Puts what the pass has made back into its places.
struct Give<'a> {
    moments: &'a mut Moments,
    pass: AdamWPass,
    taken: VecDeque<Taken>,
}

impl ModuleMapper for Give<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(Taken { id, steps, strategy }) = self.taken.pop_front_if(|taken| taken.id == param.id) else {
            return param;
        };
        let Updated { parameter, first, second } = self.pass.pop::<D>();
        self.moments.put(id, steps, first, second);
        let (_, _, mapper) = param.consume();
        let tensor = match strategy {
            Some(strategy) => parameter.autodiff().with_gradient_checkpointing_strategy(strategy).require_grad(),
            None => parameter,
        };
        Param::from_mapped_value(id, tensor, mapper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::Device;
    use prevision_model::parameters::TensorReader;

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
        let mut optimizer =
            Optimizer::new(&OptimizerConfig { weight_decay: 0.5, clip_norm: 0.0, ..OptimizerConfig::default() });
        let layer = layer();
        let first = gradients(&layer, 1.0);
        let (layer, _) = optimizer.step(0.1, layer, first);
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
            (layer, _) = optimizer.step(0.1, layer, more);
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
        let mut optimizer =
            Optimizer::new(&OptimizerConfig { weight_decay: 0.5, clip_norm: 0.0, ..OptimizerConfig::default() });
        let layer = layer();
        let before = values(&layer);
        let (layer, norm) = optimizer.step(0.1, layer, GradientsParams::new());
        assert!(norm.is_none());
        assert_eq!(values(&layer), before);
        let mut some = gradients(&layer, 1.0);
        some.remove::<2>(layer.weight.id);
        let after = values(&optimizer.step(0.1, layer, some).0);
        assert_eq!(after[..2], before[..2]);
        assert!((after[2] - 0.4).abs() < 1e-5, "{after:?}");
    }

    #[test]
    fn gradients_are_clipped_by_their_common_norm() {
        // The second moment is hardly moved by one step, so the step shows the direction and not the length of the gradient; the
        // moments show both.
        let clipped = |clip_norm: f64| {
            let mut optimizer = Optimizer::new(&OptimizerConfig { clip_norm, ..OptimizerConfig::default() });
            let layer = layer();
            let gradients = gradients(&layer, 10.0);
            let (layer, norm) = optimizer.step(0.1, layer, gradients);
            let (_, first, _) = optimizer.moments.take::<2>(layer.weight.id).expect("moments");
            let first = first.into_data().try_to_vec_as::<f32>().expect("floats");
            (norm.expect("gradients").into_scalar::<f32>(), first)
        };
        let expected = (9.0_f32 + 1600.0 + 1.0).sqrt();
        for (clip_norm, scale) in [(0.0, 1.0), (100.0, 1.0), (2.0, 2.0 / expected)] {
            let (norm, first) = clipped(clip_norm);
            assert!((norm - expected).abs() < 1e-4, "{norm} is not {expected}");
            for (moment, gradient) in first.into_iter().zip([3.0, -40.0]) {
                let expected = 0.1 * gradient * scale;
                assert!((moment - expected).abs() < 1e-5, "{moment} is not {expected}");
            }
        }
    }

    #[test]
    fn a_state_is_stored_as_the_weights_are_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("optimizer.safetensors");
        let config = OptimizerConfig::default();
        let mut optimizer = Optimizer::new(&config);
        let layer = layer();
        let some = gradients(&layer, 1.0);
        let (layer, _) = optimizer.step(0.1, layer, some);
        optimizer.save(&layer, &path).unwrap();
        let mut file = TensorReader::open(&path).unwrap();
        assert_eq!(file.count("steps.weight").unwrap(), Some(1));
        let device = Device::flex();
        let stored: Tensor<2> = file.floats("moment_1.weight", [1, 2], false, &device).unwrap().expect("moments");
        let (_, first, _) = optimizer.moments.take::<2>(layer.weight.id).expect("moments");
        first.transpose().into_data().assert_eq(&stored.into_data(), true);

        let mut again = Optimizer::new(&config);
        again.load(&layer, &path).unwrap();
        let steps = |optimizer: &mut Optimizer| optimizer.moments.take::<1>(layer.bias.as_ref().unwrap().id).unwrap();
        let ((one, a, b), (two, c, d)) = (steps(&mut optimizer), steps(&mut again));
        assert_eq!(one, two);
        a.into_data().assert_eq(&c.into_data(), true);
        b.into_data().assert_eq(&d.into_data(), true);

        let wider = LinearConfig::new(2, 3).init(&device);
        let message = again.load(&wider, &path).unwrap_err().to_string();
        assert!(message.contains("tensor `moment_1.weight`: the model has shape [3, 2], the file [1, 2]"), "{message}");
        let message =
            again.load(&LinearConfig::new(2, 1).with_bias(false).init(&device), &path).unwrap_err().to_string();
        assert!(message.contains("tensor `moment_1.bias` is of no parameter of the model"), "{message}");
    }
}
