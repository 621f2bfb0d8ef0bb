//! What is solid for the middle of the dot.
//!
//! The dot touches a wall with its edge, so its middle keeps the radius away from borders and wall. In a doorway upstream lets the
//! middle up to [`DOOR_MARGIN`] beyond the ends of the opening, and so does the lawful rule: the two rules differ in what they look at,
//! not in the places that they allow.

use super::factors::Door;
use crate::FactorValues;

/// Width and height of the world in pixels of the published frames, the unit of all lengths.
pub(super) const WORLD: f32 = 224.0;
/// Distance from the edge of the picture to the inner side of the border.
pub(super) const BORDER: f32 = 14.0;
/// Coordinate of the middle of the wall.
pub(super) const WALL_CENTRE: f32 = 112.0;
/// How far beyond the ends of the opening the middle of the dot may be in a doorway.
pub const DOOR_MARGIN: f32 = 1.75;
/// A door fits a dot if half its opening is at least so many times the radius of the dot.
pub(super) const FITTING: f32 = 1.1;

/// A position, (x, y) in pixels, x to the right and y down.
pub type Point = [f32; 2];
/// A box, its least and its largest corner.
pub(super) type Area = [[f64; 2]; 2];

/// Farther away than any position.
const FAR: f64 = 1e6;

/// Wall and doors of an episode, for a dot of its size.
#[derive(Debug, Clone, PartialEq)]
pub struct FloorPlan {
    /// Whether the wall stands upright and parts left from right, or lies and parts upper from lower.
    pub vertical: bool,
    /// Half the thickness of the wall in whole pixels.
    pub half: f32,
    /// Radius of the dot.
    pub radius: f32,
    /// The doors.
    pub doors: Vec<Door>,
    /// What the middle of the dot must not be in, its surface left out: the four borders, then the parts of the wall.
    obstacles: Vec<Area>,
}

impl FloorPlan {
    /// That of these values of the factors.
    pub fn new(values: &FactorValues) -> Self {
        let doors = Door::all(values);
        let mut plan = Self {
            vertical: values.number("wall.axis") == 1.0,
            half: (values.number("wall.thickness") / 2.0).floor(),
            radius: values.number("agent.radius"),
            doors,
            obstacles: Vec::new(),
        };
        plan.obstacles = plan.solid();
        plan
    }

    /// Least and largest coordinate of the middle of the dot between the borders.
    pub fn limits(&self) -> [f32; 2] {
        [BORDER + self.radius, WORLD - BORDER - self.radius]
    }

    /// Coordinates across the wall between which the middle of the dot is in the wall or a doorway.
    pub fn faces(&self) -> [f32; 2] {
        [WALL_CENTRE - self.half - self.radius, WALL_CENTRE + self.half + self.radius]
    }

    /// A point as (across, along) the wall, and back.
    pub fn turned(&self, [x, y]: Point) -> Point {
        if self.vertical { [x, y] } else { [y, x] }
    }

    /// Whether the middle of the dot may be at this coordinate along the wall while it is in it.
    pub fn in_door(&self, along: f32) -> bool {
        let in_one = |door: &Door| {
            (door.centre - door.half - DOOR_MARGIN..=door.centre + door.half + DOOR_MARGIN).contains(&along)
        };
        self.doors.iter().any(in_one)
    }

    /// The openings for the middle of the dot, along the wall, in order and apart from each other.
    pub fn openings(&self) -> Vec<[f32; 2]> {
        let [low, high] = self.limits();
        let reach = |door: &Door| door.half + DOOR_MARGIN;
        let mut bands: Vec<[f32; 2]> = self
            .doors
            .iter()
            .map(|door| [(door.centre - reach(door)).max(low), (door.centre + reach(door)).min(high)])
            .filter(|[from, to]| from < to)
            .collect();
        bands.sort_by(|one, other| one[0].total_cmp(&other[0]));
        let mut openings: Vec<[f32; 2]> = Vec::new();
        for band in bands {
            match openings.last_mut() {
                Some(last) if band[0] <= last[1] => last[1] = last[1].max(band[1]),
                _ => openings.push(band),
            }
        }
        openings
    }

