//! Videos as a model reads them.

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};
use prevision_kernels::cpu::pixels::ColourScale;
use prevision_kernels::{RgbClips, Video, on_cpu};
use sha2::{Digest, Sha256};

/// A batch of videos, `[batch, channels, time, height, width]`: numbers, or on the CPU RGB bytes as they were decoded,
/// of which numbers are made where they are read. Bytes are a quarter of the memory, and
/// [`patch_embedding`](prevision_kernels::patch_embedding()) reads them as they are.
#[derive(Clone, Debug)]
pub struct Pixels(Kind);

/// Bytes as numbers of 0 to 1.
const UNIT: ColourScale = ColourScale { factor: [1.0 / 255.0; 3], offset: [0.0; 3] };

#[derive(Clone, Debug)]
enum Kind {
    /// Numbers, and what made them of bytes, if that is known.
    Numbers(Tensor<5>, Option<ColourScale>),
    /// Bytes, and where tensors made of them are.
    Bytes(RgbClips, Device),
}

impl From<Tensor<5>> for Pixels {
    fn from(video: Tensor<5>) -> Self {
        Self(Kind::Numbers(video, None))
    }
}

impl From<Pixels> for Video {
    fn from(pixels: Pixels) -> Self {
        match pixels.0 {
            Kind::Numbers(video, _) => Self::Numbers(video),
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
        if on_cpu(device) {
            Self(Kind::Bytes(clips, device.clone()))
        } else {
            Self(Kind::Numbers(clips.to_tensor(device), Some(scale)))
        }
    }

    /// The same pictures as `(byte / 255 - mean) / std`, whatever numbers were to be made of them before. Videos that came as numbers stay as
    /// they are: what bytes they were is not known.
    ///
    /// # Shapes
    /// - mean, std: of red, green and blue
    #[must_use]
    pub fn normalised_by(self, mean: [f32; 3], std: [f32; 3]) -> Self {
        let wanted = ColourScale::normalising(mean, std);
        Self(match self.0 {
            Kind::Numbers(video, Some(scale)) if scale != wanted => {
                let device = video.device();
                let colours = |values: [f32; 3]| {
                    Tensor::<5>::from_data(TensorData::new(values.to_vec(), [1, 3, 1, 1, 1]), &device)
                };
                let factor: [f32; 3] = std::array::from_fn(|colour| wanted.factor[colour] / scale.factor[colour]);
                let offset =
                    std::array::from_fn(|colour| wanted.offset[colour] - factor[colour] * scale.offset[colour]);
                Kind::Numbers(video * colours(factor) + colours(offset), Some(wanted))
            }
            Kind::Bytes(clips, device) => Kind::Bytes(RgbClips { scale: wanted, ..clips }, device),
            numbers @ Kind::Numbers(..) => numbers,
        })
    }

    /// A SHA-256 of each frame, those of the first clip first: of its bytes, or of its numbers where it has come as such.
    pub fn digests(&self) -> Vec<[u8; 32]> {
        let [batch, channels, time, height, width] = self.dims();
        match &self.0 {
            Kind::Bytes(clips, _) => {
                let clips = clips.view().read();
                let frames = clips.into_iter().flat_map(|clip| clip.chunks_exact(3 * height * width));
                frames.map(|frame| Sha256::digest(frame).into()).collect()
            }
            Kind::Numbers(video, _) => {
                let video = video.clone().swap_dims(1, 2).reshape([batch * time, channels * height * width]);
                let numbers = video.into_data().convert::<f32>();
                let frame = 4 * channels * height * width;
                numbers.as_bytes().chunks_exact(frame).map(|frame| Sha256::digest(frame).into()).collect()
            }
        }
    }

    /// The frames as bytes, `[batch, time, height, width, 3]`: what they were, or what their numbers come nearest to. Numbers of which it is
    /// not known what bytes they were are taken as of 0 to 1.
    pub fn to_rgb(&self) -> Vec<u8> {
        match &self.0 {
            Kind::Bytes(clips, _) => clips.view().read().concat(),
            Kind::Numbers(video, scale) => {
                let scale = scale.unwrap_or(UNIT);
                let values = video.clone().permute([0, 2, 3, 4, 1]).into_data().convert::<f32>();
                let values = values.as_slice::<f32>().unwrap_or_default();
                let byte = |(place, value): (usize, &f32)| {
                    let colour = place % 3;
                    ((value - scale.offset[colour]) / scale.factor[colour]).round().clamp(0.0, 255.0) as u8
                };
                values.iter().enumerate().map(byte).collect()
            }
        }
    }

    /// Other frames, on the same device and of the same normalisation.
    ///
    /// # Shapes
    /// - bytes: `[batch, time, height, width, 3]`; `sizes` are the first four
    ///
    /// # Panics
    /// If there are not as many bytes.
    #[must_use]
    pub fn with_rgb(&self, bytes: Vec<u8>, sizes: [usize; 4]) -> Self {
        assert_eq!(bytes.len(), 3 * sizes.iter().product::<usize>(), "bytes of RGB clips {sizes:?}");
        let scale = match &self.0 {
            Kind::Bytes(clips, _) => clips.scale,
            Kind::Numbers(_, scale) => scale.unwrap_or(UNIT),
        };
        let clips = RgbClips { bytes: Arc::new(bytes), stored: sizes[1], start: 0, sizes, scale };
        match &self.0 {
            Kind::Bytes(_, device) => Self(Kind::Bytes(clips, device.clone())),
            Kind::Numbers(video, scale) => Self(Kind::Numbers(clips.to_tensor(&video.device()), *scale)),
        }
    }

    /// `[batch, channels, time, height, width]`
    pub fn dims(&self) -> [usize; 5] {
        match &self.0 {
            Kind::Numbers(video, _) => video.dims(),
            Kind::Bytes(RgbClips { sizes: [batch, time, height, width], .. }, _) => [*batch, 3, *time, *height, *width],
        }
    }

    /// Where tensors made of it are.
    pub fn device(&self) -> Device {
        match &self.0 {
            Kind::Numbers(video, _) => video.device(),
            Kind::Bytes(_, device) => device.clone(),
        }
    }

    /// The same, off the tape.
    #[must_use]
    pub fn without_autodiff(self) -> Self {
        Self(match self.0 {
            Kind::Numbers(video, scale) => Kind::Numbers(video.without_autodiff(), scale),
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
            Kind::Numbers(video, scale) => Kind::Numbers(video.narrow(2, start, time), scale),
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
            Kind::Numbers(video, scale) => {
                let frames = video.swap_dims(1, 2).reshape([batch * time, channels, 1, height, width]);
                Self(Kind::Numbers(frames, scale))
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

    /// The videos `first .. first + count`.
    ///
    /// # Panics
    /// If they are not all there.
    #[must_use]
    pub fn clips(self, first: usize, count: usize) -> Self {
        let rows: Vec<usize> = (first..first + count).collect();
        if rows.len() == self.dims()[0] { self } else { self.select(&rows) }
    }

    /// These videos, in this order.
    ///
    /// # Panics
    /// If one is not there.
    #[must_use]
    pub fn select(self, rows: &[usize]) -> Self {
        Self(match self.0 {
            Kind::Numbers(video, scale) => {
                let indices: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
                let indices = Tensor::<1, Int>::from_data(TensorData::new(indices, [rows.len()]), &video.device());
                Kind::Numbers(video.select(0, indices), scale)
            }
            Kind::Bytes(clips, device) => {
                let read = clips.view().read();
                let bytes = rows.iter().flat_map(|row| read[*row]).copied().collect();
                let [_, time, height, width] = clips.sizes;
                let sizes = [rows.len(), time, height, width];
                Kind::Bytes(
                    RgbClips { bytes: Arc::new(bytes), stored: time, start: 0, sizes, scale: clips.scale },
                    device,
                )
            }
        })
    }

    /// Every video so many times one after the other, as one.
    #[must_use]
    pub fn repeated(self, times: usize) -> Self {
        if times == 1 {
            return self;
        }
        Self(match self.0 {
            Kind::Numbers(video, scale) => Kind::Numbers(video.repeat_dim(2, times), scale),
            Kind::Bytes(clips, device) => {
                let bytes = clips.view().read().into_iter().flat_map(|clip| clip.repeat(times)).collect();
                let [batch, time, height, width] = clips.sizes;
                let (stored, sizes) = (times * time, [batch, times * time, height, width]);
                Kind::Bytes(RgbClips { bytes: Arc::new(bytes), stored, start: 0, sizes, scale: clips.scale }, device)
            }
        })
    }

    /// The numbers, `[batch, channels, time, height, width]`.
    pub fn into_tensor(self) -> Tensor<5> {
        match self.0 {
            Kind::Numbers(video, _) => video,
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
            ("some videos", both(|video| video.frames(1, 3).select(&[1, 0, 1]))),
            ("the last video", both(|video| video.frames(2, 2).clips(1, 1))),
            ("twice", both(|video| video.frames(1, 2).repeated(2))),
            ("a single frame's frames", both(|video| video.single_frames().frames(0, 1))),
        ] {
            assert_eq!(given.dims(), expected.dims(), "{what}");
            assert_eq!(given.into_tensor().into_data(), expected.into_tensor().into_data(), "{what}");
        }
    }

    #[test]
    fn frames_go_to_bytes_and_back() {
        let [bytes, numbers] = both_kinds([2, 3, 3, 4]);
        let Kind::Bytes(clips, _) = &bytes.0 else { unreachable!("bytes") };
        let known = Pixels(Kind::Numbers(numbers.into_tensor(), Some(clips.scale)));
        let given = bytes.clone().frames(1, 2).to_rgb();
        assert_eq!(given.len(), 2 * 2 * 3 * 4 * 3);
        assert_eq!(known.clone().frames(1, 2).to_rgb(), given);
        let [from_bytes, from_numbers] =
            [bytes.clone(), known].map(|video| video.with_rgb(given.clone(), [2, 2, 3, 4]));
        let expected = bytes.frames(1, 2).into_tensor().into_data();
        assert_eq!(from_bytes.into_tensor().into_data(), expected);
        assert_eq!(from_numbers.into_tensor().into_data(), expected);
        let unknown = Pixels::from(Tensor::<5>::full([1, 3, 1, 1, 1], 0.6, &Device::flex()));
        assert_eq!(unknown.to_rgb(), [153; 3]);
    }

    #[test]
    fn numbers_are_normalised_bytes() {
        let [bytes, _] = both_kinds([2, 5, 3, 4]);
        let value: f32 = bytes.into_tensor().slice([0..1, 2..3, 0..1, 0..1, 0..1]).into_scalar();
        // Byte 2, of blue: (4 / 7) + 62.
        assert!((value - (62.0 / 255.0 - 0.4) / 0.5).abs() < 1e-6, "{value}");
    }

    /// Numbers of which it is known what bytes they were are those of the bytes, and so are the digests of frames.
    #[test]
    fn other_normalisations_are_made_of_numbers_too() {
        let [bytes, numbers] = both_kinds([2, 3, 3, 4]);
        let Kind::Bytes(clips, _) = &bytes.0 else { unreachable!("bytes") };
        let known = Pixels(Kind::Numbers(numbers.into_tensor(), Some(clips.scale)));
        let (mean, std) = ([0.1, 0.2, 0.3], [0.5, 1.0, 0.25]);
        let [given, expected] = [known, bytes.clone()].map(|video| video.normalised_by(mean, std).into_tensor());
        given.into_data().assert_approx_eq::<f32>(&expected.into_data(), burn::tensor::Tolerance::absolute(1e-5));
        let digests = bytes.digests();
        assert_eq!(digests.len(), 6);
        assert_eq!(bytes.clone().frames(1, 2).digests(), [&digests[1..3], &digests[4..]].concat());
        assert_eq!(bytes.single_frames().digests(), digests);
    }
}
