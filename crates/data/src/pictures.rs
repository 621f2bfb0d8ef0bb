//! From the frames of a video to the pictures of a clip: size, crop and flip.

use prevision_video::{FrameBuffer, FrameSource, OutputSize};
use rand::Rng;

use crate::transform::{CropBox, crop_resize, flip};
use crate::{ClipRequest, CropConfig, DataConfig, Draw, SkipReason, Split, seed};

/// What is done to the frames of every clip of a data set.
pub(crate) struct Pictures {
    size: Option<usize>,
    crop: CropConfig,
    flip: bool,
    training: bool,
}

impl Pictures {
    pub(crate) fn new(config: &DataConfig, split: Split) -> Self {
        Self { size: config.size, crop: config.crop.clone(), flip: config.flip, training: split == Split::Train }
    }

    /// Whether this request is augmented: random crops and flips are for training.
    pub(crate) fn augmented(&self, request: &ClipRequest) -> bool {
        self.training && request.draw == Draw::Random
    }

    /// The size of all pictures as (width, height), if the configuration decides it.
    pub(crate) fn fixed_size(&self) -> Option<(usize, usize)> {
        self.size.map(|size| (size, size))
    }

    /// The size at which the decoder delivers frames, so that as little as possible remains to be done.
    pub(crate) fn decoded_size(&self, augmented: bool) -> OutputSize {
        match (self.size, &self.crop) {
            (None, _) => OutputSize::Native,
            (Some(size), CropConfig::Stretch) => OutputSize::Exact { width: size, height: size },
            (Some(_), CropConfig::RandomResized { decode_short_side, .. }) if augmented => {
                decode_short_side.map_or(OutputSize::Native, OutputSize::ShortSide)
            }
            (Some(size), _) => OutputSize::ShortSide(size),
        }
    }

    /// Decodes frames and finishes them.
    ///
    /// # Errors
    /// If the video cannot be decoded or has another size than `expected` (width, height).
    pub(crate) fn read(
        &self,
        video: &mut dyn FrameSource,
        indices: &[usize],
        request: &ClipRequest,
        expected: (usize, usize),
    ) -> Result<FrameBuffer, SkipReason> {
        let (width, height) = video.size();
        if self.size.is_none() && (width, height) != expected {
            return Err(SkipReason::OtherSize { found: (width, height), expected });
        }
        let mut frames = FrameBuffer::new(indices.len(), height, width);
        video.read(indices, &mut frames).map_err(|error| SkipReason::Broken(error.to_string()))?;
        Ok(self.finish(frames, request, expected))
    }

    /// Crops, resizes and flips decoded frames.
    pub(crate) fn finish(
        &self,
        frames: FrameBuffer,
        request: &ClipRequest,
        (width, height): (usize, usize),
    ) -> FrameBuffer {
        let stream = |purpose| seed::rng(request.seed, purpose, request.epoch, request.slot as u64);
        let augmented = self.augmented(request);
        let part = match &self.crop {
            CropConfig::RandomResized { area, aspect, .. } if augmented => {
                CropBox::random(&mut stream("crop"), frames.width, frames.height, *area, *aspect)
            }
            CropConfig::Stretch => CropBox::whole(frames.width, frames.height),
            _ if self.size.is_none() => CropBox::whole(frames.width, frames.height),
            _ => {
                let side = frames.width.min(frames.height);
                CropBox::centre(side, side, frames.width, frames.height)
            }
        };
        let untouched = part == CropBox::whole(width, height) && (frames.width, frames.height) == (width, height);
        let mut frames = if untouched { frames } else { crop_resize(&frames, part, width, height) };
        if self.flip && augmented && stream("flip").random_bool(0.5) {
            flip(&mut frames);
        }
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> FrameBuffer {
        let mut frames = FrameBuffer::new(2, 2, 4);
        for (index, pixel) in frames.data.chunks_exact_mut(3).enumerate() {
            pixel.fill(index as u8 * 10);
        }
        frames
    }

    fn request(draw: Draw, slot: usize) -> ClipRequest {
        ClipRequest { seed: 0, epoch: 0, slot, video: 0, clip: 0, draw }
    }

    #[test]
    fn centre_crop_keeps_the_middle() {
        let pictures = Pictures::new(&DataConfig { size: Some(2), ..DataConfig::default() }, Split::Train);
        assert_eq!(pictures.decoded_size(true), OutputSize::ShortSide(2));
        let frames = pictures.finish(ramp(), &request(Draw::Random, 0), (2, 2));
        assert_eq!(frames.data.iter().step_by(3).copied().collect::<Vec<_>>(), [10, 20, 50, 60, 90, 100, 130, 140]);
    }

    #[test]
    fn only_training_clips_are_flipped_and_whole_clips_at_once() {
        let config = DataConfig { flip: true, ..DataConfig::default() };
        let training = Pictures::new(&config, Split::Train);
        let mirrored = {
            let mut frames = ramp();
            flip(&mut frames);
            frames.data
        };
        let mut flipped = 0;
        for slot in 0..200 {
            let data = training.finish(ramp(), &request(Draw::Random, slot), (4, 2)).data;
            assert!(data == ramp().data || data == mirrored);
            flipped += usize::from(data == mirrored);
            assert_eq!(training.finish(ramp(), &request(Draw::Uniform, slot), (4, 2)).data, ramp().data);
            assert_eq!(
                Pictures::new(&config, Split::Validation).finish(ramp(), &request(Draw::Random, slot), (4, 2)).data,
                ramp().data
            );
        }
        assert!((70..130).contains(&flipped), "{flipped}");
    }

    #[test]
    fn random_crops_are_decoded_whole_only_when_augmented() {
        let crop = CropConfig::RandomResized { area: [0.3, 1.0], aspect: [0.75, 1.35], decode_short_side: None };
        let pictures = Pictures::new(&DataConfig { size: Some(8), crop, ..DataConfig::default() }, Split::Train);
        assert_eq!(
            (pictures.decoded_size(true), pictures.decoded_size(false)),
            (OutputSize::Native, OutputSize::ShortSide(8))
        );
        assert_eq!(pictures.finish(ramp(), &request(Draw::Random, 0), (8, 8)).data.len(), 2 * 8 * 8 * 3);
    }
}
