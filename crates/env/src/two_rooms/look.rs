//! The factors of variation of this world, and their values in an episode.

use super::draw::DOT_DEVIATION;
use crate::factors::{Factor, FactorKind, FactorValues, Factors};

const WALL_COLOUR: [u8; 3] = [0, 255, 255];
const DOT_COLOUR: [u8; 3] = [255, 0, 0];

/// What can differ between episodes, beside the floor plan.
pub(super) fn factors() -> Factors {
    let deviation = DOT_DEVIATION as f32;
    Factors::new(vec![
        Factor::number("dot.deviation", FactorKind::Appearance, deviation, [0.8, 2.6]).training([1.0, 1.8]),
        Factor::number("dot.speed", FactorKind::Physics, 1.0, [0.5, 1.5]).training([0.75, 1.25]),
        Factor::colour("dot.color", DOT_COLOUR),
        Factor::colour("wall.color", WALL_COLOUR),
    ])
}

/// How an observation is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Standard deviation of the dot in pixels.
    pub deviation: f64,
    /// What the middle of the dot adds to the three channels, each in [0, 255].
    pub dot: [f64; 3],
    /// Colour of borders and wall, RGB.
    pub wall: [u8; 3],
}

impl Default for Look {
    /// Upstream's.
    fn default() -> Self {
        Self { deviation: DOT_DEVIATION, dot: DOT_COLOUR.map(f64::from), wall: WALL_COLOUR }
    }
}

impl Look {
    pub(super) fn new(values: &FactorValues) -> Self {
        let deviation = values.number("dot.deviation");
        Self {
            // The constant itself is no number of 32 bits.
            deviation: if deviation == DOT_DEVIATION as f32 { DOT_DEVIATION } else { f64::from(deviation) },
            dot: values.colour("dot.color").map(f64::from),
            wall: values.colour("wall.color").map(|value| value as u8),
        }
    }
}
