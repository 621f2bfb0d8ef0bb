//! `prevision data generate`: episodes of a world as video.

use std::path::{Path, PathBuf};

use anyhow::Result;
use prevision_core::config::overlay::{assign, assignment};
use prevision_env::registry::{EnvConfig, Purpose, recording_policy};
use prevision_env::{EnvironmentSpec, Policy, RecordOptions, RecordSummary, record};
use prevision_plan::setup;
use prevision_video::Quality;
use toml::Table;

use crate::app::{App, Parts};
use crate::cli::progress::{Meter, duration};
use crate::verbs::{acting, distil};
use crate::{DeviceName, Output, TrainedRun, Usage};

/// Episodes that run side by side and are held in memory at once, for each core; one of 91 frames of 65x65 pixels takes 1.2 MB.
const EPISODES_PER_THREAD: usize = 16;

/// Record episodes of a world: one mp4 per episode and camera, with actions and states beside them.
///
/// The layout on disk is the one stable-worldmodel calls `video`; its Python package reads it as it is.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The world: `prevision --help` lists those that are registered
    world: String,
    /// Folder to write; must be new or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[arg(long, value_name = "N", default_value_t = 1000)]
    episodes: usize,
    /// Actions in an episode; it has one frame more
    #[arg(long, value_name = "N", default_value_t = 90)]
    steps: usize,
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Who acts: the world's own, random, smooth, planner:RUN [default: the world's first]
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,
    /// A key of the world, as in --set layout=fixed
    #[arg(long = "set", value_name = "KEY=VALUE")]
    keys: Vec<String>,
    /// Lossy compression with this x264 rate factor, 1 to 51, instead of lossless
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=51))]
    crf: Option<u8>,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    let options = RecordOptions {
        episodes: args.episodes,
        steps: args.steps,
        seed: args.seed,
        quality: args.crf.map_or(Quality::Lossless, Quality::Crf),
        ..RecordOptions::new(&args.out)
    };
    let mut keys = Table::new();
    let assignments = args.keys.iter().map(|text| assignment(text)).collect::<Result<Vec<_>, _>>().map_err(Usage)?;
    assign(&mut keys, assignments);
    let config = EnvConfig::of(&args.world, keys);
    let summary = record_world(&config, app.parts(), args.policy.as_deref(), options)?;
    let table = format!(
        "{} episodes of {} by policy {}, {} frames, in {}: {}",
        summary.episodes,
        summary.world,
        summary.policy,
        summary.frames,
        duration(summary.seconds),
        args.out.display()
    );
    args.output.give(&summary, &table)
}

/// Plans with the model of a run, as that run's `[plan]` says.
fn planner(parts: &Parts, root: &Path, spec: &EnvironmentSpec) -> Result<Box<dyn Policy>> {
    let run = TrainedRun::open(root, &[], parts)?;
    let model = acting::world_model(&run, parts, &DeviceName::default().open()?)?;
    let given = setup::Given { reflex: distil::known(&run, model.as_ref())?, plans: None };
    let (policy, _) = acting::policy(&run, parts, &run.experiment.plan, &model, spec, given)?;
    Ok(policy)
}

/// Records a world by one of its policies, with a progress bar.
pub(crate) fn record_world(
    config: &EnvConfig,
    parts: &Parts,
    policy: Option<&str>,
    options: RecordOptions,
) -> Result<RecordSummary> {
    let world = config.world(&parts.worlds).map_err(Usage)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let rows = (threads * EPISODES_PER_THREAD).min(options.episodes.max(1));
    let mut worlds = world.worlds(Purpose::Recording, rows)?;
    let mut policy = match policy.and_then(|name| name.strip_prefix("planner:")) {
        Some(run) => planner(parts, Path::new(run), worlds.spec())?,
        None => recording_policy(world.as_ref(), worlds.spec(), policy, options.steps)?,
    };
    let options = RecordOptions { world: config.keys().map_err(Usage)?, ..options };
    let mut meter = Meter::new("record");
    let recorded = record(worlds.as_mut(), policy.as_mut(), &options, &mut |done, total| {
        meter.show(done as f64 / total.max(1) as f64, || format!("{done}/{total} episodes"));
    });
    meter.finish();
    Ok(recorded?)
}
