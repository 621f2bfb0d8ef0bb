//! Histograms of tensors, for `TensorBoard`.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use prevision_model::parameters::{self, ParameterPath, VisitParameters};
use prost::Message;

use crate::TrainError;

/// Values sorted into equally wide buckets, as a message of `TensorBoard` files (`HistogramProto`).
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Histogram {
    #[prost(double, tag = "1")]
    pub(crate) min: f64,
    #[prost(double, tag = "2")]
    pub(crate) max: f64,
    #[prost(double, tag = "3")]
    pub(crate) count: f64,
    #[prost(double, tag = "4")]
    pub(crate) sum: f64,
    #[prost(double, tag = "5")]
    pub(crate) sum_of_squares: f64,
    /// Upper edge of each bucket.
    #[prost(double, repeated, tag = "6")]
    pub(crate) limits: Vec<f64>,
    /// Values in each bucket.
    #[prost(double, repeated, tag = "7")]
    pub(crate) counts: Vec<f64>,
}

impl Histogram {
    /// Sorts the finite values into 30 buckets; `None` if there are none.
    pub(crate) fn new(values: &[f32]) -> Option<Self> {
        const BUCKETS: usize = 30;
        let finite = || values.iter().filter(|value| value.is_finite()).map(|&value| f64::from(value));
        let count = finite().count();
        if count == 0 {
            return None;
        }
        let (min, max) =
            finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        // Equal values still need a bucket of some width.
        let width = if max > min { (max - min) / BUCKETS as f64 } else { min.abs().max(1e-12) * 1e-3 };
        let mut counts = vec![0.0; BUCKETS];
        for value in finite() {
            counts[(((value - min) / width) as usize).min(BUCKETS - 1)] += 1.0;
        }
        Some(Self {
            min,
            max,
            count: count as f64,
            sum: finite().sum(),
            sum_of_squares: finite().map(|value| value * value).sum(),
            limits: (1..=BUCKETS).map(|bucket| min + width * bucket as f64).collect(),
            counts,
        })
    }
}

/// The standard deviation of each latent dimension over the rows of `[n, dim]`: a collapsed encoder has them near 0.
pub(crate) fn latent_std(latents: Tensor<2>) -> Result<Vec<f32>, TrainError> {
    read(latents.var_bias(0).sqrt())
}

/// A histogram of every parameter's gradient, under `gradients/<path>`.
pub(crate) fn gradient_histograms<M: Module>(
    model: &M,
    gradients: &GradientsParams,
) -> Result<Vec<(String, Histogram)>, TrainError> {
    collect(model, Some(gradients), "gradients")
}

/// A histogram of every parameter, under `parameters/<path>`.
pub(crate) fn parameter_histograms<M: Module>(model: &M) -> Result<Vec<(String, Histogram)>, TrainError> {
    collect(model, None, "parameters")
}

fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TrainError> {
    tensor.try_into_vec_as().map_err(|error| TrainError::Device(error.to_string()))
}

fn collect<M: Module>(
    model: &M,
    gradients: Option<&GradientsParams>,
    prefix: &'static str,
) -> Result<Vec<(String, Histogram)>, TrainError> {
    let mut collector = Collector { gradients, prefix, found: Ok(Vec::new()) };
    parameters::visit(model, &mut collector);
    collector.found
}

struct Collector<'a> {
    gradients: Option<&'a GradientsParams>,
    prefix: &'static str,
    found: Result<Vec<(String, Histogram)>, TrainError>,
}

impl VisitParameters for Collector<'_> {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, parameter: &Param<Tensor<D>>) {
        let tensor = match self.gradients {
            Some(gradients) => gradients.get::<D>(parameter.id),
            None => Some(parameter.val().without_autodiff()),
        };
        let (Some(tensor), Ok(found)) = (tensor, &mut self.found) else { return };
        match read(tensor) {
            Ok(values) => found.extend(
                Histogram::new(&values).map(|histogram| (format!("{}/{}", self.prefix, path.as_str()), histogram)),
            ),
            Err(error) => self.found = Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn buckets_hold_every_finite_value() {
        let values: Vec<f32> = (0..=30).map(|value| value as f32).chain([f32::NAN]).collect();
        let histogram = Histogram::new(&values).unwrap();
        assert_eq!((histogram.min, histogram.max, histogram.count, histogram.sum), (0.0, 30.0, 31.0, 465.0));
        assert_eq!(histogram.counts[..29], [1.0; 29]);
        assert_eq!((histogram.counts[29], histogram.limits[29]), (2.0, 30.0));
        let same = Histogram::new(&[2.0, 2.0]).unwrap();
        assert_eq!((same.counts[0], same.limits[0] > 2.0), (2.0, true));
        assert_eq!(Histogram::new(&[f32::NAN]), None);
    }

    #[test]
    fn standard_deviations_are_per_dimension() {
        let latents = Tensor::<2>::from_floats([[1.0, 5.0], [3.0, 5.0]], &Device::flex());
        assert_eq!(latent_std(latents).unwrap(), [1.0, 0.0]);
    }
}
