//! The yardstick: how fast one large matrix product is.

use anyhow::Result;
use burn::tensor::Device;
use prevision_kernels::{Activation, linear};

use super::measure;
use super::work::{normal, product};

/// Rows and columns of the matrices.
const SIZE: usize = 1024;
const RUNS: usize = 15;

/// Operations a second of the product of two square matrices of 1024 rows in the current precision, by the median of 15 runs.
pub(crate) fn matmul_flops_per_second(device: &Device) -> Result<f64> {
    let (a, b) = (normal::<2>([SIZE, SIZE], device), normal::<2>([SIZE, SIZE], device));
    let mut run = || drop(linear(a.clone(), b.clone(), None, Activation::Identity));
    let measured = measure(&mut run, device, 3, RUNS)?;
    Ok(product(SIZE, SIZE, SIZE) as f64 / measured.median())
}
