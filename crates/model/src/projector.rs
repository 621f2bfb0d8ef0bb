//! A perceptron with batch norm between its layers: the projectors of `LeWM` and `LeVJEPA`.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation::gelu};
use prevision_kernels::PreparedLinear;

use crate::layers::{Activation, bias, linear};

/// Linear, batch norm (epsilon 1e-5, momentum 0.1), exact GELU, linear (stable-worldmodel, `wm/lewm/module.py`, `MLP`).
///
/// On the tape the norm is that of the rows at hand, whose mean and variance also move the running ones; off the tape it is that of the
/// running ones, which is a part of the first layer: what is answered for one row does not depend on the others.
#[derive(Module, Debug)]
pub struct Projector {
    /// Into the hidden layer.
    pub fc1: Linear,
    /// Of the hidden layer.
    pub norm: BatchNorm,
    /// Out of the hidden layer.
    pub fc2: Linear,
}

impl Projector {
    /// From vectors of length `dim` to others of that length.
    pub fn new(dim: usize, hidden: usize, device: &Device) -> Self {
        Self::between(dim, hidden, dim, device)
    }

    /// From vectors of length `inputs` to others of length `outputs`.
    pub fn between(inputs: usize, hidden: usize, outputs: usize, device: &Device) -> Self {
        Self {
            fc1: LinearConfig::new(inputs, hidden).init(device),
            norm: BatchNormConfig::new(hidden).init(device),
            fc2: LinearConfig::new(hidden, outputs).init(device),
        }
    }

    /// Length of what comes out.
    pub fn dim(&self) -> usize {
        self.fc2.weight.lazy_shape().dims::<2>()[1]
    }

    /// # Shapes
    /// - x: `[rows, inputs]`
    /// - output: `[rows, outputs]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        if x.device().is_autodiff() && self.norm.training.is_enabled() {
            let hidden = self.normed(linear(&self.fc1, x, Activation::Identity));
            return linear(&self.fc2, gelu(hidden), Activation::Identity);
        }
        let (weight, shift) = self.folded();
        let hidden = prevision_kernels::linear(x, weight, Some(shift), Activation::Gelu);
        linear(&self.fc2, hidden, Activation::Identity)
    }

    /// By the rows at hand. The running variance moves to what they say of all rows, as in `PyTorch`, where Burn takes that of the rows.
    fn normed(&self, hidden: Tensor<2>) -> Tensor<2> {
        let (state, rows) = (&self.norm.running_var, hidden.dims()[0] as f64);
        let kept = state.value_sync().to_device(&hidden.device()) * (1.0 - self.norm.momentum);
        let normed = self.norm.forward(hidden);
        if rows > 1.0 {
            let moved = (state.value_sync() - kept.clone()) * (rows / (rows - 1.0));
            state.update(kept + moved);
        }
        normed
    }

    /// Both layers for many calls off the tape.
    pub(crate) fn layers(&self) -> [PreparedLinear; 2] {
        let (weight, shift) = self.folded();
        [PreparedLinear::new(weight, Some(shift)), PreparedLinear::new(self.fc2.weight.val(), bias(&self.fc2))]
    }

    /// Weight and bias of the first layer and the norm behind it.
    fn folded(&self) -> (Tensor<2>, Tensor<1>) {
        let BatchNorm { gamma, beta, running_mean, running_var, epsilon, .. } = &self.norm;
        let weight = self.fc1.weight.val();
        let device = weight.device();
        let [mean, variance] = [running_mean, running_var].map(|state| state.value().to_device(&device));
        let scale = gamma.val() / (variance + *epsilon).sqrt();
        let shift = match bias(&self.fc1) {
            Some(bias) => (bias - mean) * scale.clone() + beta.val(),
            None => beta.val() - mean * scale.clone(),
        };
        (weight * scale.unsqueeze(), shift)
    }
}
