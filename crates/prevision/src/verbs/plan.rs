//! `prevision plan`: closed-loop episodes with the model of a run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use prevision_model::Jepa;
use prevision_plan::{PlanResults, run_episodes};
use prevision_train::{RunFolder, load, load_model};

use crate::device::DeviceName;
use crate::failure::Usage;
use crate::output::Output;
use crate::progress::Meter;

/// Plan with the model of a run, in the world it was trained for.
///
/// Every episode starts from an image and is given its goal as an image. The results are also written to
/// plan/<environment>-<solver>.json in the run folder, films of the first episodes to videos/.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The run folder
    run: PathBuf,
    /// The environment [default: the run's plan.environment]
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// The solver: random, cem, icem, mppi [default: the run's plan.solver]
    #[arg(long, value_name = "NAME")]
    solver: Option<String>,
    /// Number of episodes [default: the run's plan.episodes]
    #[arg(long, value_name = "N")]
    episodes: Option<usize>,
    /// Tasks and noise depend on this seed alone
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Override another key of the run's [plan], as in --set plan.horizon=20
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Where films go [default: videos/ in the run folder]
    #[arg(long, value_name = "DIR")]
    video: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    device: DeviceName,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut overrides = Vec::new();
    overrides.extend(args.env.iter().map(|name| format!("plan.environment={name}")));
    overrides.extend(args.solver.iter().map(|name| format!("plan.solver.kind={name}")));
    overrides.extend(args.episodes.iter().map(|number| format!("plan.episodes={number}")));
    if let Some(other) = args.overrides.iter().find(|key| !key.starts_with("plan.")) {
        return Err(Usage(format!("--set {other}: a trained run takes only keys of plan")).into());
    }
    overrides.extend(args.overrides.iter().cloned());
    let results = plan_run(&args.run, &overrides, args.seed, args.video.as_deref(), args.device)?;
    args.output.give(&results, &table(&results))
}

/// Plans with the model of a run and writes the results into its folder.
pub(crate) fn plan_run(
    root: &Path,
    overrides: &[String],
    seed: u64,
    video: Option<&Path>,
    device: DeviceName,
) -> Result<PlanResults> {
    let device = device.open()?;
    let run = RunFolder::open(root)?;
    let config = load(&run.path("config.toml"), overrides)?;
    let (_, model) = load_model(&run, &device)?;
    let Jepa::Action(model) = model else {
        return Err(Usage(format!(
            "{}: planning needs model.kind = \"action-conditioned\"; this run's model predicts masked video",
            root.display()
        ))
        .into());
    };
    let videos = video.map_or_else(|| run.path("videos"), Path::to_owned);
    let mut meter = Meter::new("plan");
    let results =
        run_episodes(&config.plan, &model, &device, &config.data.normalise, seed, Some(&videos), &mut |progress| {
            let done =
                if progress.running == 0 { 1.0 } else { progress.step as f64 / progress.max_steps.max(1) as f64 };
            meter.show(done, || {
                format!(
                    "step {}/{}  {} of {} episodes arrived",
                    progress.step, progress.max_steps, progress.arrived, progress.episodes
                )
            });
        });
    meter.finish();
    let results = results?;
    run.write_json(&format!("plan/{}-{}.json", results.environment, results.solver), &results)?;
    Ok(results)
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
    let _ = writeln!(
        text,
        "distance at the end     {:.1} px mean, {:.1} px median",
        results.final_distance.mean, results.final_distance.median
    );
    let _ = writeln!(
        text,
        "time                    {:.2} s per episode, {:.1} ms per plan, {} plans",
        results.seconds_per_episode,
        1000.0 * results.seconds_per_plan,
        results.plans
    );
    text
}
