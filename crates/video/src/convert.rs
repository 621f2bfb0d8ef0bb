//! Decoded pictures to upright RGB.

use ffmpeg_next::ffi::{AVColorSpace, SWS_BICUBIC};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::{Error, color, frame};
use prevision_core::frames::{Orientation, Window};
use prevision_core::resample::Resampler;

use crate::ffi::{self, Picture, Scaler};
use crate::planes::{colour, planes};

/// Sides beyond this are refused.
pub(crate) const MAX_SIDE: usize = 16384;

/// Turns decoded frames into upright RGB: whole at the stored size, or a window at any size.
pub(crate) struct Converter {
    target: Picture,
    orientation: Orientation,
    scaler: Option<Scaler>,
    /// A whole stored picture; made when it is first needed.
    rgb: Option<frame::Video>,
    resampler: Resampler,
    /// A window as it is stored, before it is turned upright.
    turned: Vec<u8>,
}

impl Converter {
    /// `size` is the width and height of the upright picture. Frames of another size are brought to it.
    pub(crate) fn new(size: (usize, usize), orientation: Orientation) -> Self {
        let (width, height) = orientation.apply_to_size(size);
        Self {
            target: Picture {
                size: (width as u32, height as u32),
                format: Pixel::RGB24,
                full_range: true,
                matrix: AVColorSpace::AVCOL_SPC_RGB as i32,
            },
            orientation,
            scaler: None,
            rgb: None,
            resampler: Resampler::default(),
            turned: Vec::new(),
        }
    }

    /// Converts a whole frame into `target`, `[height, width, 3]`.
    pub(crate) fn whole(&mut self, source: &frame::Video, target: &mut [u8]) -> Result<(), Error> {
        self.convert(source)?;
        if let Some(rgb) = &self.rgb {
            self.orientation.copy(rgb.data(0), rgb.stride(0), self.stored_size(), target);
        }
        Ok(())
    }

    /// Converts a window (of the upright picture) into `target`, `[size.1, size.0, 3]`, and mirrors it if asked to.
    pub(crate) fn window(
        &mut self,
        source: &frame::Video,
        window: &Window,
        size: (usize, usize),
        mirror: bool,
        target: &mut [u8],
    ) -> Result<(), Error> {
        let stored = self.stored_size();
        let window = self.orientation.to_stored(window, self.orientation.apply_to_size(stored));
        let orientation = self.orientation.mirror(mirror);
        let turned_size = orientation.apply_to_size(size);
        self.turned.resize(target.len(), 0);
        let upright = orientation == Orientation::UPRIGHT;
        let out: &mut [u8] = if upright { &mut *target } else { &mut self.turned };
        // A stream may change its size on the way.
        let (across, down) =
            (f64::from(source.width()) / stored.0 as f64, f64::from(source.height()) / stored.1 as f64);
        if let Some(planes) = planes(source) {
            let picture = (source.width() as usize, source.height() as usize);
            let colour = colour(source, &planes.layout);
            self.resampler.run(&planes, colour, picture, &window.scale(across, down), turned_size, out);
        } else {
            self.convert(source)?;
            if let Some(rgb) = &self.rgb {
                let out: &mut [u8] = if upright { &mut *target } else { &mut self.turned };
                self.resampler.run_rgb(rgb.data(0), rgb.stride(0), stored, &window, turned_size, out);
            }
        }
        if !upright {
            orientation.copy(&self.turned, turned_size.0 * 3, turned_size, target);
        }
        Ok(())
    }

    fn stored_size(&self) -> (usize, usize) {
        (self.target.size.0 as usize, self.target.size.1 as usize)
    }

    /// The whole stored picture as packed RGB.
    fn convert(&mut self, source: &frame::Video) -> Result<(), Error> {
        let from = describe(source);
        let scaler = match &mut self.scaler {
            Some(scaler) if scaler.fits(&from, &self.target) => scaler,
            // Bicubic, and nothing else: what FFmpeg's command line takes.
            slot => slot.insert(Scaler::new(from, self.target, SWS_BICUBIC)?),
        };
        let (width, height) = self.target.size;
        let rgb = self.rgb.get_or_insert_with(|| frame::Video::new(Pixel::RGB24, width, height));
        scaler.run(source, rgb)
    }
}

/// What kind of picture a frame is. Frames that do not say their matrix are BT.601, those that do not say their range are
/// limited (as FFmpeg's command line has it); the old `yuvj` formats are full range by definition. Pictures that are RGB already have the
/// target's matrix: where they have more than 8 bits swscale takes them to luma and chroma and back.
fn describe(frame: &frame::Video) -> Picture {
    let format = frame.format();
    let full_range = frame.color_range() == color::Range::JPEG
        || matches!(format, Pixel::YUVJ411P | Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ440P | Pixel::YUVJ444P);
    let space = if ffi::is_rgb(format) { AVColorSpace::AVCOL_SPC_RGB } else { AVColorSpace::from(frame.color_space()) };
    Picture { size: (frame.width(), frame.height()), format, full_range, matrix: space as i32 }
}
