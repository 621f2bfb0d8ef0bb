//! `prevision data probe`: what is in these videos.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Result, bail};
use prevision_video::{VideoInfo, probe};
use serde::Serialize;

use crate::output::Output;

/// What is in these videos. A file that cannot be read is named, the others are still shown; the exit code is then 1.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Video files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    output: Output,
}

#[derive(Serialize)]
struct Probed {
    videos: Vec<VideoInfo>,
    errors: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut probed = Probed { videos: Vec::new(), errors: Vec::new() };
    for file in &args.files {
        match probe(file) {
            Ok(info) => probed.videos.push(info),
            Err(error) => probed.errors.push(error.to_string()),
        }
    }
    let mut table = String::new();
    for video in &probed.videos {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{}", line(video));
    }
    args.output.give(&probed, &table)?;
    match probed.errors.as_slice() {
        [] => Ok(()),
        [error] => bail!("{error}"),
        errors => bail!("{} of {} files cannot be read:\n  {}", errors.len(), args.files.len(), errors.join("\n  ")),
    }
}

fn line(video: &VideoInfo) -> String {
    let frames = video.frames.map_or("? frames".to_owned(), |frames| format!("{frames} frames"));
    let mut text = format!(
        "{}: {} in {}, {}x{}, {frames}",
        video.path.display(),
        video.codec,
        video.container,
        video.width,
        video.height
    );
    // Writing to a string cannot fail.
    if let Some(rate) = video.frame_rate {
        let _ = write!(text, ", {rate:.3} frames/s");
    }
    if let Some(duration) = video.duration {
        let _ = write!(text, ", {duration:.2} s");
    }
    let _ = write!(text, ", {}", video.pixel_format);
    if video.rotation != 0 {
        let _ = write!(text, ", turned by {}°", video.rotation);
    }
    if (video.display_width, video.display_height) != (video.width, video.height) {
        let _ = write!(text, ", shown as {}x{}", video.display_width, video.display_height);
    }
    text
}
