//! The penalties of VICReg (Bardes et al. 2022) on variances and covariances.

use burn::tensor::Tensor;

use crate::array::Array;
use crate::cpu::{Runtime, vicreg as cpu};
use crate::operation::{Operation, apply, runs_on};

/// The mean over columns of `max(0, margin - sqrt(variance + epsilon))`, with the unbiased variance.
///
/// # Shapes
/// - samples: `[samples, columns]`
/// - output: `[1]`
///
/// # Panics
/// If there are fewer than two samples.
pub fn variance_hinge(samples: Tensor<2>, margin: f64, epsilon: f64) -> Tensor<1> {
    let [rows, columns] = samples.dims();
    assert!(rows >= 2, "the variance of samples [{rows}, {columns}]");
    if !runs_on(&samples) {
        return composed_variance(samples, margin, epsilon);
    }
    apply(vec![samples.into_dispatch()], Variance { margin: margin as f32, epsilon: epsilon as f32 })
}

/// The mean of the squared covariances of different columns.
///
/// # Shapes
/// - samples: `[samples, columns]`
/// - output: `[1]`
///
/// # Panics
/// If there are fewer than two samples or columns.
pub fn covariance_square(samples: Tensor<2>) -> Tensor<1> {
    let [rows, columns] = samples.dims();
    assert!(rows >= 2 && columns >= 2, "the covariance of samples [{rows}, {columns}]");
    if !runs_on(&samples) {
        return composed_covariance(samples);
    }
    apply(vec![samples.into_dispatch()], Covariance)
}

/// The same as operations of Burn.
pub(crate) fn composed_variance(samples: Tensor<2>, margin: f64, epsilon: f64) -> Tensor<1> {
    let deviation = (samples.var(0) + epsilon).sqrt();
    (deviation.neg() + margin).clamp_min(0.0).mean()
}

/// The same as operations of Burn.
pub(crate) fn composed_covariance(samples: Tensor<2>) -> Tensor<1> {
    let [rows, columns] = samples.dims();
    let centred = samples.clone() - samples.mean_dim(0);
    let scale = 1.0 / (rows as f64 - 1.0);
    let matrix = centred.clone().transpose().matmul(centred.clone()) * scale;
    let variances = centred.square().sum_dim(0) * scale;
    (matrix.square().sum() - variances.square().sum()) / (columns * (columns - 1)) as f64
}

#[derive(Debug)]
struct Variance {
    margin: f32,
    epsilon: f32,
}

impl Operation for Variance {
    fn forward(&self, runtime: Runtime, inputs: &[Array], _: bool) -> (Array, Vec<Array>) {
        let samples = &inputs[0];
        let columns = samples.width();
        let (means, (factors, out)) = Array::filled_with([columns], |means| {
            Array::filled_with([columns], |factors| {
                Array::filled([1], |out| {
                    let (margin, epsilon) = (self.margin, self.epsilon);
                    out[0] = cpu::variance(runtime.level, samples.values(), margin, epsilon, means, factors);
                })
            })
        });
        (out, vec![means, factors])
    }

    fn needs(&self, _: usize) -> bool {
        true
    }

    fn backward(
        &self,
        runtime: Runtime,
        inputs: &[Option<Array>],
        kept: &[Array],
        gradient: Array,
        _: &[bool],
    ) -> Vec<Option<Array>> {
        let [Some(samples)] = inputs else { unreachable!("it is needed") };
        let (means, factors) = (kept[0].values(), kept[1].values());
        vec![Some(Array::filled(samples.shape(), |out| {
            let gradient = gradient.values()[0];
            cpu::variance_gradient(runtime.level, samples.values(), means, factors, gradient, out);
        }))]
    }
}

#[derive(Debug)]
struct Covariance;

impl Operation for Covariance {
    fn forward(&self, runtime: Runtime, inputs: &[Array], _: bool) -> (Array, Vec<Array>) {
        let samples = &inputs[0];
        let columns = samples.width();
        let (centred, (matrix, out)) = Array::filled_with(samples.shape(), |centred| {
            Array::filled_with([columns, columns], |matrix| {
                Array::filled([1], |out| {
                    out[0] = cpu::covariance(runtime.level, samples.values(), columns, centred, matrix);
                })
            })
        });
        (out, vec![centred, matrix])
    }

    fn needs(&self, _: usize) -> bool {
        false
    }

    fn backward(
        &self,
        runtime: Runtime,
        _: &[Option<Array>],
        kept: &[Array],
        gradient: Array,
        _: &[bool],
    ) -> Vec<Option<Array>> {
        let (centred, matrix) = (&kept[0], &kept[1]);
        vec![Some(Array::filled(centred.shape(), |out| {
            let (values, gradient) = (centred.values(), gradient.values()[0]);
            cpu::covariance_gradient(runtime.level, values, matrix.values(), centred.width(), gradient, out);
        }))]
    }
}
