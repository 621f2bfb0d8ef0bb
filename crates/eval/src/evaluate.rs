//! The evaluation of a model on clips.

use std::sync::Arc;
use std::time::Instant;

use prevision_data::{ClipDataset, DataError};
use prevision_model::{FrozenModel, Wanted};

use crate::clips::Walk;
use crate::fit::{check_predictions, check_spaces, horizons};
use crate::{EvalConfig, EvalError, EvalResults, Evaluation, NamedSuite, Needs, Suite};

/// Training clips over held-out clips: they are cheap to encode, and a probe that has seen too few says less of the latents.
const TRAINING_CLIPS: usize = 4;

/// Opens the training clips.
pub type OpenTraining<'a> = &'a dyn Fn() -> Result<Arc<dyn ClipDataset>, DataError>;

/// The clips of an evaluation.
#[derive(Clone, Copy)]
pub struct EvalData<'a> {
    /// The clips to measure on, which training did not see.
    pub held_out: &'a dyn ClipDataset,
    /// Opens the training clips, if a suite needs them. Without it such suites are left out.
    pub training: Option<OpenTraining<'a>>,
}

/// Runs suites on held-out clips, at most `eval.clips` of them, in a fixed order and without augmentation. The results are a function
/// of clips, weights, configuration and seed alone; suites that do not apply are absent from them, and horizons beyond the clip are left
/// out.
///
/// Where the data set offers fewer clips than that, more are taken of each video, evenly spread.
///
/// `progress` is told what is being done, how much of it is done, and how much there is at most.
///
/// # Errors
/// If clips cannot be read, are too few or do not fit the model, no horizon fits them, or latents are not finite.
pub fn evaluate(
    model: &dyn FrozenModel,
    data: EvalData<'_>,
    suites: Vec<NamedSuite>,
    config: &EvalConfig,
    seed: u64,
    progress: &mut dyn FnMut(&str, usize, usize),
) -> Result<EvalResults, EvalError> {
    let start = Instant::now();
    let spaces = data.held_out.spaces();
    check_spaces(model.spaces(), spaces)?;
    let evaluation = Evaluation { model, spaces, config, horizons: horizons(model, config), seed };
    let mut running = Vec::new();
    for (name, suite) in suites {
        let needs = suite.needs(&evaluation).filter(|needs| !needs.training || data.training.is_some());
        running.extend(needs.map(|needs| Running { name, needs, suite }));
    }
    let any = |of: fn(&Needs) -> bool| running.iter().any(|running| of(&running.needs));
    let (context, training) = (any(|needs| needs.context), any(|needs| needs.training));
    let steps = if any(|needs| needs.predictions) {
        check_predictions(&evaluation)?;
        evaluation.steps()
    } else {
        0
    };
    let walk = Walk { side: "held-out", most: config.clips, wanted: Wanted { context, steps } };
    let clips = walk.each_batch(&evaluation, data.held_out, progress, |seen| {
        running.iter_mut().try_for_each(|running| running.suite.measure(seen))
    })?;
    if let (true, Some(open)) = (training, data.training) {
        let most = config.clips.saturating_mul(TRAINING_CLIPS);
        let walk = Walk { side: "training", most, wanted: Wanted { context, steps: 0 } };
        let dataset = open()?;
        check_spaces(model.spaces(), dataset.spaces())?;
        walk.each_batch(&evaluation, dataset.as_ref(), progress, |seen| {
            let mut learning = running.iter_mut().filter(|running| running.needs.training);
            learning.try_for_each(|running| running.suite.learn(seen))
        })?;
    }
    let mut results = EvalResults { clips, ..EvalResults::default() };
    for Running { name, mut suite, .. } in running {
        let what = format!("measure {name}");
        progress(&what, 0, 1);
        let found = suite.finish(&evaluation)?;
        progress(&what, 1, 1);
        results.lines.extend(suite.show(&name, &found).lines);
        results.suites.insert(name, found);
    }
    results.seconds = start.elapsed().as_secs_f64();
    Ok(results)
}

/// A suite that applies.
struct Running {
    name: String,
    needs: Needs,
    suite: Box<dyn Suite>,
}
