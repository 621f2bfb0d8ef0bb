//! The two rules by which the dot moves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::plan::{Area, FloorPlan, Point, WALL_CENTRE};

/// Distance to the wall, in pixels, at which upstream puts a dot that would be in it.
const GAP: f32 = 0.5;
/// By how much a way may be in an obstacle and still count as beside it, in pixels: positions are rounded.
pub(super) const ROUNDING: f64 = 1e-3;

/// What is looked at when the dot moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The whole way: the dot goes straight until it meets a border, the wall or the end of a doorway, and slides along it with the rest
    /// of its move. No move crosses a wall.
    #[default]
    Swept,
    /// The end of the way alone, as the published world does: a dot that would be in the wall is put back before it, on the side of the
    /// wall's middle that it came from. Moves cut the corners of the wall, and a dot that leaves the opening inside of a doorway jumps
    /// back by more than it can move.
    EndPoint,
}

impl Rule {
    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Swept => "swept",
            Self::EndPoint => "end-point",
        }
    }

    /// Where the dot is after a move by `by` pixels. Numbers that are not finite move nothing.
    pub fn advance(self, plan: &FloorPlan, from: Point, by: Point) -> Point {
        if !by.iter().all(|value| value.is_finite()) {
            return from;
        }
        match self {
            Self::Swept => swept(plan, from, by),
            Self::EndPoint => end_point(plan, from, by),
        }
    }
}

fn swept(plan: &FloorPlan, from: Point, by: Point) -> Point {
    let (mut at, mut left) = (from.map(f64::from), by.map(f64::from));
    // Each contact takes one of the two directions away.
    for _ in 0..3 {
        let to = [at[0] + left[0], at[1] + left[1]];
        let Some(contact) = first_contact(plan.obstacles(), at, to) else {
            at = to;
            break;
        };
        at = [0, 1].map(|axis| at[axis] + contact.share * left[axis]);
        at[contact.axis] = contact.face;
        left = left.map(|value| value * (1.0 - contact.share));
        left[contact.axis] = 0.0;
    }
    at.map(|value| value as f32)
}

fn end_point(plan: &FloorPlan, from: Point, by: Point) -> Point {
    let [low, high] = plan.limits();
    let to = [0, 1].map(|axis| (from[axis] + by[axis]).clamp(low, high));
    let ([before, _], [mut across, along]) = (plan.turned(from), plan.turned(to));
    let [near, far] = plan.faces();
    if !plan.in_door(along) {
        if before < WALL_CENTRE && across > near {
            across = near - GAP;
        } else if before >= WALL_CENTRE && across < far {
            across = far + GAP;
        }
    }
    plan.turned([across, along])
}

/// Where a straight way first enters an obstacle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Contact {
    /// Share of the way before it, 0 to 1.
    share: f64,
    /// The axis across the surface: 0 for x, 1 for y.
    axis: usize,
    /// Coordinate of the surface on that axis.
    face: f64,
}

/// The first entry into one of the areas; along a surface is no entry. The way must not begin inside of one.
fn first_contact(areas: &[Area], from: [f64; 2], to: [f64; 2]) -> Option<Contact> {
    let entries = areas.iter().filter_map(|area| stretch(area, from, to)).filter(|(contact, _)| contact.share >= 0.0);
    entries.map(|(contact, _)| contact).min_by(|one, other| one.share.total_cmp(&other.share))
}

/// Whether a straight way is in none of the areas, each made smaller by `margin` all round.
pub(super) fn is_clear(areas: &[Area], from: [f64; 2], to: [f64; 2], margin: f64) -> bool {
    areas.iter().all(|[low, high]| {
        let smaller = [low.map(|value| value + margin), high.map(|value| value - margin)];
        stretch(&smaller, from, to).is_none()
    })
}

/// The part of a straight way inside of an area, if there is one: the entry, and the share at which it leaves.
fn stretch([low, high]: &Area, from: [f64; 2], to: [f64; 2]) -> Option<(Contact, f64)> {
    let mut entry = Contact { share: f64::NEG_INFINITY, axis: 0, face: 0.0 };
    let mut exit = f64::INFINITY;
    for axis in 0..2 {
        let reach = to[axis] - from[axis];
        if reach == 0.0 {
            if from[axis] <= low[axis] || from[axis] >= high[axis] {
                return None;
            }
            continue;
        }
        let (front, back) = if reach > 0.0 { (low[axis], high[axis]) } else { (high[axis], low[axis]) };
        let share = (front - from[axis]) / reach;
        if share > entry.share {
            entry = Contact { share, axis, face: front };
        }
        exit = exit.min((back - from[axis]) / reach);
    }
    (entry.share < exit && entry.share < 1.0 && exit > 0.0).then_some((entry, exit))
}

