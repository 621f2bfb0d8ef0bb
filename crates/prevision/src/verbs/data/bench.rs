//! `prevision data bench`: how fast the loader is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use burn::tensor::{Device, Tensor};
use prevision_core::HostBatch;
use prevision_core::config::Part;
use prevision_data::{
    ClipDataset, CropConfig, DataConfig, Formats, Loader, LoaderConfig, SkippedFile, Split, built_in, open,
};
use prevision_model::{ClipBatch, Pixels};
use prevision_train::peak_memory_bytes;
use serde::Serialize;

use crate::Output;
use crate::Usage;
use crate::cli::progress::Meter;

/// How fast random clips come out of videos, ready for a model: as many frames, scaled, cropped in the middle, normalised floats.
///
/// The short side is scaled to 8/7 of --size (256 for 224) before the middle is cut out. Files that are broken or too short for
/// a clip are left out, counted and named. The same seed draws the same clips, however many workers there are.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A folder of videos, a manifest, one video, or a prepared folder; also by address (s3://…)
    source: PathBuf,
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    clips: u64,
    /// Frames in a clip
    #[arg(long, value_name = "N", default_value_t = 16)]
    frames: usize,
    /// Distance between two frames of a clip, in frames of the video
    #[arg(long, value_name = "N", default_value_t = 4)]
    stride: usize,
    /// Height and width of a clip
    #[arg(long, value_name = "N", default_value_t = 224)]
    size: usize,
    /// Threads that decode; 0: the one that takes the clips [default: one for each core]
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// Threads of each decoder
    #[arg(long, value_name = "N", default_value_t = 1)]
    decoder_threads: usize,
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Write which clips were drawn, as JSON, so that another program can read the same
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

#[derive(Serialize)]
struct Measured {
    clips: u64,
    seconds: f64,
    clips_per_second: f64,
    frames_per_second: f64,
    decoded_frames: u64,
    used_frames: u64,
    decoded_to_used: f64,
    /// Cores that were busy on average.
    cpu: Option<f64>,
    peak_memory_bytes: Option<u64>,
    workers: usize,
    decoder_threads: usize,
    videos: usize,
    skipped_files: Vec<SkippedFile>,
}

#[derive(Serialize)]
struct Drawn {
    #[serde(serialize_with = "prevision_storage::path_text::serialize")]
    path: PathBuf,
    indices: Vec<usize>,
}

#[derive(Serialize)]
struct List {
    clips: Vec<Drawn>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(list) = &args.list {
        crate::cli::output::check_writable(list)?;
    }
    let workers = args.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let config = config(&args.source, args.frames, args.stride, args.size, workers, args.decoder_threads);
    let dataset = clips(&config, args.seed)?;
    let batch = config.batch_size.min(dataset.clips_per_epoch()).min(usize::try_from(args.clips)?);
    let last_batch = Some((args.clips - 1) / batch as u64);
    let loader = LoaderConfig { batch_size: batch, last_batch, ..LoaderConfig::new(&config, args.seed) };
    let (measured, drawn) = measure(args, &config, &dataset, &loader)?;
    if let Some(list) = &args.list {
        crate::cli::output::write(list, &serde_json::to_vec_pretty(&List { clips: drawn })?)?;
    }
    args.output.give(&measured, &table(&measured))
}

fn config(
    source: &Path,
    frames: usize,
    stride: usize,
    size: usize,
    workers: usize,
    decoder_threads: usize,
) -> DataConfig {
    let short_side = (size as f64 * 8.0 / 7.0).round() as usize;
    DataConfig {
        source: Part::new("videos").with("path", source.to_string_lossy().into_owned()),
        frames,
        frame_step: stride,
        size: Some(size),
        crop: CropConfig::Centre { short_side: Some(short_side) },
        validation_fraction: 0.0,
        batch_size: 8,
        workers,
        decoder_threads,
        max_broken_fraction: 1.0,
        ..DataConfig::default()
    }
}

/// The clips of such a configuration.
fn clips(config: &DataConfig, seed: u64) -> Result<Arc<dyn ClipDataset>> {
    let usage = |message: String| Usage(in_words_of_the_command_line(&message));
    config.validate().map_err(usage)?;
    let source = config.source(&built_in(), &Formats::built_in()).map_err(usage)?;
    source.validate(config).map_err(usage)?;
    Ok(open(config, source.as_ref(), Split::Train, seed)?)
}

