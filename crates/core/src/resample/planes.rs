//! The planes of decoded pictures.

/// How the planes of a format lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Picture columns for each chroma sample.
    pub across: usize,
    /// Picture rows for each chroma sample.
    pub down: usize,
    /// Bits of a sample; with more than 8 a sample takes two bytes.
    pub bits: u32,
    /// The planes are red, green and blue.
    pub rgb: bool,
}

/// The samples of one plane.
pub enum Samples<'a> {
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
pub struct Planes<'a> {
    /// How they lie.
    pub layout: Layout,
    /// The planes; `None` where a format has fewer.
    pub samples: [Option<Samples<'a>>; 3],
}

impl<'a> Planes<'a> {
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
