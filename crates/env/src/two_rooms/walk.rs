//! The random walks that training sees.
//!
//! After `eb_jepa/datasets/two_rooms/wall_dataset.py`. A walk keeps its heading for a while: the first heading is uniform (or
//! given), each later one adds a von Mises increment of concentration 5; the lengths of the steps are normal (mean 1, standard
//! deviation 0.4) truncated to [0.2, 1.8] pixels. With probability 0.35 the walk is instead laid through the door: two walks
//! leave a point in the door in opposite directions, and the first is played backwards. What the walls then make of it is up to
//! the dynamics, so a walk laid through the door may still be stopped on its way: of walks of 90 steps, 27 % are in both rooms.

use std::f64::consts::{FRAC_PI_4, PI, TAU};

use rand::Rng;
use rand_distr::StandardNormal;

use super::dynamics::Collision;
use super::geometry::{BORDER_HIGH, BORDER_LOW, DOOR_HALF_WIDTH, Point};
use super::layout::Layout;

/// Concentration of the von Mises increments of the heading.
pub const HEADING_CONCENTRATION: f64 = 5.0;
/// Mean length of a step in pixels.
pub const STEP_MEAN: f64 = 1.0;
/// Standard deviation of the length of a step, before it is truncated, in pixels.
pub const STEP_DEVIATION: f64 = 0.4;
/// Shortest and longest step in pixels.
pub const STEP_BOUNDS: [f64; 2] = [0.2, 1.8];
/// Probability that a walk is laid through the door.
pub const CROSSING_PROBABILITY: f64 = 0.35;
/// Standard deviation, in pixels, of the row at which such a walk passes the door, before it is truncated to the door.
pub const CROSSING_DEVIATION: f64 = 1.4;
/// Distance from the borders to which the start of such a walk is clamped, in pixels.
pub const CROSSING_MARGIN: f32 = 0.01;

/// Positions and the actions between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Walk {
    /// `steps + 1` positions, each free.
    pub positions: Vec<Point>,
    /// `steps` actions: action `t` was tried at position `t` and led to position `t + 1`.
    pub actions: Vec<Point>,
}

impl Walk {
    /// Draws a walk of `steps` actions.
    pub fn sample(layout: Layout, collision: Collision, steps: usize, rng: &mut impl Rng) -> Self {
        let (start, actions) = if steps > 0 && rng.random_bool(CROSSING_PROBABILITY) {
            crossing(layout, steps, rng)
        } else {
            let heading = rng.random_range(0.0..TAU);
            (start(layout, rng), headed(heading, steps, rng))
        };
        let mut positions = Vec::with_capacity(steps + 1);
        positions.push(start);
        for &action in &actions {
            let from = positions[positions.len() - 1];
            positions.push(collision.advance(layout, from, action, rng));
        }
        Self { positions, actions }
    }

    /// Whether the walk was in both rooms.
    pub fn crosses(&self, layout: Layout) -> bool {
        let [left, right] = layout.faces();
        self.positions.iter().any(|position| position[0] < left)
            && self.positions.iter().any(|position| position[0] > right)
    }
}

/// A start drawn uniformly between the borders; when that is in the wall, its column is drawn again in either room.
fn start(layout: Layout, rng: &mut impl Rng) -> Point {
    loop {
        let position = [rng.random_range(BORDER_LOW..BORDER_HIGH), rng.random_range(BORDER_LOW..BORDER_HIGH)];
        let position = if layout.is_free(position) { position } else { beside_the_wall(layout, position[1], rng) };
        if layout.is_free(position) {
            return position; // all but draws that are exactly on a line
        }
    }
}

fn beside_the_wall(layout: Layout, row: f32, rng: &mut impl Rng) -> Point {
    let [left, right] = layout.faces();
    let column =
        if rng.random_bool(0.5) { rng.random_range(BORDER_LOW..left) } else { rng.random_range(right..BORDER_HIGH) };
    [column, row]
}

/// Start and actions of a walk that passes a point in the door after a uniformly drawn number of steps, were there no walls.
fn crossing(layout: Layout, steps: usize, rng: &mut impl Rng) -> (Point, Vec<Point>) {
    let [left, right] = layout.faces();
    let column = rng.random_range(left..=right);
    let half = f64::from(DOOR_HALF_WIDTH);
    let row = f64::from(layout.door_y) + truncated_normal(0.0, CROSSING_DEVIATION, [-half, half], rng);
    let leftwards = PI + rng.random_range(-FRAC_PI_4..FRAC_PI_4);
    let before = rng.random_range(1..=steps);
    let heading = if rng.random_bool(0.5) { leftwards } else { leftwards + PI };
    let mut actions: Vec<Point> = headed(heading, before, rng).into_iter().rev().map(|[x, y]| [-x, -y]).collect();
    let mut start = [column, row as f32];
    for action in &actions {
        start = [start[0] - action[0], start[1] - action[1]];
    }
    start = start.map(|value| value.clamp(BORDER_LOW + CROSSING_MARGIN, BORDER_HIGH - CROSSING_MARGIN));
    while !layout.is_free(start) {
        start = beside_the_wall(layout, start[1], rng);
    }
    actions.extend(headed(heading + PI, steps - before, rng));
    (start, actions)
}

