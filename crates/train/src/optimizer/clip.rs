//! Clipping by the global norm: the gradients of all parameters count as one long vector.
//!
//! Burn's own `GradientClippingConfig::Norm` clips each parameter for itself, which changes the direction of the step.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// The Euclidean norm of all gradients together, `[1]`, off the tape and not read back. `None` without gradients.
pub fn global_norm<M: Module>(model: &M, gradients: &GradientsParams) -> Option<Tensor<1>> {
    struct Squares<'a> {
        gradients: &'a GradientsParams,
        sum: Option<Tensor<1>>,
    }
    impl ModuleVisitor for Squares<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.get::<D>(param.id) {
                let squares = gradient.square().sum();
                self.sum = Some(match self.sum.take() {
                    Some(sum) => sum + squares,
                    None => squares,
                });
            }
        }
    }
    let mut squares = Squares { gradients, sum: None };
    model.visit(&mut squares);
    squares.sum.map(Tensor::sqrt)
}

/// Scales all gradients by `min(1, largest / (norm + 1e-6))`, as `torch.nn.utils.clip_grad_norm_` does.
#[must_use]
pub fn clip<M: Module>(model: &M, mut gradients: GradientsParams, norm: &Tensor<1>, largest: f64) -> GradientsParams {
    struct Scaler<'a> {
        gradients: &'a mut GradientsParams,
        factor: Tensor<1>,
    }
    impl ModuleVisitor for Scaler<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.remove::<D>(param.id) {
                let factor = self.factor.clone().reshape([1; D]);
                self.gradients.register(param.id, gradient * factor);
            }
        }
    }
    let factor = (norm.clone() + 1e-6).recip().mul_scalar(largest).clamp_max(1.0);
    model.visit(&mut Scaler { gradients: &mut gradients, factor });
    gradients
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::Device;

    fn gradients(weight: [[f32; 1]; 2], bias: f32) -> (Linear, GradientsParams) {
        let device = Device::flex();
        let model = LinearConfig::new(2, 1).init(&device.clone().autodiff());
        let mut gradients = GradientsParams::new();
        gradients.register(model.weight.id, Tensor::<2>::from_floats(weight, &device));
        gradients.register(model.bias.as_ref().unwrap().id, Tensor::<1>::from_floats([bias], &device));
        (model, gradients)
    }

    fn values(model: &Linear, gradients: &GradientsParams) -> Vec<f32> {
        let weight = gradients.get::<2>(model.weight.id).unwrap().into_data().try_to_vec_as::<f32>().unwrap();
        let bias =
            gradients.get::<1>(model.bias.as_ref().unwrap().id).unwrap().into_data().try_to_vec_as::<f32>().unwrap();
        weight.into_iter().chain(bias).collect()
    }

    #[test]
    fn the_norm_is_over_all_parameters_and_directions_stay() {
        let (model, gradients) = gradients([[2.0], [3.0]], 6.0);
        let norm = global_norm(&model, &gradients).unwrap();
        assert_eq!(norm.clone().try_into_scalar::<f32>().unwrap(), 7.0);
        let clipped = clip(&model, gradients, &norm, 3.5);
        for (clipped, expected) in values(&model, &clipped).into_iter().zip([1.0, 1.5, 3.0]) {
            assert!((clipped - expected).abs() < 1e-6, "{clipped} is not {expected}");
        }
    }

    #[test]
    fn small_gradients_stay_and_a_nan_shows() {
        let (model, small) = gradients([[2.0], [3.0]], 6.0);
        let norm = global_norm(&model, &small).unwrap();
        assert_eq!(values(&model, &clip(&model, small, &norm, 10.0)), [2.0, 3.0, 6.0]);
        let (model, broken) = gradients([[f32::NAN], [0.0]], 0.0);
        assert!(global_norm(&model, &broken).unwrap().try_into_scalar::<f32>().unwrap().is_nan());
        assert!(global_norm(&model, &GradientsParams::new()).is_none());
    }
}
