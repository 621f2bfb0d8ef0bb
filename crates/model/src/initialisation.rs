//! Initial values. Convolutions and linear layers left at Burn's default draw from U(-1/sqrt(fan in), 1/sqrt(fan in)) for weight and
//! bias, which is `PyTorch`'s default too; transformers draw from a normal distribution.

use burn::module::{Initializer, Module, ModuleVisitor, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use crate::layers::LayerNorm;

/// A linear layer with weights from N(0, `std`^2) and zero bias.
///
/// Vision transformers truncate this normal at +-2 in absolute value, which is 100 standard deviations at the usual 0.02: no draw is
/// ever cut, so none is here.
pub(crate) fn normal_linear(input: usize, output: usize, std: f64, device: &Device) -> Linear {
    let mut linear =
        LinearConfig::new(input, output).with_initializer(Initializer::Normal { mean: 0.0, std }).init(device);
    linear.bias = Some(Initializer::Zeros.init([output], device));
    linear
}

/// Standard deviation of transformer weights.
pub(crate) const TRANSFORMER_STD: f64 = 0.02;

/// What vision transformers add to the variance in a layer norm, unless another is given.
pub(crate) const TRANSFORMER_EPSILON: f64 = 1e-6;

/// The layer norm of vision transformers.
pub(crate) fn transformer_norm(dim: usize, device: &Device) -> LayerNorm {
    LayerNorm::new(dim, TRANSFORMER_EPSILON, device)
}

/// Draws every lazily initialised parameter now, in module order, so that initial weights depend on the device's seed and on the
/// module alone, not on the order of first use.
pub(crate) fn draw_parameters<M: Module>(module: &M) {
    struct Draw;
    impl ModuleVisitor for Draw {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let _ = param.val();
        }
    }
    module.visit(&mut Draw);
}
