//! How much patches resemble one of them, as a heat map.

use std::io;
use std::str::FromStr;

use super::colours::{Range, heat};
use super::spool::Spool;

/// Row and column of a pixel, from the upper left corner, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Pixel(pub(super) [usize; 2]);

impl FromStr for Pixel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Option<Vec<usize>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[row, column]) => Ok(Self([row, column])),
            _ => Err(format!("`{text}`: expected the row and the column of a pixel, such as 120,200")),
        }
    }
}

/// What makes a colour of a patch.
pub(super) struct Similarity {
    /// The patch that the others are compared with.
    asked: Vec<f32>,
    range: Range,
}

impl Similarity {
    /// Of a patch of the first window. Colours reach from a cosine that a hundredth of all patches are below to 1.
    pub(super) fn to(spool: &mut Spool, token: usize) -> io::Result<Self> {
        let width = spool.width();
        let asked = spool.window(0)?[token * width..][..width].to_vec();
        let mut cosines: Vec<f64> = spool.sample()?.chunks_exact(width).map(|patch| cosine(&asked, patch)).collect();
        let low = Range::of(&mut cosines).low;
        Ok(Self { asked, range: Range { low, high: 1.0 } })
    }

    /// The colour of a patch.
    pub(super) fn colour(&self, patch: &[f32]) -> [u8; 3] {
        heat(self.range.share(cosine(&self.asked, patch)))
    }

    /// The cosine that is dark.
    pub(super) fn lowest(&self) -> f64 {
        self.range.low
    }
}

/// 0 if one of them has no direction.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let length = (dot(a, a) * dot(b, b)).sqrt();
    if length > 0.0 { dot(a, b) / length } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_bright() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut spool = Spool::create(&folder.path().join("a.mp4"), 3, 2).expect("a file");
        spool.keep(&[3.0, 4.0, 0.0, 0.0, -4.0, 3.0, 6.0, 8.0, -3.0, -4.0, 4.0, 3.0], 1, 0).expect("features");
        let similarity = Similarity::to(&mut spool, 0).expect("a patch");
        assert!((similarity.lowest() + 1.0).abs() < 1e-12);
        let colour = |patch: [f32; 2]| similarity.colour(&patch);
        assert_eq!([colour([6.0, 8.0]), colour([-3.0, -4.0])], [[252, 255, 164], [0, 0, 4]]);
        assert_eq!([colour([0.0, 0.0]), colour([-4.0, 3.0])], [[188, 55, 84]; 2]);
    }

    #[test]
    fn pixels_are_two_numbers() {
        assert_eq!("12, 7".parse(), Ok(Pixel([12, 7])));
        for text in ["", "3", "1,2,3", "-1,2", "a,b"] {
            assert!(text.parse::<Pixel>().expect_err(text).contains("the row and the column"), "{text}");
        }
    }
}
