//! `prevision data`: into videos, out of them, recording worlds, checking data, measuring the loader.

mod bench;
mod check;
mod convert;
mod films;
mod frames;
pub(crate) mod generate;
mod info;
mod prepare;
mod probe;

use anyhow::Result;
use prevision_data::EpisodeSource;

use crate::app::App;

/// Look into data and check them, take frames out of videos, record worlds, measure the loader
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: DataVerb,
}

#[derive(clap::Subcommand)]
enum DataVerb {
    /// What is in these videos
    Probe(probe::Args),
    /// Exactly these frames of a video, as PNG
    Frames(frames::Args),
    /// Record episodes of a world: mp4 video, actions, states
    Generate(generate::Args),
    /// Draw matched possible and impossible films, for surprise
    Films(films::Args),
    /// Write a training-ready copy of videos
    Prepare(prepare::Args),
    /// What is in recorded episodes or in videos
    Info(info::Args),
    /// Look for what would be learned wrong, before training
    Check(check::Args),
    /// Write recorded episodes, or videos, in another format
    Convert(convert::Args),
    /// How fast random clips come out of videos
    Bench(bench::Args),
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    match &args.verb {
        DataVerb::Probe(args) => probe::run(args),
        DataVerb::Frames(args) => frames::run(args),
        DataVerb::Generate(args) => generate::run(app, args),
        DataVerb::Films(args) => films::run(args),
        DataVerb::Prepare(args) => prepare::run(args),
        DataVerb::Info(args) => info::run(app, args),
        DataVerb::Check(args) => check::run(app, args),
        DataVerb::Convert(args) => convert::run(app, args),
        DataVerb::Bench(args) => bench::run(args),
    }
}

/// Threads: as many as asked for, or one for each core.
pub(crate) fn workers(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// The column of the states: `state`, or as `LeRobot` calls it.
fn state_column(source: &dyn EpisodeSource) -> Result<String> {
    let columns = source.columns()?;
    let known = ["state", "observation.state"].into_iter().find(|name| columns.iter().any(|column| column == name));
    Ok(known.unwrap_or("state").to_owned())
}
