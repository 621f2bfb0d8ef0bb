//! The MLP probe.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use prevision_core::seed;
use rand::Rng;

use crate::EvalError;
use crate::measure::read;

/// Rows predicted at once.
const PREDICT_ROWS: usize = 4096;

/// How an [`Mlp`] is fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MlpOptions {
    /// Optimiser steps.
    pub steps: usize,
    /// Samples a step, drawn with replacement.
    pub batch: usize,
    /// Width of the two hidden layers.
    pub hidden: usize,
    /// Adam's learning rate at the first step; it falls to 0 linearly.
    pub learning_rate: f64,
    /// Seed of the weights and of the draws.
    pub seed: u64,
}

impl Default for MlpOptions {
    fn default() -> Self {
        Self { steps: 2000, batch: 256, hidden: 256, learning_rate: 2e-3, seed: 0 }
    }
}

/// Two hidden layers with `ReLU`.
#[derive(Module, Debug)]
struct Network {
    first: Linear,
    second: Linear,
    output: Linear,
}

impl Network {
    /// # Shapes
    /// - features: `[n, dim]`
    /// - output: `[n, 2]`
    fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        let x = relu(self.first.forward(features));
        self.output.forward(relu(self.second.forward(x)))
    }
}

/// A fitted MLP from features to positions. Features and positions are standardised by the training samples.
#[derive(Debug)]
pub struct Mlp {
    network: Network,
    features: Standard,
    positions: Standard,
    device: Device,
}

impl Mlp {
    /// Minimises the mean squared error of standardised positions with Adam.
    ///
    /// # Shapes
    /// - features: `[n, dim]`, row-major
    /// - positions: `n`
    ///
    /// # Errors
    /// If the device fails.
    ///
    /// # Panics
    /// If there are no samples, or features do not fill rows.
    pub fn fit(
        features: &[f32],
        positions: &[[f64; 2]],
        options: &MlpOptions,
        device: &Device,
    ) -> Result<Self, EvalError> {
        let count = positions.len();
        assert!(count > 0 && features.len().is_multiple_of(count), "{} features of {count} samples", features.len());
        let dim = features.len() / count;
        let flat: Vec<f32> = positions.iter().flatten().map(|&value| value as f32).collect();
        let (feature_scale, position_scale) = (Standard::of(features, dim), Standard::of(&flat, 2));
        let tape = device.clone().autodiff();
        let upload = |values: Vec<f32>, columns: usize| -> Tensor<2> {
            Tensor::from_data(TensorData::new(values, [count, columns]), device)
        };
        let x = upload(feature_scale.apply(features), dim);
        let y = upload(position_scale.apply(&flat), 2);
        let layer = |index: u64, from: usize, to: usize| linear(options.seed, index, from, to, &tape);
        let mut network = Network {
            first: layer(0, dim, options.hidden),
            second: layer(1, options.hidden, options.hidden),
            output: layer(2, options.hidden, 2),
        };
        let mut optimizer = AdamConfig::new().init();
        for step in 0..options.steps {
            let mut rng = seed::rng(options.seed, "probe-batch", 0, step as u64);
            let drawn: Vec<i64> = (0..options.batch.min(count)).map(|_| rng.random_range(0..count) as i64).collect();
            let drawn_count = drawn.len();
            let drawn: Tensor<1, Int> = Tensor::from_data(TensorData::new(drawn, [drawn_count]), device);
            let select = |from: &Tensor<2>| from.clone().select(0, drawn.clone());
            let error = network.forward(select(&x)) - select(&y);
            let gradients = GradientsParams::from_grads(error.square().mean().backward(), &network);
            let rate = options.learning_rate * (1.0 - step as f64 / options.steps as f64);
            network = optimizer.step(rate, network, gradients);
        }
        Ok(Self {
            network: network.valid(),
            features: feature_scale,
            positions: position_scale,
            device: device.clone(),
        })
    }

