//! Videos as a model reads them.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use prevision_kernels::cpu::pixels::ColourScale;
use prevision_kernels::{RgbClips, Video, on_cpu};

/// A batch of videos, `[batch, channels, time, height, width]`: numbers, or on the CPU RGB bytes as they were decoded,
/// of which numbers are made where they are read. Bytes are a quarter of the memory, and
/// [`patch_embedding`](prevision_kernels::patch_embedding()) reads them as they are.
#[derive(Clone, Debug)]
pub struct Pixels(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Numbers(Tensor<5>),
    /// Bytes, and where tensors made of them are.
    Bytes(RgbClips, Device),
}

impl From<Tensor<5>> for Pixels {
    fn from(video: Tensor<5>) -> Self {
        Self(Kind::Numbers(video))
    }
}

impl From<Pixels> for Video {
    fn from(pixels: Pixels) -> Self {
        match pixels.0 {
            Kind::Numbers(video) => Self::Numbers(video),
            Kind::Bytes(clips, _) => Self::Bytes(clips),
        }
    }
}

impl Pixels {
    /// RGB frames that a model sees as `(byte / 255 - mean) / std`. On the CPU they stay bytes; another device gets the
    /// numbers.
    ///
    /// # Shapes
    /// - bytes: `[batch, time, height, width, 3]`; `sizes` are the first four
    /// - mean, std: of red, green and blue
    ///
    /// # Panics
    /// If there are not as many bytes.
    pub fn from_rgb(bytes: Vec<u8>, sizes: [usize; 4], mean: [f32; 3], std: [f32; 3], device: &Device) -> Self {
        assert_eq!(bytes.len(), 3 * sizes.iter().product::<usize>(), "bytes of RGB clips {sizes:?}");
        let scale = ColourScale::normalising(mean, std);
        let clips = RgbClips { bytes: Arc::new(bytes), stored: sizes[1], start: 0, sizes, scale };
        if on_cpu(device) { Self(Kind::Bytes(clips, device.clone())) } else { Self::from(clips.to_tensor(device)) }
    }

    /// `[batch, channels, time, height, width]`
    pub fn dims(&self) -> [usize; 5] {
        match &self.0 {
            Kind::Numbers(video) => video.dims(),
            Kind::Bytes(RgbClips { sizes: [batch, time, height, width], .. }, _) => [*batch, 3, *time, *height, *width],
        }
    }

    /// Where tensors made of it are.
    pub fn device(&self) -> Device {
        match &self.0 {
            Kind::Numbers(video) => video.device(),
            Kind::Bytes(_, device) => device.clone(),
        }
    }

    /// The same, off the tape.
    #[must_use]
    pub fn without_autodiff(self) -> Self {
        Self(match self.0 {
            Kind::Numbers(video) => Kind::Numbers(video.without_autodiff()),
            Kind::Bytes(clips, device) => Kind::Bytes(clips, device.without_autodiff()),
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
            Kind::Bytes(mut clips, device) => {
                let [_, stored, ..] = clips.sizes;
                assert!(start + time <= stored, "frames {start} to {} of {stored}", start + time);
                clips.start += start;
                clips.sizes[1] = time;
                Kind::Bytes(clips, device)
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
            Kind::Bytes(mut clips, device) => {
                if time < clips.stored {
                    clips.bytes = Arc::new(clips.view().read().concat());
                }
                let sizes = [batch * time, 1, height, width];
                Self(Kind::Bytes(RgbClips { stored: 1, start: 0, sizes, ..clips }, device))
            }
        }
    }

    /// The numbers, `[batch, channels, time, height, width]`.
    pub fn into_tensor(self) -> Tensor<5> {
        match self.0 {
            Kind::Numbers(video) => video,
            Kind::Bytes(clips, device) => clips.to_tensor(&device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clips as bytes, and the numbers that they stand for.
    fn both_kinds(sizes: [usize; 4]) -> [Pixels; 2] {
        let bytes = (0..3 * sizes.iter().product::<usize>()).map(|i| (i * i / 7 + i * 31) as u8).collect();
        let pixels = Pixels::from_rgb(bytes, sizes, [0.3, 0.5, 0.4], [0.2, 0.25, 0.5], &Device::flex());
        assert!(matches!(pixels.0, Kind::Bytes(..)));
        [pixels.clone(), Pixels::from(pixels.into_tensor())]
    }

    #[test]
    fn parts_of_bytes_are_the_parts_of_their_numbers() {
        let [bytes, numbers] = both_kinds([2, 5, 3, 4]);
        let both = |part: fn(Pixels) -> Pixels| [part(bytes.clone()), part(numbers.clone())];
        for (what, [given, expected]) in [
            ("frames", both(|video| video.frames(1, 3))),
            ("frames of frames", both(|video| video.frames(1, 3).frames(1, 2))),
            ("single frames", both(Pixels::single_frames)),
            ("single frames of frames", both(|video| video.frames(2, 2).single_frames())),
            ("a single frame's frames", both(|video| video.single_frames().frames(0, 1))),
        ] {
            assert_eq!(given.dims(), expected.dims(), "{what}");
            assert_eq!(given.into_tensor().into_data(), expected.into_tensor().into_data(), "{what}");
        }
    }

    #[test]
    fn numbers_are_normalised_bytes() {
        let [bytes, _] = both_kinds([2, 5, 3, 4]);
        let value: f32 = bytes.into_tensor().slice([0..1, 2..3, 0..1, 0..1, 0..1]).into_scalar();
        // Byte 2, of blue: (4 / 7) + 62.
        assert!((value - (62.0 / 255.0 - 0.4) / 0.5).abs() < 1e-6, "{value}");
    }
}
