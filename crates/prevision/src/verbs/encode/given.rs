//! What is to be encoded: videos, or model input as it is.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};
use npyz::{DType, NpyFile, Order, TypeChar};
use prevision_model::Pixels;
use prevision_model::pretrained::{Input, PretrainedSpec};

use super::windows::{WindowReader, Windows};
use crate::Usage;

/// Frames that are encoded at once, about.
const AT_ONCE: usize = 16;

/// Windows, in batches.
pub(super) struct Given {
    /// Windows in all.
    pub(super) count: usize,
    /// Frames, rows and columns of a window.
    pub(super) sizes: [usize; 3],
    /// Names of the videos; empty without videos.
    pub(super) videos: Vec<String>,
    /// Taken frames that fill no window.
    pub(super) frames_left_out: usize,
    pub(super) batches: Box<dyn Iterator<Item = Result<Batch>>>,
}

/// Some windows.
pub(super) struct Batch {
    pub(super) video: Pixels,
    /// Of each window when its first and its last frame are shown, in seconds; empty without videos.
    pub(super) times: Vec<[f32; 2]>,
    /// The number of the video.
    pub(super) number: u64,
}

impl Given {
    /// Windows of videos. All are opened first, so that none is found to be broken after an hour.
    pub(super) fn videos(paths: &[PathBuf], windows: Windows, spec: &PretrainedSpec, device: &Device) -> Result<Self> {
        let (mut counts, mut frames_left_out) = (Vec::new(), 0);
        for path in paths {
            let length = WindowReader::open(path, windows, spec.input.clone())?.len();
            if windows.count(length) == 0 {
                let taken = length.div_ceil(windows.step);
                let needed = windows.frames;
                let message = format!(
                    "{}: {taken} of the {needed} frames that a window takes: choose fewer with --frames",
                    path.display()
                );
                return Err(Usage(message).into());
            }
            counts.push(windows.count(length));
            frames_left_out += windows.left_out(length);
        }
        let crop = spec.input.crop;
        let names = paths.iter().map(|path| path.display().to_string()).collect();
        let videos = paths.iter().cloned().zip(counts.iter().copied()).collect();
        let batches = batches(videos, windows, spec.input.clone(), device.clone());
        Ok(Self {
            count: counts.iter().sum(),
            sizes: [windows.frames, crop, crop],
            videos: names,
            frames_left_out,
            batches: Box::new(batches),
        })
    }

    /// Model input as it is.
    pub(super) fn tensor(path: &Path, spec: &PretrainedSpec, device: &Device) -> Result<Self> {
        let (shape, values) = npy(path).map_err(Usage)?;
        let &[batch, 3, time, height, width] = shape.as_slice() else {
            let message = format!("{}: shape {shape:?}, expected [batch, 3, frames, height, width]", path.display());
            return Err(Usage(message).into());
        };
        let (patch, tubelet) = (spec.encoder.patch, spec.encoder.tubelet);
        let fits = (time == 1 || time.is_multiple_of(tubelet)) && time * height * width > 0;
        if !fits || !height.is_multiple_of(patch) || !width.is_multiple_of(patch) {
            let message = format!(
                "{}: shape {shape:?}, expected frames (or one of them) in multiples of {tubelet}, height and width of {patch}",
                path.display()
            );
            return Err(Usage(message).into());
        }
        let size = 3 * time * height * width;
        let device = device.clone();
        let at_once = (AT_ONCE / time).max(1);
        let batches = (0..batch).step_by(at_once).map(move |first| {
            let count = at_once.min(batch - first);
            let part = values[first * size..][..count * size].to_vec();
            let video = Tensor::<5>::from_data(TensorData::new(part, [count, 3, time, height, width]), &device);
            Ok(Batch { video: video.into(), times: Vec::new(), number: 0 })
        });
        let sizes = [time, height, width];
        Ok(Self { count: batch, sizes, videos: Vec::new(), frames_left_out: 0, batches: Box::new(batches) })
    }
}

/// Reads videos one after the other.
fn batches(
    videos: Vec<(PathBuf, usize)>,
    windows: Windows,
    input: Input,
    device: Device,
) -> impl Iterator<Item = Result<Batch>> {
    let at_once = (AT_ONCE / windows.frames).max(1);
    videos.into_iter().enumerate().flat_map(move |(number, (path, count))| {
        let (input, device) = (input.clone(), device.clone());
        let mut reader = None;
        (0..count).step_by(at_once).map(move |first| {
            let reader = match &mut reader {
                Some(reader) => reader,
                closed => closed.insert(WindowReader::open(&path, windows, input.clone())?),
            };
            let together = at_once.min(count - first);
            let (mut bytes, mut times) = (Vec::new(), Vec::new());
            for window in first..first + together {
                let (pixels, shown) = reader.read(window)?;
                bytes.extend(pixels);
                times.push(shown);
            }
            let sizes = [together, windows.frames, input.crop, input.crop];
            let video = Pixels::from_rgb(bytes, sizes, input.mean, input.std, &device);
            Ok(Batch { video, times, number: number as u64 })
        })
    })
}

/// Shape and numbers of a `.npy` file of floats or of whole numbers.
pub(in crate::verbs) fn npy(path: &Path) -> Result<(Vec<usize>, Vec<f32>), String> {
    let broken = |message: String| format!("{}: {message}", path.display());
    let file = File::open(path).map_err(|error| broken(error.to_string()))?;
    let array = NpyFile::new(BufReader::new(file)).map_err(|error| broken(format!("no .npy file: {error}")))?;
    let shape: Vec<usize> = array.shape().iter().map(|length| *length as usize).collect();
    if array.order() != Order::C {
        return Err(broken("columns first (Fortran order), expected rows first: numpy.ascontiguousarray".to_owned()));
    }
    let DType::Plain(kind) = array.dtype() else {
        return Err(broken("a structured array, expected numbers".to_owned()));
    };
    let expected = || broken(format!("dtype {kind}, expected float32, int32 or int64"));
    let values = match (kind.type_char(), kind.size_field()) {
        (TypeChar::Float, 4) => array.into_vec::<f32>(),
        (TypeChar::Int, 4) => array.into_vec::<i32>().map(|list| list.into_iter().map(|it| it as f32).collect()),
        (TypeChar::Int, 8) => array.into_vec::<i64>().map(|list| list.into_iter().map(|it| it as f32).collect()),
        _ => return Err(expected()),
    };
    Ok((shape, values.map_err(|error| broken(error.to_string()))?))
}
