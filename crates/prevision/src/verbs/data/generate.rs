//! `prevision data generate`: episodes of a world as video.

use std::path::PathBuf;

use anyhow::Result;
use prevision_env::{Collision, LayoutChoice, LayoutSplit, RecordOptions, record};
use prevision_video::Quality;

use crate::output::Output;
use crate::progress::{Meter, duration};

/// Record episodes of a world: one mp4 per episode, with actions and states beside them.
///
/// The layout on disk is the one stable-worldmodel calls `video`; its Python package reads it as it is.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The world: two-rooms
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
    /// random or fixed
    #[arg(long, default_value = "random")]
    layout: LayoutChoice,
    /// Which random layouts: training, held-out or all
    #[arg(long, default_value = "training")]
    layouts: LayoutSplit,
    /// At a wall: stop, or bounce as in the environment of eb_jepa
    #[arg(long, default_value = "stop")]
    collision: Collision,
    /// Lossy compression with this x264 rate factor, 1 to 51, instead of lossless
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=51))]
    crf: Option<u8>,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let options = RecordOptions {
        episodes: args.episodes,
        steps: args.steps,
        seed: args.seed,
        layout: args.layout,
        layouts: args.layouts,
        collision: args.collision,
        quality: args.crf.map_or(Quality::Lossless, Quality::Crf),
        ..RecordOptions::new(&args.world, &args.out)
    };
    let mut meter = Meter::new("record");
    let recorded = record(&options, &mut |done, total| {
        meter.show(done as f64 / total.max(1) as f64, || format!("{done}/{total} episodes"));
    });
    meter.finish();
    let summary = recorded?;
    let table = format!(
        "{} episodes, {} frames, {} layouts, {} cross the door, in {}: {}",
        summary.episodes,
        summary.frames,
        summary.layouts,
        summary.crossings,
        duration(summary.seconds),
        args.out.display()
    );
    args.output.give(&summary, &table)
}
