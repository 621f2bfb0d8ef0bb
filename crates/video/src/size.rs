//! The size frames are delivered in.

/// The size of the frames a [`crate::Video`] delivers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputSize {
    /// The stored pixels, upright.
    #[default]
    Native,
    /// Exactly this size, whatever the aspect.
    Exact {
        /// Columns, pixels.
        width: usize,
        /// Rows, pixels.
        height: usize,
    },
    /// The shorter side has this many pixels; the longer follows the display aspect (pixel aspect applied).
    ShortSide(usize),
}

impl OutputSize {
    /// Width and height for a picture of `stored` pixels that is shown with aspect `display` (both upright).
    pub(crate) fn resolve(self, stored: (usize, usize), display: (usize, usize)) -> (usize, usize) {
        match self {
            Self::Native => stored,
            Self::Exact { width, height } => (width, height),
            Self::ShortSide(short) => {
                let (width, height) = display;
                let long = |long: usize, side: usize| ((short * long) as f64 / side.max(1) as f64).round() as usize;
                if width <= height {
                    (short, long(height, width).max(short))
                } else {
                    (long(width, height).max(short), short)
                }
            }
        }
    }
}

/// Size on a screen with square pixels: the width follows the pixel aspect (`(0, _)` and `(_, 0)` mean unknown).
pub(crate) fn display_size(stored: (usize, usize), pixel_aspect: (i32, i32)) -> (usize, usize) {
    let (numerator, denominator) = pixel_aspect;
    if numerator <= 0 || denominator <= 0 {
        return stored;
    }
    let width = stored.0 as f64 * f64::from(numerator) / f64::from(denominator);
    ((width.round() as usize).max(1), stored.1)
}

#[cfg(test)]
mod tests {
    use super::{OutputSize, display_size};

    #[test]
    fn short_side_follows_the_display_aspect() {
        let display = display_size((128, 96), (2, 1));
        assert_eq!(display, (256, 96));
        assert_eq!(OutputSize::ShortSide(48).resolve((128, 96), display), (128, 48));
        assert_eq!(OutputSize::ShortSide(50).resolve((96, 128), (96, 128)), (50, 67));
        assert_eq!(OutputSize::Native.resolve((128, 96), display), (128, 96));
        assert_eq!(display_size((33, 47), (0, 1)), (33, 47));
    }
}
