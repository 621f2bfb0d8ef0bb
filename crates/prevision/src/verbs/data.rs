//! `prevision data`: into videos, out of them, recording worlds, measuring the loader.

mod bench;
mod frames;
pub(crate) mod generate;
mod prepare;
mod probe;

use anyhow::Result;

use crate::app::App;

/// Look into videos, take frames out of them, record worlds as video, measure the loader
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
    /// Write a training-ready copy of videos
    Prepare(prepare::Args),
    /// How fast random clips come out of videos
    Bench(bench::Args),
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    match &args.verb {
        DataVerb::Probe(args) => probe::run(args),
        DataVerb::Frames(args) => frames::run(args),
        DataVerb::Generate(args) => generate::run(app, args),
        DataVerb::Prepare(args) => prepare::run(args),
        DataVerb::Bench(args) => bench::run(args),
    }
}
