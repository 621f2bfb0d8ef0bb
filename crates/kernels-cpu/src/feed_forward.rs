//! The perceptron of a transformer block: norm, two linear layers, residual.
//!
//! A task takes some rows from the norm to the sum, and their hidden values stay in its cache.

use super::parallel::{collect, each};

use super::level::at;
use super::linear::Finish;
use super::norm::{Affine, Forward};
use super::product::rows_of_task;
use super::scratch::with_scratch;
use super::{Activation, Level, Matrix, Packed, Precision};

/// `x + second(activation(first(norm(x))))`
#[derive(Clone, Copy, Debug)]
pub struct FeedForward<'a> {
    /// Multiplies the normalised rows, `[width]`.
    pub scale: &'a [f32],
    /// Is added to them, `[width]`.
    pub shift: &'a [f32],
    /// Is added to the variance.
    pub epsilon: f32,
    /// Weight, `[width, hidden]`, and bias, `[hidden]`.
    pub first: (Matrix<'a>, Option<&'a [f32]>),
    /// Weight, `[hidden, width]`, and bias, `[width]`.
    pub second: (Matrix<'a>, Option<&'a [f32]>),
    /// Of the hidden values.
    pub activation: Activation,
}

impl FeedForward<'_> {
    /// Writes the sums, `[rows, width]`, to `out`. `x` is of the same shape.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn forward(&self, level: Level, precision: Precision, x: &[f32], out: &mut [f32]) {
        let Self { scale, shift, epsilon, first, second, activation } = *self;
        let (width, hidden) = (first.0.rows(), first.0.columns());
        assert_eq!([second.0.rows(), second.0.columns()], [hidden, width], "the weight of the second layer");
        assert_eq!([scale.len(), shift.len()], [width; 2], "scale and shift of the norm");
        assert_eq!(x.len(), out.len(), "as many results as rows");
        if out.is_empty() {
            return;
        }
        let pack = |weight: Matrix<'_>| Packed::new(level, precision, weight);
        let packed = collect([first.0, second.0], pack);
        let most = rows_of_task(x.len() / width, true);
        each(out.chunks_mut(most * width).zip(x.chunks(most * width)), |(out, x)| {
            let rows = x.len() / width;
            with_scratch(|scratch| {
                let (normed, buffer) = scratch.get::<f32>(rows * (width + hidden + 2)).split_at_mut(rows * width);
                let (inner, statistics) = buffer.split_at_mut(rows * hidden);
                let (statistics, _) = statistics.as_chunks_mut::<2>();
                let affine = Affine::Shared { scale, shift: Some(shift) };
                at(level, Forward { first: 0, x, width, epsilon, affine, statistics, out: &mut *normed });
                let finish = Finish { bias: first.1, activation, inner: None, residual: None, columns: hidden };
                packed[0].product_on_thread(precision, Matrix::new(normed, rows, width), first.0, inner, &finish);
                let activation = Activation::Identity;
                let finish = Finish { bias: second.1, activation, inner: None, residual: Some(x), columns: width };
                packed[1].product_on_thread(precision, Matrix::new(inner, rows, hidden), second.0, out, &finish);
            });
        });
    }
}
