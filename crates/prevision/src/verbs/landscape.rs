//! `prevision landscape`: how near the actions that a model finds best are to those that were taken.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use prevision_data::Split;
use prevision_eval::EvalError;
use prevision_eval::landscape::{LandscapeOptions, Landscapes, landscapes, svg};
use serde::Serialize;

use crate::app::App;
use crate::cli::progress::Meter;
use crate::{DeviceName, Output, TrainedRun, Usage};

/// Landscapes in a drawing, at most.
const DRAWN: usize = 20;

/// Measure the energy of actions: how far what a model imagines of each is from what came
///
/// At frames of held-out videos, every action of a plane is imagined, held for as many steps as lead to the
/// goal, a later frame. The energy of an action is the mean absolute difference of the imagined latent and that
/// of the goal. The table says how far the action with the least energy is from what was done, beside actions
/// by chance and beside the mean action. Results are also written to eval/landscape.json in the run folder.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The run folder
    run: PathBuf,
    /// Frames, each with a landscape of its own
    #[arg(long, value_name = "N", default_value_t = 100)]
    frames: usize,
    /// Actions along each side of the plane
    #[arg(long, value_name = "N", default_value_t = 15)]
    side: usize,
    /// Steps of the model from a frame to its goal
    #[arg(long, value_name = "N", default_value_t = 1)]
    steps: usize,
    /// The two numbers of an action that span the plane, counted from 0
    #[arg(long, value_name = "I,J", value_delimiter = ',', num_args = 1, default_value = "0,1")]
    axes: Vec<usize>,
    /// Least and largest value of both; default: those of the actions that were taken
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1, allow_hyphen_values = true)]
    range: Option<Vec<f64>>,
    /// Drawing of the first landscapes [default: eval/landscape.svg in the run folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Override a key of the run's [data], as in --set data.source.path=FOLDER
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    #[arg(long, value_enum, default_value_t)]
    device: DeviceName,
    #[command(flatten)]
    output: Output,
}

/// What was measured, and how.
#[derive(Serialize)]
struct Report {
    steps: usize,
    #[serde(flatten)]
    landscapes: Landscapes,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    if let Some(other) = args.overrides.iter().find(|key| !key.starts_with("data.")) {
        return Err(Usage(format!("--set {other}: a landscape takes only keys of data")).into());
    }
    let &[first, second] = args.axes.as_slice() else {
        return Err(Usage(format!("--axes {:?}: expected two numbers, as in 0,1", args.axes)).into());
    };
    let range = match args.range.as_deref() {
        None => None,
        Some(&[low, high]) if low < high => Some([low, high]),
        Some(other) => {
            return Err(Usage(format!("--range {other:?}: expected two ascending numbers, as in -1,1")).into());
        }
    };
    let device = args.device.open()?;
    let run = TrainedRun::open(&args.run, &args.overrides, app.parts())?;
    let Some(model) = run.load(app.parts(), &device)?.world_model else {
        let kind = &run.experiment.model.kind;
        return Err(Usage(format!("{}: models of kind {kind} do not imagine actions", args.run.display())).into());
    };
    let dataset = run.experiment.dataset(app.parts(), Split::Validation)?;
    let options = LandscapeOptions {
        frames: args.frames,
        side: args.side,
        axes: [first, second],
        steps: args.steps,
        range,
        seed: run.experiment.seed,
    };
    let mut meter = Meter::new("landscape");
    let found = landscapes(model.as_ref(), dataset.as_ref(), &options, &mut |done, total| {
        meter.show(done as f64 / total as f64, || format!("frame {done}/{total}"));
    });
    meter.finish();
    let landscapes = found.map_err(|error| match error {
        EvalError::Suite(message) => Usage(message).into(),
        error => anyhow::Error::from(error),
    })?;
    let report = Report { steps: args.steps, landscapes };
    run.folder.write_json("eval/landscape.json", &report)?;
    let drawing = args.out.clone().unwrap_or_else(|| run.folder.path("eval/landscape.svg"));
    std::fs::write(&drawing, svg(&report.landscapes, DRAWN))
        .with_context(|| format!("{}: cannot be written", drawing.display()))?;
    args.output.give(&report, &format!("{}\ndrawing: {}", table(&report), drawing.display()))
}

fn table(report: &Report) -> String {
    let Landscapes { frames, episodes, distance, chance, mean_action, rank, .. } = &report.landscapes;
    let steps = if report.steps == 1 { "1 step".to_owned() } else { format!("{} steps", report.steps) };
    let between = |interval: Option<[f64; 2]>| {
        interval.map(|[low, high]| format!("  ({low:.3} to {high:.3})")).unwrap_or_default()
    };
    let mut text = format!("{frames} frames of {episodes} held-out episodes, goals {steps} ahead\n");
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "from the least energy to what was done  {distance:.4}{}",
        between(report.landscapes.distance_interval)
    );
    let _ = writeln!(
        text,
        "  over that of an action by chance      {:.3} of {chance:.4}{}",
        report.landscapes.over_chance,
        between(report.landscapes.over_chance_interval)
    );
    let _ = writeln!(
        text,
        "  over that of the mean action          {:.3} of {mean_action:.4}{}",
        report.landscapes.over_mean_action,
        between(report.landscapes.over_mean_action_interval)
    );
    let _ = write!(text, "of the plane better than what was done  {:.1} %  (50 % by chance)", 100.0 * rank);
    text
}
