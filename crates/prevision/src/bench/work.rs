//! What a case is: something to run, and the matrix products in it.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use prevision_train::OptimizerConfig;
use prevision_train::optimizer::Optimizer;

/// A prepared case.
pub(crate) struct Work {
    /// Does the work once.
    pub(crate) run: Box<dyn FnMut()>,
    /// Floating-point operations of the matrix products in one run, two for each multiplication with its addition; `None` where
    /// products are not what the case is made of.
    pub(crate) flops: Option<u64>,
}

/// A multiplication with its addition.
const MULTIPLY_ADD: u64 = 2;

/// Operations of a product of `[m, k]` and `[k, n]`.
pub(super) const fn product(m: usize, k: usize, n: usize) -> u64 {
    MULTIPLY_ADD * (m * k * n) as u64
}

/// A training step: loss, gradients, `AdamW`.
pub(super) fn training<M: Module + 'static>(model: M, loss: impl Fn(&M) -> Tensor<1> + 'static) -> Box<dyn FnMut()> {
    let config = OptimizerConfig::default();
    let mut optimizer = Optimizer::new(&config);
    let mut model = Some(model);
    Box::new(move || {
        if let Some(before) = model.take() {
            let gradients = GradientsParams::from_grads(loss(&before).backward(), &before);
            model = Some(optimizer.step(config.lr, before, gradients).0);
        }
    })
}

/// Standard normal numbers that depend on the shape alone.
pub(super) fn normal<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    device.seed(1);
    Tensor::random(shape, burn::tensor::Distribution::Normal(0.0, 1.0), device)
}
