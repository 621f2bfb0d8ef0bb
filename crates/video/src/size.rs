//! The shape of a pixel.

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
    use super::display_size;

    #[test]
    fn the_width_follows_the_pixel_aspect() {
        assert_eq!(display_size((128, 96), (2, 1)), (256, 96));
        assert_eq!(display_size((720, 576), (16, 15)), (768, 576));
        assert_eq!(display_size((33, 47), (0, 1)), (33, 47));
    }
}
