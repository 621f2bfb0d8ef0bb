//! What happens when a move meets a wall.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::floor::Floor;
use super::wall::Point;

/// How far from a wall a move ends that slides along it.
const GAP: f64 = 1e-3;

/// What happens when a move meets a wall. Moves are swept: the whole straight way counts, not only its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Collision {
    /// The move does not take place.
    #[default]
    Stop,
    /// The agent goes on along the wall with what of the move is left along it.
    Slide,
}

/// Where a move ends that slides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slid {
    /// The end.
    pub point: Point,
    /// Whether a wall was touched across each axis.
    pub touched: [bool; 2],
}

impl Collision {
    /// Its name, as results say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Slide => "slide",
        }
    }

    /// Where a move from a free point ends: on a free point again, from which the straight way back is free. A move that is not finite
    /// goes nowhere.
    pub fn advance(self, floor: &Floor, from: Point, by: Point) -> Point {
        match self {
            Self::Stop => {
                let to = [from[0] + by[0], from[1] + by[1]];
                if floor.is_blocked(from, to) { from } else { to }
            }
            Self::Slide => slide(floor, from, by).point,
        }
    }
}

/// Moves along `by` as far as walls let, along them where they do not. The straight way from start to end is free, too.
pub fn slide(floor: &Floor, from: Point, by: Point) -> Slid {
    let mut end = Slid { point: from, touched: [false; 2] };
    let mut rest = by.map(f64::from);
    if !rest.iter().all(|value| value.is_finite()) {
        return end;
    }
    // A move can touch one wall across each axis, and then ends in a corner.
    for _ in 0..3 {
        let at = end.point.map(f64::from);
        let touch = floor.first_touch(at, rest);
        let share = touch.map_or(1.0, |touch| touch.fraction);
        let mut next = [0, 1].map(|axis| at[axis] + share * rest[axis]);
        if let Some(touch) = touch {
            end.touched[touch.axis] = true;
            // Never back behind where the agent is, should it be nearer to the wall than the gap already.
            let near = touch.surface + touch.normal * GAP;
            let behind = (near - at[touch.axis]) * touch.normal > 0.0;
            next[touch.axis] = if behind { at[touch.axis] } else { near };
        }
        let next = next.map(|value| value as f32);
        if floor.is_blocked(end.point, next) || floor.is_blocked(from, next) {
            return end;
        }
        end.point = next;
        let Some(touch) = touch else { return end };
        rest = rest.map(|value| value * (1.0 - share));
        rest[touch.axis] = 0.0;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maze::wall::Wall;

    /// A box of 8 by 8 with walls of 1, and one from (3, 0) down to (4, 5).
    fn floor() -> Floor {
        let wall = |low, high| Wall { low, high };
        let walls = vec![
            wall([0.0, 0.0], [8.0, 1.0]),
            wall([0.0, 7.0], [8.0, 8.0]),
            wall([0.0, 0.0], [1.0, 8.0]),
            wall([7.0, 0.0], [8.0, 8.0]),
            wall([3.0, 0.0], [4.0, 5.0]),
        ];
        Floor::new([8.0, 8.0], 2.0, walls)
    }

    #[test]
    fn a_stopped_move_does_not_take_place() {
        let stop = |from, by| Collision::Stop.advance(&floor(), from, by);
        assert_eq!(stop([2.0, 2.0], [0.5, 0.25]), [2.5, 2.25]);
        assert_eq!(stop([2.5, 2.0], [0.5, 0.0]), [2.5, 2.0]);
        assert_eq!(stop([2.5, 2.0], [3.0, 0.0]), [2.5, 2.0]);
        assert_eq!(stop([2.5, 5.5], [3.0, 0.5]), [5.5, 6.0]);
        assert_eq!(stop([2.5, 2.0], [f32::INFINITY, 0.0]), [2.5, 2.0]);
        assert_eq!(stop([2.5, 2.0], [0.0, f32::NAN]), [2.5, 2.0]);
    }

    #[test]
    fn a_sliding_move_goes_on_along_the_wall() {
        let slid = slide(&floor(), [2.5, 2.0], [1.0, 0.75]);
        assert_eq!((slid.point, slid.touched), ([2.999, 2.75], [true, false]));
        // From the wall it leaves as freely, and along it.
        assert_eq!(Collision::Slide.advance(&floor(), [2.999, 2.75], [-0.5, 0.25]), [2.499, 3.0]);
        assert_eq!(Collision::Slide.advance(&floor(), [2.999, 2.75], [0.5, 0.25]), [2.999, 3.0]);
        // Into the corner of two walls.
        let slid = slide(&floor(), [1.5, 6.5], [-2.0, 1.0]);
        assert_eq!((slid.point, slid.touched), ([1.001, 6.999], [true, true]));
        assert_eq!(slide(&floor(), [1.5, 6.5], [0.0, f32::NAN]).point, [1.5, 6.5]);
    }
}
