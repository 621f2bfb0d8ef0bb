//! `attentive`: a learned query that looks at all tokens.

use std::collections::VecDeque;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};
use prevision_core::config::Options;
use prevision_core::config::check::ensure;
use prevision_model::heads::{AttentiveProbe, AttentiveProbeConfig};
use prevision_train::optimizer::Optimizer;
use prevision_train::{OptimizerConfig, drawn};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::grid::{Grid, Setting, predictions};
use crate::EvalError;
use crate::measure::read;
use crate::probing::features::Standardised;
use crate::probing::head::accuracies;
use crate::probing::{ACCURACY, Measured, ProbeData, ProbeHead};

/// Most attention heads, as in V-JEPA 2, and least width of one.
const MOST_HEADS: usize = 16;
const LEAST_WIDTH: usize = 8;
/// Hidden width of a perceptron over that of a token, and what layer norms add to the variance: as published.
const MLP_RATIO: f64 = 4.0;
const LAYER_NORM_EPSILON: f64 = 1e-5;

/// Keys of `head.attentive`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AttentiveKeys {
    /// Blocks of self-attention before the query looks at the tokens: 3 in V-JEPA 2's. Default 0.
    depth: usize,
    /// Attention heads; unset: the largest number up to 16 that divides the width and leaves each 8 or more.
    heads: Option<usize>,
    /// Peak learning rates. Default `[3e-3, 1e-3, 3e-4]`.
    rates: Vec<f64>,
    /// Weight decays. Default `[0.01, 0.4]`.
    decays: Vec<f64>,
    /// Optimiser steps. Default 300.
    steps: usize,
    /// Rows in a step. Default 64.
    batch: usize,
}

impl Default for AttentiveKeys {
    fn default() -> Self {
        Self { depth: 0, heads: None, rates: vec![3e-3, 1e-3, 3e-4], decays: vec![0.01, 0.4], steps: 300, batch: 64 }
    }
}

impl Options for AttentiveKeys {
    fn validate(&self) -> Result<(), String> {
        Grid::check(&self.rates, &self.decays, self.steps, self.batch)?;
        ensure(self.heads != Some(0), "heads", 0, "1 or more")
    }
}

/// The attentive probe of V-JEPA 2 (`src/models/attentive_pooler.py`) on standardised tokens; all heads of a grid see the same batches
/// (`evals/video_classification_frozen/eval.py`: `AdamW`, cosine to 0, no warm-up).
pub(super) struct Attentive {
    pub(super) keys: AttentiveKeys,
}

impl Attentive {
    fn config(&self, width: usize, classes: usize) -> Result<AttentiveProbeConfig, EvalError> {
        let fits = |heads: &usize| width.is_multiple_of(*heads);
        let largest = || (1..=MOST_HEADS).rev().find(|heads| fits(heads) && width / heads >= LEAST_WIDTH).unwrap_or(1);
        let heads = self.keys.heads.unwrap_or_else(largest);
        let allowed = format_args!("a divisor of {width}, the width of a token");
        ensure(fits(&heads), "head.attentive.heads", heads, allowed).map_err(EvalError::Config)?;
        let depth = self.keys.depth;
        Ok(AttentiveProbeConfig { depth, heads, mlp_ratio: MLP_RATIO, epsilon: LAYER_NORM_EPSILON, classes })
    }
}

impl ProbeHead for Attentive {
    fn measure(&self, data: &ProbeData<'_>, progress: &mut dyn FnMut(f64)) -> Result<Measured, EvalError> {
        let AttentiveKeys { rates, decays, steps, batch, .. } = &self.keys;
        let grid = Grid::new(rates, decays, *steps, *batch);
        let (fold, width) = (data.fold, data.features.width());
        let config = self.config(width, data.class_count)?;
        let tape = data.device.clone().autodiff();
        let tokens = data.features.tokens(&fold.training);
        let fresh = |&setting: &Setting| {
            let probe = drawn(data.seed, &tape, |device| config.init(width, device));
            Learner { probe, optimizer: optimizer(setting), rate: setting.rate }
        };
        let mut learners: VecDeque<Learner> = grid.settings.iter().map(fresh).collect();
        for step in 0..grid.steps {
            let rows = grid.rows(&fold.training, data.seed, step);
            let truth = one_hot(&data.classes_of(&rows), data.class_count, &tape);
            let seen = tokens.upload(&rows, &tape);
            for _ in 0..learners.len() {
                // Each takes its step and goes to the end, so that all are in order again.
                if let Some(learner) = learners.pop_front() {
                    learners.push_back(learner.step(seen.clone(), truth.clone(), grid.share(step)));
                }
            }
            progress(step as f64 / grid.steps as f64);
        }
        let probes: Vec<AttentiveProbe> = learners.into_iter().map(|learner| learner.probe.valid()).collect();
        let logits = |probe: &AttentiveProbe, rows: &[usize]| logits(probe, &tokens, rows, data, grid.batch);
        let validation: Vec<Vec<f32>> =
            probes.iter().map(|probe| logits(probe, &fold.validation)).collect::<Result<_, _>>()?;
        let (head, chosen) = grid.choose(&validation, &data.classes_of(&fold.validation));
        let test = logits(&probes[head], &fold.test)?;
        let found = accuracies(&predictions(&test, fold.test.len()), &data.classes_of(&fold.test));
        Ok(Measured { metrics: vec![(ACCURACY, found)], chosen })
    }
}

/// A probe that learns.
struct Learner {
    probe: AttentiveProbe,
    optimizer: Optimizer,
    rate: f64,
}

impl Learner {
    fn step(mut self, tokens: Tensor<3>, truth: Tensor<2>, share: f64) -> Self {
        let rows = truth.dims()[0] as f32;
        let loss = (log_softmax(self.probe.forward(tokens), 1) * truth).sum().neg() / rows;
        let gradients = GradientsParams::from_grads(loss.backward(), &self.probe);
        let (probe, _) = self.optimizer.step(self.rate * share, self.probe, gradients);
        Self { probe, ..self }
    }
}

/// Biases and norms do not decay, and gradients are not clipped.
fn optimizer(setting: Setting) -> Optimizer {
    let Setting { rate, decay } = setting;
    Optimizer::new(&OptimizerConfig { lr: rate, weight_decay: decay, clip_norm: 0.0, ..OptimizerConfig::default() })
}

fn one_hot(classes: &[usize], count: usize, device: &burn::tensor::Device) -> Tensor<2> {
    let values = classes.iter().flat_map(|&class| (0..count).map(move |it| f32::from(u8::from(it == class))));
    Tensor::from_data(TensorData::new(values.collect::<Vec<f32>>(), [classes.len(), count]), device)
}

/// Logits of these rows, `[rows, classes]`.
fn logits(
    probe: &AttentiveProbe,
    tokens: &Standardised<'_>,
    rows: &[usize],
    data: &ProbeData<'_>,
    batch: usize,
) -> Result<Vec<f32>, EvalError> {
    let mut all = Vec::with_capacity(rows.len() * data.class_count);
    for rows in rows.chunks(batch) {
        all.extend(read(probe.forward(tokens.upload(rows, data.device)))?);
    }
    Ok(all)
}
