//! `prevision data probe`: what is in these videos.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use prevision_core::{FrameBuffer, frames::Window};
use prevision_video::{FrameSource as _, OpenOptions, Video, VideoError, VideoInfo};
use serde::Serialize;

use crate::Output;

/// What is in these videos. A file that cannot be read is named, the others are still shown; the exit code is then 1.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Video files, or their addresses (s3://…)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Decode every frame and count those that cannot be
    #[arg(long)]
    decode: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Serialize)]
struct Probed {
    videos: Vec<ProbedVideo>,
    errors: Vec<String>,
}

#[derive(Serialize)]
struct ProbedVideo {
    #[serde(flatten)]
    info: VideoInfo,
    /// Frames that cannot be decoded; only counted when asked for.
    damaged_frames: Option<usize>,
}

fn look(file: &Path, decode: bool) -> Result<ProbedVideo, VideoError> {
    let mut video = Video::open(file, &OpenOptions::default())?;
    let info = video.info().clone();
    let (width, height) = video.size();
    let mut small = FrameBuffer::new(0, 16, 16);
    let damaged_frames = decode.then(|| {
        let mut is_damaged =
            |index: usize| video.read_window(&[index], &Window::whole(width, height), false, &mut small).is_err();
        (0..info.frames.unwrap_or(0)).filter(|&index| is_damaged(index)).count()
    });
    Ok(ProbedVideo { info, damaged_frames })
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut probed = Probed { videos: Vec::new(), errors: Vec::new() };
    for file in &args.files {
        match look(file, args.decode) {
            Ok(video) => probed.videos.push(video),
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

fn line(probed: &ProbedVideo) -> String {
    let video = &probed.info;
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
    if video.warnings > 0 {
        let _ = write!(text, ", {} warning{}", video.warnings, if video.warnings == 1 { "" } else { "s" });
    }
    if let Some(problem) = &video.problem {
        let _ = write!(text, ", {problem}");
    }
    if let Some(damaged) = probed.damaged_frames {
        let _ = write!(text, ", {damaged} frames cannot be decoded");
    }
    text
}
