//! From the three planes to red, green and blue.

use ffmpeg_next::format::Pixel;
use ffmpeg_next::{color, frame};

use super::planes::Layout;

/// What the planes of a picture mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Colour {
    /// Red, green, blue.
    Rgb,
    /// Luma and two colour differences, on a scale of 0 to 255: RGB is
    /// `gain * (luma - black) + [red_v * v, green_u * u + green_v * v, blue_u * u]`, with u and v around 0.
    Yuv { black: f32, gain: f32, red_v: f32, green_u: f32, green_v: f32, blue_u: f32 },
}

impl Colour {
    /// Frames that do not say their matrix are BT.601, those that do not say their range are limited (as FFmpeg's command line
    /// has it); the old `yuvj` formats are full range by definition.
    pub(super) fn of_frame(frame: &frame::Video, layout: &Layout) -> Self {
        if layout.rgb {
            return Self::Rgb;
        }
        let full = frame.color_range() == color::Range::JPEG
            || matches!(frame.format(), Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ440P | Pixel::YUVJ444P);
        // The shares of red and blue in luma (ITU-T H.273, table 4).
        let (red, blue) = match frame.color_space() {
            color::Space::BT709 => (0.2126, 0.0722),
            color::Space::FCC => (0.30, 0.11),
            color::Space::SMPTE240M => (0.212, 0.087),
            color::Space::BT2020NCL | color::Space::BT2020CL => (0.2627, 0.0593),
            _ => (0.299, 0.114),
        };
        let (black, gain, chroma) = if full { (0.0, 1.0, 1.0) } else { (16.0, 255.0 / 219.0, 255.0 / 224.0) };
        let green = 1.0 - red - blue;
        let (red_v, blue_u): (f32, f32) = (2.0 * (1.0 - red) * chroma, 2.0 * (1.0 - blue) * chroma);
        Self::Yuv { black, gain, red_v, green_u: -blue_u * blue / green, green_v: -red_v * red / green, blue_u }
    }
}
