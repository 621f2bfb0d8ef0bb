//! Rollouts of many rows, spread over the cores.

use burn::tensor::{Device, Tensor};
use rayon::prelude::*;

/// Rows of one task: small enough for the intermediate values to stay in the cache.
const ROWS_PER_TASK: usize = 256;

/// Rolls rows out with `rollout`; off the tape on the CPU in tasks of a fixed number of rows, spread over the cores.
///
/// # Shapes
/// - state: `[batch, dim]`
/// - actions: `[batch, k, action]`
/// - output: `[batch, k, dim]`
pub(super) fn in_tasks<C: Clone + Send + Sync>(
    cell: &C,
    state: Tensor<2>,
    actions: Tensor<3>,
    rollout: impl Fn(&C, Tensor<2>, Tensor<3>) -> Tensor<3> + Sync,
) -> Tensor<3> {
    let [batch, _] = state.dims();
    let device = state.device();
    let tasks = batch.div_ceil(ROWS_PER_TASK);
    if tasks == 1 || device.is_autodiff() || device != Device::flex() {
        return rollout(cell, state, actions);
    }
    let tasks: Vec<(C, Tensor<2>, Tensor<3>)> = (0..tasks)
        .map(|task| {
            let first = task * ROWS_PER_TASK;
            let rows = ROWS_PER_TASK.min(batch - first);
            (cell.clone(), state.clone().narrow(0, first, rows), actions.clone().narrow(0, first, rows))
        })
        .collect();
    let parts = tasks.into_par_iter().map(|(cell, state, actions)| rollout(&cell, state, actions)).collect();
    Tensor::cat(parts, 0)
}
