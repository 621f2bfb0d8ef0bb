//! `prevision data check`: faults in a data set before they cost a training.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::{Result, bail};
use prevision_data::check::{CheckOptions, CheckReport, Severity, check_episodes};
use prevision_data::open_recording;

use crate::app::App;
use crate::cli::progress::Meter;
use crate::{Output, Usage};

/// Findings of one kind that the table shows.
const SHOWN: usize = 8;

/// Look for what would be learned wrong, before training
///
/// Reads every frame and every number of recorded episodes, or of plain videos, once. Looks for videos
/// that cannot be read, are too short, or contradict the table; black, frozen and repeated frames; frame
/// rates and times that do not fit; numbers that are not finite, constant, cut off, in another unit, or
/// jump; steps in which nothing happens; actions and pictures that are some steps late or early; episodes
/// that are there twice, or nearly so on both sides of the split. Ends with 1 if training would be wrong.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Recorded episodes, a folder of videos, a manifest, or a video
    source: PathBuf,
    /// Format of the episodes [default: the first that is found there]
    #[arg(long, value_name = "NAME")]
    format: Option<String>,
    /// A camera to look at; all without it
    #[arg(long = "camera", value_name = "NAME")]
    cameras: Vec<String>,
    /// Column of the actions
    #[arg(long, value_name = "NAME", default_value = "action")]
    action: String,
    /// Column of the states [default: state, or observation.state]
    #[arg(long, value_name = "NAME")]
    state: Option<String>,
    /// Moments that a clip of the training covers: frames times frame step
    #[arg(long, value_name = "N", default_value_t = 16)]
    frames: usize,
    /// Share of the episodes that the training keeps aside
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    validation_fraction: f64,
    /// Seed of the training
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    workers: Option<u16>,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    if !(0.0..1.0).contains(&args.validation_fraction) {
        let message = format!("--validation-fraction {}: expected 0 or more and below 1", args.validation_fraction);
        return Err(Usage(message).into());
    }
    let workers = super::workers(args.workers.map(usize::from));
    let (_, source) = open_recording(&args.source, args.format.as_deref(), &app.parts().formats, workers)?;
    let state = args.state.clone().map_or_else(|| super::state_column(source.as_ref()), Ok)?;
    let options = CheckOptions {
        cameras: args.cameras.clone(),
        action: args.action.clone(),
        state,
        frames: args.frames,
        validation_fraction: args.validation_fraction,
        seed: args.seed,
        workers,
    };
    let meter = Mutex::new(Meter::new("check"));
    let report = check_episodes(&args.source, source.as_ref(), &options, &|done, all| {
        if let Ok(mut meter) = meter.lock() {
            meter.show(done as f64 / all as f64, || format!("{done} of {all} episodes"));
        }
    });
    if let Ok(meter) = meter.into_inner() {
        meter.finish();
    }
    let report = report?;
    args.output.give(&report, &table(&report))?;
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    match errors {
        0 => Ok(()),
        1 => bail!("{}: 1 fault that training would learn from or stop at", args.source.display()),
        _ => bail!("{}: {errors} faults that training would learn from or stop at", args.source.display()),
    }
}

fn table(report: &CheckReport) -> String {
    // Writing to a string cannot fail.
    let mut text = String::new();
    let _ = writeln!(text, "episodes   {}", report.episodes);
    let _ = writeln!(text, "moments    {}", report.moments);
    let _ = writeln!(text, "cameras    {}", report.cameras.join(", "));
    if !report.columns.is_empty() {
        let _ = writeln!(text, "columns    {}", report.columns.join(", "));
    }
    let _ = writeln!(text, "idle       {:.0} % of the steps", 100.0 * report.idle);
    if let Some(normalise) = report.normalise {
        let three = |[r, g, b]: [f32; 3]| format!("[{r:.4}, {g:.4}, {b:.4}]");
        let _ = writeln!(text, "\n[data.normalise]\nmean = {}\nstd = {}", three(normalise.mean), three(normalise.std));
    }
    text.push('\n');
    if report.findings.is_empty() {
        text.push_str("nothing found\n");
    }
    let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &report.findings {
        let count = shown.entry(finding.check).or_default();
        *count += 1;
        if *count <= SHOWN {
            let _ = writeln!(text, "{finding}");
        }
    }
    for (check, count) in shown.into_iter().filter(|(_, count)| *count > SHOWN) {
        let _ = writeln!(text, "{} more of {check}; all of them are in the JSON", count - SHOWN);
    }
    text
}
