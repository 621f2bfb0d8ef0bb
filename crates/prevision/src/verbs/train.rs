//! `prevision train`: train the model of an experiment.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use prevision_data::Split;
use prevision_train::{Alone, Control, Progress, RunFolder, TrainError, TrainSummary};

use crate::app::{App, Parts};
use crate::cli::interrupt::Interruptible;
use crate::cli::progress::{Meter, duration};
use crate::cli::run_name::default_run;
use crate::{DeviceName, Experiment, Output, Usage};

/// Share of a training that it may wait for data before a cure is named.
const MUCH_WAITING: f64 = 0.1;

/// Train the model of an experiment
///
/// The run folder gets the resolved configuration, metrics.jsonl, TensorBoard files, checkpoints and
/// summary.json. Ctrl-C, SIGTERM and SIGHUP finish the step, write a checkpoint and leave a run that
/// --resume continues; a second one ends the program at once.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The experiment, a TOML file with what differs from the defaults
    experiment: PathBuf,
    /// Override a key, as in --set optimizer.lr=3e-4
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Run folder [default: runs/<name of the experiment>]
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Continue the run in the run folder
    #[arg(long)]
    resume: bool,
    #[arg(long, value_enum, default_value_t)]
    device: DeviceName,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    let experiment = Experiment::load(&args.experiment, &args.overrides, app.parts())?;
    let root = args.run.clone().unwrap_or_else(|| default_run(&args.experiment));
    let summary = train_in(&experiment, app.parts(), &root, args.resume, args.device)?;
    args.output.give(&summary, &table(&summary, &root))?;
    stopped(&summary)
}

/// An error if the training was stopped: exit code 0 is for work that was done.
pub(crate) fn stopped(summary: &TrainSummary) -> Result<()> {
    ensure!(!summary.interrupted, "stopped after step {}, before the end of the budget", summary.steps);
    Ok(())
}

/// Trains in a run folder, with a progress bar, until the end or a signal.
pub(crate) fn train_in(
    experiment: &Experiment,
    parts: &Parts,
    root: &Path,
    resume: bool,
    device: DeviceName,
) -> Result<TrainSummary> {
    let device = device.open()?;
    let fresh = !root.join("config.toml").exists();
    if resume && fresh {
        return Err(Usage(format!("--resume: there is no run in {}", root.display())).into());
    }
    let run = if resume { RunFolder::open(root)? } else { create(root)? };
    let work = Interruptible::begin("the step is finished and a checkpoint written")?;
    let mut meter = Meter::new("train");
    let mut control =
        Control { on_progress: Box::new(|progress| meter.show(progress.done, || line(progress))), stop: work.asked() };
    let trained = experiment.task(parts).map_err(TrainError::Experiment).and_then(|task| {
        let dataset = experiment.dataset(parts, Split::Train)?;
        task.train(dataset, &experiment.settings(), &run, device, &Alone, &mut control)
    });
    drop(control);
    meter.finish();
    let in_use = matches!(trained, Err(TrainError::RunInUse { .. }));
    if trained.is_err() && fresh && !in_use {
        remove_if_nothing_was_trained(root);
    }
    Ok(trained?)
}

/// Starts a new run; that of another is not touched.
fn create(root: &Path) -> Result<RunFolder> {
    RunFolder::create(root).map_err(|error| match error {
        TrainError::RunExists { .. } => {
            anyhow::Error::from(error).context("continue that run with --resume, or choose another folder with --run")
        }
        other => other.into(),
    })
}

/// A run that failed before its first checkpoint leaves nothing that would be in the way of the next try.
fn remove_if_nothing_was_trained(root: &Path) {
    if !root.join("checkpoints").exists() && !root.join("metrics.jsonl").metadata().is_ok_and(|file| file.len() > 0) {
        let _ = std::fs::remove_dir_all(root);
    }
}

fn line(progress: &Progress) -> String {
    let mut text = match progress.steps {
        Some(steps) => format!("step {}/{steps}", progress.step),
        None => format!("step {}", progress.step),
    };
    // Writing to a string cannot fail.
    for (name, value) in progress.loss.iter().take(3) {
        let _ = write!(text, "  {name} {value:.4}");
    }
    let _ = write!(text, "  {:.0} clips/s  {} left", progress.clips_per_second, duration(progress.seconds_left));
    text
}

/// What a training came to, for people.
pub(crate) fn table(summary: &TrainSummary, root: &Path) -> String {
    let mut text = String::new();
    let how = if summary.interrupted { "stopped (continue with --resume) after" } else { "trained on" };
    let _ = writeln!(
        text,
        "{how} {} frames in {} steps, {} ({:.0} frames/s)",
        summary.frames,
        summary.steps,
        duration(summary.seconds),
        summary.frames_per_second
    );
    let waiting = summary.waiting_for_data;
    let cure = if waiting > MUCH_WAITING {
        ": more data.workers, where cores are free, or a copy by `prevision data prepare` make it shorter"
    } else {
        ""
    };
    let _ = writeln!(text, "waiting for data {:.0} % of the time{cure}", 100.0 * waiting);
    let shares = summary.stages.each().into_iter().skip(1);
    let shares =
        shares.map(|(name, seconds)| format!("{name} {:.0} %", 100.0 * seconds / summary.stages.total().max(1e-9)));
    let _ = writeln!(text, "{}", shares.collect::<Vec<_>>().join(", "));
    for (name, value) in &summary.final_loss {
        let _ = writeln!(text, "  {name:<22} {value:.5}");
    }
    if !summary.skipped_files.is_empty() {
        let files = summary.skipped_files.len();
        let _ = writeln!(text, "skipped {files} file{}:", if files == 1 { "" } else { "s" });
        for file in &summary.skipped_files {
            let _ = writeln!(text, "  {file}");
        }
    }
    let _ = writeln!(text, "run folder: {}", root.display());
    text
}
