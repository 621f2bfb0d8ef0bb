//! Tubelets of videos through a linear layer.

use super::parallel::each;

use super::linear::Finish;
use super::product::rows_of_task;
use super::scratch::with_scratch;
use super::shared::Shared;
use super::tubelets::{Cut, Source};
use super::{Activation, Level, Matrix, Packed, Precision};

/// A linear layer of tubelets.
#[derive(Clone, Copy, Debug)]
pub struct PatchEmbedding<'a> {
    /// How tubelets are cut.
    pub cut: Cut,
    /// Those of each clip: see [`Cut::rows`].
    pub ids: Option<(&'a [usize], usize)>,
    /// `[numbers of a tubelet, outputs]`
    pub weight: Matrix<'a>,
    /// `[outputs]`
    pub bias: Option<&'a [f32]>,
    /// After the bias.
    pub activation: Activation,
}

impl PatchEmbedding<'_> {
    /// Writes `activation(tubelets weight + bias)` to `out`, `[rows, outputs]`, and the values before the activation to `inner`. A task
    /// cuts some tubelets and multiplies them while they are in its cache.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn forward(
        &self,
        level: Level,
        precision: Precision,
        source: &impl Source,
        inner: Option<&mut [f32]>,
        out: &mut [f32],
    ) {
        let Self { cut, ids, weight, bias, activation } = *self;
        let (depth, outputs) = (weight.rows(), weight.columns());
        assert!(inner.as_ref().is_none_or(|inner| inner.len() == out.len()), "inner values of {} numbers", out.len());
        if out.is_empty() {
            return;
        }
        let packed = Packed::new(level, precision, weight);
        let rows = rows_of_task(out.len() / outputs, true);
        let one = |task: usize, inner: Option<&mut [f32]>, out: &mut [f32]| {
            with_scratch(|scratch| {
                let count = out.len() / outputs;
                let tubelets = scratch.get::<f32>(count * depth);
                cut.rows(level, source, ids, task * rows, tubelets);
                let inner = inner.map(Shared::new);
                let finish = Finish { bias, activation, inner, residual: None, columns: outputs };
                packed.product_on_thread(precision, Matrix::new(tubelets, count, depth), weight, out, &finish);
            });
        };
        let outs = out.chunks_mut(rows * outputs).enumerate();
        match inner {
            Some(inner) => {
                each(outs.zip(inner.chunks_mut(rows * outputs)), |((task, out), inner)| one(task, Some(inner), out));
            }
            None => each(outs, |(task, out)| one(task, None, out)),
        }
    }
}
