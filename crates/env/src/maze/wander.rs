//! Where somebody goes who explores a maze.

use std::f32::consts::TAU;

use rand::Rng;
use rand_distr::StandardNormal;

use super::floor::Floor;
use super::route::Routes;
use super::task::free_point;
use super::wall::Point;

/// Chance that a leg is a trip to some place, not a walk without aim.
const TRIP_CHANCE: f64 = 0.5;
/// Least and largest number of steps of a walk without aim.
const ROAM_STEPS: std::ops::RangeInclusive<usize> = 10..=30;
/// Standard deviation of the change of heading between two steps without aim, and of the heading around that of the route on a trip, in
/// radians.
const TURN_DEVIATION: f32 = 0.35;
/// Least and largest speed, as a share of the fastest.
const PACES: [f32; 2] = [0.3, 1.0];
/// A trip that takes so many times longer than its route is given up.
const PATIENCE: f64 = 4.0;

/// An explorer: by turns it walks without aim, keeping its heading for a while, and takes the way to a place drawn anywhere on the floor,
/// which leads through doors that random walks alone would seldom find.
#[derive(Debug, Clone)]
pub(crate) struct Wanderer {
    leg: Leg,
    /// Steps that are left of the leg.
    left: usize,
    heading: f32,
    /// Where it was before.
    before: Option<Point>,
}

#[derive(Debug, Clone)]
enum Leg {
    Roam,
    Trip(Routes),
}

impl Wanderer {
    /// One that has not set out yet.
    pub(crate) fn new() -> Self {
        Self { leg: Leg::Roam, left: 0, heading: 0.0, before: None }
    }

    /// Direction and pace of the next step: a vector of a norm up to 1. `reach` is how far the fastest step goes.
    pub(crate) fn next(&mut self, floor: &Floor, at: Point, reach: f32, rng: &mut impl Rng) -> Point {
        // A step that led hardly anywhere was held up by a wall.
        let held = self.before.is_some_and(|before| (at[0] - before[0]).hypot(at[1] - before[1]) < 0.05 * reach);
        let arrived = match &self.leg {
            Leg::Trip(routes) => {
                let goal = routes.goal();
                (goal[0] - at[0]).hypot(goal[1] - at[1]) < 1.5 * reach
            }
            Leg::Roam => false,
        };
        if self.left == 0 || arrived {
            self.set_out(floor, at, reach, rng);
        }
        self.left = self.left.saturating_sub(1);
        self.before = Some(at);
        let noise: f32 = rng.sample(StandardNormal);
        let pace = rng.random_range(PACES[0]..=PACES[1]);
        let aim = match &self.leg {
            Leg::Trip(routes) => routes.next_from(floor, at),
            Leg::Roam => None,
        };
        self.heading = match aim {
            // The way itself, where noise has led against a wall.
            Some([x, y]) => (y - at[1]).atan2(x - at[0]) + if held { 0.0 } else { TURN_DEVIATION * noise },
            None if held => rng.random_range(0.0..TAU),
            None => self.heading + TURN_DEVIATION * noise,
        };
        // Not past the place where the way bends.
        let room = aim.map_or(1.0, |[x, y]| (x - at[0]).hypot(y - at[1]) / reach);
        let pace = pace.min(room.max(0.05));
        [pace * self.heading.cos(), pace * self.heading.sin()]
    }

    fn set_out(&mut self, floor: &Floor, at: Point, reach: f32, rng: &mut impl Rng) {
        if rng.random_bool(TRIP_CHANCE)
            && let Some(goal) = free_point(floor, 0.0, rng)
        {
            let routes = Routes::to(floor, goal);
            if let Some(length) = routes.length_from(floor, at) {
                self.left = (PATIENCE * length / f64::from(reach)).ceil() as usize + 1;
                self.leg = Leg::Trip(routes);
                return;
            }
        }
        self.leg = Leg::Roam;
        self.left = rng.random_range(ROAM_STEPS);
        self.heading = rng.random_range(0.0..TAU);
    }
}
