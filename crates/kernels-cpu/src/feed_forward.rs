//! The perceptron of a transformer block: norm, two linear layers, residual; and its gradients.
//!
//! A task takes some rows from the norm to the sum, or back, and their hidden values stay in its cache. For the gradients nothing is kept but
//! the values before the activation: the others are computed again on the way.

use super::parallel::{collect, each};

use super::level::{Vectorised, at};
use super::linear::Finish;
use super::norm::{Affine, Forward, Statistics};
use super::product::{Sums, rows_of_task};
use super::scratch::with_scratch;
use super::shared::Shared;
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

/// What a backward pass finds out row by row.
#[derive(Debug)]
pub struct BackwardRows<'a> {
    /// Mean and inverse standard deviation of `x`, `[rows]`.
    pub statistics: &'a mut [Statistics],
    /// The norm of `x`, `[rows, width]`.
    pub normed: &'a mut [f32],
    /// The gradient of that.
    pub normed_gradient: &'a mut [f32],
    /// The hidden values, `[rows, hidden]`.
    pub hidden: &'a mut [f32],
    /// The gradient before their activation.
    pub inner_gradient: &'a mut [f32],
}

impl FeedForward<'_> {
    fn check(&self, x: &[f32]) -> [usize; 2] {
        let (width, hidden) = (self.first.0.rows(), self.first.0.columns());
        assert_eq!([self.second.0.rows(), self.second.0.columns()], [hidden, width], "the weight of the second layer");
        assert_eq!([self.scale.len(), self.shift.len()], [width; 2], "scale and shift of the norm");
        assert!(x.len().is_multiple_of(width.max(1)), "{} numbers in rows of {width}", x.len());
        [width, hidden]
    }

    fn affine(&self) -> Affine<'_> {
        Affine::Shared { scale: self.scale, shift: Some(self.shift) }
    }

    /// Writes the sums, `[rows, width]`, to `out`, and the values before the activation, `[rows, hidden]`, to `inner`. `x` is of the shape
    /// of `out`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn forward(&self, level: Level, precision: Precision, x: &[f32], inner: Option<&mut [f32]>, out: &mut [f32]) {
        let [width, hidden] = self.check(x);
        let Self { epsilon, first, second, activation, .. } = *self;
        assert_eq!(x.len(), out.len(), "as many results as rows");
        if out.is_empty() {
            return;
        }
        let rows = x.len() / width;
        assert!(inner.as_ref().is_none_or(|inner| inner.len() == rows * hidden), "values before the activation");
        let packed = collect([first.0, second.0], |weight| Packed::new(level, precision, weight));
        let most = rows_of_task(rows, true);
        let inner: Vec<Option<&mut [f32]>> = match inner {
            Some(inner) if hidden > 0 => inner.chunks_mut(most * hidden).map(Some).collect(),
            _ => (0..rows.div_ceil(most)).map(|_| None).collect(),
        };
        each(out.chunks_mut(most * width).zip(x.chunks(most * width)).zip(inner), |((out, x), inner)| {
            let rows = x.len() / width;
            with_scratch(|scratch| {
                let (normed, buffer) = scratch.get::<f32>(rows * (width + hidden + 2)).split_at_mut(rows * width);
                let (values, statistics) = buffer.split_at_mut(rows * hidden);
                let (statistics, _) = statistics.as_chunks_mut::<2>();
                at(
                    level,
                    Forward { first: 0, x, width, epsilon, affine: self.affine(), statistics, out: &mut *normed },
                );
                let inner = inner.map(Shared::new);
                let finish = Finish { bias: first.1, activation, inner, residual: None, columns: hidden };
                packed[0].product_on_thread(precision, Matrix::new(normed, rows, width), first.0, values, &finish);
                let activation = Activation::Identity;
                let finish = Finish { bias: second.1, activation, inner: None, residual: Some(x), columns: width };
                packed[1].product_on_thread(precision, Matrix::new(values, rows, hidden), second.0, out, &finish);
            });
        });
    }

    /// Takes the gradient of the sums back to the norm, row by row. `inner` is what [`Self::forward`] wrote. The gradients of weights and
    /// biases are products and sums of what is found, that of `x` is that of the norm and `gradient` itself.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn backward(
        &self,
        level: Level,
        precision: Precision,
        x: &[f32],
        inner: &[f32],
        gradient: &[f32],
        found: BackwardRows<'_>,
    ) {
        let [width, hidden] = self.check(x);
        let BackwardRows { statistics, normed, normed_gradient, hidden: values, inner_gradient } = found;
        assert_eq!([gradient.len(), normed.len(), normed_gradient.len()], [x.len(); 3], "rows of the width");
        assert_eq!([values.len(), inner_gradient.len()], [inner.len(); 2], "rows of hidden values");
        assert_eq!(statistics.len() * width, x.len(), "statistics of each row");
        if x.is_empty() || hidden == 0 {
            normed_gradient.fill(0.0);
            return;
        }
        let (rows, epsilon) = (statistics.len(), self.epsilon);
        assert_eq!(inner.len(), rows * hidden, "values before the activation");
        let transposed = [self.second.0, self.first.0].map(Matrix::transposed);
        let packed = collect(transposed, |weight| Packed::new(level, precision, weight));
        let most = rows_of_task(rows, true);
        let of_width = normed.chunks_mut(most * width).zip(normed_gradient.chunks_mut(most * width));
        let of_hidden = values.chunks_mut(most * hidden).zip(inner_gradient.chunks_mut(most * hidden));
        let given = x.chunks(most * width).zip(gradient.chunks(most * width)).zip(inner.chunks(most * hidden));
        let tasks = of_width.zip(of_hidden).zip(given).zip(statistics.chunks_mut(most));
        each(tasks, |((((normed, normed_gradient), (values, inner_gradient)), ((x, gradient), inner)), statistics)| {
            let rows = statistics.len();
            at(level, Forward { first: 0, x, width, epsilon, affine: self.affine(), statistics, out: normed });
            let gradient = Matrix::new(gradient, rows, width);
            packed[0].product_on_thread(precision, gradient, transposed[0], inner_gradient, &Sums);
            at(level, Before { activation: self.activation, inner, gradient: &mut *inner_gradient, values });
            let inner_gradient = Matrix::new(inner_gradient, rows, hidden);
            packed[1].product_on_thread(precision, inner_gradient, transposed[1], normed_gradient, &Sums);
        });
    }
}

/// Hidden values, and their gradients before the activation.
struct Before<'a> {
    activation: Activation,
    inner: &'a [f32],
    gradient: &'a mut [f32],
    values: &'a mut [f32],
}

impl Vectorised for Before<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { activation, inner, gradient, values } = self;
        activation.values_and_times_derivative::<FUSED>(inner, gradient, values);
    }
}
