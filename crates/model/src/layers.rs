//! Linear layers and layer norm on the project's kernels.

use burn::module::{Initializer, Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use prevision_kernels as kernels;

pub(crate) use kernels::Activation;

/// `activation(x weight + bias)`.
///
/// # Shapes
/// - x: `[.., inputs]`
/// - output: `[.., outputs]`
pub(crate) fn linear<const D: usize>(layer: &Linear, x: Tensor<D>, activation: Activation) -> Tensor<D> {
    kernels::linear(x, layer.weight.val(), bias(layer), activation)
}

/// `activation(residual + x weight + bias)`.
///
/// # Shapes
/// - x: `[.., inputs]`
/// - residual: `[.., outputs]`
/// - output: `[.., outputs]`
pub(crate) fn linear_residual<const D: usize>(
    layer: &Linear,
    x: Tensor<D>,
    residual: Tensor<D>,
    activation: Activation,
) -> Tensor<D> {
    kernels::linear_residual(x, layer.weight.val(), bias(layer), residual, activation)
}

/// `residual + scale * (x weight + bias)`, with a scale of 1 if there is none.
///
/// # Shapes
/// - x: `[.., inputs]`
/// - scale: `[outputs]`
/// - residual, output: `[.., outputs]`
pub(crate) fn scaled_residual<const D: usize>(
    layer: &Linear,
    scale: Option<&Param<Tensor<1>>>,
    x: Tensor<D>,
    residual: Tensor<D>,
) -> Tensor<D> {
    let (weight, bias) = scaled(layer, scale);
    kernels::linear_residual(x, weight, bias, residual, Activation::Identity)
}

/// Weight and bias of `scale * (x weight + bias)`: the scale is worked into them, which costs a row of products instead of one for each token.
pub(crate) fn scaled(layer: &Linear, scale: Option<&Param<Tensor<1>>>) -> (Tensor<2>, Option<Tensor<1>>) {
    let (weight, bias) = (layer.weight.val(), bias(layer));
    match scale {
        Some(scale) => (weight * scale.val().unsqueeze(), bias.map(|bias| bias * scale.val())),
        None => (weight, bias),
    }
}

/// The bias of a layer, `[outputs]`.
pub(crate) fn bias(layer: &Linear) -> Option<Tensor<1>> {
    layer.bias.as_ref().map(Param::val)
}

/// The layer for many calls.
pub(crate) fn prepared(layer: &Linear) -> kernels::PreparedLinear {
    kernels::PreparedLinear::new(layer.weight.val(), bias(layer))
}

/// Epsilon of a layer norm unless another is given.
pub(crate) const NORM_EPSILON: f64 = 1e-5;

/// Layer norm (Ba et al. 2016): every vector minus its mean, over its standard deviation, times `gamma`, plus `beta`.
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// `[width]`
    pub gamma: Param<Tensor<1>>,
    /// `[width]`
    pub beta: Param<Tensor<1>>,
    epsilon: f64,
}

impl LayerNorm {
    /// A norm of vectors of this length; `epsilon` is added to the variance.
    pub fn new(width: usize, epsilon: f64, device: &Device) -> Self {
        Self { gamma: Initializer::Ones.init([width], device), beta: Initializer::Zeros.init([width], device), epsilon }
    }

    /// What is added to the variance.
    pub(crate) fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// # Shapes
    /// - x: `[.., width]`
    /// - output: `[.., width]`
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        kernels::layer_norm(x, Some(self.gamma.val()), Some(self.beta.val()), self.epsilon)
    }

    /// Adaptive layer norm: the norm times `1 + scale` plus `shift`, which are two of the parts that every row has in `packed`.
    ///
    /// # Shapes
    /// - x: `[.., width]`
    /// - packed: `[.., parts * width]`; `parts` says which is the scale, and which is the shift
    /// - output: `[.., width]`
    pub(crate) fn forward_adaptive<const D: usize>(
        &self,
        x: Tensor<D>,
        packed: Tensor<D>,
        parts: [usize; 2],
    ) -> Tensor<D> {
        kernels::adaptive_layer_norm(x, self.gamma.val(), self.beta.val(), packed, parts, self.epsilon)
    }
}
