//! `prevision distil`: a reflex of a run, learned from its planner's own plans.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use prevision_core::seed::fnv1a;
use prevision_env::registry::Purpose;
use prevision_model::WorldModel;
use prevision_plan::reflex::{DistilOptions, PlanRecord, Plans, Reflex, ReflexError, distil};
use prevision_plan::setup::Given;
use prevision_plan::{PlanConfig, PlanProgress, PlanResults, ReflexConfig, Rules, Watch, run_episodes};
use serde::Serialize;

use super::acting;
use crate::app::{App, Parts};
use crate::cli::progress::{Meter, duration};
use crate::{DeviceName, Output, TrainedRun, Usage};

/// The file, if the run's plan.reflex.file names none.
const FILE: &str = "reflex.safetensors";
/// Episodes that run side by side.
const ROWS: usize = 128;

/// Learn a reflex from the plans of a run's planner: actions without a search
///
/// The planner acts in the run's world as for recordings; what it plans is learned by regression. How plans
/// use it, `[plan.reflex]` says: with file = "reflex.safetensors" it proposes where searches start, with
/// alone = true it acts.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The run folder
    run: PathBuf,
    /// Episodes that are planned to learn from
    #[arg(long, value_name = "N", default_value_t = 200)]
    episodes: usize,
    /// Optimiser steps
    #[arg(long, value_name = "N", default_value_t = DistilOptions::default().steps)]
    steps: usize,
    /// Tasks, noise, weights and draws depend on this seed alone
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Override a key of the run's [plan] or [env], as in --set plan.solver.samples=400
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    #[arg(long, value_enum, default_value_t)]
    device: DeviceName,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    acting::check_keys(&args.overrides)?;
    if let Some((name, 0)) = [("--episodes", args.episodes), ("--steps", args.steps)].into_iter().find(|it| it.1 == 0) {
        return Err(Usage(format!("{name} is 0, but must be 1 or more")).into());
    }
    let device = args.device.open()?;
    let run = TrainedRun::open(&args.run, &args.overrides, app.parts())?;
    let model = acting::world_model(&run, app.parts(), &device)?;
    let (planned, plans) = collect(&run, app.parts(), &model, args)?;
    let options = DistilOptions { steps: args.steps, seed: args.seed, ..DistilOptions::default() };
    let mut meter = Meter::new("distil");
    let reflex = distil(model.as_ref(), &plans, &options, &mut |done| {
        meter.show(done as f64 / args.steps as f64, || format!("step {done}/{}", args.steps));
    });
    meter.finish();
    let reflex = reflex.map_err(|message| anyhow::anyhow!("{}: {message}", args.run.display()))?;
    let file = place(&run, run.experiment.plan.reflex.file.as_deref().unwrap_or(Path::new(FILE)));
    reflex.write(&file)?;
    let results = Distilled {
        policy: planned.policy,
        episodes: planned.episodes,
        success_rate: planned.success_rate,
        planning_seconds: planned.seconds_per_episode * planned.episodes as f64,
        plans: plans.len(),
        horizon: reflex.spec().horizon(),
        steps: args.steps,
        error: reflex.spec().error,
        bytes: file.metadata().map_or(0, |data| data.len()),
        file,
    };
    args.output.give(&results, &table(&results))
}

/// The reflex that the run's `[plan.reflex]` names.
pub(crate) fn known(run: &TrainedRun, model: &dyn WorldModel) -> Result<Option<Arc<Reflex>>> {
    let Some(file) = &run.experiment.plan.reflex.file else { return Ok(None) };
    let file = place(run, file);
    if let Ok(false) = file.try_exists() {
        let message = format!("plan.reflex.file: {}: there is none; `prevision distil` makes it", file.display());
        return Err(Usage(message).into());
    }
    let reflex = Reflex::read(&file, model).map_err(|message| Usage(format!("plan.reflex.file: {message}")))?;
    Ok(Some(Arc::new(reflex)))
}

fn place(run: &TrainedRun, file: &Path) -> PathBuf {
    run.folder.root().join(file)
}

/// Plans in the run's world, and what was planned. Episodes end when they arrive; nothing is added to a memory.
fn collect(
    run: &TrainedRun,
    parts: &Parts,
    model: &Arc<dyn WorldModel>,
    args: &Args,
) -> Result<(PlanResults, Vec<PlanRecord>)> {
    let plan = PlanConfig { reflex: ReflexConfig::default(), ..run.experiment.plan.clone() };
    let world = run.experiment.env.world(&parts.worlds).map_err(Usage)?;
    let mut worlds = world.worlds(Purpose::Recording, args.episodes.min(ROWS))?;
    let plans = Plans::default();
    let given = Given { plans: Some(plans.clone()), reflex: None };
    let (mut policy, _) = acting::policy(run, parts, &plan, model, worlds.spec(), given)?;
    // Other tasks than those that a plan of the same seed is judged on.
    let seed = args.seed ^ fnv1a(b"distil");
    let rules = Rules { max_steps: plan.max_steps, stop_on_arrival: true, ..Rules::new(args.episodes, seed) };
    let mut progress = Progress(Meter::new("plan"));
    let results = run_episodes(worlds.as_mut(), &mut policy, &rules, &mut progress);
    progress.0.finish();
    Ok((results?, plans.take()))
}

/// Shows how far the episodes are.
struct Progress(Meter);

impl Watch for Progress {
    fn progress(&mut self, progress: &PlanProgress) {
        self.0.show(progress.share(), || {
            format!("{} of {} episodes ended, {} arrived", progress.ended, progress.episodes, progress.arrived)
        });
    }
}

/// What was learned.
#[derive(Serialize)]
struct Distilled {
    /// Whose plans were learned, in how many episodes, and the share of them that arrived.
    policy: String,
    episodes: usize,
    success_rate: f64,
    /// Wall time of the episodes.
    planning_seconds: f64,
    plans: usize,
    /// Actions that the reflex answers with.
    horizon: usize,
    /// Optimiser steps.
    steps: usize,
    error: ReflexError,
    #[serde(serialize_with = "prevision_storage::path_text::serialize")]
    file: PathBuf,
    bytes: u64,
}

fn table(results: &Distilled) -> String {
    // Writing to a string cannot fail.
    let mut text = String::new();
    let Distilled { policy, episodes, success_rate, plans, horizon, steps, error, .. } = results;
    let arrived = 100.0 * success_rate;
    let took = duration(results.planning_seconds);
    let _ = writeln!(
        text,
        "learned from      {plans} plans of {policy} in {episodes} episodes, {arrived:.0} % arrived, {took}"
    );
    let _ = writeln!(text, "answers with      {horizon} actions, after {steps} steps of learning");
    let _ = writeln!(
        text,
        "error             {:.3}, root mean square on episodes held out; the mean action {:.3}, no action {:.3}",
        error.reflex, error.mean, error.zero
    );
    let _ = writeln!(text, "file              {}, {:.1} MB", results.file.display(), results.bytes as f64 / 1e6);
    text
}
