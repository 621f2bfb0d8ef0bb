//! Rollouts of a gated recurrent unit whose states pass a layer norm, and their gradients.
//!
//! Rows do not meet: a task takes some rows from the first step to the last, and their values stay in its cache. The weights are
//! prepared once for all steps of all tasks.

use super::parallel::each;

use super::level::{Vectorised, at};
use super::linear::{sum_rows, weight_gradient};
use super::math::{fma, sigmoid, tanh};
use super::product::{Right, product_on_thread};
use super::scratch::with_scratch;
use super::sums::{sum, sum_of};
use super::{Level, Matrix, Precision};

/// Rows that one task rolls out.
const TASK_ROWS: usize = 32;

/// The cell, and the norm after it:
///
/// ```text
/// (r', z', n') = state weight + bias        r, z = sigmoid(input + r'), sigmoid(input + z')
/// n = tanh(input + r n')                    next = norm(n + z (state - n)) scale + shift
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Gru<'a> {
    /// `[dim, 3 dim]`: reset, update, new.
    pub weight: &'a [f32],
    /// `[3 dim]`
    pub bias: &'a [f32],
    /// `[dim]`, of the norm.
    pub scale: &'a [f32],
    /// `[dim]`, of the norm.
    pub shift: &'a [f32],
    /// Added to the variance by the norm.
    pub epsilon: f32,
}

/// What the backward pass needs of the forward pass.
#[derive(Debug)]
pub struct Kept<'a> {
    /// `[batch, steps, 4 dim]`: reset, update, new, and the product that reset multiplies.
    pub gates: &'a mut [f32],
    /// `[batch, steps, 2]`: mean and inverse standard deviation.
    pub statistics: &'a mut [f32],
}

/// What a rollout gave, for its backward pass.
#[derive(Clone, Copy, Debug)]
pub struct Rolled<'a> {
    /// `[batch, dim]`, the first states.
    pub state: &'a [f32],
    /// `[batch, steps, dim]`, the others.
    pub states: &'a [f32],
    /// See [`Kept`].
    pub gates: &'a [f32],
    /// See [`Kept`].
    pub statistics: &'a [f32],
}

/// Where the gradients of a rollout go.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// `[batch, steps, 3 dim]`
    pub inputs: &'a mut [f32],
    /// `[batch, dim]`
    pub state: &'a mut [f32],
    /// `[dim, 3 dim]`
    pub weight: &'a mut [f32],
    /// `[3 dim]`
    pub bias: &'a mut [f32],
    /// `[dim]`
    pub scale: &'a mut [f32],
    /// `[dim]`
    pub shift: &'a mut [f32],
}

