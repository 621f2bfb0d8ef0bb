//! `prevision demo`: from nothing to a measured plan.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use prevision_env::RecordOptions;
use prevision_eval::{EvalResults, report};
use prevision_plan::PlanResults;
use prevision_train::{RunFolder, TrainSummary};
use serde::Serialize;

use super::data::generate;
use super::{eval, plan, train};
use crate::app::{App, Parts};
use crate::cli::progress::duration;
use crate::{DeviceName, Experiment, Output, Usage};

/// Record, train, evaluate, plan and report in one go
///
/// Episodes are recorded as video if they are not there; plans are made in worlds that the recordings
/// never show. A run that was interrupted goes on where it stopped.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
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
    #[serde(serialize_with = "prevision_storage::path_text::serialize")]
    report: PathBuf,
    seconds: f64,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    let (start, parts) = (Instant::now(), app.parts());
    let experiment = Experiment::load(&args.experiment, &args.overrides, parts)?;
    record_if_missing(&experiment, parts, args.record)?;
    let resume = args.run.join("config.toml").exists();
    let trained = train::train_in(&experiment, parts, &args.run, resume, args.device)?;
    if trained.interrupted {
        args.output.give(&trained, &train::table(&trained, &args.run))?;
        return train::stopped(&trained);
    }
    let evaluated = eval::evaluate_run(parts, &args.run, &[], &[], args.device)?;
    let planned = plan::plan_run(parts, &args.run, plan::Wishes::default(), args.device)?;
    let run = RunFolder::open(&args.run)?;
    let report = run.path("report.html");
    let seconds = start.elapsed().as_secs_f64();
    let summary = Summary { train: trained, eval: evaluated, plan: planned, report, seconds };
    run.write_json("summary.json", &summary)?;
    report::write(run.root(), &parts.suites)?;
    args.output.give(&summary, &table(&summary))
}

/// Records the experiment's episodes in its world unless its data folder is already there.
fn record_if_missing(experiment: &Experiment, parts: &Parts, episodes: usize) -> Result<()> {
    let source = &experiment.data.source;
    if source.kind != "episodes" {
        let message =
            format!("data.source.kind is {}, but must be episodes: the demo records and learns from them", source.kind);
        return Err(Usage(message).into());
    }
    let source = experiment.source(parts).map_err(Usage)?;
    let path = source.path();
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
    let options = RecordOptions { episodes, seed: experiment.seed, ..RecordOptions::new(&partial) };
    generate::record_world(&experiment.env, parts, None, options)?;
    std::fs::rename(&partial, path).with_context(|| format!("{}: cannot be written", path.display()))
}

fn table(summary: &Summary) -> String {
    let Summary { train, eval, plan, .. } = summary;
    // Writing to a string cannot fail.
    let mut text = String::new();
    let _ = writeln!(text, "frames trained          {}", train.frames);
    let _ =
        writeln!(text, "training time           {} ({:.0} frames/s)", duration(train.seconds), train.frames_per_second);
    text.push_str(&eval.table());
    text.push_str(&plan::table(plan));
    let _ = writeln!(text, "all of it               {}", duration(summary.seconds));
    let _ = writeln!(text, "report                  {}", Path::display(&summary.report));
    text
}
