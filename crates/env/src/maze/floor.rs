//! The floor between walls: where the agent may be, and which straight ways are free.

use super::wall::{Point, Touch, Wall};

/// A line nearer to a wall than this touches it: more than what rounding of 64-bit numbers can be.
const SKIN: f64 = 1e-9;

/// Walls in a rectangle from (0, 0) to its extent. The agent is a point: that a body has a size is told by thicker walls.
#[derive(Debug, Clone, PartialEq)]
pub struct Floor {
    extent: [f64; 2],
    walls: Vec<Wall>,
    /// Side of a square of the grid in which walls are looked up.
    cell: f64,
    cells: [usize; 2],
    /// Which walls reach into a square, row by row.
    index: Vec<Vec<u32>>,
}

impl Floor {
    /// A floor with these walls, which enclose it. `cell` is the side of the squares in which they are looked up: about that of a room.
    pub fn new(extent: [f64; 2], cell: f64, walls: Vec<Wall>) -> Self {
        let cells = extent.map(|length| (length / cell).ceil().max(1.0) as usize);
        let mut floor = Self { extent, walls, cell, cells, index: vec![Vec::new(); cells[0] * cells[1]] };
        for (number, wall) in floor.walls.iter().enumerate() {
            // A little wider, so that rounding at the edge of a square loses none.
            let wall = wall.swollen(1e-3 * cell);
            let [columns, rows] =
                [0, 1].map(|axis| floor.cell_of(axis, wall.low[axis])..=floor.cell_of(axis, wall.high[axis]));
            for row in rows {
                for column in columns.clone() {
                    floor.index[row * cells[0] + column].push(number as u32);
                }
            }
        }
        floor
    }

    /// Width and height.
    pub fn extent(&self) -> [f64; 2] {
        self.extent
    }

    /// The walls.
    pub fn walls(&self) -> &[Wall] {
        &self.walls
    }

    /// Column or row of the square that a coordinate lies in, or of the nearest one.
    fn cell_of(&self, axis: usize, value: f64) -> usize {
        ((value / self.cell).max(0.0) as usize).min(self.cells[axis] - 1)
    }

    /// The walls of the squares that a box reaches into; some more than once.
    fn walls_near(&self, low: [f64; 2], high: [f64; 2]) -> impl Iterator<Item = &Wall> {
        let [columns, rows] = [0, 1].map(|axis| self.cell_of(axis, low[axis])..=self.cell_of(axis, high[axis]));
        rows.flat_map(move |row| columns.clone().map(move |column| row * self.cells[0] + column))
            .flat_map(|square| self.index[square].iter().map(|number| &self.walls[*number as usize]))
    }

    /// Whether the agent may be here.
    pub fn is_free(&self, point: Point) -> bool {
        self.is_clear(point.map(f64::from), SKIN)
    }

    /// Whether a point is on the floor and further than `margin` from every wall, measured along the axes.
    pub fn is_clear(&self, point: [f64; 2], margin: f64) -> bool {
        let inside = (0..2).all(|axis| point[axis] > 0.0 && point[axis] < self.extent[axis]);
        let [low, high] = [-margin, margin].map(|by| point.map(|value| value + by));
        inside && !self.walls_near(low, high).any(|wall| wall.swollen(margin).contains(point))
    }

    /// Whether the straight way between two points touches a wall, or ends outside.
    pub fn is_blocked(&self, from: Point, to: Point) -> bool {
        self.is_blocked_within(from.map(f64::from), to.map(f64::from), SKIN)
    }

    /// Whether the straight way between two points comes nearer than `margin` to a wall, measured along the axes, or ends outside.
    pub fn is_blocked_within(&self, from: [f64; 2], to: [f64; 2], margin: f64) -> bool {
        if !(0..2).all(|axis| to[axis] > 0.0 && to[axis] < self.extent[axis]) {
            return true;
        }
        // Column by column, nearest to the start first, and in each the rows that the line passes there.
        let [first, last] = [from[0], to[0]].map(|x| self.cell_of(0, x));
        let mut column = first;
        loop {
            // Height of the line at the edge of a column, or at that end of it which lies before.
            let height = |edge: usize| {
                let share = (edge as f64 * self.cell - from[0]) / (to[0] - from[0]);
                from[1] + share.clamp(0.0, 1.0) * (to[1] - from[1])
            };
            let [enter, leave] = if first == last { [from[1], to[1]] } else { [height(column), height(column + 1)] };
            let rows = self.cell_of(1, enter.min(leave))..=self.cell_of(1, enter.max(leave));
            for row in rows {
                let walls = self.index[row * self.cells[0] + column].iter().map(|number| &self.walls[*number as usize]);
                if walls.into_iter().any(|wall| wall.swollen(margin).meets(from, to)) {
                    return true;
                }
            }
            if column == last {
                return false;
            }
            column = if first < last { column + 1 } else { column - 1 };
        }
    }

    /// The first wall that a move from a free point touches.
    pub fn first_touch(&self, from: [f64; 2], by: [f64; 2]) -> Option<Touch> {
        let to = [from[0] + by[0], from[1] + by[1]];
        let [low, high] = [[from[0].min(to[0]), from[1].min(to[1])], [from[0].max(to[0]), from[1].max(to[1])]];
        self.walls_near(low, high)
            .filter_map(|wall| wall.swollen(SKIN).first_touch(from, by))
            .min_by(|one, other| one.fraction.total_cmp(&other.fraction))
    }

    /// Distance to the nearest wall, as far as one is within `reach`; `reach` otherwise.
    pub fn distance(&self, point: [f64; 2], reach: f64) -> f64 {
        let [low, high] = [-reach, reach].map(|by| point.map(|value| value + by));
        self.walls_near(low, high).map(|wall| wall.distance(point)).fold(reach, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn free_and_blocked() {
        let floor = floor();
        assert!(floor.is_free([2.0, 2.0]) && floor.is_free([3.5, 5.5]));
        for point in [[1.0, 3.0], [3.5, 2.0], [3.0, 2.0], [9.0, 2.0], [-1.0, 2.0], [f32::NAN, 2.0]] {
            assert!(!floor.is_free(point), "{point:?}");
        }
        for (from, to, blocked) in [
            ([2.0, 2.0], [5.0, 2.0], true),
            ([2.0, 5.5], [6.0, 5.5], false),
            ([2.0, 4.0], [5.0, 6.0], true),
            ([2.0, 6.0], [5.0, 5.5], false),
            ([2.0, 2.0], [30.0, 40.0], true),
            ([2.0, 2.0], [f32::NAN, 4.0], true),
            ([2.0, 2.0], [2.0, 6.5], false),
        ] {
            assert_eq!(floor.is_blocked(from, to), blocked, "{from:?} {to:?}");
            assert!(to[0] > 8.0 || to[0].is_nan() || floor.is_blocked(to, from) == blocked);
        }
        assert!(!floor.is_clear([2.5, 3.0], 0.5) && floor.is_clear([2.5, 3.0], 0.4));
    }

    #[test]
    fn the_nearest_of_several_walls_is_touched() {
        let touch = floor().first_touch([2.0, 2.0], [8.0, 0.0]).unwrap();
        assert_eq!((touch.axis, touch.normal), (0, -1.0));
        approx::assert_abs_diff_eq!(touch.fraction, 0.125, epsilon = 1e-8);
        assert_eq!(floor().first_touch([2.0, 2.0], [0.5, 1.0]), None);
        assert_eq!(floor().distance([2.0, 3.0], 5.0), 1.0);
        assert_eq!(floor().distance([5.5, 6.0], 0.5), 0.5);
    }
}
