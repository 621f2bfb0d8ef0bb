//! Latents of a pretrained world model, one for each frame.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use burn::tensor::Device;
use prevision_model::ActionJepa;
use prevision_model::parameters::{Entry, TensorWriter};
use prevision_model::pretrained::Pretrained;
use serde_json::json;

use super::super::seen::{SeenArray, SeenVideo};
use super::given::npy;
use super::windows::Windows;
use super::work::Encoded;
use super::{Args, Tensor};
use crate::Usage;

/// Encodes windows of frames, and writes their latents as they come. `progress` is told how many windows are done, of how many.
pub(super) fn write(
    model: &Pretrained,
    network: &ActionJepa,
    args: &Args,
    device: &Device,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Encoded> {
    let unused = [("--layers", !args.layers.is_empty()), ("--context-mask", args.context_mask.is_some())];
    if let Some((name, _)) = unused.into_iter().find(|(_, given)| *given) {
        return Err(Usage(format!("{name}: a world model's latents are of whole frames and of its last layer")).into());
    }
    if let Some(folder) = args.out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match &args.tensor {
        Some(file) => of_array(model, network, file, &args.out, device, progress),
        None => of_videos(model, network, args, device, progress),
    }
}

fn of_array(
    model: &Pretrained,
    network: &ActionJepa,
    file: &Path,
    out: &Path,
    device: &Device,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Encoded> {
    let (shape, mut values) = npy(file).map_err(Usage)?;
    let &[windows, 3, frames, rows, columns] = shape.as_slice() else {
        let message = format!("{}: shape {shape:?}, expected [batch, 3, frames, height, width]", file.display());
        return Err(Usage(message).into());
    };
    if frames > 1 {
        values = frames_first(&values, [windows, frames, rows * columns]);
    }
    let array = SeenArray::new(file, values, [rows, columns], &model.spec)?;
    let mut writer = Writer::create(model, out, [windows, frames], &[])?;
    for window in 0..windows {
        let indices: Vec<usize> = (window * frames..(window + 1) * frames).collect();
        writer.file.values(&array.latents(&indices, network, device));
        progress(window + 1, windows);
    }
    writer.finish(windows, 0)
}

/// Of `[windows, 3, frames, pixels]` `[windows, frames, 3, pixels]`.
fn frames_first(values: &[f32], [windows, frames, pixels]: [usize; 3]) -> Vec<f32> {
    let plane = |window: usize, frame: usize, channel: usize| {
        values[((window * 3 + channel) * frames + frame) * pixels..][..pixels].iter().copied()
    };
    let places = (0..windows).flat_map(|window| (0..frames).map(move |frame| (window, frame)));
    places.flat_map(|(window, frame)| (0..3).flat_map(move |channel| plane(window, frame, channel))).collect()
}

fn of_videos(
    model: &Pretrained,
    network: &ActionJepa,
    args: &Args,
    device: &Device,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Encoded> {
    let frames = args.frames.unwrap_or(model.spec.input.frames);
    let windows = Windows { frames, step: args.step, stride: args.stride.unwrap_or(frames) };
    // All are opened first, so that none is found to be broken after an hour.
    let (mut counts, mut left_out) = (Vec::new(), 0);
    for path in &args.videos {
        let length = SeenVideo::open(path, &model.spec)?.len();
        let count = windows.count(length);
        if count == 0 {
            let taken = length.div_ceil(windows.step);
            let message = format!("{}: {taken} of the {frames} frames that a window takes", path.display());
            return Err(Usage(format!("{message}: choose fewer with --frames")).into());
        }
        counts.push(count);
        left_out += windows.left_out(length);
    }
    let all: usize = counts.iter().sum();
    let names: Vec<String> = args.videos.iter().map(|path| path.display().to_string()).collect();
    let mut writer = Writer::create(model, &args.out, [all, frames], &names)?;
    let (mut times, mut videos, mut done) = (Vec::new(), Vec::new(), 0);
    for (number, (path, count)) in args.videos.iter().zip(counts).enumerate() {
        let mut video = SeenVideo::open(path, &model.spec)?;
        for window in 0..count {
            let indices: Vec<usize> = windows.indices(window).collect();
            writer.file.values(&video.latents(&indices, network, device)?);
            times.extend([video.time(indices[0]), video.time(indices[frames - 1])]);
            videos.push(number as u64);
            done += 1;
            progress(done, all);
        }
    }
    writer.file.values(&times);
    writer.file.counts(&videos);
    writer.finish(all, left_out)
}

/// The file that is written.
struct Writer {
    file: TensorWriter,
    path: std::path::PathBuf,
    tensors: Vec<Tensor>,
    start: Instant,
}

impl Writer {
    fn create(model: &Pretrained, path: &Path, [windows, frames]: [usize; 2], videos: &[String]) -> Result<Self> {
        let mut tensors = vec![Tensor { name: "latents", shape: vec![windows, frames, model.spec.encoder.dim] }];
        if !videos.is_empty() {
            tensors.push(Tensor { name: "times", shape: vec![windows, 2] });
            tensors.push(Tensor { name: "video", shape: vec![windows] });
        }
        let entry = |Tensor { name, shape }: &Tensor| match *name {
            "video" => Entry::counts((*name).to_owned(), shape.clone()),
            _ => Entry::floats((*name).to_owned(), shape.clone()),
        };
        let spec = &model.spec;
        let described =
            json!({ "family": spec.family, "source": spec.source, "weights": spec.weights, "videos": videos });
        let entries = tensors.iter().map(entry).collect();
        let file = TensorWriter::create_described(path, entries, Some(&described.to_string()))?;
        Ok(Self { file, path: path.to_owned(), tensors, start: Instant::now() })
    }

    fn finish(self, windows: usize, frames_left_out: usize) -> Result<Encoded> {
        self.file.finish()?;
        let seconds = self.start.elapsed().as_secs_f64();
        let seconds_per_window = seconds / windows.max(1) as f64;
        let (file, tensors) = (self.path, self.tensors);
        Ok(Encoded { file, tensors, windows, frames_left_out, seconds, seconds_per_window })
    }
}
