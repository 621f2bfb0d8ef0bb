//! Videos that a patch embedding reads.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use crate::array::Array;
use crate::cpu::Runtime;
use crate::cpu::pixels::{Clips, ColourScale};

/// A batch of videos, `[batch, channels, time, height, width]`.
#[derive(Clone, Debug)]
pub enum Video {
    /// As numbers.
    Numbers(Tensor<5>),
    /// As RGB bytes.
    Bytes(RgbClips),
}

/// RGB clips as they were decoded, or a part of the frames of each, and what makes numbers of the bytes.
#[derive(Clone, Debug)]
pub struct RgbClips {
    /// `[batch, stored, height, width, 3]`
    pub bytes: Arc<Vec<u8>>,
    /// Frames of a clip that `bytes` hold.
    pub stored: usize,
    /// The first frame of a clip that is read.
    pub start: usize,
    /// What is read: `[batch, time, height, width]`.
    pub sizes: [usize; 4],
    /// Factor and offset of each colour.
    pub scale: ColourScale,
}

impl From<Tensor<5>> for Video {
    fn from(video: Tensor<5>) -> Self {
        Self::Numbers(video)
    }
}

impl Video {
    /// `[batch, channels, time, height, width]`
    pub fn dims(&self) -> [usize; 5] {
        match self {
            Self::Numbers(video) => video.dims(),
            Self::Bytes(RgbClips { sizes: [batch, time, height, width], .. }) => [*batch, 3, *time, *height, *width],
        }
    }
}

impl RgbClips {
    /// As the kernels on slices see them.
    pub fn view(&self) -> Clips<'_> {
        let Self { bytes, stored, start, sizes, scale } = self;
        Clips { bytes, stored: *stored, start: *start, sizes: *sizes, scale: *scale }
    }

    /// The numbers, `[batch, 3, time, height, width]`, on a device.
    pub fn to_tensor(&self, device: &Device) -> Tensor<5> {
        let [batch, time, height, width] = self.sizes;
        let level = Runtime::current().level;
        let numbers = Array::filled([batch, 3, time, height, width], |out| self.view().normalise(level, out));
        Tensor::from_data(numbers.into_data(), device)
    }
}
