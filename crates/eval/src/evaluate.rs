//! The evaluation of a model on the clips of its experiment.

use std::time::Instant;

use burn::tensor::Device;
use prevision_data::{ClipBatch, Split, in_order, open};
use prevision_model::{Jepa, ModelConfig};
use prevision_train::config::ExperimentConfig;

use crate::{EvalError, EvalResults, Suite, action, masked};

/// Runs suites on the first `eval.clips` validation clips, in a fixed order and without augmentation. The result is a
/// function of the configuration and the weights alone.
///
/// `model` and `device` are without autodiff. `progress` is told what is being done, how much of it is done, and how much
/// there is at most.
///
/// A masked model has no probe, and data without a state of two columns or more have none either: the suite is then absent from the
/// results. Horizons beyond the clip are left out.
///
/// # Errors
/// If the data cannot be read, have too few clips or do not fit the model, no horizon fits the clip, or latents are not finite.
pub fn evaluate(
    config: &ExperimentConfig,
    model: &Jepa,
    device: &Device,
    suites: &[Suite],
    progress: &mut dyn FnMut(&str, usize, usize),
) -> Result<EvalResults, EvalError> {
    let start = Instant::now();
    let mut job = Job { config, device, suites, progress };
    let mut results = match (model, &config.model) {
        (Jepa::Action(model), _) => action::evaluate(&mut job, model)?,
        (Jepa::Masked(model), ModelConfig::Masked(masked)) => masked::evaluate(&mut job, model, masked)?,
        (Jepa::Masked(_), ModelConfig::ActionConditioned(_)) => {
            return Err(EvalError::Config("model.kind = \"action-conditioned\": the model is masked".to_owned()));
        }
    };
    results.seconds = start.elapsed().as_secs_f64();
    Ok(results)
}

/// What an evaluation works with.
pub(crate) struct Job<'a> {
    pub(crate) config: &'a ExperimentConfig,
    pub(crate) device: &'a Device,
    suites: &'a [Suite],
    progress: &'a mut dyn FnMut(&str, usize, usize),
}

impl Job<'_> {
    pub(crate) fn wants(&self, suite: Suite) -> bool {
        self.suites.contains(&suite)
    }

    pub(crate) fn tell(&mut self, what: &str, done: usize, total: usize) {
        (self.progress)(what, done, total);
    }

    /// The configured horizons of at most `longest`, ascending and each once.
    pub(crate) fn horizons(&self, longest: usize, unit: &str) -> Result<Vec<usize>, EvalError> {
        let asked = &self.config.eval.horizons;
        let mut horizons: Vec<usize> = asked.iter().copied().filter(|&horizon| horizon <= longest).collect();
        horizons.sort_unstable();
        horizons.dedup();
        if horizons.is_empty() {
            let frames = self.config.data.frames;
            return Err(EvalError::Config(format!(
                "eval.horizons = {asked:?}: clips of {frames} frames (data.frames) allow at most {longest} {unit}"
            )));
        }
        Ok(horizons)
    }

    /// Hands over clips of a split, in order, in batches of `eval.batch_size`, at most `most` in all.
    pub(crate) fn each_batch(
        &mut self,
        split: Split,
        most: usize,
        mut work: impl FnMut(ClipBatch) -> Result<(), EvalError>,
    ) -> Result<usize, EvalError> {
        let (name, what) = match split {
            Split::Train => ("training", "encode training clips"),
            Split::Validation => ("validation", "encode validation clips"),
        };
        let data = &self.config.data;
        let dataset = open(data, split, self.config.seed)?;
        let total = most.min(dataset.clips_per_epoch());
        let mut clips = 0;
        for batch in in_order(dataset.as_ref(), self.config.eval.batch_size.min(most)) {
            let mut batch = batch?;
            batch.clips.truncate(most - clips);
            clips += batch.clips.len();
            work(batch.to_device(&data.normalise, self.device))?;
            self.tell(what, clips, total);
            if clips >= most {
                break;
            }
        }
        if clips < 2 {
            return Err(EvalError::TooFewClips { split: name, clips, least: 2 });
        }
        Ok(clips)
    }
}