impl Gru<'_> {
    /// Length of a state.
    fn dim(&self) -> usize {
        self.scale.len()
    }

    fn check(&self) {
        let dim = self.dim();
        assert_eq!(self.weight.len(), 3 * dim * dim, "the length of the weight for states of {dim}");
        assert_eq!(self.bias.len(), 3 * dim, "the length of the bias for states of {dim}");
        assert_eq!(self.shift.len(), dim, "the length of the shift for states of {dim}");
    }

    /// Writes the states after each of `steps` steps, `[batch, steps, dim]`, to `out`. `inputs` are what the inputs add to the gates,
    /// `[batch, steps, 3 dim]`, and `state` the states before the first step, `[batch, dim]`.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn forward(
        &self,
        level: Level,
        precision: Precision,
        steps: usize,
        inputs: &[f32],
        state: &[f32],
        kept: Option<Kept<'_>>,
        out: &mut [f32],
    ) {
        let dim = self.dim();
        self.check();
        assert_eq!(out.len(), steps * state.len(), "the length of the states");
        assert_eq!(inputs.len(), 3 * out.len(), "the length of the inputs");
        if out.is_empty() {
            return;
        }
        let tasks = (state.len() / dim).div_ceil(TASK_ROWS);
        let kept: Vec<Option<Kept<'_>>> = match kept {
            Some(kept) => {
                assert_eq!((kept.gates.len(), kept.statistics.len()), (4 * out.len(), 2 * out.len() / dim));
                let gates = kept.gates.chunks_mut(TASK_ROWS * steps * 4 * dim);
                let statistics = kept.statistics.chunks_mut(TASK_ROWS * steps * 2);
                gates.zip(statistics).map(|(gates, statistics)| Some(Kept { gates, statistics })).collect()
            }
            None => (0..tasks).map(|_| None).collect(),
        };
        with_scratch(|scratch| {
            let weight = Right::new(level, precision, Matrix::new(self.weight, dim, 3 * dim), scratch);
            each(
                out.chunks_mut(TASK_ROWS * steps * dim)
                    .zip(inputs.chunks(TASK_ROWS * steps * 3 * dim))
                    .zip(state.chunks(TASK_ROWS * dim))
                    .zip(kept),
                |(((out, inputs), state), kept)| {
                    self.forward_rows(level, &weight, steps, inputs, state, kept, out);
                },
            );
        });
    }

    /// As [`Gru::forward`] for the rows of one task.
    fn forward_rows(
        &self,
        level: Level,
        weight: &Right<'_>,
        steps: usize,
        inputs: &[f32],
        state: &[f32],
        mut kept: Option<Kept<'_>>,
        out: &mut [f32],
    ) {
        let dim = self.dim();
        let rows = state.len() / dim;
        with_scratch(|scratch| {
            let (previous, rest) = scratch.get::<f32>(rows * 4 * dim + 4 * dim).split_at_mut(rows * dim);
            let (recurrent, gates) = rest.split_at_mut(rows * 3 * dim);
            previous.copy_from_slice(state);
            for step in 0..steps {
                product_on_thread(Matrix::new(previous, rows, dim), weight, recurrent);
                let kept =
                    kept.as_mut().map(|kept| Kept { gates: &mut *kept.gates, statistics: &mut *kept.statistics });
                let (previous, recurrent) = (&mut *previous, &*recurrent);
                let (gates, out) = (&mut *gates, &mut *out);
                at(level, Forward { gru: *self, step, steps, inputs, previous, recurrent, gates, kept, out });
            }
        });
    }

    /// Writes the gradients of a rollout, from that of its states, `[batch, steps, dim]`.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn backward(
        &self,
        level: Level,
        precision: Precision,
        steps: usize,
        rolled: Rolled<'_>,
        gradient: &[f32],
        out: Gradients<'_>,
    ) {
        let dim = self.dim();
        self.check();
        assert_eq!(gradient.len(), rolled.states.len());
        assert_eq!(gradient.len(), steps * rolled.state.len());
        assert_eq!((rolled.gates.len(), rolled.statistics.len() * dim), (4 * gradient.len(), 2 * gradient.len()));
        assert_eq!((out.inputs.len(), out.state.len()), (3 * gradient.len(), rolled.state.len()));
        for vector in [&mut *out.scale, &mut *out.shift, &mut *out.bias, &mut *out.weight, &mut *out.state] {
            vector.fill(0.0);
        }
        if gradient.is_empty() {
            return;
        }
        let tasks = (rolled.state.len() / dim).div_ceil(TASK_ROWS);
        let mut sums = vec![0.0; tasks * 2 * dim];
        with_scratch(|scratch| {
            // The states before each step, and the gradients of the products, `[batch, steps, dim]` and `[batch, steps, 3 dim]`.
            let (previous, products) = scratch.get::<f32>(4 * gradient.len()).split_at_mut(gradient.len());
            with_scratch(|scratch| {
                let transposed = Matrix::new(self.weight, dim, 3 * dim).transposed();
                let weight = Right::new(level, precision, transposed, scratch);
                let (states, gates) = (TASK_ROWS * steps * dim, TASK_ROWS * steps * 4 * dim);
                let given = gradient
                    .chunks(states)
                    .zip(rolled.state.chunks(TASK_ROWS * dim))
                    .zip(rolled.states.chunks(states))
                    .zip(rolled.gates.chunks(gates))
                    .zip(rolled.statistics.chunks(TASK_ROWS * steps * 2));
                let written = out
                    .inputs
                    .chunks_mut(3 * states)
                    .zip(out.state.chunks_mut(TASK_ROWS * dim))
                    .zip(previous.chunks_mut(states))
                    .zip(products.chunks_mut(3 * states))
                    .zip(sums.chunks_mut(2 * dim));
                each(given.zip(written), |(given, written)| {
                    let ((((gradient, state), states), gates), statistics) = given;
                    let ((((inputs, carried), previous), products), sums) = written;
                    let rolled = Rolled { state, states, gates, statistics };
                    let task = Task { gradient, rolled, inputs, carried, previous, products, sums };
                    self.backward_rows(level, &weight, steps, task);
                });
            });
            let rows = gradient.len() / dim;
            let products = &*products;
            let (states, gradients) = (Matrix::new(previous, rows, dim), Matrix::new(products, rows, 3 * dim));
            weight_gradient(level, precision, states, gradients, out.weight);
            sum_rows(level, products, out.bias);
        });
        let mut total = vec![0.0; 2 * dim];
        sum_rows(level, &sums, &mut total);
        out.scale.copy_from_slice(&total[..dim]);
        out.shift.copy_from_slice(&total[dim..]);
    }

    /// As [`Gru::backward`] for the rows of one task, but for the gradients of the weight and the bias.
    fn backward_rows(&self, level: Level, weight: &Right<'_>, steps: usize, task: Task<'_>) {
        let dim = self.dim();
        let rows = task.rolled.state.len() / dim;
        let Task { gradient, rolled, inputs, carried, previous, products, sums } = task;
        with_scratch(|scratch| {
            let (through, now) = scratch.get::<f32>(rows * 4 * dim).split_at_mut(rows * dim);
            for step in (0..steps).rev() {
                let task = Task {
                    gradient,
                    rolled,
                    inputs: &mut *inputs,
                    carried: &mut *carried,
                    previous: &mut *previous,
                    products: &mut *products,
                    sums: &mut *sums,
                };
                at(level, Backward { gru: *self, step, steps, now: &mut *now, task });
                product_on_thread(Matrix::new(now, rows, 3 * dim), weight, through);
                carried.iter_mut().zip(&*through).for_each(|(sum, value)| *sum += value);
            }
        });
    }
}

