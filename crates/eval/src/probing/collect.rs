//! Views of a data set, encoded once.

use prevision_core::{Clip, FrameBuffer, HostBatch, Observations};
use prevision_data::{ClipDataset, in_order_with};
use prevision_model::ClipBatch;

use super::pixel_statistics::{self, PixelStatistics};
use super::{ClipShape, Features, FrozenEncoder, PIXELS, ProbeOptions, ProbeTask, Rows, View};
use crate::EvalError;
use crate::measure::read;

/// Pixels that are encoded at once, about.
const AT_ONCE: usize = 1 << 20;

/// The rows of a task, and each sort of features of them.
pub(super) struct Collected {
    pub(super) rows: Rows,
    /// The task's name of each class, ascending.
    pub(super) classes: Vec<i64>,
    /// Of the encoders, in their order, and of pixels.
    pub(super) features: Vec<Features>,
    /// Clips that views were taken of.
    pub(super) clips: usize,
}

/// Takes clips of all videos, evenly spread, and encodes their views.
///
/// # Errors
/// If clips cannot be read, features are not finite, or they need more memory than allowed.
pub(super) fn collect(
    task: &dyn ProbeTask,
    dataset: &dyn ClipDataset,
    encoders: &[(&'static str, &dyn FrozenEncoder)],
    options: &ProbeOptions,
    progress: &mut dyn FnMut(f64),
) -> Result<Collected, EvalError> {
    let shape = encoders[0].1.shape();
    let names = encoders.iter().map(|(name, _)| *name).chain([PIXELS]);
    let mut features: Vec<Features> = names.map(Features::new).collect();
    let (mut labels, mut videos, mut clips) = (Vec::new(), Vec::new(), 0);
    let total = dataset.videos() * options.clips;
    for batch in in_order_with(dataset, options.clips, at_once(dataset, shape)) {
        for clip in batch?.clips {
            let views = task.views(clip.label);
            if views.is_empty() {
                continue;
            }
            clips += 1;
            labels.extend(views.iter().map(|view| view.class));
            videos.extend(std::iter::repeat_n(clip.source.video, views.len()));
            let each = views.len();
            encode(&clip, &views, encoders, dataset.spaces().frame_step, &mut features)?;
            if clips == 1 {
                check_memory(&features, total * each, options)?;
            }
        }
        progress(clips as f64 / total as f64);
    }
    let mut classes = labels.clone();
    classes.sort_unstable();
    classes.dedup();
    let place = |label: &i64| classes.binary_search(label).unwrap_or_default();
    let rows = Rows { classes: labels.iter().map(place).collect(), videos };
    Ok(Collected { rows, classes, features, clips })
}

/// Clips that are read at once.
fn at_once(dataset: &dyn ClipDataset, shape: ClipShape) -> usize {
    let pixels: usize = dataset.spaces().cameras.values().map(|camera| camera.height * camera.width).sum();
    (AT_ONCE / (pixels * shape.frames).max(1)).max(1)
}

/// Refuses before hours are spent what will not fit.
fn check_memory(features: &[Features], rows: usize, options: &ProbeOptions) -> Result<(), EvalError> {
    let numbers: usize = features.iter().map(Features::numbers).sum();
    let megabytes = (numbers * rows * size_of::<f32>()) >> 20;
    if megabytes <= options.memory_mb {
        return Ok(());
    }
    Err(EvalError::Config(format!(
        "features of {rows} views take {megabytes} MiB, more than the {} that are allowed (--memory-mb): take fewer clips or smaller ones",
        options.memory_mb
    )))
}

fn encode(
    clip: &Clip,
    views: &[View],
    encoders: &[(&'static str, &dyn FrozenEncoder)],
    frame_step: usize,
    features: &mut [Features],
) -> Result<(), EvalError> {
    let seen: Vec<Clip> = views.iter().map(|view| shown(clip, view)).collect();
    let batch = HostBatch { clips: seen, number: 0, first: 0 };
    for ((_, encoder), features) in encoders.iter().zip(&mut *features) {
        let uploaded = ClipBatch::upload(&batch, frame_step, &encoder.normalise(), &encoder.device());
        let tokens = encoder.tokens(&uploaded);
        let [_, moments, places, width] = tokens.dims();
        let values = read(tokens)?;
        if !values.iter().all(|value| value.is_finite()) {
            return Err(EvalError::NotFinite { what: "encoded latents" });
        }
        values.chunks_exact(moments * places * width).for_each(|tokens| features.push(tokens, width, moments));
    }
    let tubelet = encoders[0].1.shape().tubelet;
    let Some(pixels) = features.last_mut() else { return Ok(()) };
    for frames in batch.clips.iter().flat_map(|clip| clip.observations.cameras.values()) {
        let statistics = PixelStatistics::of(frames, tubelet);
        pixels.push_with(&statistics.tokens(), pixel_statistics::WIDTH, statistics.vector());
    }
    Ok(())
}

/// A clip of the frames of a view.
fn shown(clip: &Clip, view: &View) -> Clip {
    let cameras = clip.observations.cameras.iter().map(|(name, all)| {
        let data = view.frames.iter().flat_map(|&frame| all.frame(frame)).copied().collect();
        (name.clone(), FrameBuffer { data, frames: view.frames.len(), height: all.height, width: all.width })
    });
    Clip {
        observations: Observations { cameras: cameras.collect(), ..Observations::default() },
        times: Vec::new(),
        actions: None,
        state: None,
        label: Some(view.class),
        source: clip.source.clone(),
    }
}
