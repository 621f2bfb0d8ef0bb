//! `activation(x w + b + residual)`, and its gradients.
#![allow(unsafe_code)]

use super::parallel::each;

use super::level::{Vectorised, at};
use super::product::prefetch;
use super::shared::Shared;
use super::{Activation, Epilogue, Level, Matrix, Packed, Precision, Sums, product};

/// What follows the product of a linear layer.
pub(super) struct Finish<'a> {
    pub(super) bias: Option<&'a [f32]>,
    pub(super) activation: Activation,
    /// Where the values before the activation go.
    pub(super) inner: Option<Shared<'a>>,
    pub(super) residual: Option<&'a [f32]>,
    pub(super) columns: usize,
}

impl Epilogue for Finish<'_> {
    #[inline(always)]
    fn finish<const FUSED: bool>(&self, row: usize, column: usize, sums: &mut [f32]) {
        let place = row * self.columns + column;
        if let Some(bias) = self.bias {
            add(sums, &bias[column..]);
        }
        if let Some(residual) = self.residual {
            add(sums, &residual[place..]);
        }
        if let Some(inner) = &self.inner {
            // SAFETY: a product finishes every place once, and rows of different tasks are apart.
            unsafe { inner.slice(place, sums.len()) }.copy_from_slice(sums);
        }
        self.activation.apply::<FUSED>(sums);
    }

    #[inline(always)]
    fn prefetch(&self, row: usize, column: usize, columns: usize) {
        if let Some(residual) = self.residual {
            prefetch(&residual[row * self.columns + column..][..columns]);
        }
    }
}

/// Adds the first of some numbers to others, all of a vector read before any is written.
#[inline(always)]
pub(super) fn add(sums: &mut [f32], others: &[f32]) {
    let others = &others[..sums.len()];
    let ((chunks, rest), (other_chunks, other_rest)) = (sums.as_chunks_mut::<8>(), others.as_chunks::<8>());
    for (sums, others) in chunks.iter_mut().zip(other_chunks) {
        *sums = std::array::from_fn(|i| sums[i] + others[i]);
    }
    rest.iter_mut().zip(other_rest).for_each(|(sum, other)| *sum += other);
}

/// A linear layer's operands.
#[derive(Clone, Copy, Debug)]
pub struct Linear<'a> {
    /// `[rows, inputs]`
    pub x: Matrix<'a>,
    /// `[inputs, outputs]`
    pub weight: Matrix<'a>,
    /// `[outputs]`
    pub bias: Option<&'a [f32]>,
    /// After bias and residual.
    pub activation: Activation,
}

impl Linear<'_> {
    /// Writes `activation(x weight + bias + residual)` to `out`, `[rows, outputs]`, and the values before the activation to `inner`,
    /// of the same shape. `packed` is the weight, if it was prepared.
    ///
    /// # Panics
    /// If the shapes do not fit, or the weight was prepared for another precision.
    pub fn forward(
        &self,
        level: Level,
        precision: Precision,
        packed: Option<&Packed>,
        residual: Option<&[f32]>,
        inner: Option<&mut [f32]>,
        out: &mut [f32],
    ) {
        let columns = self.weight.columns();
        assert!(self.bias.is_none_or(|bias| bias.len() == columns), "a bias of {columns} numbers");
        assert!(residual.is_none_or(|residual| residual.len() == out.len()), "a residual of {} numbers", out.len());
        assert!(inner.as_ref().is_none_or(|inner| inner.len() == out.len()), "inner values of {} numbers", out.len());
        let inner = inner.map(Shared::new);
        let finish = Finish { bias: self.bias, activation: self.activation, inner, residual, columns };
        match packed {
            Some(packed) => packed.product(precision, self.x, self.weight, out, &finish),
            None => product(level, precision, self.x, self.weight, out, &finish),
        }
    }
}

/// Writes the gradient before an activation to `out`, from that after it. `kept` is the values before the activation, or after it
/// for `ReLU`.
///
/// # Panics
/// If the lengths differ.
pub fn activation_backward(level: Level, activation: Activation, kept: &[f32], gradient: &[f32], out: &mut [f32]) {
    const CHUNK: usize = 16_384;
    /// Numbers that stay in the first cache.
    const BLOCK: usize = 1024;
    struct Multiply<'a>(Activation, &'a [f32], &'a [f32], &'a mut [f32]);
    impl Vectorised for Multiply<'_> {
        type Output = ();
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            let Self(activation, kept, gradient, out) = self;
            for ((out, gradient), kept) in out.chunks_mut(BLOCK).zip(gradient.chunks(BLOCK)).zip(kept.chunks(BLOCK)) {
                out.copy_from_slice(gradient);
                activation.times_derivative::<FUSED>(kept, out);
            }
        }
    }
    assert_eq!(kept.len(), gradient.len());
    assert_eq!(out.len(), gradient.len());
    each(out.chunks_mut(CHUNK).zip(gradient.chunks(CHUNK)).zip(kept.chunks(CHUNK)), |((out, gradient), kept)| {
        at(level, Multiply(activation, kept, gradient, out));
    });
}

/// The gradient of the input of `x weight`: `gradient weight^T`, `[rows, inputs]`.
pub fn input_gradient(level: Level, precision: Precision, gradient: Matrix<'_>, weight: Matrix<'_>, out: &mut [f32]) {
    product(level, precision, gradient, weight.transposed(), out, &Sums);
}

/// The gradient of the weight of `x weight`: `x^T gradient`, `[inputs, outputs]`.
pub fn weight_gradient(level: Level, precision: Precision, x: Matrix<'_>, gradient: Matrix<'_>, out: &mut [f32]) {
    product(level, precision, x.transposed(), gradient, out, &Sums);
}

/// Adds up the rows of `gradient`, `[rows, columns]`: the gradient of a bias.
///
/// # Panics
/// If `gradient` is not whole rows of `out`.
pub fn sum_rows(level: Level, gradient: &[f32], out: &mut [f32]) {
    /// Rows that are added up before the sums of parts are.
    const PART: usize = 256;
    struct Add<'a>(&'a mut [f32], &'a [f32]);
    impl Vectorised for Add<'_> {
        type Output = ();
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            for row in self.1.chunks_exact(self.0.len()) {
                self.0.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
        }
    }
    let columns = out.len();
    out.fill(0.0);
    if columns == 0 || gradient.is_empty() {
        return;
    }
    assert!(gradient.len().is_multiple_of(columns), "{} numbers in rows of {columns}", gradient.len());
    let parts = gradient.len().div_ceil(PART * columns);
    let mut sums = vec![0.0; parts * columns];
    each(sums.chunks_mut(columns).zip(gradient.chunks(PART * columns)), |(sums, rows)| at(level, Add(sums, rows)));
    at(level, Add(out, &sums));
}
