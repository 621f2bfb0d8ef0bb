//! `prevision eval`: what the model of a run has learned.

use std::path::{Path, PathBuf};

use anyhow::Result;
use prevision_data::Split;
use prevision_eval::{EvalData, EvalResults, evaluate};

use crate::app::{App, Parts};
use crate::cli::progress::Meter;
use crate::{DeviceName, Output, TrainedRun, Usage};

/// Measure what the model of a run has learned, on clips that training did not see.
///
/// The results are also written to eval/results.json in the run folder.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The run folder
    run: PathBuf,
    /// What to measure, as in rollout,probe [default: every suite that is registered]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    suite: Vec<String>,
    /// Override a key of the run's [eval] or [data], as in --set data.source.state=layout
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    #[arg(long, value_enum, default_value_t)]
    device: DeviceName,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    if let Some(other) = args.overrides.iter().find(|key| !key.starts_with("eval.") && !key.starts_with("data.")) {
        return Err(Usage(format!("--set {other}: a trained run takes only keys of eval and data")).into());
    }
    let suites: Vec<&str> = args.suite.iter().map(|name| name.trim()).collect();
    let results = evaluate_run(app.parts(), &args.run, &suites, &args.overrides, args.device)?;
    args.output.give(&results, &results.table())
}

/// Evaluates a run by these suites, or by all, and writes the results into its folder.
pub(crate) fn evaluate_run(
    parts: &Parts,
    root: &Path,
    suites: &[&str],
    overrides: &[String],
    device: DeviceName,
) -> Result<EvalResults> {
    let device = device.open()?;
    let run = TrainedRun::open(root, overrides, parts)?;
    let experiment = &run.experiment;
    let names: Vec<&str> = if suites.is_empty() { parts.suites.names().collect() } else { suites.to_vec() };
    let suites = experiment.eval.make(&parts.suites, &names).map_err(Usage)?;
    let Some(model) = run.load(parts, &device)?.frozen else {
        return Err(
            Usage(format!("{}: models of kind {} cannot be measured", root.display(), experiment.model.kind)).into()
        );
    };
    let held_out = experiment.dataset(parts, Split::Validation)?;
    let open_training = || experiment.dataset(parts, Split::Train);
    let data = EvalData { held_out: held_out.as_ref(), training: Some(&open_training) };
    let mut meter = Meter::new("eval");
    let results =
        evaluate(model.as_ref(), data, suites, &experiment.eval, experiment.seed, &mut |what, done, total| {
            meter.show(done as f64 / total.max(1) as f64, || what.to_owned());
        });
    meter.finish();
    let results = results?;
    run.folder.write_json("eval/results.json", &results)?;
    Ok(results)
}
