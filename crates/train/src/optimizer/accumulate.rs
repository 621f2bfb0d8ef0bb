//! Adding gradients of several batches.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// The sum of two sets of gradients of one model.
#[must_use]
pub fn add<M: Module>(model: &M, mut sum: GradientsParams, more: GradientsParams) -> GradientsParams {
    struct Adder<'a> {
        sum: &'a mut GradientsParams,
        more: GradientsParams,
    }
    impl ModuleVisitor for Adder<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(more) = self.more.remove::<D>(param.id) {
                let total = match self.sum.remove::<D>(param.id) {
                    Some(sum) => sum + more,
                    None => more,
                };
                self.sum.register(param.id, total);
            }
        }
    }
    model.visit(&mut Adder { sum: &mut sum, more });
    sum
}
