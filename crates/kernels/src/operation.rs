//! How a kernel becomes an operation of Burn: one extension of the backend for all of them.
//!
//! A kernel implements [`Operation`]. [`apply`] calls it on the CPU backend; under automatic differentiation it is one step on the
//! tape whose backward pass is the kernel's own.

use std::fmt::Debug;
use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, Backend, BackendTensor, Dispatch, DispatchAutodiffContext, DispatchTensor, DispatchTensorKind,
    ExtensionType, Flex, backend_extension,
};
use burn::tensor::{DType, Tensor};

use crate::array::Array;
use crate::cpu::Runtime;
use crate::on_cpu;

/// An operation on float32 tensors of the CPU backend, with its gradient.
pub(crate) trait Operation: Debug + Send + Sync {
    /// Computes the result. With `training`, also what the backward pass needs beyond the inputs.
    fn forward(&self, runtime: Runtime, inputs: &[Array], training: bool) -> (Array, Vec<Array>);

    /// Whether the backward pass reads input `index`.
    fn needs(&self, index: usize) -> bool;

    /// The gradients of the inputs that are `wanted`, in their order; others may be left out. Inputs that are not needed are `None`.
    /// The runtime is that of the forward pass.
    fn backward(
        &self,
        runtime: Runtime,
        inputs: &[Option<Array>],
        kept: &[Array],
        gradient: Array,
        wanted: &[bool],
    ) -> Vec<Option<Array>>;
}

/// An operation and what it runs with, shared between the tape and the call.
#[derive(Clone, Debug)]
pub(crate) struct Kernel {
    operation: Arc<dyn Operation>,
    runtime: Runtime,
}

impl Kernel {
    fn forward(&self, inputs: &[Array], training: bool) -> (Array, Vec<Array>) {
        self.operation.forward(self.runtime, inputs, training)
    }
}

/// The inputs of a kernel, in order; at least one.
pub(crate) struct Inputs<B: Backend>(Vec<FloatTensor<B>>);

impl<B: Backend> ExtensionType<B> for Inputs<B> {
    type Target = Inputs<Dispatch>;

    fn map_to_dispatch<F>(self, map_kind: F, autodiff: DispatchAutodiffContext) -> Inputs<Dispatch>
    where
        F: Fn(BackendTensor<B>) -> DispatchTensorKind,
    {
        let wrap = |tensor| DispatchTensor { kind: map_kind(BackendTensor::Float(tensor)), autodiff };
        Inputs(self.0.into_iter().map(wrap).collect())
    }

    fn map_from_dispatch<F>(target: Inputs<Dispatch>, unwrap_kind: F) -> Self
    where
        F: Fn(DispatchTensor) -> BackendTensor<B>,
    {
        Self(target.0.into_iter().map(|tensor| unwrap_kind(tensor).float()).collect())
    }

    fn routing_tensor(target: &Inputs<Dispatch>) -> Option<&DispatchTensor> {
        target.0.first()
    }

    fn routing_float_tensor(target: &Inputs<Dispatch>) -> Option<&DispatchTensor> {
        target.0.first()
    }

    fn autodiff_context(target: &Inputs<Dispatch>) -> DispatchAutodiffContext {
        target.0.iter().fold(DispatchAutodiffContext::Disabled, |context, tensor| context.merge(tensor.autodiff))
    }
}

/// Burn's backends that run kernels.
#[backend_extension(Autodiff, Flex)]
pub(crate) trait KernelBackend: Backend {
    /// Runs a kernel on its inputs.
    fn run(#[extension_type] inputs: Inputs<Self>, kernel: Kernel) -> FloatTensor<Self>;
}

impl KernelBackend for Flex {
    fn run(inputs: Inputs<Self>, kernel: Kernel) -> FlexTensor {
        let inputs: Vec<Array> = inputs.0.into_iter().map(Array::new).collect();
        kernel.forward(&inputs, false).0.into_tensor()
    }
}

impl<C: CheckpointStrategy> KernelBackend for Autodiff<Flex, C> {
    fn run(Inputs(inputs): Inputs<Self>, kernel: Kernel) -> FloatTensor<Self> {
        macro_rules! of_inputs {
            ($($count:literal)+) => {
                match inputs.len() {
                    $($count => on_tape::<C, $count>(inputs, kernel),)+
                    count => unreachable!("no kernel has {count} inputs"),
                }
            };
        }
        of_inputs!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17)
    }
}

/// What the tape holds of a kernel.
#[derive(Clone, Debug)]
struct State {
    kernel: Kernel,
    inputs: Vec<Option<NodeId>>,
    kept: Vec<Array>,
}

#[derive(Debug)]
struct Step;

impl<const N: usize> Backward<Flex, N> for Step {
    type State = State;

    fn backward(self, ops: Ops<State, N>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let gradient = Array::new(grads.consume::<Flex>(&ops.node));
        let State { kernel, inputs, kept } = ops.state;
        let inputs: Vec<Option<Array>> = inputs
            .into_iter()
            .map(|id| id.map(|id| Array::new(checkpointer.retrieve_node_output::<FlexTensor>(id))))
            .collect();
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let gradients = kernel.operation.backward(kernel.runtime, &inputs, &kept, gradient, &wanted);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<Flex>(parent.id, gradient.into_tensor());
            }
        }
    }
}

fn on_tape<C: CheckpointStrategy, const N: usize>(
    inputs: Vec<FloatTensor<Autodiff<Flex, C>>>,
    kernel: Kernel,
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes = std::array::from_fn(|index| inputs[index].node());
    let arrays: Vec<Array> = inputs.iter().map(|input| Array::new(input.primitive().clone())).collect();
    match Backward::<Flex, N>::prepare::<C>(Step, nodes).compute_bound().stateful() {
        OpsKind::Tracked(mut prepared) => {
            let ids = inputs
                .iter()
                .enumerate()
                .map(|(index, input)| kernel.operation.needs(index).then(|| prepared.checkpoint(input)))
                .collect();
            let (value, kept) = kernel.forward(&arrays, true);
            prepared.finish(State { kernel, inputs: ids, kept }, value.into_tensor())
        }
        OpsKind::UnTracked(prepared) => prepared.finish(kernel.forward(&arrays, false).0.into_tensor()),
    }
}

/// Whether kernels run where this tensor is; elsewhere their compositions do.
pub(crate) fn runs_on<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.dtype() == DType::F32 && on_cpu(&tensor.device())
}

/// Runs a kernel on tensors of any rank, here and in its backward pass with the runtime of this thread.
pub(crate) fn apply<const D: usize>(inputs: Vec<DispatchTensor>, operation: impl Operation + 'static) -> Tensor<D> {
    let kernel = Kernel { operation: Arc::new(operation), runtime: Runtime::current() };
    Tensor::from_dispatch(<Dispatch as KernelBackend>::run(Inputs(inputs), kernel))
}