/// `steps` actions, the first one along `heading` (radians from x towards y).
fn headed(mut heading: f64, steps: usize, rng: &mut impl Rng) -> Vec<Point> {
    (0..steps)
        .map(|step| {
            if step > 0 {
                heading += von_mises(HEADING_CONCENTRATION, rng);
            }
            let length = truncated_normal(STEP_MEAN, STEP_DEVIATION, STEP_BOUNDS, rng);
            [(length * heading.cos()) as f32, (length * heading.sin()) as f32]
        })
        .collect()
}

fn truncated_normal(mean: f64, deviation: f64, [low, high]: [f64; 2], rng: &mut impl Rng) -> f64 {
    loop {
        let value = mean + deviation * rng.sample::<f64, _>(StandardNormal);
        if (low..=high).contains(&value) {
            return value;
        }
    }
}

/// An angle in [-π, π] from the von Mises distribution around 0 (Best and Fisher, Applied Statistics 28, 1979, page 155).
fn von_mises(concentration: f64, rng: &mut impl Rng) -> f64 {
    let tau = 1.0 + (1.0 + 4.0 * concentration * concentration).sqrt();
    let rho = (tau - (2.0 * tau).sqrt()) / (2.0 * concentration);
    let r = (1.0 + rho * rho) / (2.0 * rho);
    loop {
        let z = (PI * rng.random::<f64>()).cos();
        let f = (1.0 + r * z) / (r + z);
        let c = concentration * (r - f);
        let uniform = 1.0 - rng.random::<f64>(); // in (0, 1]
        if c * (2.0 - c) > uniform || (c / uniform).ln() + 1.0 >= c {
            let angle = f.clamp(-1.0, 1.0).acos();
            return if rng.random_bool(0.5) { angle } else { -angle };
        }
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_abs_diff_eq;
    use prevision_core::seed;

    use super::*;
    use crate::two_rooms::{LayoutChoice, LayoutSplit};

    #[test]
    fn von_mises_has_the_moments_of_concentration_5() {
        let mut rng = seed::rng(1, "test", 0, 0);
        let n = 100_000;
        let draws: Vec<f64> = (0..n).map(|_| von_mises(5.0, &mut rng)).collect();
        let mean = |f: fn(f64) -> f64| draws.iter().map(|&angle| f(angle)).sum::<f64>() / f64::from(n);
        // Ratios of modified Bessel functions, I1(5)/I0(5) and I2(5)/I0(5).
        assert_abs_diff_eq!(mean(f64::cos), 0.893_383_14, epsilon = 0.002);
        assert_abs_diff_eq!(mean(|angle| (2.0 * angle).cos()), 0.642_646_74, epsilon = 0.004);
        assert_abs_diff_eq!(mean(f64::sin), 0.0, epsilon = 0.006);
        assert!(draws.iter().all(|angle| angle.abs() <= PI));
    }

    #[test]
    fn steps_have_mean_one_within_their_bounds() {
        let (mut sum, mut square, mut count) = (0.0, 0.0, 0.0);
        for index in 0..500 {
            let mut rng = seed::rng(2, "test", 0, index);
            let layout = Layout::sample(LayoutChoice::Random, LayoutSplit::All, &mut rng);
            let walk = Walk::sample(layout, Collision::Stop, 90, &mut rng);
            assert_eq!((walk.positions.len(), walk.actions.len()), (91, 90));
            for [x, y] in walk.actions {
                let length = f64::from(x).hypot(f64::from(y));
                assert!((0.199_999..=1.800_001).contains(&length), "{length}");
                sum += length;
                square += length * length;
                count += 1.0;
            }
        }
        let mean = sum / count;
        assert_abs_diff_eq!(mean, 1.0, epsilon = 0.006);
        // 0.4 * sqrt(1 - 4 phi(2) / (2 Phi(2) - 1)), phi and Phi the standard normal density and distribution.
        assert_abs_diff_eq!((square / count - mean * mean).sqrt(), 0.351_84, epsilon = 0.004);
    }

    #[test]
    fn a_crossing_passes_the_door_at_the_drawn_step_when_nothing_is_in_its_way() {
        let mut through = 0;
        for index in 0..500 {
            let mut rng = seed::rng(5, "test", 0, index);
            let (start, actions) = crossing(Layout::FIXED, 8, &mut rng);
            assert_eq!(actions.len(), 8);
            let mut position = start;
            let mut in_door = false;
            for action in actions {
                position = [position[0] + action[0], position[1] + action[1]];
                in_door |= (31.0 - 1e-3..=33.0 + 1e-3).contains(&position[0])
                    && (14.0 - 1e-3..=22.0 + 1e-3).contains(&position[1]);
            }
            through += u32::from(in_door);
        }
        // Only starts that would be in the wall are moved.
        assert!(through >= 480, "{through}");
    }
}
