//! The suites of a masked (V-JEPA) model.
//!
//! The clip's last tubelets are hidden and predicted from the earlier ones; a horizon counts tubelets ahead of the last visible one.
//! Targets are the target encoder's latents of the whole clip, layer-normed when training normalised them.

use burn::tensor::Tensor;
use prevision_data::Split;
use prevision_model::{InputShape, MaskPair, MaskedJepa, MaskedJepaConfig};
use prevision_objective::normalise;

use crate::collapse::collapse;
use crate::evaluate::Job;
use crate::latents::read;
use crate::retrieval::retrieval;
use crate::rollout::RolloutError;
use crate::{EvalError, EvalResults, Latents, Suite};

/// Tokens that collapse is measured on, at most.
const COLLAPSE_TOKENS: usize = 16_384;

pub(crate) fn evaluate(
    job: &mut Job<'_>,
    model: &MaskedJepa,
    config: &MaskedJepaConfig,
) -> Result<EvalResults, EvalError> {
    let (most, normalised) = (job.config.eval.clips, job.config.objective.prediction.normalise_targets);
    let future = job.wants(Suite::Rollout) || job.wants(Suite::Retrieval);
    let tubelets = job.config.data.frames / config.encoder.tubelet;
    let horizons = job.horizons(tubelets.saturating_sub(1), "tubelets")?;
    let hidden = horizons.last().copied().unwrap_or_default();
    let dim = config.encoder.dim;
    let wants_collapse = job.wants(Suite::Collapse);
    let mut sums = ErrorSums::new(hidden, dim);
    let (mut predicted_means, mut future_means) = (Latents::new(hidden, dim), Latents::new(hidden, dim));
    let mut tokens = Vec::new();
    let clips = job.each_batch(Split::Validation, most, |batch| {
        let [clips, channels, frames, height, width] = batch.video.dims();
        let grid = config.encoder.grid(&InputShape { channels, frames, height, width, action_dim: 0, state_dim: 0 });
        let (per_step, visible) = (grid[1] * grid[2], tubelets - hidden);
        if future {
            let ids = |from: usize, to: usize| vec![(from * per_step..to * per_step).collect::<Vec<_>>(); clips];
            let mask = MaskPair { context: ids(0, visible), target: ids(visible, tubelets) };
            let all = model.targets(batch.video.clone());
            let all = if normalised { normalise(all) } else { all };
            let predicted = model.predict(model.encode_context(batch.video.clone(), &mask), &mask);
            let by_step = |tokens: Tensor<3>, steps: usize| tokens.reshape([clips, steps, per_step, dim]);
            let (all, predicted) = (by_step(all, tubelets), by_step(predicted, hidden));
            let pool = |tokens: Tensor<4>| tokens.mean_dim(2).reshape([clips, hidden, dim]);
            predicted_means.push(pool(predicted.clone()))?;
            future_means.push(pool(all.clone().narrow(1, visible, hidden)))?;
            sums.add(all, predicted)?;
        }
        if wants_collapse {
            let latents = model.encode(batch.video);
            let count = latents.dims()[1];
            let keep = (COLLAPSE_TOKENS / most.max(1)).clamp(1, count);
            // Evenly spaced over the clip, shifted by half a stride.
            let rows: Vec<i64> = (0..keep).map(|i| ((2 * i + 1) * count / (2 * keep)) as i64).collect();
            let rows = Tensor::<1, burn::tensor::Int>::from_ints(rows.as_slice(), &latents.device());
            tokens.extend(read(latents.select(1, rows))?);
        }
        Ok(())
    })?;
    let mut results = EvalResults { clips, ..EvalResults::default() };
    if future {
        predicted_means.check_finite("predicted latents")?;
        future_means.check_finite("encoded latents")?;
    }
    if job.wants(Suite::Rollout) {
        results.rollout = Some(sums.finish(&horizons));
    }
    if job.wants(Suite::Retrieval) {
        results.retrieval = Some(retrieval(&predicted_means, &future_means, &horizons));
    }
    if wants_collapse {
        results.collapse = Some(collapse(&tokens, dim));
    }
    Ok(results)
}