#[cfg(test)]
mod tests {
    use super::super::factors::tests::values;
    use super::*;

    fn plan() -> FloorPlan {
        FloorPlan::new(&values(&[])) // faces 100 and 124, opening 33.25 to 64.75, borders 21 and 203
    }

    fn moved(rule: Rule, from: Point, by: Point) -> Point {
        rule.advance(&plan(), from, by)
    }

    #[test]
    fn a_free_move_is_the_same_by_both() {
        for rule in [Rule::Swept, Rule::EndPoint] {
            assert_eq!(moved(rule, [60.0, 112.0], [5.0, -2.5]), [65.0, 109.5]);
            assert_eq!(moved(rule, [98.0, 49.0], [5.0, 1.0]), [103.0, 50.0]);
            assert_eq!(moved(rule, [23.0, 100.0], [-5.0, 2.0]), [21.0, 102.0], "along the border");
            assert_eq!(moved(rule, [60.0, 100.0], [f32::NAN, 1.0]), [60.0, 100.0]);
        }
    }

    #[test]
    fn at_the_wall_one_slides_and_the_other_keeps_half_a_pixel() {
        assert_eq!(moved(Rule::Swept, [98.0, 150.0], [4.0, 3.0]), [100.0, 153.0]);
        assert_eq!(moved(Rule::EndPoint, [98.0, 150.0], [4.0, 3.0]), [99.5, 153.0]);
        assert_eq!(moved(Rule::Swept, [126.0, 150.0], [-4.0, 3.0]), [124.0, 153.0]);
        assert_eq!(moved(Rule::EndPoint, [126.0, 150.0], [-4.0, 3.0]), [124.5, 153.0]);
    }

    #[test]
    fn corners_are_cut_by_one_alone() {
        // Below the opening, up and to the right: at the wall half the way is left, and y is 67, still below 64.75.
        assert_eq!(moved(Rule::EndPoint, [98.0, 69.0], [4.0, -5.0]), [102.0, 64.0]);
        assert_eq!(moved(Rule::Swept, [98.0, 69.0], [4.0, -5.0]), [100.0, 64.0]);
        // Out of the opening inside of the doorway: back to the room at once, against along the end of the opening.
        assert_eq!(moved(Rule::EndPoint, [111.0, 63.0], [1.0, 4.0]), [99.5, 67.0]);
        assert_eq!(moved(Rule::Swept, [111.0, 63.0], [1.0, 4.0]), [112.0, 64.75]);
    }

    #[test]
    fn a_long_move_does_not_pass_the_wall() {
        assert_eq!(moved(Rule::Swept, [60.0, 150.0], [100.0, 10.0]), [100.0, 160.0]);
        assert_eq!(moved(Rule::EndPoint, [60.0, 150.0], [100.0, 10.0]), [99.5, 160.0]);
        assert_eq!(moved(Rule::Swept, [60.0, 49.0], [100.0, 0.0]), [160.0, 49.0], "through the door");
        // Into the corner of two borders.
        assert_eq!(moved(Rule::Swept, [190.0, 190.0], [30.0, 50.0]), [203.0, 203.0]);
        // End-point: a slanted way whose end is in front of the door passes the wall in one go.
        assert_eq!(moved(Rule::EndPoint, [60.0, 150.0], [80.0, -90.0]), [140.0, 60.0]);
        let stopped = moved(Rule::Swept, [60.0, 150.0], [80.0, -90.0]);
        assert_eq!(stopped, [100.0, 60.0]);
    }

    #[test]
    fn a_lying_wall_turns_the_rules() {
        let plan = FloorPlan::new(&values(&[("wall.axis", &[0.0])]));
        for rule in [Rule::Swept, Rule::EndPoint] {
            let upright = moved(rule, [98.0, 150.0], [4.0, 3.0]);
            assert_eq!(rule.advance(&plan, [150.0, 98.0], [3.0, 4.0]), [upright[1], upright[0]]);
        }
    }

    #[test]
    fn a_way_is_clear_beside_an_area_and_not_through_it() {
        let areas = [[[0.0, 0.0], [2.0, 1.0]]];
        assert!(is_clear(&areas, [-1.0, 1.0], [3.0, 1.0], 0.0), "along its surface");
        assert!(is_clear(&areas, [-1.0, 0.9995], [3.0, 0.9995], 1e-3));
        assert!(!is_clear(&areas, [-1.0, 0.9], [3.0, 0.9], 1e-3));
        assert!(!is_clear(&areas, [1.0, 0.5], [1.5, 0.5], 1e-3), "inside all the way");
        assert!(is_clear(&areas, [-1.0, 0.5], [-0.5, 0.5], 0.0), "too short to reach it");
    }
}