/// The three parts of the first `3 dim` numbers.
#[inline(always)]
fn thirds(values: &[f32], dim: usize) -> [&[f32]; 3] {
    [&values[..dim], &values[dim..2 * dim], &values[2 * dim..3 * dim]]
}

/// One step of the rows of a task, after its product.
struct Forward<'a, 'b> {
    gru: Gru<'a>,
    step: usize,
    steps: usize,
    inputs: &'b [f32],
    /// `[rows, dim]`: the states before the step, and then those after it.
    previous: &'b mut [f32],
    /// `[rows, 3 dim]`
    recurrent: &'b [f32],
    /// `[4 dim]`: room for the gates of a row that are not kept.
    gates: &'b mut [f32],
    kept: Option<Kept<'b>>,
    out: &'b mut [f32],
}

impl Vectorised for Forward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(mut self) {
        let Gru { bias, scale, shift, epsilon, .. } = self.gru;
        let dim = scale.len();
        let (scale, shift) = (&scale[..dim], &shift[..dim]);
        let [bias_reset, bias_update, bias_new] = thirds(bias, dim);
        for (row, state) in self.previous.chunks_exact_mut(dim).enumerate() {
            let place = row * self.steps + self.step;
            let [in_reset, in_update, in_new] = thirds(&self.inputs[place * 3 * dim..], dim);
            let [to_reset, to_update, to_new] = thirds(&self.recurrent[row * 3 * dim..], dim);
            let gates = match &mut self.kept {
                Some(kept) => &mut kept.gates[place * 4 * dim..][..4 * dim],
                None => &mut self.gates[..4 * dim],
            };
            let (reset, rest) = gates.split_at_mut(dim);
            let (update, rest) = rest.split_at_mut(dim);
            let (new, product) = rest.split_at_mut(dim);
            let (state, product) = (&mut state[..dim], &mut product[..dim]);
            let next = &mut self.out[place * dim..][..dim];
            for i in 0..dim {
                reset[i] = sigmoid::<FUSED>(in_reset[i] + (to_reset[i] + bias_reset[i]));
                update[i] = sigmoid::<FUSED>(in_update[i] + (to_update[i] + bias_update[i]));
                product[i] = to_new[i] + bias_new[i];
                new[i] = tanh::<FUSED>(fma::<FUSED>(reset[i], product[i], in_new[i]));
                next[i] = fma::<FUSED>(update[i], state[i] - new[i], new[i]);
            }
            let mean = sum_of(next, |next| next) / dim as f32;
            let variance = sum_of(next, |next| (next - mean) * (next - mean)) / dim as f32;
            let inverse = 1.0 / (variance + epsilon).sqrt();
            for i in 0..dim {
                next[i] = fma::<FUSED>((next[i] - mean) * inverse, scale[i], shift[i]);
            }
            state.copy_from_slice(next);
            if let Some(kept) = &mut self.kept {
                kept.statistics[2 * place..][..2].copy_from_slice(&[mean, inverse]);
            }
        }
    }
}

