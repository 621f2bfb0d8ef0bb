//! Fresh weights.

use std::sync::{Mutex, PoisonError};

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use prevision_core::Spaces;

use crate::Task;

/// Held while a generator is seeded and drawn from: the CPU device has one for the whole process.
static DRAWING: Mutex<()> = Mutex::new(());

/// A model with fresh weights, which depend on the seed alone, see [`drawn`].
pub(crate) fn fresh<T: Task>(task: &T, spaces: &Spaces, seed: u64, device: &Device) -> T::Model {
    drawn(seed, device, |cpu| task.init(spaces, cpu))
}

/// A module with fresh weights, which depend on the seed alone: `init` draws them on the CPU, whatever the device, and whatever other
/// threads build. On the tape if the device is.
pub fn drawn<M: Module>(seed: u64, device: &Device, init: impl FnOnce(&Device) -> M) -> M {
    let _drawing = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
    let cpu = if device.is_autodiff() { Device::flex().autodiff() } else { Device::flex() };
    cpu.seed(seed);
    let model = init(&cpu);
    // A parameter may be drawn only when it is first used.
    model.visit(&mut DrawAll);
    model.fork(device)
}

struct DrawAll;

impl ModuleVisitor for DrawAll {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let _ = param.val();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{Linear, LinearConfig};
    use prevision_model::ClipBatch;
    use prevision_objective::{Draw, LossTerms};
    use std::thread;

    /// Parameters of a Burn module are drawn when they are first used.
    struct Toy;

    impl Task for Toy {
        type Model = Linear;

        fn validate(&self, _: &Spaces) -> Result<(), String> {
            Ok(())
        }

        fn init(&self, _: &Spaces, device: &Device) -> Linear {
            LinearConfig::new(64, 64).init(device)
        }

        fn terms(&self, model: &Linear, _: ClipBatch, _: &Draw) -> LossTerms {
            LossTerms { total: model.weight.val().mean(), terms: Vec::new() }
        }
    }

    fn weights(seed: u64) -> Vec<f32> {
        let model = fresh(&Toy, &Spaces::default(), seed, &Device::flex());
        let [weight, bias] = [model.weight.val().reshape([-1]), model.bias.expect("a bias").val()];
        Tensor::cat(vec![weight, bias], 0).try_into_vec_as().expect("floats")
    }

    #[test]
    fn models_that_are_built_at_once_depend_on_their_seeds_alone() {
        let alone: Vec<Vec<f32>> = (0..4).map(weights).collect();
        assert_ne!(alone[0], alone[1]);
        for _ in 0..20 {
            let at_once: Vec<Vec<f32>> = thread::scope(|scope| {
                let threads: Vec<_> = (0..4).map(|seed| scope.spawn(move || weights(seed))).collect();
                threads.into_iter().map(|thread| thread.join().expect("built")).collect()
            });
            assert_eq!(at_once, alone);
        }
    }
}
