//! `prevision plan`: closed-loop episodes with the model of a run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use prevision_env::registry::Purpose;
use prevision_env::{Manifest, TaskSource};
use prevision_eval::format::number;
use prevision_plan::{
    EpisodeVideos, PlanProgress, PlanResults, Traces, Violations, Watch, baselines, run_judged_episodes, setup,
};

use super::{acting, distil, memory};
use crate::app::{App, Parts};
use crate::cli::progress::Meter;
use crate::{DeviceName, Output, TrainedRun, Usage};

/// Plan with the model of a run, in the world it was trained for
///
/// Every episode starts from an image and is given its goal as an image. The results are also written
/// to plan/<environment>-<policy>.json in the run folder, videos of the first episodes to videos/, and
/// how their plans were searched for to plan/traces/<environment>-<policy>.json.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// The run folder
    run: PathBuf,
    /// The world [default: the run's env.name]
    #[arg(long, value_name = "NAME", conflicts_with = "tasks")]
    env: Option<String>,
    /// Frozen tasks, as `prevision tasks` writes them: world, keys and tasks are those of the file
    #[arg(long, value_name = "FILE")]
    tasks: Option<PathBuf>,
    /// The solver, as in icem [default: the run's plan.solver]
    #[arg(long, value_name = "NAME")]
    solver: Option<String>,
    /// Number of episodes [default: the run's plan.episodes; all tasks of --tasks]
    #[arg(long, value_name = "N")]
    episodes: Option<usize>,
    /// Tasks and noise depend on this seed alone
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Override another key of the run's [plan] or [env], as in --set plan.horizon=20
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Where videos of the first episodes go [default: videos/ in the run folder]
    #[arg(long, value_name = "DIR")]
    video: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    device: DeviceName,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    let mut overrides = Vec::new();
    overrides.extend(args.env.iter().map(|name| format!("env.name={name}")));
    overrides.extend(args.solver.iter().map(|name| format!("plan.solver.kind={name}")));
    overrides.extend(args.episodes.iter().map(|number| format!("plan.episodes={number}")));
    acting::check_keys(&args.overrides)?;
    if let (Some(key), Some(file)) = (args.overrides.iter().find(|key| key.starts_with("env.")), &args.tasks) {
        let message = format!("--set {key}: world and keys are those of --tasks {}", file.display());
        return Err(Usage(message).into());
    }
    overrides.extend(args.overrides.iter().cloned());
    let tasks = args.tasks.as_deref().map(|file| Ok::<_, anyhow::Error>((file, Manifest::read(file)?))).transpose()?;
    if let (Some((_, manifest)), None) = (&tasks, args.episodes) {
        overrides.push(format!("plan.episodes={}", manifest.tasks.len()));
    }
    let wishes = Wishes { overrides: &overrides, seed: args.seed, video: args.video.as_deref(), tasks };
    let results = plan_run(app.parts(), &args.run, wishes, args.device)?;
    args.output.give(&results, &table(&results))
}

/// What is asked of [`plan_run`] beside the run.
#[derive(Default)]
pub(crate) struct Wishes<'a> {
    /// Keys of the run's `[plan]` and `[env]` that are overridden.
    pub(crate) overrides: &'a [String],
    /// Tasks and noise are functions of it.
    pub(crate) seed: u64,
    /// Where videos go, if not into the run folder.
    pub(crate) video: Option<&'a Path>,
    /// Frozen tasks, and their file.
    pub(crate) tasks: Option<(&'a Path, Manifest)>,
}

/// Plans with the model of a run and writes the results into its folder.
pub(crate) fn plan_run(parts: &Parts, root: &Path, wishes: Wishes<'_>, device: DeviceName) -> Result<PlanResults> {
    let device = device.open()?;
    let run = TrainedRun::open(root, wishes.overrides, parts)?;
    let experiment = &run.experiment;
    let model = acting::world_model(&run, parts, &device)?;
    let mut rules = experiment.plan.rules(wishes.seed);
    let env = wishes.tasks.as_ref().map_or_else(|| experiment.env.clone(), |(_, manifest)| manifest.config());
    let source = wishes.tasks.map(|(file, manifest)| {
        let source = TaskSource { file: file.to_owned(), sha256: manifest.sha256.clone() };
        rules.max_steps = rules.max_steps.or(Some(manifest.max_steps));
        rules.tasks = Some(Arc::new(manifest));
        source
    });
    let world = env.world(&parts.worlds).map_err(Usage)?;
    let mut worlds = world.worlds(Purpose::Evaluation, rules.count())?;
    let spec = worlds.spec().clone();
    let guardrails = setup::guardrails(&experiment.plan, &parts.plan, &model)?;
    let width = model.spec().tokens * model.spec().token_width;
    let given = setup::Given { reflex: distil::known(&run, model.as_ref())?, plans: None };
    let (mut policy, remembered) = acting::policy(&run, parts, &experiment.plan, &model, &spec, given)?;
    let folder = wishes.video.map_or_else(|| run.folder.path("videos"), Path::to_owned);
    let shown = (Progress(Meter::new("plan")), EpisodeVideos::new(&folder));
    let mut watch = (shown, Traces::default());
    let results = run_judged_episodes(worlds.as_mut(), &mut policy, guardrails.as_ref(), &rules, &mut watch);
    let ((progress, _), traces) = watch;
    progress.0.finish();
    let mut results = results?;
    results.tasks = source;
    let memory = &experiment.plan.memory;
    if let Some((file, met)) = remembered.filter(|_| memory.learn) {
        memory::add(&file, memory, &met.take(), width, experiment.plan.execute as f32)?;
    }
    results.baselines = baselines(world.as_ref(), worlds.as_mut(), &experiment.plan.baselines, &rules)?;
    // That it is a planner goes without saying.
    let policy = results.policy.replace("planner/", "");
    let name = file_name(&format!("{}-{policy}", results.environment));
    run.folder.write_json(&format!("plan/{name}.json"), &results)?;
    run.folder.write_json(&format!("plan/traces/{name}.json"), &traces)?;
    Ok(results)
}

