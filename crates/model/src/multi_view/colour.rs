//! Random colours of a view.

use rand::Rng;

/// How much of each colour grey is (ITU-R BT.601, as in torchvision).
const GREY: [f64; 3] = [0.299, 0.587, 0.114];

/// From red, green and blue to luminance and two differences of colour (YIQ), and back.
const TO_YIQ: [[f64; 3]; 3] = [GREY, [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]];
const FROM_YIQ: [[f64; 3]; 3] = [[1.0, 0.956, 0.619], [1.0, -0.272, -0.647], [1.0, -1.106, 1.703]];

/// One choice of brightness, contrast, saturation and hue for all frames of a view: torchvision's `ColorJitter`, one after the other in this
/// order, with a rotation in YIQ for the hue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Colours {
    brightness: f64,
    contrast: f64,
    saturation: f64,
    /// Share of a full turn.
    hue: f64,
    grey: bool,
}

impl Colours {
    /// `jitter` is the probability of other colours, `grey` that of none.
    pub(super) fn draw(rng: &mut impl Rng, jitter: f64, grey: f64) -> Self {
        let jittered = rng.random_bool(jitter);
        let mut around = |centre: f64, most: f64| {
            let value = rng.random_range(centre - most..=centre + most);
            if jittered { value } else { centre }
        };
        // `ColorJitter(brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1)`.
        let (brightness, contrast, saturation, hue) =
            (around(1.0, 0.4), around(1.0, 0.4), around(1.0, 0.2), around(0.0, 0.1));
        Self { brightness, contrast, saturation, hue, grey: rng.random_bool(grey) }
    }

    /// Changes the pixels of a view, `[pixels, 3]`.
    pub(super) fn apply(self, rgb: &mut [u8]) {
        let plain = Self { brightness: 1.0, contrast: 1.0, saturation: 1.0, hue: 0.0, grey: false };
        if self == plain || rgb.is_empty() {
            return;
        }
        // Contrast draws all pixels to the mean grey, which the later steps leave as it is.
        let grey: f64 =
            rgb.chunks_exact(3).map(|pixel| (0..3).map(|c| GREY[c] * f64::from(pixel[c])).sum::<f64>()).sum();
        let mean = self.brightness * grey / (rgb.len() / 3) as f64;
        let (matrix, offset) = (self.matrix(), ((1.0 - self.contrast) * mean) as f32);
        for pixel in rgb.chunks_exact_mut(3) {
            let old = [f32::from(pixel[0]), f32::from(pixel[1]), f32::from(pixel[2])];
            for (new, [r, g, b]) in pixel.iter_mut().zip(matrix) {
                *new = (r * old[0] + g * old[1] + b * old[2] + offset).round().clamp(0.0, 255.0) as u8;
            }
        }
    }

    /// From old colours to new ones, less what contrast adds.
    fn matrix(self) -> [[f32; 3]; 3] {
        let (sine, cosine) = (self.hue * std::f64::consts::TAU).sin_cos();
        let turn = [[1.0, 0.0, 0.0], [0.0, cosine, -sine], [0.0, sine, cosine]];
        let towards_grey = |rest: f64| -> [[f64; 3]; 3] {
            std::array::from_fn(|to| {
                std::array::from_fn(|from| (1.0 - rest) * GREY[from] + if to == from { rest } else { 0.0 })
            })
        };
        let hue = if self.hue == 0.0 { towards_grey(1.0) } else { product(FROM_YIQ, product(turn, TO_YIQ)) };
        let matrix = product(hue, towards_grey(self.saturation));
        let matrix = if self.grey { product(towards_grey(0.0), matrix) } else { matrix };
        matrix.map(|row| row.map(|value| (value * self.brightness * self.contrast) as f32))
    }
}

fn product(a: [[f64; 3]; 3], b: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    std::array::from_fn(|row| std::array::from_fn(|column| (0..3).map(|k| a[row][k] * b[k][column]).sum()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use prevision_core::seed;

    const PLAIN: Colours = Colours { brightness: 1.0, contrast: 1.0, saturation: 1.0, hue: 0.0, grey: false };

    fn applied(colours: Colours, pixels: &[u8]) -> Vec<u8> {
        let mut pixels = pixels.to_vec();
        colours.apply(&mut pixels);
        pixels
    }

    #[test]
    fn each_change_by_hand() {
        let pixels = [100, 50, 200, 0, 0, 0];
        assert_eq!(applied(PLAIN, &pixels), pixels);
        assert_eq!(applied(Colours { brightness: 1.5, ..PLAIN }, &pixels), [150, 75, 255, 0, 0, 0]);
        // Grey of the first pixel: 29.9 + 29.35 + 22.8 = 82.05, of both in the mean 41.025.
        assert_eq!(applied(Colours { grey: true, ..PLAIN }, &pixels), [82, 82, 82, 0, 0, 0]);
        assert_eq!(applied(Colours { contrast: 0.5, ..PLAIN }, &pixels), [71, 46, 121, 21, 21, 21]);
        assert_eq!(applied(Colours { saturation: 0.5, ..PLAIN }, &pixels), [91, 66, 141, 0, 0, 0]);
    }

    #[test]
    fn a_turned_hue_keeps_grey_and_luminance() {
        let turned = Colours { hue: 1.0 / 3.0, ..PLAIN };
        assert_eq!(applied(turned, &[90, 90, 90]), [90, 90, 90]);
        let new = applied(turned, &[120, 100, 90]);
        let luminance = |pixel: &[u8]| (0..3).map(|c| GREY[c] * f64::from(pixel[c])).sum::<f64>();
        assert!((luminance(&new) - luminance(&[120, 100, 90])).abs() < 1.5, "{new:?}");
        assert_ne!(new, [120, 100, 90]);
    }

    #[test]
    fn probabilities_are_kept() {
        let drawn = |jitter, grey| Colours::draw(&mut seed::rng(1, "views", 2, 3), jitter, grey);
        assert_eq!(drawn(0.0, 0.0), PLAIN);
        assert!(drawn(0.0, 1.0).grey);
        let colours = drawn(1.0, 0.0);
        assert!((0.6..=1.4).contains(&colours.brightness) && colours.brightness != 1.0, "{colours:?}");
    }
}