    /// The positions of rows of features.
    ///
    /// # Errors
    /// If the device fails.
    ///
    /// # Panics
    /// If the values do not fill rows.
    pub fn predict(&self, features: &[f32]) -> Result<Vec<[f64; 2]>, EvalError> {
        let dim = self.features.mean.len();
        assert!(features.len().is_multiple_of(dim), "{} values do not fill rows of {dim}", features.len());
        let mut positions = Vec::with_capacity(features.len() / dim);
        for rows in features.chunks(PREDICT_ROWS * dim) {
            let data = TensorData::new(self.features.apply(rows), [rows.len() / dim, dim]);
            let predicted = read(self.network.forward(Tensor::from_data(data, &self.device)))?;
            positions.extend(predicted.chunks_exact(2).map(|row| -> [f64; 2] {
                std::array::from_fn(|axis| {
                    f64::from(row[axis]) * self.positions.scale[axis] + self.positions.mean[axis]
                })
            }));
        }
        Ok(positions)
    }
}

/// Mean and standard deviation of columns.
#[derive(Clone, Debug)]
struct Standard {
    mean: Vec<f64>,
    scale: Vec<f64>,
}

impl Standard {
    fn of(values: &[f32], columns: usize) -> Self {
        let count = (values.len() / columns) as f64;
        let mut mean = vec![0.0; columns];
        let mut square = vec![0.0; columns];
        for row in values.chunks_exact(columns) {
            mean.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value) / count);
        }
        for row in values.chunks_exact(columns) {
            let centred = row.iter().zip(&mean).map(|(&value, mean)| f64::from(value) - mean);
            square.iter_mut().zip(centred).for_each(|(sum, value)| *sum += value * value / count);
        }
        // A constant column says nothing: it becomes 0 whatever the scale.
        let scale =
            square.into_iter().map(|variance: f64| if variance > 1e-12 { variance.sqrt() } else { 1.0 }).collect();
        Self { mean, scale }
    }

    fn apply(&self, values: &[f32]) -> Vec<f32> {
        let columns = self.mean.len();
        let standard =
            |(i, &value): (usize, &f32)| ((f64::from(value) - self.mean[i % columns]) / self.scale[i % columns]) as f32;
        values.iter().enumerate().map(standard).collect()
    }
}

/// A linear layer with weights and biases uniform in `+-1/sqrt(from)`, drawn on the host.
fn linear(seed: u64, index: u64, from: usize, to: usize, device: &Device) -> Linear {
    let mut rng = seed::rng(seed, "probe-weights", 0, index);
    let bound = 1.0 / (from as f32).sqrt();
    let mut draw = |count: usize| -> Vec<f32> { (0..count).map(|_| rng.random_range(-bound..bound)).collect() };
    let weight = Tensor::<2>::from_data(TensorData::new(draw(from * to), [from, to]), device);
    let bias = Tensor::<1>::from_data(TensorData::new(draw(to), [to]), device);
    Linear { weight: Param::from_tensor(weight), bias: Some(Param::from_tensor(bias)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_no_line_can() {
        // The position is the square of the feature: a linear probe answers the mean, an error of about 10 px.
        let features: Vec<f32> = (0..400).map(|i| (i as f32 - 200.0) / 100.0).collect();
        let positions: Vec<[f64; 2]> = features.iter().map(|&f| [10.0 * f64::from(f * f), 5.0]).collect();
        let options = MlpOptions { steps: 400, hidden: 32, ..MlpOptions::default() };
        let mlp = Mlp::fit(&features, &positions, &options, &Device::flex()).unwrap();
        let predicted = mlp.predict(&features).unwrap();
        let error: f64 = predicted.iter().zip(&positions).map(|(a, b)| (a[0] - b[0]).abs()).sum::<f64>() / 400.0;
        assert!(error < 1.0, "{error}");
        assert!(predicted.iter().all(|position| (position[1] - 5.0).abs() < 1.0), "a constant column stays constant");
    }

    #[test]
    fn columns_are_standardised() {
        let standard = Standard::of(&[1.0, 5.0, 3.0, 5.0], 2);
        assert_eq!(standard.apply(&[1.0, 5.0, 5.0, 6.0]), [-1.0, 0.0, 3.0, 1.0]);
    }
}
