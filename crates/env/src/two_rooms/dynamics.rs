//! How an action moves the dot.

use rand::Rng;
use rand_distr::StandardNormal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::geometry::{BORDER_HIGH, BORDER_LOW, Contact, Point, Surface};
use super::layout::Layout;

/// Standard deviation, in pixels, of the noise added by [`Collision::Bounce`].
pub const BOUNCE_NOISE: f64 = 0.5;
/// Distance, in pixels, to which [`Collision::Bounce`] pushes a dot that would stand on a wall.
pub const BOUNCE_GAP: f32 = 0.3;

/// What happens when a move touches a border, the wall or an edge of the door.
///
/// Upstream's `eb_jepa/datasets/two_rooms` uses two rules: its data generator stops the dot, its evaluation bounces it, so its
/// model plans with dynamics it has not seen. Here one rule serves both unless asked otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Collision {
    /// The dot stays where it was (upstream's data generator).
    #[default]
    Stop,
    /// The dot is put at the contact point plus Gaussian noise of [`BOUNCE_NOISE`] pixels whose component across the surface is
    /// turned to the side it came from; then it is clamped to its room and, when it stands on a wall or border, pushed off by
    /// [`BOUNCE_GAP`] (upstream's evaluation).
    Bounce,
}

impl Collision {
    /// Where the dot is after `action`, from a free position. The noise is used by [`Collision::Bounce`] alone.
    pub fn advance(self, layout: Layout, from: Point, action: Point, noise: &mut impl Rng) -> Point {
        let to = [from[0] + action[0], from[1] + action[1]];
        let end = match (layout.first_contact(from, to), self) {
            (None, _) => to,
            (Some(_), Self::Stop) => from,
            (Some(contact), Self::Bounce) => bounce(layout, contact, noise),
        };
        // Rounding at a corner of the door, or a number that is not finite.
        if layout.is_free(end) { end } else { from }
    }
}

fn bounce(layout: Layout, contact: Contact, noise: &mut impl Rng) -> Point {
    let mut point = contact.point;
    for ((value, normal), draw) in
        point.iter_mut().zip(contact.normal).zip([(); 2].map(|()| noise.sample::<f64, _>(StandardNormal)))
    {
        let shift = BOUNCE_NOISE * draw;
        *value += if normal == 0.0 { shift } else { normal * shift.abs() };
    }
    let mut end = point.map(|value| value as f32);
    if contact.surface == Surface::DoorEdge {
        return end;
    }
    let [left, right] = layout.faces();
    let across = if contact.point[0] < f64::from(layout.wall_x) { [BORDER_LOW, left] } else { [right, BORDER_HIGH] };
    for (value, [low, high]) in end.iter_mut().zip([across, [BORDER_LOW, BORDER_HIGH]]) {
        if *value <= low {
            *value = low + BOUNCE_GAP;
        } else if *value >= high {
            *value = high - BOUNCE_GAP;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use prevision_core::seed;

    use super::*;

    const LAYOUT: Layout = Layout::FIXED; // faces 31 and 33, door edges 14 and 22

    fn stop(from: Point, action: Point) -> Point {
        Collision::Stop.advance(LAYOUT, from, action, &mut seed::rng(0, "test", 0, 0))
    }

    #[test]
    fn a_free_move_adds_the_action() {
        assert_eq!(stop([20.0, 20.0], [1.5, -0.5]), [21.5, 19.5]);
        assert_eq!(stop([30.0, 18.0], [2.0, 0.25]), [32.0, 18.25]);
    }

    #[test]
    fn stopped_at_the_borders() {
        assert_eq!(stop([5.0, 20.0], [-1.0, 0.5]), [5.0, 20.0]);
        assert_eq!(stop([5.0, 20.0], [-0.5, 0.5]), [4.5, 20.5]);
        assert_eq!(stop([59.5, 20.0], [0.5, 0.0]), [59.5, 20.0]);
        assert_eq!(stop([20.0, 4.25], [0.0, -0.5]), [20.0, 4.25]);
        assert_eq!(stop([20.0, 59.0], [0.0, 2.0]), [20.0, 59.0]);
    }

    #[test]
    fn stopped_at_the_wall_and_the_edges_of_the_door() {
        assert_eq!(stop([30.5, 40.0], [0.5, 0.0]), [30.5, 40.0]);
        assert_eq!(stop([30.5, 40.0], [0.25, 0.0]), [30.75, 40.0]);
        assert_eq!(stop([33.5, 40.0], [-2.4, 0.0]), [33.5, 40.0]);
        assert_eq!(stop([32.0, 21.5], [0.0, 1.0]), [32.0, 21.5]);
        assert_eq!(stop([32.0, 14.5], [0.0, -0.75]), [32.0, 14.5]);
        assert_eq!(stop([32.0, 21.5], [0.0, 0.5]), [32.0, 22.0]);
    }

    #[test]
    fn a_move_that_is_not_finite_goes_nowhere() {
        assert_eq!(stop([20.0, 20.0], [f32::NAN, 0.0]), [20.0, 20.0]);
        assert_eq!(stop([20.0, 20.0], [0.0, f32::INFINITY]), [20.0, 20.0]);
    }

    #[test]
    fn the_bounce_keeps_the_side_and_spreads_by_half_a_pixel() {
        let mut rng = seed::rng(3, "test", 0, 0);
        let (mut sum, mut square, n) = (0.0, 0.0, 20_000);
        for _ in 0..n {
            let [x, y] = Collision::Bounce.advance(LAYOUT, [30.0, 40.0], [2.0, 1.0], &mut rng);
            assert!(x < 31.0 && LAYOUT.is_free([x, y]));
            sum += f64::from(31.0 - x);
            square += f64::from(y - 40.5).powi(2);
            let [x, y] = Collision::Bounce.advance(LAYOUT, [34.0, 40.0], [-2.0, 1.0], &mut rng);
            assert!(x > 33.0 && LAYOUT.is_free([x, y]));
            let [x, y] = Collision::Bounce.advance(LAYOUT, [32.0, 21.0], [0.0, 2.0], &mut rng);
            assert!(y < 22.0 && LAYOUT.is_free([x, y]));
            let [x, y] = Collision::Bounce.advance(LAYOUT, [30.8, 5.0], [0.0, -2.0], &mut rng);
            assert!(x < 31.0 && y > 4.0 && LAYOUT.is_free([x, y]));
        }
        // Mean of a half-normal, and the standard deviation along the wall.
        approx::assert_abs_diff_eq!(sum / f64::from(n), 0.5 * (2.0 / std::f64::consts::PI).sqrt(), epsilon = 0.01);
        approx::assert_abs_diff_eq!((square / f64::from(n)).sqrt(), 0.5, epsilon = 0.01);
    }

    #[test]
    fn a_bounce_into_a_corner_is_pushed_off_the_wall() {
        let mut rng = seed::rng(4, "test", 0, 0);
        let pushed = (0..2_000)
            .map(|_| Collision::Bounce.advance(LAYOUT, [30.9, 5.0], [0.0, -2.0], &mut rng))
            .filter(|end| end[0] == 30.7)
            .count();
        // Noise along the border of more than 0.1 px (0.2 standard deviations) leads onto the wall: 42 % of the draws.
        approx::assert_abs_diff_eq!(pushed as f64 / 2_000.0, 0.4207, epsilon = 0.04);
    }
}
