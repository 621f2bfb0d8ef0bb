//! `prevision eval`: what the model of a run has learned.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use prevision_eval::{EvalResults, Suite, evaluate};
use prevision_train::{RunFolder, load, load_model};

use crate::device::DeviceName;
use crate::failure::Usage;
use crate::output::Output;
use crate::progress::Meter;

/// Measure what the model of a run has learned, on clips that training did not see.
///
/// The results are also written to eval/results.json in the run folder.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The run folder
    run: PathBuf,
    /// What to measure: rollout, probe, collapse, retrieval
    #[arg(long, value_delimiter = ',', default_value = "rollout,probe,collapse,retrieval")]
    suite: Vec<String>,
    /// Override a key of the run's [eval] or [data], as in --set data.source.state=layout
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    #[arg(long, value_enum, default_value_t)]
    device: DeviceName,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let suites = args.suite.iter().map(|name| name.trim().parse()).collect::<Result<Vec<Suite>, _>>()?;
    if let Some(other) = args.overrides.iter().find(|key| !key.starts_with("eval.") && !key.starts_with("data.")) {
        return Err(Usage(format!("--set {other}: a trained run takes only keys of eval and data")).into());
    }
    let results = evaluate_run(&args.run, &suites, &args.overrides, args.device)?;
    args.output.give(&results, &table(&results))
}

/// Evaluates a run and writes the results into its folder.
pub(crate) fn evaluate_run(
    root: &Path,
    suites: &[Suite],
    overrides: &[String],
    device: DeviceName,
) -> Result<EvalResults> {
    let device = device.open()?;
    let run = RunFolder::open(root)?;
    let config = load(&run.path("config.toml"), overrides)?;
    let (_, model) = load_model(&run, &device)?;
    let mut meter = Meter::new("eval");
    let results = evaluate(&config, &model, &device, suites, &mut |what, done, total| {
        meter.show(done as f64 / total.max(1) as f64, || what.to_owned());
    });
    meter.finish();
    let results = results?;
    run.write_json("eval/results.json", &results)?;
    Ok(results)
}

/// The results for people.
pub(crate) fn table(results: &EvalResults) -> String {
    // Writing to a string cannot fail.
    let mut text = String::new();
    let _ = writeln!(text, "on {} validation clips", results.clips);
    if let Some(rollout) = &results.rollout {
        let _ = writeln!(text, "latent rollout error    model      copy      mean  model/copy");
        for error in rollout {
            let _ = writeln!(
                text,
                "  {:>3} steps ahead   {:>9.5} {:>9.5} {:>9.5}   {:>8.3}",
                error.horizon,
                error.model,
                error.copy,
                error.mean,
                error.model / error.copy
            );
        }
    }
    if let Some(probe) = &results.probe {
        let _ = writeln!(
            text,
            "position probe error    {:.2} px (MLP), {:.2} px (linear)",
            probe.position_px, probe.linear_px
        );
    }
    if let Some(collapse) = &results.collapse {
        let _ = writeln!(
            text,
            "collapse                effective rank {:.1}, RankMe {:.1}, std min {:.3} mean {:.3}",
            collapse.effective_rank, collapse.rankme, collapse.std_min, collapse.std_mean
        );
    }
    if let Some(retrieval) = &results.retrieval {
        let _ = writeln!(text, "retrieval               top-1 {:.3}, MRR {:.3}", retrieval.top1, retrieval.mrr);
    }
    text
}
