//! Decoded pictures to upright RGB.

use ffmpeg_next::ffi::{AVColorSpace, SWS_BICUBIC};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::{Error, color, frame};

use crate::ffi::{Picture, Scaler};
use crate::orientation::Orientation;

/// Sides beyond this are refused.
pub(crate) const MAX_SIDE: usize = 16384;

/// Scales decoded frames of any size and format to one size of RGB, and turns them upright.
pub(crate) struct Converter {
    target: Picture,
    orientation: Orientation,
    scaler: Option<Scaler>,
    rgb: frame::Video,
}

impl Converter {
    /// `size` is the width and height of the upright result.
    pub(crate) fn new(size: (usize, usize), orientation: Orientation) -> Self {
        let (width, height) = orientation.apply_to_size(size);
        let size = (width as u32, height as u32);
        Self {
            target: Picture {
                size,
                format: Pixel::RGB24,
                full_range: true,
                matrix: AVColorSpace::AVCOL_SPC_RGB as i32,
            },
            orientation,
            scaler: None,
            rgb: frame::Video::new(Pixel::RGB24, size.0, size.1),
        }
    }

    /// Converts one frame into `target`, `[height, width, 3]`.
    pub(crate) fn convert(&mut self, source: &frame::Video, target: &mut [u8]) -> Result<(), Error> {
        let from = describe(source);
        let scaler = match &mut self.scaler {
            Some(scaler) if scaler.fits(&from, &self.target) => scaler,
            // Bicubic, and nothing else: what FFmpeg's command line takes.
            slot => slot.insert(Scaler::new(from, self.target, SWS_BICUBIC)?),
        };
        scaler.run(source, &mut self.rgb)?;
        let (width, height) = self.target.size;
        self.orientation.copy(self.rgb.data(0), self.rgb.stride(0), (width as usize, height as usize), target);
        Ok(())
    }
}

/// What kind of picture a frame is. Frames that do not say their matrix are BT.601, those that do not say their range are
/// limited (as FFmpeg's command line has it); the old `yuvj` formats are full range by definition.
fn describe(frame: &frame::Video) -> Picture {
    let format = frame.format();
    let full_range = frame.color_range() == color::Range::JPEG
        || matches!(format, Pixel::YUVJ411P | Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ440P | Pixel::YUVJ444P);
    Picture {
        size: (frame.width(), frame.height()),
        format,
        full_range,
        matrix: AVColorSpace::from(frame.color_space()) as i32,
    }
}