/// Clips of 16 frames, `size` x `size` pixels, that come out of a source in a second, measured for about `budget`; `None` if it has
/// none as long.
pub(super) fn clips_per_second(source: &Path, size: usize, workers: usize, budget: Duration) -> Option<f64> {
    let config = config(source, 16, 1, size, workers, 1);
    let dataset = clips(&config, 0).ok()?;
    let batch_size = config.batch_size.min(dataset.clips_per_epoch());
    let options = LoaderConfig { batch_size, ..LoaderConfig::new(&config, 0) };
    let begin = Instant::now();
    let mut loader = Loader::new(dataset, &options, 0).ok()?;
    let mut clips = 0;
    while clips == 0 || begin.elapsed() < budget {
        let batch = loader.next_batch().ok()?;
        clips += batch.clips.len();
        drop(on_device(&batch, &config, &Device::flex()));
    }
    Some(clips as f64 / begin.elapsed().as_secs_f64())
}

fn measure(
    args: &Args,
    config: &DataConfig,
    dataset: &Arc<dyn ClipDataset>,
    options: &LoaderConfig,
) -> Result<(Measured, Vec<Drawn>)> {
    let mut meter = Meter::new("bench");
    let mut drawn = Vec::new();
    let device = Device::flex();
    let (cpu, begin) = (cpu_time(), Instant::now());
    let mut loader = Loader::new(Arc::clone(dataset), options, 0)?;
    while (drawn.len() as u64) < args.clips {
        let mut batch = loader.next_batch()?;
        batch.clips.truncate(usize::try_from(args.clips)? - drawn.len());
        drop(on_device(&batch, config, &device));
        drawn.extend(batch.clips.iter().map(|clip| Drawn {
            path: clip.source.path.clone(),
            indices: (0..args.frames).map(|frame| clip.source.start + frame * args.stride).collect(),
        }));
        let done = drawn.len();
        meter.show(done as f64 / args.clips as f64, || format!("{done}/{} clips", args.clips));
    }
    let seconds = begin.elapsed().as_secs_f64();
    meter.finish();
    drop(loader);
    let used = args.clips * args.frames as u64;
    let decoded = dataset.decoded_frames();
    let busy = cpu_time().zip(cpu).map(|(end, start)| (end.saturating_sub(start)).as_secs_f64() / seconds);
    let measured = Measured {
        clips: args.clips,
        seconds,
        clips_per_second: args.clips as f64 / seconds,
        frames_per_second: used as f64 / seconds,
        decoded_frames: decoded,
        used_frames: used,
        decoded_to_used: decoded as f64 / used as f64,
        cpu: busy,
        peak_memory_bytes: peak_memory_bytes(),
        workers: options.workers,
        decoder_threads: args.decoder_threads,
        videos: dataset.videos(),
        skipped_files: dataset.skipped(),
    };
    Ok((measured, drawn))
}

/// The frames of a batch as a model reads them, all as numbers.
fn on_device(batch: &HostBatch, config: &DataConfig, device: &Device) -> Vec<Tensor<5>> {
    let batch = ClipBatch::upload(batch, config.frame_step, &config.normalise, device);
    batch.observations.cameras.into_values().map(Pixels::into_tensor).collect()
}

/// Processor time of this process so far, over all threads; `None` where the system does not tell.
fn cpu_time() -> Option<Duration> {
    // Linux, proc(5): user and system time are the 14th and 15th field, in hundredths of a second.
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis((ticks()? + ticks()?) * 10))
}

/// The options of this verb that the keys of a configuration stand for.
fn in_words_of_the_command_line(message: &str) -> String {
    [
        ("data.frame_step", "--stride"),
        ("data.frames", "--frames"),
        ("data.size", "--size"),
        ("data.crop.short_side", "the short side, 8/7 of --size,"),
        ("data.workers", "--workers"),
        ("data.decoder_threads", "--decoder-threads"),
        ("data.source.path", "SOURCE"),
    ]
    .iter()
    .fold(message.to_owned(), |text, (key, option)| text.replace(key, option))
}

fn table(measured: &Measured) -> String {
    let mut lines = vec![
        format!("clips               {} in {:.2} s", measured.clips, measured.seconds),
        format!("clips per second    {:.2}", measured.clips_per_second),
        format!("frames per second   {:.1}", measured.frames_per_second),
        format!(
            "decoded frames      {} for {} used, {:.2} for one",
            measured.decoded_frames, measured.used_frames, measured.decoded_to_used
        ),
    ];
    if let Some(cpu) = measured.cpu {
        lines.push(format!(
            "processor           {cpu:.2} cores busy, {} workers of {} decoder thread(s)",
            measured.workers, measured.decoder_threads
        ));
    }
    if let Some(memory) = measured.peak_memory_bytes {
        lines.push(format!("peak memory         {:.0} MiB", memory as f64 / f64::from(1 << 20)));
    }
    lines.push(format!("videos              {}", measured.videos));
    if !measured.skipped_files.is_empty() {
        lines.push(format!("skipped             {}", measured.skipped_files.len()));
        lines.extend(measured.skipped_files.iter().map(|file| format!("  {file}")));
    }
    lines.join("\n")
}
