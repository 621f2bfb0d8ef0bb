//! `prevision data info`: what is in a data set.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use prevision_data::info::{DataInfo, contact_sheet};
use prevision_data::open_recording;
use prevision_video::write_png;

use crate::Output;
use crate::app::App;

/// Numbers of a column that the table shows.
const SHOWN: usize = 32;

/// What is in recorded episodes or in videos: streams, lengths, rates, sizes, statistics
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Recorded episodes, a folder of videos, a manifest, or a video
    source: PathBuf,
    /// Format of the episodes [default: the first that is found there]
    #[arg(long, value_name = "NAME")]
    format: Option<String>,
    /// Write a contact sheet: eight moments of each of eight episodes
    #[arg(long, value_name = "FILE.png")]
    sheet: Option<PathBuf>,
    /// Camera of the contact sheet [default: the first]
    #[arg(long, value_name = "NAME", requires = "sheet")]
    camera: Option<String>,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(app: &App, args: &Args) -> Result<()> {
    if let Some(sheet) = &args.sheet {
        crate::cli::output::check_writable(sheet)?;
    }
    let formats = &app.parts().formats;
    let (format, source) = open_recording(&args.source, args.format.as_deref(), formats, super::workers(None))?;
    let info = DataInfo::of(format, source.as_ref())?;
    if let Some(path) = &args.sheet {
        let first = info.cameras.first().map(|camera| camera.name.clone());
        let camera = args.camera.clone().or(first).context("there is no camera to show")?;
        let sheet = contact_sheet(source.as_ref(), &camera)?;
        write_png(path, sheet.frame(0), sheet.width, sheet.height)?;
    }
    args.output.give(&info, &table(&info))
}

fn table(info: &DataInfo) -> String {
    // Writing to a string cannot fail.
    let mut text = String::new();
    let [shortest, middle, longest] = info.lengths;
    let _ = writeln!(text, "format     {}", info.format.as_deref().unwrap_or("videos"));
    let _ = write!(text, "episodes   {}, of {shortest} to {longest} moments, {middle} in the middle", info.episodes);
    let _ = match info.empty {
        0 => writeln!(text),
        empty => writeln!(text, "; {empty} without any, `prevision data check` says why"),
    };
    let _ = writeln!(text, "moments    {}", info.moments);
    for camera in &info.cameras {
        let _ = write!(text, "camera     {}  {}x{}", camera.name, camera.width, camera.height);
        if let Some(rate) = camera.frame_rate {
            let _ = write!(text, "  {rate:.3} frames/s");
        }
        let _ = writeln!(text, "  {}", camera.codec.as_deref().unwrap_or_default());
    }
    for task in &info.tasks {
        let _ = writeln!(text, "task       {:?}, {} moments", task.task, task.moments);
    }
    if !info.columns.is_empty() {
        let _ = writeln!(text, "\n{:<28}{:>12}{:>12}{:>12}{:>12}", "column", "min", "max", "mean", "std");
    }
    for column in &info.columns {
        for (number, values) in column.numbers.iter().take(SHOWN).enumerate() {
            let name =
                if column.numbers.len() == 1 { column.name.clone() } else { format!("{}[{number}]", column.name) };
            let _ = write!(
                text,
                "{name:<28}{:>12.4}{:>12.4}{:>12.4}{:>12.4}",
                values.min, values.max, values.mean, values.std
            );
            let _ = match values.not_finite {
                0 => writeln!(text),
                count => writeln!(text, "  {count} not finite"),
            };
        }
        if column.numbers.len() > SHOWN {
            let _ = writeln!(text, "{}[{SHOWN}..{}]  see --json", column.name, column.numbers.len());
        }
    }
    text
}
