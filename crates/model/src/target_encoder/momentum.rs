//! A target encoder that follows its source by exponential moving average, parameter by parameter, matched by path.

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::Tensor;
use burn::tensor::container::TensorContainer;
use prevision_kernels::optimizer::EmaPass;

use crate::parameters::{self, MapParameters, ParameterPath, VisitParameters};

/// A copy of `source` with the same values, its own parameter identities, and frozen: what makes a copy safe to keep beside the
/// original (gradients and optimiser state are keyed by identity).
pub fn target_copy<M: Module>(source: &M) -> M {
    source.clone().map(&mut FreshIds).freeze()
}

/// `target = momentum * target + (1 - momentum) * source` for every float parameter, off the tape, in one pass over all of them.
/// Identities of the target stay.
///
/// # Panics
/// If the two modules do not have the same parameters.
#[must_use]
pub fn blend<M: Module>(target: M, source: &M, momentum: f64) -> M {
    let mut snapshot = Snapshot::default();
    parameters::visit(source, &mut snapshot);
    let mut pass = EmaPass::default();
    let target = parameters::map(target, &mut Take { source: snapshot.0, pass: &mut pass });
    pass.run(momentum);
    target.map(&mut Give { pass })
}

/// Every float parameter of a module, off the tape, keyed by its path.
#[derive(Default)]
struct Snapshot(TensorContainer<String>);

impl VisitParameters for Snapshot {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, parameter: &Param<Tensor<D>>) {
        self.0.register(path.as_str().to_owned(), parameter.val().without_autodiff());
    }
}

/// Moves the parameters of the target into the pass, so that it has the only handle of each, and leaves empty ones behind.
struct Take<'a> {
    source: TensorContainer<String>,
    pass: &'a mut EmaPass,
}

impl MapParameters for Take<'_> {
    fn map<const D: usize>(&mut self, path: &ParameterPath, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path = path.as_str().to_owned();
        let source: Tensor<D> = self
            .source
            .remove(&path)
            .unwrap_or_else(|| panic!("the target has a parameter `{path}`, its source has not"));
        parameter.map(|target| {
            // The empty one keeps what the parameter had of automatic differentiation.
            let device = target.device();
            let strategy = target.gradient_checkpointing_strategy();
            self.pass.push(target.without_autodiff(), source);
            let hole = Tensor::empty([0; D], &device);
            match strategy {
                Some(strategy) => hole.with_gradient_checkpointing_strategy(strategy),
                None => hole,
            }
        })
    }
}

/// Puts what the pass has made back into its places.
struct Give {
    pass: EmaPass,
}

impl ModuleMapper for Give {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let blended = self.pass.pop();
        param.map(|hole: Tensor<D>| match hole.gradient_checkpointing_strategy() {
            Some(strategy) => blended.autodiff().with_gradient_checkpointing_strategy(strategy),
            None => blended,
        })
    }
}

struct FreshIds;

impl ModuleMapper for FreshIds {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (_, tensor, mapper) = param.consume();
        Param::from_mapped_value(ParamId::new(), tensor.detach(), mapper)
    }
}
