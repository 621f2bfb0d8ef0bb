//! `prevision demo`: from nothing to a measured plan.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use prevision_data::SourceConfig;
use prevision_env::{RecordOptions, record};
use prevision_eval::{EvalResults, Suite, report};
use prevision_plan::PlanResults;
use prevision_train::{ExperimentConfig, RunFolder, TrainSummary, load};
use serde::Serialize;

use super::{eval, plan, train};
use crate::device::DeviceName;
use crate::failure::Usage;
use crate::output::Output;
use crate::progress::{Meter, duration};

/// Everything in one go: record episodes as video if they are not there, train on them, evaluate, plan on layouts that training
/// never saw, and write a report.
///
/// A run that was interrupted goes on where it stopped.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The experiment; its data must be recorded episodes
    #[arg(default_value = "experiments/two-rooms/experiment.toml")]
    experiment: PathBuf,
    /// Override a key, as in --set train.minutes=2
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Run folder
    #[arg(long, value_name = "DIR", default_value = "runs/demo")]
    run: PathBuf,
    /// Episodes to record
    #[arg(long, value_name = "N", default_value_t = 4000)]
    record: usize,
    #[arg(long, value_enum, default_value_t)]
    device: DeviceName,
    #[command(flatten)]
    output: Output,
}

/// What a demo came to: `summary.json` of its run folder.
#[derive(Serialize)]
struct Summary {
    train: TrainSummary,
    eval: EvalResults,
    plan: PlanResults,
    report: PathBuf,
    seconds: f64,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let start = Instant::now();
    let config = load(&args.experiment, &args.overrides)?;
    record_if_missing(&config, args.record)?;
    let resume = args.run.join("config.toml").exists();
    let trained = train::train_in(&config, &args.run, resume, args.device)?;
    if trained.interrupted {
        args.output.give(&trained, &train::table(&trained, &args.run))?;
        return train::stopped(&trained);
    }
    let evaluated = eval::evaluate_run(&args.run, &Suite::ALL, &[], args.device)?;
    let planned = plan::plan_run(&args.run, &[], 0, None, args.device)?;
    let run = RunFolder::open(&args.run)?;
    let mut summary = Summary {
        train: trained,
        eval: evaluated,
        plan: planned,
        report: run.path("report.html"),
        seconds: start.elapsed().as_secs_f64(),
    };
    run.write_json("summary.json", &summary)?;
    summary.report = report::write(run.root())?;
    args.output.give(&summary, &table(&summary))
}

/// Records the experiment's episodes unless its data folder is already there.
fn record_if_missing(config: &ExperimentConfig, episodes: usize) -> Result<()> {
    let SourceConfig::Episodes { path, .. } = &config.data.source else {
        return Err(Usage("data.source.kind: the demo records and learns from \"episodes\"".to_owned()).into());
    };
    if path.join("ep_len.npz").exists() {
        return Ok(());
    }
    // Recorded beside its place and moved there when it is whole: what an interrupted demo leaves is recorded anew.
    let partial = path.with_extension("partial");
    match std::fs::remove_dir_all(&partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("{}: cannot be removed", partial.display()));
        }
        _ => {}
    }
    let mut meter = Meter::new("record");
    let options =
        RecordOptions { episodes, seed: config.seed, ..RecordOptions::new(&config.plan.environment, &partial) };
    record(&options, &mut |done, total| {
        meter.show(done as f64 / total.max(1) as f64, || format!("{done}/{total} episodes"));
    })?;
    meter.finish();
    std::fs::rename(&partial, path).with_context(|| format!("{}: cannot be written", path.display()))
}

fn table(summary: &Summary) -> String {
    let Summary { train, eval, plan, .. } = summary;
    // Writing to a string cannot fail.
    let mut text = String::new();
    let _ = writeln!(text, "frames trained          {}", train.frames);
    let _ =
        writeln!(text, "training time           {} ({:.0} frames/s)", duration(train.seconds), train.frames_per_second);
    text.push_str(&eval::table(eval));
    text.push_str(&plan::table(plan));
    let _ = writeln!(text, "all of it               {}", duration(summary.seconds));
    let _ = writeln!(text, "report                  {}", Path::display(&summary.report));
    text
}
