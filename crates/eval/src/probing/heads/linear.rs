//! `linear`: one layer on the mean tokens of the moments.

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};
use prevision_core::config::Options;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::grid::{Grid, Setting, predictions};
use crate::EvalError;
use crate::measure::read;
use crate::probing::head::accuracies;
use crate::probing::{ACCURACY, Measured, ProbeData, ProbeHead};

/// Decay rates of the moments, and what is added to the root of the second.
const BETAS: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;

/// Keys of `head.linear`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LinearKeys {
    /// Peak learning rates. Default `[1e-2, 3e-3, 1e-3, 3e-4]`.
    rates: Vec<f64>,
    /// Weight decays. Default `[0.01, 0.1, 1.0]`.
    decays: Vec<f64>,
    /// Optimiser steps. Default 500.
    steps: usize,
    /// Rows in a step. Default 128.
    batch: usize,
}

impl Default for LinearKeys {
    fn default() -> Self {
        Self { rates: vec![1e-2, 3e-3, 1e-3, 3e-4], decays: vec![0.01, 0.1, 1.0], steps: 500, batch: 128 }
    }
}

impl Options for LinearKeys {
    fn validate(&self) -> Result<(), String> {
        Grid::check(&self.rates, &self.decays, self.steps, self.batch)
    }
}

/// Softmax regression on standardised vectors by `AdamW`, all heads of a grid as columns of one layer.
pub(super) struct LinearHead {
    pub(super) keys: LinearKeys,
}

impl ProbeHead for LinearHead {
    fn measure(&self, data: &ProbeData<'_>, progress: &mut dyn FnMut(f64)) -> Result<Measured, EvalError> {
        let LinearKeys { rates, decays, steps, batch } = &self.keys;
        let grid = Grid::new(rates, decays, *steps, *batch);
        let (fold, device) = (data.fold, data.device);
        let vectors = data.features.vectors(&fold.training);
        let upload = |rows: &[usize]| -> Tensor<2> {
            let width = vectors.width();
            vectors.upload(rows, device).reshape([rows.len(), width])
        };
        let mut layer = Layer::new(vectors.width(), &grid.settings, data.class_count, device);
        for step in 0..grid.steps {
            let rows = grid.rows(&fold.training, data.seed, step);
            layer.step(upload(&rows), &data.classes_of(&rows), grid.share(step));
            progress(step as f64 / grid.steps as f64);
        }
        let validation = layer.logits_by_head(upload(&fold.validation))?;
        let (head, chosen) = grid.choose(&validation, &data.classes_of(&fold.validation));
        let test = layer.logits_by_head(upload(&fold.test))?.swap_remove(head);
        let found = accuracies(&predictions(&test, fold.test.len()), &data.classes_of(&fold.test));
        Ok(Measured { metrics: vec![(ACCURACY, found)], chosen })
    }
}

/// The layers of all heads, side by side.
struct Layer {
    heads: usize,
    classes: usize,
    /// `[width, heads * classes]`, then `[1, heads * classes]`, each with its two moments.
    weight: Moments,
    bias: Moments,
    /// Of each column, `[1, heads * classes]`.
    rates: Tensor<2>,
    decays: Tensor<2>,
    steps: i32,
}

struct Moments {
    value: Tensor<2>,
    first: Tensor<2>,
    second: Tensor<2>,
}

impl Moments {
    fn zeros(rows: usize, columns: usize, device: &Device) -> Self {
        let zeros = || Tensor::<2>::zeros([rows, columns], device);
        Self { value: zeros(), first: zeros(), second: zeros() }
    }
}

impl Layer {
    fn new(width: usize, settings: &[Setting], classes: usize, device: &Device) -> Self {
        let columns = settings.len() * classes;
        let row = |of: fn(&Setting) -> f64| {
            let values: Vec<f32> = settings.iter().flat_map(|it| vec![of(it) as f32; classes]).collect();
            Tensor::<2>::from_data(TensorData::new(values, [1, columns]), device)
        };
        Self {
            heads: settings.len(),
            classes,
            weight: Moments::zeros(width, columns, device),
            bias: Moments::zeros(1, columns, device),
            rates: row(|it| it.rate),
            decays: row(|it| it.decay),
            steps: 0,
        }
    }

    /// `[rows, heads, classes]`
    fn logits(&self, vectors: Tensor<2>) -> Tensor<3> {
        let rows = vectors.dims()[0];
        (vectors.matmul(self.weight.value.clone()) + self.bias.value.clone()).reshape([rows, self.heads, self.classes])
    }

    /// Of each head, `[rows, classes]`.
    fn logits_by_head(&self, vectors: Tensor<2>) -> Result<Vec<Vec<f32>>, EvalError> {
        let logits = self.logits(vectors);
        let rows = logits.dims()[0];
        let all = read(logits.swap_dims(0, 1))?;
        Ok(all.chunks_exact(rows * self.classes).map(<[f32]>::to_vec).collect())
    }

    /// One step of `AdamW` on the mean cross-entropy of each head.
    fn step(&mut self, vectors: Tensor<2>, classes: &[usize], share: f64) {
        let count = classes.len();
        let (heads, width) = (self.heads, self.classes);
        let one_hot = classes.iter().flat_map(|&class| (0..width).map(move |it| f32::from(u8::from(it == class))));
        let truth = TensorData::new(one_hot.collect::<Vec<f32>>(), [count, 1, width]);
        let truth = Tensor::<3>::from_data(truth, &vectors.device()).expand([count, heads, width]);
        let error = (softmax(self.logits(vectors.clone()), 2) - truth) / count as f32;
        let error: Tensor<2> = error.reshape([count, heads * width]);
        self.steps += 1;
        let rates = self.rates.clone() * share as f32;
        let kept = (rates.clone() * self.decays.clone()).neg() + 1.0;
        self.weight.value = self.weight.value.clone() * kept;
        move_by(&mut self.weight, vectors.transpose().matmul(error.clone()), &rates, self.steps);
        move_by(&mut self.bias, error.sum_dim(0), &rates, self.steps);
    }
}

/// Adam's step (Kingma and Ba 2015, algorithm 1) with a rate for each column.
fn move_by(moments: &mut Moments, gradient: Tensor<2>, rates: &Tensor<2>, steps: i32) {
    let [first, second] = BETAS;
    moments.first = moments.first.clone() * first as f32 + gradient.clone() * (1.0 - first) as f32;
    moments.second = moments.second.clone() * second as f32 + gradient.square() * (1.0 - second) as f32;
    let [first, second] = BETAS.map(|beta| (1.0 - beta.powi(steps)) as f32);
    let step = (moments.first.clone() / first) / ((moments.second.clone() / second).sqrt() + EPSILON as f32);
    moments.value = moments.value.clone() - step * rates.clone();
}
