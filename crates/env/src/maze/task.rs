//! Where an episode starts, and where it is to get to.

use rand::Rng;

use super::floor::Floor;
use super::route::Routes;
use super::wall::Point;

/// Goals that are tried for a task, and starts that are tried for each.
const TRIES: [usize; 2] = [30, 30];

/// A start and a goal.
#[derive(Debug, Clone)]
pub struct Task {
    /// Where the agent starts.
    pub start: Point,
    /// Where it should get to, with the shortest routes there.
    pub routes: Routes,
    /// Length of the shortest legal route, in the lengths of the world.
    pub route: f64,
}

/// A point of the floor at least `padding` away from the walls, uniform among them; `None` if there is none to be found.
pub fn free_point(floor: &Floor, padding: f64, rng: &mut impl Rng) -> Option<Point> {
    let [width, height] = floor.extent();
    (0..10_000)
        .map(|_| [rng.random_range(0.0..width) as f32, rng.random_range(0.0..height) as f32])
        .find(|point| floor.is_clear(point.map(f64::from), padding))
}

impl Task {
    /// Draws a goal, and a start of which the shortest route there is between `shortest` and `longest`. Both are uniform on the floor but
    /// for that, at least `padding` away from walls and `apart` from each other. `None` if no such routes are found in the maze.
    pub fn sample(
        floor: &Floor,
        padding: f64,
        apart: f64,
        [shortest, longest]: [f64; 2],
        rng: &mut impl Rng,
    ) -> Option<Self> {
        for _ in 0..TRIES[0] {
            let routes = Routes::to(floor, free_point(floor, padding, rng)?);
            for _ in 0..TRIES[1] {
                let start = free_point(floor, padding, rng)?;
                let [x, y] = [0, 1].map(|axis| f64::from(start[axis] - routes.goal()[axis]));
                if x.hypot(y) < apart {
                    continue;
                }
                let route = routes.length_from(floor, start);
                if let Some(route) = route.filter(|route| (shortest..=longest).contains(route)) {
                    return Some(Self { start, routes, route });
                }
            }
        }
        None
    }

    /// The same goal from another start.
    #[must_use]
    pub fn from(self, floor: &Floor, start: Point) -> Option<Self> {
        let route = self.routes.length_from(floor, start)?;
        Some(Self { start, route, ..self })
    }

    /// The goal.
    pub fn goal(&self) -> Point {
        self.routes.goal()
    }
}
