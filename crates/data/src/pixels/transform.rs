//! From the frames of a video to those of a clip: size, crop and flip, in one pass.

use prevision_core::frames::{FrameBuffer, Window, random_box};
use prevision_core::resample::resample;
use prevision_core::seed;
use prevision_video::{ClipRead, FrameSource, VideoError};
use rand::Rng;

use crate::{ClipRequest, CropConfig, DataConfig, Draw, SkipReason, Split};

/// What is done to the frames of every clip of a data set.
pub(crate) struct Transform {
    size: Option<usize>,
    crop: CropConfig,
    flip: bool,
    training: bool,
}

/// Which part of its frames one clip shows.
#[derive(Clone, Copy, Debug, PartialEq)]
struct View {
    window: Window,
    mirror: bool,
}

impl Transform {
    pub(crate) fn new(config: &DataConfig, split: Split) -> Self {
        Self { size: config.size, crop: config.crop.clone(), flip: config.flip, training: split == Split::Train }
    }

    /// The size of all frames as (width, height), if the configuration decides it.
    pub(crate) fn fixed_size(&self) -> Option<(usize, usize)> {
        self.size.map(|size| (size, size))
    }

    /// What one clip needs to be read. `display` is the size that the frames are to be seen in (width, height).
    ///
    /// # Errors
    /// If the video has another size than `expected` (width, height).
    pub(crate) fn clip_read(
        &self,
        stored: (usize, usize),
        display: (usize, usize),
        indices: &[usize],
        request: &ClipRequest,
        expected: (usize, usize),
    ) -> Result<ClipRead, SkipReason> {
        self.check_size(stored, expected)?;
        let View { window, mirror } = self.view(request, stored, display);
        let out = FrameBuffer { data: Vec::new(), frames: 0, height: expected.1, width: expected.0 };
        Ok(ClipRead { indices: indices.to_vec(), window, mirror, out })
    }

    /// Without a configured size all frames must have the size of the first.
    fn check_size(&self, found: (usize, usize), expected: (usize, usize)) -> Result<(), SkipReason> {
        if self.size.is_some() || found == expected { Ok(()) } else { Err(SkipReason::OtherSize { found, expected }) }
    }

    /// Decodes the frames of clips of one video, cropped, resized and flipped.
    pub(crate) fn read(&self, video: &mut dyn FrameSource, clips: &mut [ClipRead]) -> Result<(), VideoError> {
        // Frames that stay as they are stored are FFmpeg's to convert, to the last bit.
        if self.size.is_none() && clips.iter().all(|clip| !clip.mirror) {
            for clip in clips {
                video.read(&clip.indices, &mut clip.out)?;
            }
            return Ok(());
        }
        video.read_clips(clips)
    }

    /// Crops, resizes and flips frames that are there already.
    ///
    /// # Errors
    /// If they have another size than `expected` (width, height).
    pub(crate) fn apply(
        &self,
        frames: FrameBuffer,
        request: &ClipRequest,
        expected: (usize, usize),
    ) -> Result<FrameBuffer, SkipReason> {
        let stored = (frames.width, frames.height);
        self.check_size(stored, expected)?;
        let view = self.view(request, stored, stored);
        if stored == expected && view == (View { window: Window::whole(stored.0, stored.1), mirror: false }) {
            return Ok(frames);
        }
        let mut out = FrameBuffer::new(frames.frames, expected.1, expected.0);
        resample(frames.data.chunks_exact(frames.frame_bytes()), stored, &view.window, view.mirror, &mut out);
        Ok(out)
    }

    /// One window and one choice hold for a whole clip. Random crops and flips are for training.
    fn view(&self, request: &ClipRequest, stored: (usize, usize), display: (usize, usize)) -> View {
        let stream = |purpose| seed::rng(request.seed, purpose, request.epoch, request.slot as u64);
        let augmented = self.training && request.draw == Draw::Random;
        // Windows are chosen with square pixels and given in stored pixels.
        let across = stored.0 as f64 / display.0 as f64;
        let down = stored.1 as f64 / display.1 as f64;
        let window = match (self.size, &self.crop) {
            (None, _) | (_, CropConfig::Stretch {}) => Window::whole(stored.0, stored.1),
            (Some(_), CropConfig::RandomResized { area, aspect, .. }) if augmented => {
                let (x, y, width, height) = random_box(&mut stream("crop"), display.0, display.1, *area, *aspect);
                Window {
                    x: x as f64 * across,
                    y: y as f64 * down,
                    width: width as f64 * across,
                    height: height as f64 * down,
                }
            }
            (Some(size), crop) => centre(size, crop.short_side().unwrap_or(size), stored, display),
        };
        View { window, mirror: self.flip && augmented && stream("flip").random_bool(0.5) }
    }
}

