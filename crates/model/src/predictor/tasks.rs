//! Rollouts of many rows, spread over the cores.

use burn::tensor::Tensor;
use prevision_kernels::{on_cpu, parallel, stack_steps};

/// Rows of one task with latents of up to [`SMALL`] numbers: few enough for the intermediate values to stay in the cache.
const ROWS_PER_TASK: usize = 64;
/// Rows of one task with longer latents.
const LONG_ROWS_PER_TASK: usize = 16;
/// Length of a latent of a single vector, at most.
const SMALL: usize = 1024;

/// Rolls rows out with `rollout`, which gives the latents of each step, `[batch, dim]`; off the tape on the CPU in tasks of a fixed number
/// of rows, spread over the cores.
///
/// # Shapes
/// - state: `[batch, dim]`
/// - actions: `[batch, k, action]`
/// - output: `[batch, k, dim]`
pub(super) fn in_tasks<C: Clone + Send + Sync>(
    cell: &C,
    state: Tensor<2>,
    actions: Tensor<3>,
    rollout: impl Fn(&C, Tensor<2>, Tensor<3>) -> Vec<Tensor<2>> + Sync,
) -> Tensor<3> {
    let [batch, dim] = state.dims();
    let rows_per_task = if dim <= SMALL { ROWS_PER_TASK } else { LONG_ROWS_PER_TASK };
    let device = state.device();
    let tasks = batch.div_ceil(rows_per_task);
    if tasks == 1 || device.is_autodiff() || !on_cpu(&device) {
        return Tensor::stack(rollout(cell, state, actions), 1);
    }
    let tasks: Vec<(C, Tensor<2>, Tensor<3>)> = (0..tasks)
        .map(|task| {
            let first = task * rows_per_task;
            let rows = rows_per_task.min(batch - first);
            (cell.clone(), state.clone().narrow(0, first, rows), actions.clone().narrow(0, first, rows))
        })
        .collect();
    stack_steps(parallel::map(tasks, |(cell, state, actions): (C, _, _)| rollout(&cell, state, actions)))
}
