//! `prevision data convert`: recorded episodes in another format.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use anyhow::{Result, bail};
use prevision_data::convert::{check_apart, convert};
use prevision_data::open_recording;
use serde::Serialize;

use crate::Output;
use crate::app::App;
use crate::cli::interrupt::Interruptible;
use crate::cli::progress::Meter;

/// Write recorded episodes, or videos, in another format
///
/// Videos of one episode each are copied as they are, others are encoded without loss; only `folder` and
/// `lance` are lossy. All columns of numbers are written.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Recorded episodes, a folder of videos, a manifest, or a video
    source: PathBuf,
    #[arg(
        long,
        value_name = "FORMAT",
        help = "Format to write: video, lerobot (version 3.0), hdf5, folder (JPEG), zarr, table, lance (JPEG),\nlance_video, or one's own"
    )]
    to: String,
    /// Folder to write; must be new or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Format of the source [default: the first that is found there]
    #[arg(long, value_name = "NAME")]
    format: Option<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(Serialize)]
struct Converted {
    from: Option<String>,
    to: String,
    episodes: usize,
    moments: usize,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    let formats = &app.parts().formats;
    let (from, source) = open_recording(&args.source, args.format.as_deref(), formats, super::workers(None))?;
    check_apart(&args.source, &args.out)?;
    let (mut meter, work) = (Meter::new("convert"), Interruptible::begin("what was written is removed")?);
    let asked = work.asked();
    let done = convert(source.as_ref(), &args.to, formats, &args.out, |done, all| {
        meter.show(done as f64 / all as f64, || format!("{done} of {all} episodes"));
        !asked.load(Ordering::Relaxed)
    });
    meter.finish();
    if !done? {
        bail!("interrupted: nothing was written");
    }
    let moments = (0..source.episodes()).map(|episode| source.length(episode)).sum();
    let converted = Converted { from, to: args.to.clone(), episodes: source.episodes(), moments };
    let table = format!(
        "wrote {} episodes of {moments} moments as {} into {}",
        converted.episodes,
        converted.to,
        args.out.display()
    );
    args.output.give(&converted, &table)
}
