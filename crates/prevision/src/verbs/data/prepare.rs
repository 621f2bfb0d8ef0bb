//! `prevision data prepare`: a training-ready copy of videos.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use prevision_data::{Encoding, PrepareOptions, PreparePlan, PrepareProgress, PreparedSummary, prepare};
use serde::Serialize;

use super::bench::clips_per_second;
use crate::Output;
use crate::cli::progress::{Meter, duration};

/// Write a training-ready copy of videos: scaled once, upright, quick to read at any place, with an index and checksums.
///
/// The disk it takes is said before anything is written. Interrupted, it goes on where it was when it is run again; on a finished
/// folder it compares everything with its checksums. Experiments read the folder as data.source.path, like any folder of videos.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A folder of videos, a manifest, or one video; also by address (s3://…)
    source: PathBuf,
    /// Folder to write: new, empty, or begun by the same command
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// h264 (small), mjpeg, or raw (largest and fastest)
    #[arg(long, default_value = "h264")]
    format: Encoding,
    /// The shorter side of every video, pixels
    #[arg(long, value_name = "N", default_value_t = 256)]
    short_side: usize,
    /// h264: 0 to 51 [default: 20]; mjpeg: 2 to 31 [default: 3]
    #[arg(long, value_name = "N")]
    quality: Option<u8>,
    /// h264: frames from one key frame to the next
    #[arg(long, value_name = "N", default_value_t = 8)]
    keyframe_interval: usize,
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// Only say what would be written, and how much disk it takes
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outcome {
    Prepared {
        seconds: f64,
        #[serde(flatten)]
        summary: PreparedSummary,
        #[serde(flatten)]
        gain: Option<Gain>,
    },
    Planned(PreparePlan),
}

/// How fast random clips come out of the source and out of the copy.
#[derive(Clone, Copy, Serialize)]
struct Gain {
    source_clips_per_second: f64,
    prepared_clips_per_second: f64,
}

impl Gain {
    /// Time that each of the two is tried for.
    const BUDGET: Duration = Duration::from_secs(2);

    fn measure(args: &Args, workers: usize) -> Option<Self> {
        let size = (args.short_side * 7 / 8).max(1);
        let rate = |source| clips_per_second(source, size, workers, Self::BUDGET);
        Some(Self {
            source_clips_per_second: rate(args.source.as_path())?,
            prepared_clips_per_second: rate(args.out.as_path())?,
        })
    }

    fn line(&self) -> String {
        let (source, copy) = (self.source_clips_per_second, self.prepared_clips_per_second);
        format!(
            "clips of 16 frames: {copy:.1} in a second, {:.1} times as many as from the source ({source:.1})",
            copy / source
        )
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let quality = args.quality.unwrap_or(if args.format == Encoding::Mjpeg { 3 } else { 20 });
    let options = PrepareOptions {
        source: args.source.clone(),
        out: args.out.clone(),
        encoding: args.format,
        short_side: args.short_side,
        quality,
        keyframe_interval: args.keyframe_interval,
        workers: args.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
        read_timeout: 60.0,
    };
    let begin = Instant::now();
    let shown = Mutex::new(Shown::default());
    let summary = prepare(&options, &|progress| {
        shown.lock().unwrap_or_else(PoisonError::into_inner).show(progress);
        !(args.dry_run && matches!(progress, PrepareProgress::Planned(_)))
    })?;
    let shown = shown.into_inner().unwrap_or_else(PoisonError::into_inner);
    let plan = shown.finish();
    match (summary, plan) {
        (Some(summary), _) => {
            let seconds = begin.elapsed().as_secs_f64();
            let gain = Gain::measure(args, options.workers);
            let text = table(args, &summary, gain, seconds);
            args.output.give(&Outcome::Prepared { seconds, summary, gain }, &text)
        }
        (None, Some(plan)) => {
            let line = plan_line(&plan);
            args.output.give(&Outcome::Planned(plan), &line)
        }
        (None, None) => Ok(()),
    }
}

/// What has been shown of the progress.
#[derive(Default)]
struct Shown {
    meter: Option<(&'static str, Meter)>,
    plan: Option<PreparePlan>,
}

impl Shown {
    fn show(&mut self, progress: PrepareProgress<'_>) {
        let (what, done, all) = match progress {
            PrepareProgress::Surveyed(done, all) => ("look", done, all),
            PrepareProgress::Written(done, all) => ("write", done, all),
            PrepareProgress::Verified(done, all) => ("verify", done, all),
            PrepareProgress::Planned(plan) => {
                self.end_meter();
                crate::cli::progress::line(&plan_line(plan));
                for file in &plan.skipped_files {
                    crate::cli::progress::line(&format!("skipped {file}"));
                }
                self.plan = Some(plan.clone());
                return;
            }
        };
        if self.meter.as_ref().is_none_or(|(shown, _)| *shown != what) {
            self.end_meter();
            self.meter = Some((what, Meter::new(what)));
        }
        if let Some((_, meter)) = &mut self.meter {
            meter.show(done as f64 / all.max(1) as f64, || format!("{done}/{all} videos"));
        }
    }

    fn end_meter(&mut self) {
        if let Some((_, meter)) = self.meter.take() {
            meter.finish();
        }
    }

    fn finish(mut self) -> Option<PreparePlan> {
        self.end_meter();
        self.plan
    }
}

fn plan_line(plan: &PreparePlan) -> String {
    format!(
        "{} videos, {} frames: {}{} on disk, {} free",
        plan.videos,
        plan.frames,
        if plan.exact { "" } else { "about " },
        bytes(plan.bytes),
        bytes(plan.free_bytes)
    )
}

fn bytes(count: u64) -> String {
    let (mut value, mut unit) = (count as f64, "bytes");
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, larger);
    }
    if unit == "bytes" { format!("{count} bytes") } else { format!("{value:.1} {unit}") }
}

fn table(args: &Args, summary: &PreparedSummary, gain: Option<Gain>, seconds: f64) -> String {
    let mut lines = vec![format!(
        "{} videos, {} frames, {} in {} shard(s), verified, in {}: {}",
        summary.videos,
        summary.frames,
        bytes(summary.bytes),
        summary.shards,
        duration(seconds),
        args.out.display()
    )];
    lines.extend(
        summary.shortened_files.iter().map(|file| {
            format!("  kept {} of {} frames of {}: {}", file.kept, file.of, file.path.display(), file.reason)
        }),
    );
    lines.extend(summary.skipped_files.iter().map(|file| format!("  skipped {file}")));
    lines.extend(gain.map(|gain| gain.line()));
    lines.join("\n")
}
