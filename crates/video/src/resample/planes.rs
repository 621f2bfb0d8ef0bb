//! The planes of decoded pictures.

use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame;

use crate::ffi;

/// How the planes of a format lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Picture columns for each chroma sample.
    pub(super) across: usize,
    /// Picture rows for each chroma sample.
    pub(super) down: usize,
    /// Bits of a sample; with more than 8 a sample takes two bytes.
    bits: u32,
    /// The planes are red, green and blue.
    pub(super) rgb: bool,
}

impl Layout {
    /// The formats that are read directly.
    fn of_format(format: Pixel) -> Option<Self> {
        let yuv = |across, down, bits| Some(Self { across, down, bits, rgb: false });
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
            Pixel::GBRP => Some(Self { across: 1, down: 1, bits: 8, rgb: true }),
            _ => None,
        }
    }
}

/// The samples of one plane.
pub(super) enum Samples<'a> {
    /// 8 bits each.
    Bytes {
        /// Row after row.
        data: &'a [u8],
        /// Bytes from one row to the next.
        stride: usize,
    },
    /// 16 bits each, little endian.
    Words {
        /// Row after row.
        data: &'a [u8],
        /// Bytes from one row to the next.
        stride: usize,
        /// Brings a sample to the scale of 0 to 255.
        unit: f32,
    },
}

/// The planes of a picture: luma and both chroma, or red, green and blue.
pub(super) struct Planes<'a> {
    pub(super) layout: Layout,
    pub(super) samples: [Option<Samples<'a>>; 3],
}

impl<'a> Planes<'a> {
    /// `None` for formats that are not known here, and for pictures that are stored upside down.
    pub(super) fn of_frame(frame: &'a frame::Video) -> Option<Self> {
        let layout = Layout::of_format(frame.format())?;
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
        Some(Self { layout, samples })
    }

    /// What [`separate`] gave.
    pub(super) fn of_rgb(separate: &'a [u8], (width, height): (usize, usize)) -> Self {
        let plane = |index: usize| {
            Some(Samples::Bytes { data: &separate[index * width * height..][..width * height], stride: width })
        };
        Self { layout: Layout { across: 1, down: 1, bits: 8, rgb: true }, samples: [plane(0), plane(1), plane(2)] }
    }
}

/// Packed RGB to three planes, one after the other.
pub(super) fn separate(source: &[u8], stride: usize, (width, height): (usize, usize)) -> Vec<u8> {
    let mut planes = vec![0; width * height * 3];
    let (red, rest) = planes.split_at_mut(width * height);
    let (green, blue) = rest.split_at_mut(width * height);
    for (y, row) in source.chunks(stride).take(height).enumerate() {
        for (x, pixel) in row[..width * 3].as_chunks::<3>().0.iter().enumerate() {
            let place = y * width + x;
            (red[place], green[place], blue[place]) = (pixel[0], pixel[1], pixel[2]);
        }
    }
    planes
}
