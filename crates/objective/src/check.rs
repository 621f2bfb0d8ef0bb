//! What the tests of this crate share: reading a loss, and gradients against finite differences.

use burn::prelude::*;
use burn::tensor::TensorData;

/// The value of a loss.
pub(crate) fn scalar(loss: Tensor<1>) -> f64 {
    f64::from(loss.into_data().try_into_vec_as::<f32>().expect("a float loss")[0])
}

/// The largest difference between the gradient of a loss at `values` and central finite differences, relative to the
/// largest entry of the gradient. Everything is f32, so expect a few parts in a thousand.
///
/// # Panics
/// If the gradient is absent or zero: then there is nothing to compare.
pub(crate) fn gradient_error(values: &[f32], loss: impl Fn(Tensor<1>) -> Tensor<1>) -> f64 {
    const STEP: f32 = 2e-3;
    let device = Device::flex();
    let tensor = |x: &[f32], device: &Device| Tensor::<1>::from_data(TensorData::from(x), device);
    let point = tensor(values, &device.clone().autodiff()).require_grad();
    let gradients = loss(point.clone()).backward();
    let gradient = point.grad(&gradients).expect("a gradient").into_data().try_into_vec_as::<f32>().expect("floats");
    let largest = gradient.iter().fold(0.0_f32, |m, g| m.max(g.abs()));
    assert!(largest > 1e-4, "the gradient is zero: {gradient:?}");
    let mut worst = 0.0_f64;
    for (index, &got) in gradient.iter().enumerate() {
        let at = |offset: f32| {
            let mut moved = values.to_vec();
            moved[index] += offset;
            scalar(loss(tensor(&moved, &device)))
        };
        let expected = (at(STEP) - at(-STEP)) / f64::from(2.0 * STEP);
        worst = worst.max((expected - f64::from(got)).abs() / f64::from(largest));
    }
    worst
}
