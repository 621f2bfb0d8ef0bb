//! Rollouts of a residual network with two hidden layers.
//!
//! Rows do not meet: a task takes some rows from the first step to the last, and their values stay in its cache.
#![allow(unsafe_code)]

use super::parallel::each;

use super::linear::{Finish, add};
use super::product::{prefetch, rows_of_task};
use super::scratch::with_scratch;
use super::shared::Shared;
use super::{Activation, Epilogue, Matrix, Packed, Precision};

/// Rows that are not worth a task of their own.
const FEW_ROWS: usize = 12;

/// A linear layer that was prepared for many products.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// `[inputs, outputs]`
    pub weight: Matrix<'a>,
    /// `[outputs]`
    pub bias: Option<&'a [f32]>,
    /// The weight.
    pub packed: &'a Packed,
}

/// The steps of a network:
///
/// ```text
/// next = state + output(relu(middle(relu(latent(state) + action))))
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ResidualMlp<'a> {
    /// State to hidden.
    pub latent: Layer<'a>,
    /// Hidden to hidden.
    pub middle: Layer<'a>,
    /// Hidden to the change of the state.
    pub output: Layer<'a>,
}

impl ResidualMlp<'_> {
    /// Writes the states after each step, `[batch, steps, dim]`, to `out`. `actions` are what the actions add to the first hidden layer,
    /// `[steps, batch, hidden]`, and `state` the states before the first step, `[batch, dim]`.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn rollout(&self, precision: Precision, steps: usize, actions: &[f32], state: &[f32], out: &mut [f32]) {
        let (dim, hidden) = (self.latent.weight.rows(), self.latent.weight.columns());
        assert_eq!(out.len(), steps * state.len(), "the length of the states");
        assert_eq!(actions.len() * dim, out.len() * hidden, "the length of the actions");
        if out.is_empty() {
            return;
        }
        let batch = state.len() / dim;
        let rows = rows_of_task(batch, true).max(FEW_ROWS);
        let states = state.chunks(rows * dim);
        each(out.chunks_mut(rows * steps * dim).zip(states).enumerate(), |(task, (out, state))| {
            let (first, rows) = (task * rows * hidden, state.len() / dim);
            let actions = |step: usize| &actions[step * batch * hidden + first..][..rows * hidden];
            self.rollout_rows(precision, actions, state, out);
        });
    }

    fn rollout_rows<'b>(
        &self,
        precision: Precision,
        actions: impl Fn(usize) -> &'b [f32],
        state: &[f32],
        out: &mut [f32],
    ) {
        let Self { latent, middle, output } = self;
        let (dim, hidden, last) = (latent.weight.rows(), latent.weight.columns(), middle.weight.columns());
        let rows = state.len() / dim;
        let (steps, pitch) = (out.len() / state.len(), out.len() / rows);
        let relu = |layer: &Layer<'_>, x: &[f32], residual: Option<&[f32]>, out: &mut [f32]| {
            let (activation, columns) = (Activation::Relu, layer.weight.columns());
            let finish = Finish { bias: layer.bias, activation, inner: None, residual, columns };
            let x = Matrix::new(x, rows, layer.weight.rows());
            layer.packed.product_on_thread(precision, x, layer.weight, out, &finish);
        };
        let states = Shared::new(out);
        with_scratch(|scratch| {
            let (before, buffer) = scratch.get::<f32>(rows * (2 * dim + hidden + last)).split_at_mut(rows * dim);
            let (after, buffer) = buffer.split_at_mut(rows * dim);
            let (first, second) = buffer.split_at_mut(rows * hidden);
            let (mut before, mut after) = (before, after);
            before.copy_from_slice(state);
            for step in 0..steps {
                relu(latent, before, Some(actions(step)), first);
                relu(middle, first, None, second);
                let finish = Next { bias: output.bias, before, dim, states, first: step * dim, pitch };
                let x = Matrix::new(second, rows, last);
                output.packed.product_on_thread(precision, x, output.weight, after, &finish);
                std::mem::swap(&mut before, &mut after);
            }
        });
    }
}

/// Adds the change of a step to the states before it, and puts the states where they belong among those of all steps.
struct Next<'a> {
    bias: Option<&'a [f32]>,
    /// `[rows, dim]`
    before: &'a [f32],
    dim: usize,
    /// `[rows, steps, dim]`
    states: Shared<'a>,
    /// Place of the first row's state.
    first: usize,
    /// Distance of rows there.
    pitch: usize,
}

impl Epilogue for Next<'_> {
    #[inline(always)]
    fn finish<const FUSED: bool>(&self, row: usize, column: usize, sums: &mut [f32]) {
        if let Some(bias) = self.bias {
            add(sums, &bias[column..]);
        }
        add(sums, &self.before[row * self.dim + column..]);
        // SAFETY: a product finishes every place once, and steps are apart.
        unsafe { self.states.slice(self.first + row * self.pitch + column, sums.len()) }.copy_from_slice(sums);
    }

    #[inline(always)]
    fn prefetch(&self, row: usize, column: usize, columns: usize) {
        prefetch(&self.before[row * self.dim + column..][..columns]);
        // SAFETY: nothing else refers to the place of a state until it is finished.
        prefetch(unsafe { self.states.slice(self.first + row * self.pitch + column, columns) });
    }
}
