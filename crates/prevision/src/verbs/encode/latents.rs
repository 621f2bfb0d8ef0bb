//! Latents of a pretrained world model, one for each frame.

use std::path::Path;

use anyhow::Result;
use burn::tensor::Device;
use prevision_model::ActionJepa;
use prevision_model::pretrained::Pretrained;
use serde_json::json;

use super::super::seen::{SeenArray, SeenVideo};
use super::Args;
use super::given::npy;
use super::out::{Encoded, Out};
use super::windows::Windows;
use crate::Usage;
use crate::features::{FeatureContents, FeatureTensor, WindowFeatures};

/// Encodes windows of frames, and writes their latents as they come. `progress` is told how many windows are done, of how many.
pub(super) fn write(
    model: &Pretrained,
    network: &ActionJepa,
    args: &Args,
    out: Out<'_>,
    device: &Device,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Encoded> {
    let unused = [("--layers", !args.layers.is_empty()), ("--context-mask", args.context_mask.is_some())];
    if let Some((name, _)) = unused.into_iter().find(|(_, given)| *given) {
        return Err(Usage(format!("{name}: a world model's latents are of whole frames and of its last layer")).into());
    }
    match &args.tensor {
        Some(file) => of_array(model, network, file, out, device, progress),
        None => of_videos(model, network, args, out, device, progress),
    }
}

fn of_array(
    model: &Pretrained,
    network: &ActionJepa,
    file: &Path,
    out: Out<'_>,
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
    let mut writer = out.begin(contents(model, [windows, frames], &[]), windows, 0)?;
    for window in 0..windows {
        let indices: Vec<usize> = (window * frames..(window + 1) * frames).collect();
        let features = array.latents(&indices, network, device);
        progress(writer.write(&WindowFeatures { features, ..WindowFeatures::default() }, 1)?, windows);
    }
    writer.finish()
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
    out: Out<'_>,
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
    let mut writer = out.begin(contents(model, [all, frames], &names), all, left_out)?;
    for (number, (path, count)) in args.videos.iter().zip(counts).enumerate() {
        let mut video = SeenVideo::open(path, &model.spec)?;
        for window in 0..count {
            let indices: Vec<usize> = windows.indices(window).collect();
            let made = WindowFeatures {
                features: video.latents(&indices, network, device)?,
                times: vec![[video.time(indices[0]), video.time(indices[frames - 1])]],
                videos: vec![number as u64],
                ..WindowFeatures::default()
            };
            progress(writer.write(&made, 1)?, all);
        }
    }
    writer.finish()
}

/// What the file has.
fn contents(model: &Pretrained, [windows, frames]: [usize; 2], videos: &[String]) -> FeatureContents {
    let mut tensors = vec![FeatureTensor::new("latents", &[windows, frames, model.spec.encoder.dim])];
    if !videos.is_empty() {
        tensors.push(FeatureTensor::new("times", &[windows, 2]));
        tensors.push(FeatureTensor::new("video", &[windows]));
    }
    let spec = &model.spec;
    let described = json!({ "family": spec.family, "source": spec.source, "weights": spec.weights, "videos": videos });
    FeatureContents { tensors, description: described.to_string() }
}
