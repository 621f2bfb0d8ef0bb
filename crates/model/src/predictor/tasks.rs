//! Rollouts of many rows, spread over the cores.

use burn::tensor::Tensor;
use prevision_kernels::{on_cpu, parallel, stack_steps};

/// Rows of one task of a transformer's rollout: enough to pay for reading the weights, few enough for what is between the layers to stay in the
/// cache.
pub(super) const ROWS_PER_TASK: usize = 80;

/// Rolls rows out with `rollout`, which gives the latents of each step, `[batch, dim]`; off the tape on the CPU in tasks of at most so many
/// rows, spread over the cores. How the rows are shared out does not depend on the number of cores.
///
/// # Shapes
/// - state: `[batch, dim]`
/// - actions: `[batch, k, action]`
/// - output: `[batch, k, dim]`
pub(super) fn in_tasks<C: Clone + Send + Sync>(
    cell: &C,
    most_rows: usize,
    state: Tensor<2>,
    actions: Tensor<3>,
    rollout: impl Fn(&C, Tensor<2>, Tensor<3>) -> Vec<Tensor<2>> + Sync,
) -> Tensor<3> {
    let [batch, _] = state.dims();
    let device = state.device();
    let tasks = batch.div_ceil(most_rows);
    if tasks <= 1 || device.is_autodiff() || !on_cpu(&device) {
        return Tensor::stack(rollout(cell, state, actions), 1);
    }
    // An even number of tasks, of about the same size: no core waits for another for long.
    let rows_per_task = batch.div_ceil(tasks.next_multiple_of(2));
    let tasks: Vec<(C, Tensor<2>, Tensor<3>)> = (0..batch.div_ceil(rows_per_task))
        .map(|task| {
            let first = task * rows_per_task;
            let rows = rows_per_task.min(batch - first);
            (cell.clone(), state.clone().narrow(0, first, rows), actions.clone().narrow(0, first, rows))
        })
        .collect();
    stack_steps(parallel::map(tasks, |(cell, state, actions): (C, _, _)| rollout(&cell, state, actions)))
}
