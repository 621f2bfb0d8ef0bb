//! A wall: a closed box, and what a straight move has to do with it.

/// A position or a displacement, (x, y) in the lengths of the world, x to the right and y down.
pub type Point = [f32; 2];

/// A closed box with sides along the axes: touching it is contact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wall {
    /// Its left and upper side.
    pub low: [f64; 2],
    /// Its right and lower side.
    pub high: [f64; 2],
}

/// Where a move first touches a wall.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Touch {
    /// Share of the move that is done at the touch, in [0, 1].
    pub fraction: f64,
    /// The axis across the surface that is touched: 0 for a left or right side, 1 for an upper or lower one.
    pub axis: usize,
    /// Coordinate of that surface on the axis.
    pub surface: f64,
    /// Which way the surface looks along the axis: -1 or 1.
    pub normal: f64,
}

impl Wall {
    /// The same wall, thicker by this much on every side.
    #[must_use]
    pub fn swollen(self, by: f64) -> Self {
        Self { low: self.low.map(|value| value - by), high: self.high.map(|value| value + by) }
    }

    /// Whether a point lies in the wall or on it.
    pub fn contains(&self, point: [f64; 2]) -> bool {
        (0..2).all(|axis| (self.low[axis]..=self.high[axis]).contains(&point[axis]))
    }

    /// Whether a straight line touches the wall, by separating axes: those of the box, and the one across the line.
    pub fn meets(&self, from: [f64; 2], to: [f64; 2]) -> bool {
        for axis in 0..2 {
            if from[axis].max(to[axis]) < self.low[axis] || from[axis].min(to[axis]) > self.high[axis] {
                return false;
            }
        }
        let by = [to[0] - from[0], to[1] - from[1]];
        let middle = [0, 1].map(|axis| f64::midpoint(self.low[axis], self.high[axis]) - from[axis]);
        let half = [0, 1].map(|axis| 0.5 * (self.high[axis] - self.low[axis]));
        (middle[0] * by[1] - middle[1] * by[0]).abs() <= half[0] * by[1].abs() + half[1] * by[0].abs()
    }

    /// The first touch of a move that begins outside of the wall, if it touches it.
    pub fn first_touch(&self, from: [f64; 2], by: [f64; 2]) -> Option<Touch> {
        let to = [from[0] + by[0], from[1] + by[1]];
        if !self.meets(from, to) {
            return None;
        }
        // The side that is passed last is the one that is touched: before it the move was beside the wall.
        let entry = |axis: usize| {
            let (surface, normal) = if by[axis] > 0.0 { (self.low[axis], -1.0) } else { (self.high[axis], 1.0) };
            let fraction = if by[axis] == 0.0 { f64::NEG_INFINITY } else { (surface - from[axis]) / by[axis] };
            Touch { fraction, axis, surface, normal }
        };
        let (across, along) = (entry(0), entry(1));
        let touch = if across.fraction >= along.fraction { across } else { along };
        Some(Touch { fraction: touch.fraction.clamp(0.0, 1.0), ..touch })
    }

    /// Distance from a point to the wall, negative inside.
    pub fn distance(&self, point: [f64; 2]) -> f64 {
        let [u, v] = [0, 1].map(|axis| (self.low[axis] - point[axis]).max(point[axis] - self.high[axis]));
        u.max(0.0).hypot(v.max(0.0)) + u.max(v).min(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Wall = Wall { low: [2.0, 1.0], high: [3.0, 4.0] };

    #[test]
    fn a_line_meets_the_wall_or_passes_it() {
        for (from, to) in
            [([0.0, 2.0], [5.0, 2.0]), ([0.0, 1.0], [2.0, 1.0]), ([1.0, 0.0], [2.0, 1.0]), ([2.5, 2.0], [2.5, 3.0])]
        {
            assert!(WALL.meets(from, to) && WALL.meets(to, from), "{from:?} {to:?}");
        }
        // The last one runs past the corner (2, 1) at x + y = 2.9.
        for (from, to) in [([0.0, 0.9], [5.0, 0.9]), ([0.0, 2.0], [1.9, 2.0]), ([0.0, 2.9], [2.9, 0.0])] {
            assert!(!WALL.meets(from, to) && !WALL.meets(to, from), "{from:?} {to:?}");
        }
    }

    #[test]
    fn the_first_touch_is_where_the_move_enters() {
        let touch = WALL.first_touch([1.0, 2.0], [4.0, 1.0]).unwrap();
        assert_eq!(touch, Touch { fraction: 0.25, axis: 0, surface: 2.0, normal: -1.0 });
        let touch = WALL.first_touch([2.5, 5.0], [0.0, -4.0]).unwrap();
        assert_eq!(touch, Touch { fraction: 0.25, axis: 1, surface: 4.0, normal: 1.0 });
        // At x = 2 it is at y = 0.5 still: the upper side is the later one.
        let touch = WALL.first_touch([1.0, 0.0], [2.0, 1.0 + 1.0]).map(|touch| (touch.fraction, touch.axis));
        assert_eq!(touch, Some((0.5, 0)));
        let touch = WALL.first_touch([1.0, -0.5], [2.0, 2.0]).map(|touch| (touch.fraction, touch.axis));
        assert_eq!(touch, Some((0.75, 1)));
        assert_eq!(WALL.first_touch([1.0, 2.0], [0.5, 0.0]), None);
    }

    #[test]
    fn distances_are_negative_inside() {
        assert_eq!(WALL.distance([0.0, 2.0]), 2.0);
        assert_eq!(WALL.distance([6.0, 8.0]), 5.0);
        assert_eq!(WALL.distance([2.25, 2.0]), -0.25);
    }
}