/// Sums over all tokens of the evaluation set, so that no token has to be kept: the error of the mean baseline follows from
/// the sums of the tokens and of their squares.
struct ErrorSums {
    /// Squared error of the model and of copying, for every horizon.
    model: Vec<f64>,
    copy: Vec<f64>,
    /// Sum of the squared values of the targets, for every horizon.
    squares: Vec<f64>,
    /// Sum of the targets, for every horizon and dimension.
    sums: Vec<Vec<f64>>,
    /// Tokens at each horizon.
    tokens: f64,
    /// Sum of every token of the clips, visible ones too, for every dimension.
    all: Vec<f64>,
    all_tokens: f64,
}

impl ErrorSums {
    fn new(hidden: usize, dim: usize) -> Self {
        let zeros = vec![0.0; hidden];
        Self {
            model: zeros.clone(),
            copy: zeros.clone(),
            squares: zeros,
            sums: vec![vec![0.0; dim]; hidden],
            tokens: 0.0,
            all: vec![0.0; dim],
            all_tokens: 0.0,
        }
    }

    /// # Shapes
    /// - all: `[clips, tubelets, places, dim]`, the targets of the whole clip
    /// - predicted: `[clips, hidden, places, dim]`, predictions of the last tubelets
    fn add(&mut self, all: Tensor<4>, predicted: Tensor<4>) -> Result<(), EvalError> {
        let [clips, tubelets, places, dim] = all.dims();
        let hidden = predicted.dims()[1];
        let last = all.clone().narrow(1, tubelets - hidden - 1, 1);
        let future = all.clone().narrow(1, tubelets - hidden, hidden);
        let per_step = |values: Tensor<4>| read(values.sum_dims(&[0, 2, 3]).reshape([hidden]));
        let add = |to: &mut [f64], values: &[f32]| {
            to.iter_mut().zip(values).for_each(|(sum, &value)| *sum += f64::from(value));
        };
        add(&mut self.model, &per_step((predicted - future.clone()).square())?);
        add(&mut self.copy, &per_step((last - future.clone()).square())?);
        add(&mut self.squares, &per_step(future.clone().square())?);
        let sums = read(future.sum_dims(&[0, 2]).reshape([hidden, dim]))?;
        self.sums.iter_mut().zip(sums.chunks_exact(dim)).for_each(|(to, values)| add(to, values));
        add(&mut self.all, &read(all.sum_dims(&[0, 1, 2]).reshape([dim]))?);
        self.tokens += (clips * places) as f64;
        self.all_tokens += (clips * tubelets * places) as f64;
        Ok(())
    }

    fn finish(&self, horizons: &[usize]) -> Vec<RolloutError> {
        let mean: Vec<f64> = self.all.iter().map(|sum| sum / self.all_tokens).collect();
        let square: f64 = mean.iter().map(|value| value * value).sum();
        let elements = self.tokens * mean.len() as f64;
        horizons
            .iter()
            .map(|&horizon| {
                let step = horizon - 1;
                let cross: f64 = mean.iter().zip(&self.sums[step]).map(|(mean, sum)| mean * sum).sum();
                RolloutError {
                    horizon,
                    model: self.model[step] / elements,
                    copy: self.copy[step] / elements,
                    mean: (self.squares[step] - 2.0 * cross + self.tokens * square) / elements,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn sums_give_the_errors_of_all_tokens() {
        let device = Device::flex();
        // One place, one dimension, three tubelets of which two are hidden, in two batches of one clip each.
        let mut sums = ErrorSums::new(2, 1);
        for (all, predicted) in [([0.0, 1.0, 3.0], [1.0, 2.0]), ([4.0, 2.0, 2.0], [3.0, 2.0])] {
            let all = Tensor::<1>::from_floats(all, &device).reshape([1, 3, 1, 1]);
            sums.add(all, Tensor::<1>::from_floats(predicted, &device).reshape([1, 2, 1, 1])).unwrap();
        }
        let errors = sums.finish(&[1, 2]);
        assert_eq!(errors[0], RolloutError { horizon: 1, model: 0.5, copy: 2.5, mean: 0.5 });
        assert_eq!(errors[1], RolloutError { horizon: 2, model: 0.5, copy: 6.5, mean: 0.5 });
    }
}
