//! How the patrol rides, and when it is touched.

use crate::maze::Point;

/// Radius of the patrol, in units.
pub(super) const GUARD_RADIUS: f32 = 2.4;
/// An agent whose middle comes nearer than this to that of the patrol, in units, touches it.
pub const TOUCH_DISTANCE: f32 = 4.0;

/// The line on which the patrol rides up and down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rail {
    /// Its column.
    pub x: f32,
    /// Its upper and lower end.
    pub ends: [f32; 2],
    /// Distance in a step.
    pub speed: f32,
}

/// Where the patrol is, and which way it rides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guard {
    /// Its row.
    pub y: f32,
    /// 1 where it rides down, -1 where it rides up.
    pub direction: f32,
}

impl Rail {
    /// The patrol a step later. It turns at the ends.
    pub fn advance(&self, guard: Guard) -> Guard {
        let [upper, lower] = self.ends;
        let y = guard.y + guard.direction * self.speed;
        if y > lower {
            Guard { y: (2.0 * lower - y).max(upper), direction: -1.0 }
        } else if y < upper {
            Guard { y: (2.0 * upper - y).min(lower), direction: 1.0 }
        } else {
            Guard { y, ..guard }
        }
    }

    /// Steps after which it is where it was.
    pub fn period(&self) -> usize {
        (2.0 * (self.ends[1] - self.ends[0]) / self.speed).ceil() as usize
    }

    /// Least distance between an agent that goes straight from one point to another, and the patrol that goes straight from where it was
    /// to where it is a step later.
    pub fn nearest(&self, [from, to]: [Point; 2], [before, after]: [Guard; 2]) -> f32 {
        let start = [from[0] - self.x, from[1] - before.y];
        let by = [to[0] - self.x - start[0], to[1] - after.y - start[1]];
        let square = by[0] * by[0] + by[1] * by[1];
        let share = if square > 0.0 { (-(start[0] * by[0] + start[1] * by[1]) / square).clamp(0.0, 1.0) } else { 0.0 };
        (start[0] + share * by[0]).hypot(start[1] + share * by[1])
    }

    /// Whether an agent touches the patrol in a step from one point straight to another.
    pub fn is_touched(&self, way: [Point; 2], guards: [Guard; 2]) -> bool {
        self.nearest(way, guards) < TOUCH_DISTANCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAIL: Rail = Rail { x: 32.0, ends: [10.0, 20.0], speed: 3.0 };

    #[test]
    fn it_turns_at_the_ends() {
        let mut guard = Guard { y: 16.0, direction: 1.0 };
        let mut seen = vec![];
        for _ in 0..6 {
            guard = RAIL.advance(guard);
            seen.push((guard.y, guard.direction));
        }
        assert_eq!(seen, [(19.0, 1.0), (18.0, -1.0), (15.0, -1.0), (12.0, -1.0), (11.0, 1.0), (14.0, 1.0)]);
        assert_eq!(RAIL.period(), 7);
    }

    #[test]
    fn touches_between_steps_count() {
        let guards = [Guard { y: 16.0, direction: 1.0 }, Guard { y: 19.0, direction: 1.0 }];
        // Seen from the patrol the agent goes from (-3, 0) by (6, -3): after 0.4 of it, at (-0.6, -1.2), it is nearest.
        approx::assert_abs_diff_eq!(RAIL.nearest([[29.0, 16.0], [35.0, 16.0]], guards), 1.341_64, epsilon = 1e-5);
        assert!(RAIL.is_touched([[27.0, 17.5], [37.0, 17.5]], guards));
        // It rides towards an agent that stands.
        assert_eq!(RAIL.nearest([[32.0, 24.0], [32.0, 24.0]], guards), 5.0);
        assert!(!RAIL.is_touched([[32.0, 23.0], [32.0, 23.0]], guards));
        assert!(RAIL.is_touched([[32.0, 22.9], [32.0, 22.9]], guards));
        // As fast as the agent: the distance stays.
        assert_eq!(RAIL.nearest([[36.0, 16.0], [36.0, 19.0]], guards), 4.0);
    }
}
