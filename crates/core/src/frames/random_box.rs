//! Random boxes of pictures.

use rand::Rng;

/// A random part of a picture as (x, y, width, height): its share of the area uniform in `area`, its width over height
/// log-uniform in `aspect`; after ten boxes that did not fit, the largest one in the middle with an allowed aspect. This is the
/// random resized crop of V-JEPA and torchvision (Szegedy et al. 2014, <https://arxiv.org/abs/1409.4842>).
pub fn random_box(
    rng: &mut impl Rng,
    width: usize,
    height: usize,
    area: [f64; 2],
    aspect: [f64; 2],
) -> (usize, usize, usize, usize) {
    for _ in 0..10 {
        let pixels = rng.random_range(area[0]..=area[1]) * (width * height) as f64;
        let ratio = rng.random_range(aspect[0].ln()..=aspect[1].ln()).exp();
        let (w, h) = ((pixels * ratio).sqrt().round() as usize, (pixels / ratio).sqrt().round() as usize);
        if (1..=width).contains(&w) && (1..=height).contains(&h) {
            return (rng.random_range(0..=width - w), rng.random_range(0..=height - h), w, h);
        }
    }
    let ratio = (width as f64 / height as f64).clamp(aspect[0], aspect[1]);
    let w = width.min((height as f64 * ratio).round() as usize).max(1);
    let h = height.min((width as f64 / ratio).round() as usize).max(1);
    ((width - w) / 2, (height - h) / 2, w, h)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed;

    #[test]
    fn random_boxes_lie_inside() {
        for index in 0..2000 {
            let mut rng = seed::rng(0, "crop", 0, index);
            let (width, height) = (rng.random_range(1..400), rng.random_range(1..400));
            let (x, y, w, h) = random_box(&mut rng, width, height, [0.3, 1.0], [0.75, 1.35]);
            assert!(w >= 1 && h >= 1 && x + w <= width && y + h <= height, "{x} {y} {w} {h} of {width} {height}");
        }
    }

    #[test]
    fn random_boxes_keep_their_ranges() {
        for index in 0..300 {
            let (_, _, w, h) = random_box(&mut seed::rng(0, "crop", 0, index), 320, 240, [0.3, 1.0], [0.75, 1.35]);
            let (share, ratio) = ((w * h) as f64 / (320.0 * 240.0), w as f64 / h as f64);
            assert!((0.295..=1.0).contains(&share), "{share}");
            assert!((0.74..=1.36).contains(&ratio), "{ratio}");
        }
    }
}
