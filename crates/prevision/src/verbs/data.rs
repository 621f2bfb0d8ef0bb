//! `prevision data`: into videos, out of them, and recording worlds.

mod frames;
mod generate;
mod probe;

use anyhow::Result;

/// Look into videos, take frames out of them, record worlds as video.
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
}

pub(crate) fn run(args: Args) -> Result<()> {
    match args.verb {
        DataVerb::Probe(args) => probe::run(&args),
        DataVerb::Frames(args) => frames::run(&args),
        DataVerb::Generate(args) => generate::run(&args),
    }
}
