//! Learning a reflex.

use std::collections::BTreeSet;

use burn::optim::{AdamConfig, GradientsParams};
use burn::prelude::*;
use prevision_core::seed;
use prevision_model::{ReflexNetwork, ReflexNetworkConfig, WorldModel};

use super::examples::{Batch, Part, batch};
use super::fingerprint::fingerprint;
use super::inputs::Inputs;
use super::spec::Scale;
use super::{PlanRecord, Reflex, ReflexError, ReflexSpec};

/// Examples that the scale of the inputs is measured on, and that are judged at once.
const AT_ONCE: usize = 256;
/// One in so many episodes is held out.
const HELD_OUT: usize = 8;

/// How a reflex is learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DistilOptions {
    /// Optimiser steps.
    pub steps: usize,
    /// Examples a step, drawn with replacement.
    pub batch: usize,
    /// Adam's learning rate at the first step; it falls to 0 linearly.
    pub learning_rate: f64,
    /// Seed of weights and draws.
    pub seed: u64,
}

impl Default for DistilOptions {
    fn default() -> Self {
        Self { steps: 4000, batch: 64, learning_rate: 2e-3, seed: 0 }
    }
}

/// Learns a reflex from plans, as [`Plans::take`](super::Plans::take) gives them, by regression of their actions: of whole plans and, as
/// often, of parts of them in hindsight. One episode in eight, one at least, is held out and says how wrong it is. What comes out depends
/// on plans and options alone. `progress` is told the steps that are done.
///
/// # Errors
/// If there are plans of fewer than two episodes, or the latents of the model do not fill their places.
pub fn distil(
    model: &dyn WorldModel,
    records: &[PlanRecord],
    options: &DistilOptions,
    progress: &mut dyn FnMut(usize),
) -> Result<Reflex, String> {
    let spec = model.spec();
    let inputs = Inputs::of_model(model)?;
    let (training, validation) = split(records)?;
    let action_scale = root_mean_square(training.iter().flat_map(|plan| &records[*plan].actions)).max(f32::EPSILON);
    let outputs = records[0].actions.len();
    let network = sizes(spec.grid, inputs.channels(), outputs);
    let mut reflex = ReflexSpec {
        spaces: spec.spaces.clone(),
        latent: [spec.tokens, spec.token_width, spec.static_tokens],
        fingerprint: fingerprint(model),
        field: inputs.field(),
        network,
        action_width: spec.spaces.action_width(),
        action_scale,
        scale: Scale::default(),
        error: ReflexError::default(),
    };
    let learning = Learning { model, records, inputs, training, options };
    reflex.scale = learning.scale()?;
    let network = learning.run(&reflex, progress)?;
    reflex.error = learning.error(&reflex, &network, &validation)?;
    Ok(Reflex::new(reflex, network))
}

/// Numbers of the plans to learn from, and of those that are held out.
fn split(records: &[PlanRecord]) -> Result<(Vec<usize>, Vec<usize>), String> {
    let episodes: BTreeSet<u64> = records.iter().map(|record| record.episode).collect();
    if episodes.len() < 2 {
        let count = episodes.len();
        return Err(format!("a reflex is learned from plans of two episodes or more, there are plans of {count}"));
    }
    // The first, so that there is one.
    let held: BTreeSet<u64> = episodes.into_iter().step_by(HELD_OUT).collect();
    let (validation, training) = (0..records.len()).partition(|plan| held.contains(&records[*plan].episode));
    Ok((training, validation))
}

/// Sizes of the network: narrow in many places, wide in one.
fn sizes(grid: [usize; 2], channels: usize, outputs: usize) -> ReflexNetworkConfig {
    let [hidden, rounds, head] = if grid == [1, 1] { [256, 2, 256] } else { [32, 6, 128] };
    ReflexNetworkConfig { grid, channels, hidden, rounds, head, outputs }
}