    /// What the middle of the dot must not be in; its surface is allowed.
    pub(super) fn obstacles(&self) -> &[Area] {
        &self.obstacles
    }

    /// Whether the middle of the dot may be here by the lawful rule.
    pub fn is_free(&self, position: Point) -> bool {
        let [x, y] = position.map(f64::from);
        let inside = |[low, high]: &Area| x > low[0] && x < high[0] && y > low[1] && y < high[1];
        x.is_finite() && y.is_finite() && !self.obstacles.iter().any(inside)
    }

    /// The room that a free position is in: 0 left or upper, 1 right or lower; `None` in a doorway.
    pub fn room(&self, position: Point) -> Option<usize> {
        let ([near, far], [across, _]) = (self.faces(), self.turned(position));
        match across {
            _ if across < near => Some(0),
            _ if across > far => Some(1),
            _ => None,
        }
    }

    fn solid(&self) -> Vec<Area> {
        let ([low, high], [near, far]) = (self.limits().map(f64::from), self.faces().map(f64::from));
        let mut areas = vec![
            [[-FAR, -FAR], [low, FAR]],
            [[high, -FAR], [FAR, FAR]],
            [[-FAR, -FAR], [FAR, low]],
            [[-FAR, high], [FAR, FAR]],
        ];
        let mut from = -FAR;
        let mut part = |from: f64, to: f64| {
            let (least, largest) = ([near, from], [far, to]);
            let turn = |[across, along]: [f64; 2]| if self.vertical { [across, along] } else { [along, across] };
            areas.push([turn(least), turn(largest)]);
        };
        for [upper, lower] in self.openings() {
            part(from, f64::from(upper));
            from = f64::from(lower);
        }
        part(from, FAR);
        areas
    }
}

#[cfg(test)]
mod tests {
    use super::super::factors::tests::values;
    use super::*;

    #[test]
    fn the_published_floor_plan() {
        let plan = FloorPlan::new(&values(&[]));
        assert_eq!((plan.limits(), plan.faces()), ([21.0, 203.0], [100.0, 124.0]));
        assert_eq!(plan.openings(), [[33.25, 64.75]]);
        for free in [[21.0, 21.0], [100.0, 150.0], [112.0, 33.25], [124.0, 203.0], [110.0, 64.75]] {
            assert!(plan.is_free(free), "{free:?}");
        }
        for solid in [[20.9, 50.0], [100.1, 150.0], [112.0, 33.0], [112.0, 65.0], [150.0, 203.1], [f32::NAN, 50.0]] {
            assert!(!plan.is_free(solid), "{solid:?}");
        }
        assert_eq!([60.0, 112.0, 130.0].map(|x| plan.room([x, 49.0])), [Some(0), None, Some(1)]);
    }

    #[test]
    fn a_lying_wall_with_doors_that_meet() {
        let plan = FloorPlan::new(&values(&[
            ("wall.axis", &[0.0]),
            ("wall.thickness", &[21.0]),
            ("agent.radius", &[8.0]),
            ("door.number", &[3.0]),
            ("door.position", &[120.0, 60.0, 90.0]),
            ("door.size", &[12.0, 12.0, 16.0]),
        ]));
        // 60 ± 13.75, 90 ± 17.75 and 120 ± 13.75: the three meet.
        assert_eq!((plan.faces(), plan.openings()), ([94.0, 130.0], vec![[46.25, 133.75]]));
        assert!(plan.is_free([100.0, 112.0]) && !plan.is_free([140.0, 112.0]) && plan.is_free([140.0, 94.0]));
        assert_eq!([60.0, 112.0, 131.0].map(|y| plan.room([80.0, y])), [Some(0), None, Some(1)]);
    }
}