/// The middle `size` x `size` of a picture whose short side has been scaled to `short`, as a part of the stored picture. The long
/// side is rounded, and an odd pixel stays on the right and at the bottom.
fn centre(size: usize, short: usize, stored: (usize, usize), display: (usize, usize)) -> Window {
    let (width, height) = scaled(short, display);
    let (across, down) = (stored.0 as f64 / width as f64, stored.1 as f64 / height as f64);
    Window {
        x: ((width - size) / 2) as f64 * across,
        y: ((height - size) / 2) as f64 * down,
        width: size as f64 * across,
        height: size as f64 * down,
    }
}

/// A picture's size (width, height) once its short side has `short` pixels.
pub(crate) fn scaled(short: usize, (width, height): (usize, usize)) -> (usize, usize) {
    let long = |long: usize, side: usize| (((short * long) as f64 / side.max(1) as f64).round() as usize).max(short);
    if width <= height { (short, long(height, width)) } else { (long(width, height), short) }
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
        ClipRequest { seed: 0, epoch: 0, slot, video: 0, clip: 0, clips: 1, draw }
    }

    #[test]
    fn centre_crop_keeps_the_middle() {
        let transform = Transform::new(&DataConfig { size: Some(2), ..DataConfig::default() }, Split::Train);
        let frames = transform.apply(ramp(), &request(Draw::Random, 0), (2, 2)).unwrap();
        assert_eq!(frames.data.iter().step_by(3).copied().collect::<Vec<_>>(), [10, 20, 50, 60, 90, 100, 130, 140]);
    }

    #[test]
    fn the_short_side_is_scaled_before_the_middle_is_cut_out() {
        // 1280x720 to 455x256, of which columns 115 to 338 and rows 16 to 239.
        let window = centre(224, 256, (1280, 720), (1280, 720));
        let (across, down) = (1280.0 / 455.0, 720.0 / 256.0);
        assert_eq!(window, Window { x: 115.0 * across, y: 16.0 * down, width: 224.0 * across, height: 224.0 * down });
        // Stored pixels twice as wide as high.
        assert_eq!(scaled(48, (256, 96)), (128, 48));
        let wide = centre(48, 48, (128, 96), (256, 96));
        assert_eq!(wide, Window { x: 40.0, y: 0.0, width: 48.0, height: 96.0 });
        assert_eq!(scaled(50, (96, 128)), (50, 67));
    }

    #[test]
    fn only_training_clips_are_flipped_and_whole_clips_at_once() {
        let config = DataConfig { flip: true, ..DataConfig::default() };
        let training = Transform::new(&config, Split::Train);
        let validation = Transform::new(&config, Split::Validation);
        let applied =
            |transform: &Transform, draw, slot| transform.apply(ramp(), &request(draw, slot), (4, 2)).unwrap().data;
        let mirrored: Vec<u8> = {
            let frames = ramp();
            frames.data.chunks_exact(12).flat_map(|line| line.chunks_exact(3).rev().flatten()).copied().collect()
        };
        let mut flipped = 0;
        for slot in 0..200 {
            let data = applied(&training, Draw::Random, slot);
            assert!(data == ramp().data || data == mirrored);
            flipped += usize::from(data == mirrored);
            assert_eq!(applied(&training, Draw::Uniform, slot), ramp().data);
            assert_eq!(applied(&validation, Draw::Random, slot), ramp().data);
        }
        assert!((70..130).contains(&flipped), "{flipped}");
    }

    #[test]
    fn random_crops_are_for_training() {
        let crop = CropConfig::RandomResized { area: [0.3, 0.5], aspect: [0.75, 1.35], short_side: Some(12) };
        let transform = Transform::new(&DataConfig { size: Some(8), crop, ..DataConfig::default() }, Split::Train);
        let view = |draw, slot| transform.view(&request(draw, slot), (320, 240), (640, 240)).window;
        assert_eq!(view(Draw::Uniform, 0), centre(8, 12, (320, 240), (640, 240)));
        let windows: Vec<_> = (0..50).map(|slot| view(Draw::Random, slot)).collect();
        assert!(windows.iter().all(|window| window.fits(320, 240)));
        assert!(windows.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