/// A name without what means something in paths: a world behind a process names itself.
fn file_name(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    name.chars().map(|letter| if plain(letter) { letter } else { '-' }).collect()
}

/// Shows how far the episodes are.
struct Progress(Meter);

impl Watch for Progress {
    fn progress(&mut self, progress: &PlanProgress) {
        self.0.show(progress.share(), || {
            format!(
                "step {}/{}  {} of {} episodes arrived",
                progress.step, progress.max_steps, progress.arrived, progress.episodes
            )
        });
    }
}

/// The results for people.
pub(crate) fn table(results: &PlanResults) -> String {
    // Writing to a string cannot fail.
    let mut text = String::new();
    let percent = |rate: f64| format!("{:.0} %", 100.0 * rate);
    let between = |[low, high]: [f64; 2]| format!("95 % interval {:.0} to {:.0} %", 100.0 * low, 100.0 * high);
    let _ = writeln!(
        text,
        "arrived                 {} ({} of {} episodes, {})",
        percent(results.success_rate),
        results.successes,
        results.episodes,
        between(results.interval)
    );
    if let (Some(rate), Some(interval)) = (results.success_rate_at_end, results.interval_at_end) {
        let _ = writeln!(text, "at the goal at the end  {} ({})", percent(rate), between(interval));
    }
    if results.excluded_solved_at_start > 0 {
        let _ =
            writeln!(text, "excluded                {} episodes solved at the start", results.excluded_solved_at_start);
    }
    if let Some(distance) = results.final_distance {
        let unit = results.unit.as_deref().unwrap_or_default();
        let (mean, median) = (distance.mean, distance.median);
        let _ = writeln!(text, "distance at the end     {mean:.1} {unit} mean, {median:.1} {unit} median");
    }
    if let Some(mean) = results.mean_return {
        let _ = writeln!(text, "return                  {mean:.3} mean");
    }
    for (name, baseline) in &results.baselines {
        let reached = format!("{} ({})", percent(baseline.success_rate), between(baseline.interval));
        let reward = baseline.mean_return.map(|mean| format!(", return {mean:.3}")).unwrap_or_default();
        let _ = writeln!(text, "{:<24}{reached}{reward}", format!("{name} on these tasks"));
    }
    if let (Some(illegal), Some(legal)) = (results.illegal, results.legal_successes) {
        let rule =
            results.rule.as_ref().map(|rule| format!(", the world moved by its rule {rule}")).unwrap_or_default();
        let _ = writeln!(text, "against the walls       {illegal} episodes; {legal} arrived lawfully{rule}");
    }
    if let Some(operations) = results.operations_per_episode {
        let _ = writeln!(text, "products of planning    {:.3} TFLOP per episode", operations / 1e12);
    }
    if let Some(found) = results.adaptation {
        let [trained, adapted] = [found.error_trained, found.error_adapted].map(number);
        let transitions = found.transitions;
        let _ = writeln!(
            text,
            "prediction error        {trained} trained, {adapted} adapted, over {transitions} transitions"
        );
    }
    if results.plans_cut_short > 0 {
        let (cut, plans) = (results.plans_cut_short, results.plans);
        let _ = writeln!(text, "cut short               {cut} of {plans} plans, by plan.deadline_ms");
    }
    if !results.violations.is_empty() {
        let _ = writeln!(text, "violations              {}", violations(results));
    }
    let _ = writeln!(
        text,
        "time                    {:.2} s per episode, {:.1} ms per plan, {} plans",
        results.seconds_per_episode,
        1000.0 * results.seconds_per_plan,
        results.plans
    );
    text
}

/// How often each constraint was violated.
fn violations(results: &PlanResults) -> String {
    let steps: usize = results.per_episode.iter().map(|trial| trial.steps).sum();
    let one = |(name, found): (&String, &Violations)| {
        let judged = if found.enforced { "" } else { " (not enforced)" };
        format!(
            "{name}{judged} in {} of {steps} steps, {} of {} episodes",
            found.steps, found.episodes, results.episodes
        )
    };
    results.violations.iter().map(one).collect::<Vec<_>>().join("; ")
}
