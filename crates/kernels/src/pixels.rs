//! Videos as a model reads them.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use crate::array::Array;
use crate::cpu::Level;
use crate::cpu::pixels::{Clips, ColourScale};

/// A batch of videos, `[batch, channels, time, height, width]`: numbers, or on the CPU RGB bytes as they were decoded, of which numbers
/// are made where they are read. Bytes are a quarter of the memory, and [`patch_embedding`](crate::patch_embedding) reads them as they
/// are.
#[derive(Clone, Debug)]
pub struct Pixels(pub(crate) Kind);

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Numbers(Tensor<5>),
    Bytes(Bytes),
}

/// Shared clips, or a part of their frames.
#[derive(Clone, Debug)]
pub(crate) struct Bytes {
    bytes: Arc<Vec<u8>>,
    stored: usize,
    start: usize,
    sizes: [usize; 4],
    scale: ColourScale,
    device: Device,
}

impl From<Tensor<5>> for Pixels {
    fn from(video: Tensor<5>) -> Self {
        Self(Kind::Numbers(video))
    }
}

impl Pixels {
    /// RGB frames that a model sees as `(byte / 255 - mean) / std`. On the CPU they stay bytes; another device gets the numbers.
    ///
    /// # Shapes
    /// - bytes: `[batch, time, height, width, 3]`; `sizes` are the first four
    /// - mean, std: of red, green and blue
    ///
    /// # Panics
    /// If there are not as many bytes.
    pub fn from_rgb(bytes: Vec<u8>, sizes: [usize; 4], mean: [f32; 3], std: [f32; 3], device: &Device) -> Self {
        assert_eq!(bytes.len(), 3 * sizes.iter().product::<usize>(), "bytes of RGB clips {sizes:?}");
        let (mean, std) = (mean.map(f64::from), std.map(f64::from));
        let scale = ColourScale {
            factor: std::array::from_fn(|colour| (1.0 / (255.0 * std[colour])) as f32),
            offset: std::array::from_fn(|colour| (-mean[colour] / std[colour]) as f32),
        };
        let bytes = Bytes { bytes: Arc::new(bytes), stored: sizes[1], start: 0, sizes, scale, device: device.clone() };
        let pixels = Self(Kind::Bytes(bytes));
        if device.clone().inner() == Device::flex() { pixels } else { Self::from(pixels.into_tensor()) }
    }

    /// `[batch, channels, time, height, width]`
    pub fn dims(&self) -> [usize; 5] {
        match &self.0 {
            Kind::Numbers(video) => video.dims(),
            Kind::Bytes(Bytes { sizes: [batch, time, height, width], .. }) => [*batch, 3, *time, *height, *width],
        }
    }

    /// Where tensors made of it are.
    pub fn device(&self) -> Device {
        match &self.0 {
            Kind::Numbers(video) => video.device(),
            Kind::Bytes(bytes) => bytes.device.clone(),
        }
    }

    /// The same, off the tape.
    #[must_use]
    pub fn without_autodiff(self) -> Self {
        Self(match self.0 {
            Kind::Numbers(video) => Kind::Numbers(video.without_autodiff()),
            Kind::Bytes(bytes) => Kind::Bytes(Bytes { device: bytes.device.without_autodiff(), ..bytes }),
        })
    }

    /// The frames `start .. start + time` of every video.
    ///
    /// # Panics
    /// If they are not all there.
    #[must_use]
    pub fn frames(self, start: usize, time: usize) -> Self {
        Self(match self.0 {
            Kind::Numbers(video) => Kind::Numbers(video.narrow(2, start, time)),
            Kind::Bytes(mut bytes) => {
                let [_, stored, ..] = bytes.sizes;
                assert!(start + time <= stored, "frames {start} to {} of {stored}", start + time);
                bytes.start += start;
                bytes.sizes[1] = time;
                Kind::Bytes(bytes)
            }
        })
    }

    /// Every frame as a video of its own: `[batch * time, channels, 1, height, width]`.
    #[must_use]
    pub fn single_frames(self) -> Self {
        let [batch, channels, time, height, width] = self.dims();
        match self.0 {
            Kind::Numbers(video) => {
                Self::from(video.swap_dims(1, 2).reshape([batch * time, channels, 1, height, width]))
            }
            Kind::Bytes(mut bytes) => {
                if time < bytes.stored {
                    bytes.bytes = Arc::new(bytes.clips().read().concat());
                }
                Self(Kind::Bytes(Bytes { stored: 1, start: 0, sizes: [batch * time, 1, height, width], ..bytes }))
            }
        }
    }

    /// The numbers, `[batch, channels, time, height, width]`.
    pub fn into_tensor(self) -> Tensor<5> {
        let dims = self.dims();
        match self.0 {
            Kind::Numbers(video) => video,
            Kind::Bytes(bytes) => {
                let numbers = Array::filled(dims, |out| bytes.clips().normalise(Level::detect(), out));
                Tensor::from_data(numbers.into_data(), &bytes.device)
            }
        }
    }
}

impl Bytes {
    /// As kernels see them.
    pub(crate) fn clips(&self) -> Clips<'_> {
        let Self { bytes, stored, start, sizes, scale, .. } = self;
        Clips { bytes, stored: *stored, start: *start, sizes: *sizes, scale: *scale }
    }
}
