//! The suites of an action-conditioned model.

use burn::tensor::Tensor;
use prevision_data::{ClipBatch, Split};
use prevision_model::ActionJepa;
use prevision_objective::normalise;

use crate::collapse::collapse;
use crate::evaluate::Job;
use crate::latents::read;
use crate::probe::{MlpOptions, Samples, probe};
use crate::retrieval::retrieval;
use crate::rollout::rollout_errors;
use crate::tokens::tokens;
use crate::{EvalError, EvalResults, Latents, Suite};

/// Training clips that probes learn from, over the number of validation clips: they are cheap to encode, and a probe that has
/// seen too few says less of the latents.
const PROBE_CLIPS: usize = 4;

/// What the suites need of the clips.
struct Encoded {
    /// Latents of the context encoder, where they are not the targets.
    context: Option<Latents>,
    /// What predictions aim at, `[clips, t, dim]`: latents of the target encoder, normalised when training normalised them.
    targets: Latents,
    /// Latents predicted from the first frame, `[clips, k, dim]`; absent when not asked for.
    predicted: Option<Latents>,
    /// Position of every frame; absent when the state has fewer than two columns.
    positions: Option<Vec<[f64; 2]>>,
}

pub(crate) fn evaluate(job: &mut Job<'_>, model: &ActionJepa) -> Result<EvalResults, EvalError> {
    let eval = job.config.eval.clone();
    let horizons = job.horizons(job.config.data.frames.saturating_sub(1), "steps")?;
    let longest = horizons.last().copied();
    let encoded = encode(job, model, Split::Validation, eval.clips, longest)?;
    let predicted = encoded.predicted.as_ref().expect("predictions were asked for");
    let mut results = EvalResults { clips: encoded.targets.clips(), ..EvalResults::default() };
    if job.wants(Suite::Rollout) {
        results.rollout = Some(rollout_errors(predicted, &encoded.targets, &horizons));
    }
    if job.wants(Suite::Retrieval) {
        results.retrieval = Some(retrieval(predicted, &after_first(&encoded.targets, predicted.steps()), &horizons));
    }
    if job.wants(Suite::Collapse) {
        job.tell("measure collapse", 0, 1);
        let latents = encoded.context.as_ref().unwrap_or(&encoded.targets);
        let (values, width) = tokens(model, latents);
        results.collapse = Some(collapse(&values, width));
        job.tell("measure collapse", 1, 1);
    }
    if let (true, Some(positions)) = (job.wants(Suite::Probe), &encoded.positions) {
        let training = encode(job, model, Split::Train, eval.clips * PROBE_CLIPS, None)?;
        let training = Samples { latents: training.targets, positions: training.positions.unwrap_or_default() };
        let test = Samples { latents: encoded.targets.clone(), positions: positions.clone() };
        let options = MlpOptions { steps: eval.probe_steps, seed: job.config.seed, ..MlpOptions::default() };
        job.tell("fit probes", 0, 1);
        results.probe = Some(probe(&training, &test, predicted, &horizons, &options, job.device)?);
        job.tell("fit probes", 1, 1);
    }
    Ok(results)
}

/// Encodes clips of a split, and rolls out `steps` steps from the first frame with the true actions.
fn encode(
    job: &mut Job<'_>,
    model: &ActionJepa,
    split: Split,
    most: usize,
    steps: Option<usize>,
) -> Result<Encoded, EvalError> {
    let (frames, dim) = (job.config.data.frames, model.latent_dim());
    let normalised = job.config.objective.prediction.normalise_targets;
    let apart = model.target.is_some() || normalised;
    let mut context = Latents::new(frames, dim);
    let mut targets = Latents::new(frames, dim);
    let mut predicted = steps.map(|steps| Latents::new(steps, dim));
    let mut positions: Option<Vec<[f64; 2]>> = None;
    job.each_batch(split, most, |batch| {
        let latents = model.encode(batch.video.clone());
        if let (Some(predicted), Some(steps)) = (&mut predicted, steps) {
            let actions = batch.actions.clone().ok_or_else(no_actions)?.narrow(1, 0, steps);
            predicted.push(model.rollout(latents.clone().narrow(1, 0, 1), actions))?;
        }
        if apart {
            let target =
                if model.target.is_some() { model.encode_target(batch.video.clone()) } else { latents.clone() };
            targets.push(if normalised { normalise(target) } else { target })?;
            context.push(latents)?;
        } else {
            targets.push(latents)?;
        }
        if let Some(state) = positions_of(&batch) {
            let values = read(state)?;
            let points = values.chunks_exact(2).map(|xy| [f64::from(xy[0]), f64::from(xy[1])]);
            positions.get_or_insert_default().extend(points);
        }
        Ok(())
    })?;
    targets.check_finite("encoded latents")?;
    if let Some(predicted) = &predicted {
        predicted.check_finite("predicted latents")?;
    }
    Ok(Encoded { context: apart.then_some(context), targets, predicted, positions })
}

fn no_actions() -> EvalError {
    EvalError::Config("data.source: the clips have no actions, which an action-conditioned model needs".to_owned())
}

/// The first two columns of the state, `[batch, time, 2]`.
fn positions_of(batch: &ClipBatch) -> Option<Tensor<3>> {
    let state = batch.state.clone()?;
    (state.dims()[2] >= 2).then(|| state.narrow(2, 0, 2))
}

/// The latents 1 to `steps` of every clip.
fn after_first(latents: &Latents, steps: usize) -> Latents {
    let rows = (0..latents.clips()).flat_map(|clip| (1..=steps).flat_map(move |step| latents.at(clip, step)));
    Latents::from_values(rows.copied().collect(), steps, latents.dim())
}
