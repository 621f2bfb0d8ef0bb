//! Frames of videos and of arrays as a pretrained world model sees them, and their latents.

use std::path::Path;

use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};
use prevision_core::FrameBuffer;
use prevision_model::ActionJepa;
use prevision_model::pretrained::PretrainedSpec;
use prevision_video::{FrameSource as _, OpenOptions, Video};

use super::encode::npy;
use crate::Usage;

/// Frames that are encoded at once, about.
const AT_ONCE: usize = 16;

/// A video whose frames are read one after the other.
pub(super) struct SeenVideo<'a> {
    video: Video,
    spec: &'a PretrainedSpec,
    frame: FrameBuffer,
}

impl<'a> SeenVideo<'a> {
    pub(super) fn open(path: &Path, spec: &'a PretrainedSpec) -> Result<Self> {
        let video = Video::open(path, &OpenOptions::default())?;
        let (width, height) = video.size();
        Ok(Self { video, spec, frame: FrameBuffer::new(1, height, width) })
    }

    /// Frames of the video.
    pub(super) fn len(&self) -> usize {
        self.video.len()
    }

    /// When a frame is shown, in seconds.
    pub(super) fn time(&self, index: usize) -> f32 {
        self.video.timestamps()[index] as f32
    }

    /// Latents of these frames, one after the other, `frames * width` of them.
    pub(super) fn latents(&mut self, indices: &[usize], model: &ActionJepa, device: &Device) -> Result<Vec<f32>> {
        let mut latents = Vec::new();
        for indices in indices.chunks(AT_ONCE) {
            let (mut pixels, mut size) = (Vec::new(), [0, 0]);
            for index in indices {
                self.video.read(&[*index], &mut self.frame)?;
                let (frame, found) =
                    self.spec.input.whole(self.frame.frame(0), self.video.size(), self.spec.encoder.patch);
                pixels.extend(frame);
                size = found;
            }
            latents.extend(encode(pixels, indices.len(), size, model, device));
        }
        Ok(latents)
    }
}

/// Frames of an array as they are, `[frames, 3, rows, columns]`.
pub(super) struct SeenArray {
    values: Vec<f32>,
    size: [usize; 2],
}

impl SeenArray {
    /// Of the values of an array whose last axes are these rows and columns.
    ///
    /// # Errors
    /// If a side is no multiple of a patch.
    pub(super) fn new(path: &Path, values: Vec<f32>, size: [usize; 2], spec: &PretrainedSpec) -> Result<Self, Usage> {
        let patch = spec.encoder.patch;
        if size.iter().any(|side| *side == 0 || !side.is_multiple_of(patch)) {
            let message = format!("{}: frames of {} x {}", path.display(), size[1], size[0]);
            return Err(Usage(format!("{message}, expected height and width in multiples of {patch}")));
        }
        Ok(Self { values, size })
    }

    /// Reads `[frames, 3, rows, columns]`.
    ///
    /// # Errors
    /// If it is another array, or a side is no multiple of a patch.
    pub(super) fn read(path: &Path, spec: &PretrainedSpec) -> Result<Self, Usage> {
        let (shape, values) = npy(path).map_err(Usage)?;
        let &[_, 3, rows, columns] = shape.as_slice() else {
            return Err(Usage(format!("{}: shape {shape:?}, expected [frames, 3, height, width]", path.display())));
        };
        Self::new(path, values, [rows, columns], spec)
    }

    fn frame_size(&self) -> usize {
        3 * self.size[0] * self.size[1]
    }

    /// Frames of the array.
    pub(super) fn len(&self) -> usize {
        self.values.len() / self.frame_size()
    }

    /// Latents of these frames, one after the other.
    pub(super) fn latents(&self, indices: &[usize], model: &ActionJepa, device: &Device) -> Vec<f32> {
        let frame = |index: &usize| self.values[index * self.frame_size()..][..self.frame_size()].iter().copied();
        let encode =
            |some: &[usize]| encode(some.iter().flat_map(frame).collect(), some.len(), self.size, model, device);
        indices.chunks(AT_ONCE).flat_map(encode).collect()
    }
}

/// # Shapes
/// - pixels: `[frames, 3, rows, columns]`
fn encode(
    pixels: Vec<f32>,
    frames: usize,
    [rows, columns]: [usize; 2],
    model: &ActionJepa,
    device: &Device,
) -> Vec<f32> {
    let video = Tensor::<5>::from_data(TensorData::new(pixels, [frames, 3, 1, rows, columns]), device);
    numbers(model.encode(video))
}

/// The numbers of a tensor.
pub(super) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec_as::<f32>().expect("latents are floats")
}
