//! How the ball moves.

use std::f32::consts::PI;

use crate::maze::{Floor, Point, slide};

/// Radius of the ball in m.
pub const BALL_RADIUS: f32 = 0.1;
/// Mass of the ball in kg: a density of 1,000 kg/m³.
pub(super) const MASS: f32 = 4.0 / 3.0 * PI * BALL_RADIUS * BALL_RADIUS * BALL_RADIUS * 1_000.0;
/// Length of a step of the integrator in s.
pub const STEP_SECONDS: f32 = 0.01;
/// Steps of the integrator that an action lasts.
pub const SUBSTEPS: usize = 5;
/// Largest speed along each axis at which a step of the integrator begins, in m/s.
pub const TOP_SPEED: f32 = 5.0;

/// What moves the ball.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// Force of an action of 1, in N.
    pub gear: f32,
    /// Force against each m/s, in N.
    pub damping: f32,
}

/// Where the ball is, and how it moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mover {
    /// Its middle, in m.
    pub position: Point,
    /// Its velocity, in m/s.
    pub velocity: Point,
}

impl Motion {
    /// What an action makes of the ball: `SUBSTEPS` times `v' = (v + dt F / m) / (1 + dt d / m)` with `v` clipped first, and
    /// `x' = x + dt v'`, swept along walls. A velocity into a wall ends there. A force that is not finite is none.
    pub fn advance(self, floor: &Floor, mut ball: Mover, action: Point) -> Mover {
        let force = action.map(|part| if part.is_finite() { part.clamp(-1.0, 1.0) * self.gear } else { 0.0 });
        for _ in 0..SUBSTEPS {
            for (velocity, force) in ball.velocity.iter_mut().zip(force) {
                *velocity = velocity.clamp(-TOP_SPEED, TOP_SPEED);
                *velocity = (*velocity + STEP_SECONDS * force / MASS) / (1.0 + STEP_SECONDS * self.damping / MASS);
            }
            let moved = slide(floor, ball.position, ball.velocity.map(|velocity| velocity * STEP_SECONDS));
            ball.position = moved.point;
            for (velocity, touched) in ball.velocity.iter_mut().zip(moved.touched) {
                if touched {
                    *velocity = 0.0;
                }
            }
        }
        ball
    }

    /// The most by which an action changes the speed along an axis, in m/s.
    pub fn most_change(self) -> f32 {
        SUBSTEPS as f32 * STEP_SECONDS * (self.gear + self.damping * TOP_SPEED) / MASS
    }

    /// The furthest that the ball gets along an axis by one action, in m.
    pub fn reach(self) -> f32 {
        SUBSTEPS as f32 * STEP_SECONDS * (TOP_SPEED + STEP_SECONDS * self.gear / MASS)
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_abs_diff_eq;

    use super::*;
    use crate::maze::RoomLayout;

    const MOTION: Motion = Motion { gear: 100.0, damping: 1.0 };

    fn hall() -> Floor {
        let layout = RoomLayout::from_numbers([1, 1], &[]).expect("one room");
        Floor::new([20.0, 20.0], 20.0, layout.walls(20.0, 0.4))
    }

    #[test]
    fn a_push_by_hand() {
        assert_abs_diff_eq!(MASS, 4.188_79, epsilon = 1e-4);
        let ball = Mover { position: [10.0, 10.0], velocity: [1.0, 0.0] };
        let next = MOTION.advance(&hall(), ball, [0.0, 0.5]);
        // Each step divides the velocity by 1 + 0.01 / 4.18879 = 1.00238732: 0.99761836 and so on, five times; sum 4.9644067.
        assert_abs_diff_eq!(next.velocity[0], 0.988_147, epsilon = 1e-5);
        assert_abs_diff_eq!(next.position[0], 10.0 + 0.049_644, epsilon = 1e-5);
        // And 0.01 · 50 / 4.18879 = 0.11936621 m/s come in: 0.1190819, 0.2378803, 0.3563956, 0.4746293, 0.5925824; sum 1.7805694.
        assert_abs_diff_eq!(next.velocity[1], 0.592_58, epsilon = 1e-4);
        assert_abs_diff_eq!(next.position[1], 10.0 + 0.017_806, epsilon = 1e-5);
    }

    #[test]
    fn speed_is_bounded_and_no_number_is_no_force() {
        let mut ball = Mover { position: [2.6, 10.0], velocity: [0.0; 2] };
        for _ in 0..50 {
            ball = MOTION.advance(&hall(), ball, [9.0, 0.0]);
        }
        let free = MOTION.most_change() / SUBSTEPS as f32;
        assert!(ball.velocity[0] > 4.9 && ball.velocity[0] <= TOP_SPEED + free, "{ball:?}");
        let still = Mover { position: [10.0, 10.0], velocity: [0.0; 2] };
        assert_eq!(MOTION.advance(&hall(), still, [f32::NAN, f32::INFINITY]), still);
    }

    #[test]
    fn a_wall_stops_it_and_lets_it_slide() {
        let ball = Mover { position: [1.35, 10.0], velocity: [-3.0, 1.0] };
        let next = MOTION.advance(&hall(), ball, [0.0, 0.0]);
        // The wall is an eighth of the room thick, half of it inside.
        assert_eq!(next.velocity[0], 0.0);
        assert_abs_diff_eq!(next.position[0], 1.251, epsilon = 1e-4);
        assert_abs_diff_eq!(next.position[1], 10.049_64, epsilon = 1e-4);
    }
}
