//! Whether values are finite.

use burn::tensor::Tensor;

/// Whether all values of a tensor are finite: one number is read from the device.
///
/// # Errors
/// If it cannot be read: what the device says.
pub fn is_finite<const D: usize>(values: &Tensor<D>) -> Result<bool, String> {
    // Zero times a number is zero, times anything else it is not a number.
    let sum = (values.clone() * 0.0).sum().try_into_data().map_err(|error| format!("{error:?}"))?;
    let sum = sum.try_into_vec_as::<f32>().map_err(|error| format!("{error:?}"))?;
    Ok(sum.iter().all(|sum| *sum == 0.0))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::is_finite;

    #[test]
    fn one_value_is_enough() {
        for (value, finite) in [(f32::MAX, true), (-0.0, true), (f32::NAN, false), (f32::NEG_INFINITY, false)] {
            let values = Tensor::<2>::from_floats([[1.0, f32::MAX, -3e38], [0.0, value, 2.0]], &Device::flex());
            assert_eq!(is_finite(&values), Ok(finite), "{value}");
        }
    }
}
