//! The backward passes.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};

use super::cpu;

type Tracked = FloatTensor<Autodiff<Flex>>;

#[derive(Debug)]
struct Neighbourhoods;

impl Backward<Flex, 1> for Neighbourhoods {
    type State = [usize; 2];

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let grid = ops.state;
        unary::<Flex, _>(ops.parents, ops.node, grads, |gradient| cpu::neighbourhoods_gradient(&gradient, grid));
    }
}

pub(super) fn neighbourhoods(tokens: Tracked, grid: [usize; 2], outside: f32) -> Tracked {
    let output = cpu::neighbourhoods(tokens.primitive(), grid, outside);
    match Neighbourhoods.prepare::<NoCheckpointing>([tokens.node()]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(grid, output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    }
}

#[derive(Debug)]
struct ShortestPaths;

/// What the backward pass needs of the forward pass.
#[derive(Clone, Debug)]
struct Paths {
    choices: cpu::Choices,
    grid: [usize; 2],
    rounds: usize,
}

impl Backward<Flex, 2> for ShortestPaths {
    type State = Paths;

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let Paths { choices, grid, rounds } = ops.state;
        let gradient = grads.consume::<Flex>(&ops.node);
        let (of_field, of_ways) = cpu::shortest_paths_gradient(&gradient, &choices, grid, rounds);
        for (parent, gradient) in ops.parents.into_iter().zip([of_field, of_ways]) {
            if let Some(parent) = parent {
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

pub(super) fn shortest_paths(field: Tracked, ways: Tracked, grid: [usize; 2], rounds: usize, outside: f32) -> Tracked {
    let (output, choices) = cpu::shortest_paths(field.primitive(), ways.primitive(), grid, rounds, outside);
    match ShortestPaths.prepare::<NoCheckpointing>([field.node(), ways.node()]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(Paths { choices, grid, rounds }, output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    }
}
