//! `prevision levels`: how many levels of a hierarchy to plan with.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use prevision_plan::hierarchy::{Choice, LevelResult};
use prevision_train::RunFolder;

use super::acting;
use super::plan::{Wishes, plan_run};
use crate::app::App;
use crate::{DeviceName, Output, TrainedRun, Usage};

/// The file of the choice, in the run folder.
const FILE: &str = "levels.json";

/// Measure planning with every number of levels that the model of a run has, and choose one
///
/// More levels can be worse. The same tasks are planned with one level, two and so on; the fewest levels
/// whose success lies within the interval of the best are chosen, and written to levels.json in the run
/// folder: `prevision plan` uses them unless plan.hierarchy.levels says otherwise.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The run folder
    run: PathBuf,
    /// Number of episodes for each number of levels
    #[arg(long, value_name = "N", default_value_t = 50)]
    episodes: usize,
    /// Tasks and noise depend on this seed alone; that of `prevision plan` is another one by default
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Override a key of the run's [plan] or [env], as in --set plan.horizon=20
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    #[arg(long, value_enum, default_value_t)]
    device: DeviceName,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    acting::check_keys(&args.overrides)?;
    let trained = TrainedRun::open(&args.run, &args.overrides, app.parts())?;
    let slower = acting::world_model(&trained, app.parts(), &args.device.open()?)?.levels().len();
    if slower == 0 {
        let message = format!("{}: its model has one level; [[model.levels]] gives it more", args.run.display());
        return Err(Usage(message).into());
    }
    let mut measured = Vec::with_capacity(slower + 1);
    for levels in 1..=slower + 1 {
        let mut overrides = args.overrides.clone();
        overrides.push(format!("plan.hierarchy.levels={levels}"));
        overrides.push(format!("plan.episodes={}", args.episodes));
        overrides.extend(["plan.videos=0", "plan.baselines=[]", "plan.memory.learn=false"].map(str::to_owned));
        let wishes = Wishes { overrides: &overrides, seed: args.seed, ..Wishes::default() };
        let results = plan_run(app.parts(), &args.run, wishes, args.device)?;
        measured.push(LevelResult {
            levels,
            success_rate: results.success_rate,
            interval: results.interval,
            operations_per_episode: results.operations_per_episode,
            seconds_per_episode: results.seconds_per_episode,
        });
    }
    let choice = Choice::of(measured, args.episodes, args.seed);
    trained.folder.write_json(FILE, &choice)?;
    args.output.give(&choice, &table(&choice))
}

/// What was chosen for a run; `None` if nothing was yet.
pub(crate) fn chosen(run: &RunFolder) -> Result<Option<Choice>> {
    let path = run.path(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read(&path).with_context(|| format!("{}: cannot be read", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{}: not as `prevision levels` writes it", path.display()))
}

fn table(choice: &Choice) -> String {
    // Writing to a string cannot fail.
    let mut text = String::new();
    let _ = writeln!(text, "levels   arrived                 products            time");
    for result in &choice.measured {
        let [low, high] = result.interval.map(|share| format!("{:.0}", 100.0 * share));
        let arrived = format!("{:.0} % ({low} to {high} %)", 100.0 * result.success_rate);
        let operations =
            result.operations_per_episode.map_or_else(|| "-".to_owned(), |it| format!("{:.3} TFLOP", it / 1e12));
        let (levels, seconds) = (result.levels, result.seconds_per_episode);
        let _ = writeln!(text, "{levels:<9}{arrived:<24}{operations:<20}{seconds:.2} s per episode");
    }
    let _ = writeln!(text, "chosen: {} (the fewest that are within the interval of the best)", choice.levels);
    text
}
