//! `prevision data frames`: exactly these frames of a video.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use prevision_core::FrameBuffer;
use prevision_video::{FrameSource as _, OpenOptions, Video, write_png};
use serde::Serialize;

use crate::Output;
use crate::Usage;

/// Exactly these frames of a video, as PNG files frame_<index>.png, upright and at full size.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A video file, or its address (s3://…)
    file: PathBuf,
    /// Frame numbers, from 0
    #[arg(long, value_delimiter = ',', required_unless_present = "time", conflicts_with = "time")]
    index: Vec<usize>,
    /// Times in seconds from the first frame: the frames shown then
    #[arg(long, value_delimiter = ',')]
    time: Vec<f64>,
    /// Folder for the pictures
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    output: Output,
}

#[derive(Serialize)]
struct Picture {
    index: usize,
    seconds: f64,
    #[serde(serialize_with = "prevision_storage::path_text::serialize")]
    path: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut video = Video::open(&args.file, &OpenOptions::default())?;
    let frames = video.len();
    let indices: Vec<usize> = if args.index.is_empty() {
        if let Some(time) = args.time.iter().find(|time| !(time.is_finite() && **time >= 0.0)) {
            return Err(Usage(format!("--time {time}: expected seconds of 0 or more")).into());
        }
        args.time.iter().map(|&time| video.index_at(time)).collect()
    } else {
        args.index.clone()
    };
    if let Some(index) = indices.iter().find(|index| **index >= frames) {
        return Err(Usage(format!(
            "--index {index}: {} has {frames} frames, 0 to {}",
            args.file.display(),
            frames.saturating_sub(1)
        ))
        .into());
    }
    std::fs::create_dir_all(&args.out).with_context(|| format!("{}: cannot be made", args.out.display()))?;
    let (width, height) = video.size();
    let mut pictures = Vec::with_capacity(indices.len());
    let mut picture = FrameBuffer::new(1, height, width);
    for index in indices {
        video.read(&[index], &mut picture)?;
        let path = args.out.join(format!("frame_{index:06}.png"));
        write_png(&path, picture.frame(0), width, height)?;
        pictures.push(Picture { index, seconds: video.timestamps()[index], path });
    }
    let table: Vec<String> = pictures
        .iter()
        .map(|picture| format!("{:>6}  {:>10.4} s  {}", picture.index, picture.seconds, picture.path.display()))
        .collect();
    args.output.give(&pictures, &table.join("\n"))
}
