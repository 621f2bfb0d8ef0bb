//! From the three planes to red, green and blue.

/// What the planes of a picture mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Colour {
    /// Red, green, blue.
    Rgb,
    /// Luma and two colour differences, on a scale of 0 to 255: RGB is
    /// `gain * (luma - black) + [red_v * v, green_u * u + green_v * v, blue_u * u]`, with u and v around 0.
    Yuv {
        /// Luma of black.
        black: f32,
        /// Units of RGB for one of luma.
        gain: f32,
        /// Units of red for one of v.
        red_v: f32,
        /// Units of green for one of u.
        green_u: f32,
        /// Units of green for one of v.
        green_v: f32,
        /// Units of blue for one of u.
        blue_u: f32,
    },
}

impl Colour {
    /// Luma and colour differences by the shares of red and blue in luma (ITU-T H.273, table 4), in full or limited range.
    pub fn yuv(red: f32, blue: f32, full_range: bool) -> Self {
        let (black, gain, chroma) = if full_range { (0.0, 1.0, 1.0) } else { (16.0, 255.0 / 219.0, 255.0 / 224.0) };
        let green = 1.0 - red - blue;
        let (red_v, blue_u): (f32, f32) = (2.0 * (1.0 - red) * chroma, 2.0 * (1.0 - blue) * chroma);
        Self::Yuv { black, gain, red_v, green_u: -blue_u * blue / green, green_v: -red_v * red / green, blue_u }
    }
}