fn root_mean_square<'a>(values: impl Iterator<Item = &'a f32>) -> f32 {
    let (count, sum) = values.fold((0_usize, 0.0), |(count, sum), value| (count + 1, sum + f64::from(*value).powi(2)));
    (sum / count.max(1) as f64).sqrt() as f32
}

struct Learning<'a> {
    model: &'a dyn WorldModel,
    records: &'a [PlanRecord],
    inputs: Inputs,
    training: Vec<usize>,
    options: &'a DistilOptions,
}

impl Learning<'_> {
    fn batch(&self, parts: &[Part]) -> Batch {
        batch(self.records, parts, self.model.spec(), &self.inputs, &self.model.device())
    }

    fn draw(&self, purpose: &str, step: usize, count: usize) -> Batch {
        let horizon = self.records[0].actions.len() / self.model.spec().spaces.action_width();
        let mut rng = seed::rng(self.options.seed, purpose, 0, step as u64);
        let parts: Vec<Part> = (0..count).map(|_| Part::draw(&self.training, horizon, &mut rng)).collect();
        self.batch(&parts)
    }

    fn scale(&self) -> Result<Scale, String> {
        let places = self.inputs.of(self.model, &self.draw("reflex-scale", 0, AT_ONCE).scene)?;
        let values = places.into_data().try_into_vec_as::<f32>().expect("latents are floats");
        Ok(Scale::measure(&values, self.inputs.channels()))
    }

    fn run(&self, spec: &ReflexSpec, progress: &mut dyn FnMut(usize)) -> Result<ReflexNetwork, String> {
        let device = self.model.device().autodiff();
        let mut network = spec.network.init(self.options.seed, &device);
        let mut optimizer = AdamConfig::new().init();
        for step in 0..self.options.steps {
            let Batch { scene, actions, mask } = self.draw("reflex-batch", step, self.options.batch);
            let places = spec.scale.apply(self.inputs.of(self.model, &scene)?).autodiff();
            let [actions, mask] = [actions / spec.action_scale, mask].map(Tensor::autodiff);
            let wrong = (network.forward(places) - actions) * mask.clone();
            let loss = wrong.square().sum() / mask.sum();
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            let rate = self.options.learning_rate * (1.0 - step as f64 / self.options.steps as f64);
            network = optimizer.step(rate, network, gradients);
            progress(step + 1);
        }
        Ok(network.valid())
    }

    /// How wrong the network is on whole plans that are held out.
    fn error(&self, spec: &ReflexSpec, network: &ReflexNetwork, validation: &[usize]) -> Result<ReflexError, String> {
        let mut mean = vec![0.0; spec.network.outputs];
        for plan in &self.training {
            mean.iter_mut().zip(&self.records[*plan].actions).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        let mean: Vec<f32> = mean.into_iter().map(|sum| (sum / self.training.len() as f64) as f32).collect();
        let mut wrong = Vec::new();
        for plans in validation.chunks(AT_ONCE) {
            let parts: Vec<Part> = plans.iter().map(|plan| Part::whole(*plan)).collect();
            let Batch { scene, actions, .. } = self.batch(&parts);
            let places = spec.scale.apply(self.inputs.of(self.model, &scene)?);
            let apart = network.forward(places) * spec.action_scale - actions;
            wrong.extend(apart.into_data().try_into_vec_as::<f32>().expect("actions are floats"));
        }
        let reflex = root_mean_square(wrong.iter());
        if !reflex.is_finite() {
            return Err("the reflex has values that are not finite: the plans are no use".to_owned());
        }
        let held = || validation.iter().flat_map(|plan| &self.records[*plan].actions);
        let from_mean: Vec<f32> = held().zip(mean.iter().cycle()).map(|(value, mean)| value - mean).collect();
        Ok(ReflexError { reflex, mean: root_mean_square(from_mean.iter()), zero: root_mean_square(held()) })
    }
}
