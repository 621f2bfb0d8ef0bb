//! The planes of decoded pictures, as the resampler reads them.

use ffmpeg_next::format::Pixel;
use ffmpeg_next::{color, frame};
use prevision_core::resample::{Colour, Layout, Planes, Samples};

use crate::ffi;

/// The formats that are read directly.
fn layout(format: Pixel) -> Option<Layout> {
    let yuv = |across, down, bits| Some(Layout { across, down, bits, rgb: false });
    match format {
        Pixel::YUV420P | Pixel::YUVJ420P | Pixel::YUVA420P => yuv(2, 2, 8),
        Pixel::YUV422P | Pixel::YUVJ422P => yuv(2, 1, 8),
        Pixel::YUV440P | Pixel::YUVJ440P => yuv(1, 2, 8),
        Pixel::YUV444P | Pixel::YUVJ444P => yuv(1, 1, 8),
        Pixel::YUV420P10LE => yuv(2, 2, 10),
        Pixel::YUV422P10LE => yuv(2, 1, 10),
        Pixel::YUV444P10LE => yuv(1, 1, 10),
        Pixel::YUV420P12LE => yuv(2, 2, 12),
        Pixel::YUV422P12LE => yuv(2, 1, 12),
        Pixel::YUV444P12LE => yuv(1, 1, 12),
        Pixel::GBRP => Some(Layout { across: 1, down: 1, bits: 8, rgb: true }),
        _ => None,
    }
}

/// The planes of a decoded picture. `None` for formats that are not known here, and for pictures that are stored upside down.
pub(crate) fn planes(frame: &frame::Video) -> Option<Planes<'_>> {
    let layout = layout(frame.format())?;
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    // The planes of planar RGB are green, blue, red.
    let order = if layout.rgb { [2, 0, 1] } else { [0, 1, 2] };
    let mut samples = [None, None, None];
    for (slot, plane) in samples.iter_mut().zip(order) {
        let (across, down) = if plane == 0 { (1, 1) } else { (layout.across, layout.down) };
        let (columns, rows) = (width.div_ceil(across), height.div_ceil(down));
        let row_bytes = columns * if layout.bits > 8 { 2 } else { 1 };
        let (data, stride) = ffi::plane(frame, plane, row_bytes, rows)?;
        *slot = Some(if layout.bits > 8 {
            Samples::Words { data, stride, unit: 1.0 / f32::from(1_u16 << (layout.bits - 8)) }
        } else {
            Samples::Bytes { data, stride }
        });
    }
    Some(Planes { layout, samples })
}

/// What the planes of a picture mean. Frames that do not say their matrix are BT.601, those that do not say their range are limited
/// (as FFmpeg's command line has it); the old `yuvj` formats are full range by definition.
pub(crate) fn colour(frame: &frame::Video, layout: &Layout) -> Colour {
    if layout.rgb {
        return Colour::Rgb;
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
    Colour::yuv(red, blue, full)
}