/// What the backward pass of the rows of a task reads and writes.
struct Task<'a> {
    /// `[rows, steps, dim]`
    gradient: &'a [f32],
    rolled: Rolled<'a>,
    /// `[rows, steps, 3 dim]`: gradients of the inputs.
    inputs: &'a mut [f32],
    /// `[rows, dim]`: gradients of the states after the step that come from later ones; then those before it.
    carried: &'a mut [f32],
    /// `[rows, steps, dim]`: the states before each step.
    previous: &'a mut [f32],
    /// `[rows, steps, 3 dim]`: gradients of the products.
    products: &'a mut [f32],
    /// `[2 dim]`: gradients of the norm's scale and shift.
    sums: &'a mut [f32],
}

/// One step of the backward pass of the rows of a task, before its product.
struct Backward<'a, 'b> {
    gru: Gru<'a>,
    step: usize,
    steps: usize,
    /// `[rows, 3 dim]`: gradients of this step's products.
    now: &'b mut [f32],
    task: Task<'b>,
}

impl Vectorised for Backward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { gru, step, steps, now, task } = self;
        let Rolled { state, states, gates, statistics } = task.rolled;
        let dim = gru.scale.len();
        let scale = &gru.scale[..dim];
        let (scale_sums, shift_sums) = task.sums.split_at_mut(dim);
        let shift_sums = &mut shift_sums[..dim];
        let rows = task.carried.chunks_exact_mut(dim).zip(now.chunks_exact_mut(3 * dim)).enumerate();
        for (row, (carried, now)) in rows {
            let place = row * steps + step;
            let before = if step == 0 { &state[row * dim..] } else { &states[(place - 1) * dim..] };
            let (before, carried) = (&before[..dim], &mut carried[..dim]);
            let gates = &gates[place * 4 * dim..][..4 * dim];
            let ([reset, update, new], product) = (thirds(gates, dim), &gates[3 * dim..][..dim]);
            let gradient = &task.gradient[place * dim..][..dim];
            let [mean, inverse] = [statistics[2 * place], statistics[2 * place + 1]];
            // Through the norm; the state before it is made again. `carried` is the gradient after the norm, then before it.
            let normal = |i: usize| (fma::<FUSED>(update[i], before[i] - new[i], new[i]) - mean) * inverse;
            for i in 0..dim {
                let after = carried[i] + gradient[i];
                scale_sums[i] = fma::<FUSED>(after, normal(i), scale_sums[i]);
                shift_sums[i] += after;
                carried[i] = after * scale[i];
            }
            let along_one = sum_of(carried, |carried| carried) / dim as f32;
            let along_normal = sum(dim, |i| carried[i] * normal(i)) / dim as f32;
            // Through the gates.
            let inputs = &mut task.inputs[place * 3 * dim..][..3 * dim];
            let (in_reset, rest) = inputs.split_at_mut(dim);
            let (in_update, in_new) = rest.split_at_mut(dim);
            let in_new = &mut in_new[..dim];
            let new_product = &mut now[2 * dim..][..dim];
            for i in 0..dim {
                let next = inverse * (carried[i] - along_one - normal(i) * along_normal);
                let of_new = next * (1.0 - update[i]) * (1.0 - new[i] * new[i]);
                in_reset[i] = of_new * product[i] * reset[i] * (1.0 - reset[i]);
                in_update[i] = next * (before[i] - new[i]) * update[i] * (1.0 - update[i]);
                in_new[i] = of_new;
                new_product[i] = of_new * reset[i];
                carried[i] = next * update[i];
            }
            now[..dim].copy_from_slice(in_reset);
            now[dim..2 * dim].copy_from_slice(in_update);
            task.products[place * 3 * dim..][..3 * dim].copy_from_slice(now);
            task.previous[place * dim..][..dim].copy_from_slice(before);
        }
    }
}
