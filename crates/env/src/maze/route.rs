//! Shortest legal routes.
//!
//! The shortest way between walls with straight sides bends at their outer corners alone (Lozano-Pérez and Wesley, Communications of the
//! ACM 22, 1979, page 560): a search over a graph of those corners that see each other finds it.

use super::floor::Floor;
use super::wall::Point;

/// How far from a corner a route passes it: routes are legal, and at most about this much longer at each corner than the shortest way
/// that would touch the walls.
const CLEARANCE: f64 = 1e-3;

/// The shortest routes from everywhere to one goal.
#[derive(Debug, Clone)]
pub struct Routes {
    goal: Point,
    /// Corners that can be reached from the goal: where, how far from there to the goal, and the next corner on the way.
    corners: Vec<Corner>,
}

#[derive(Debug, Clone, Copy)]
struct Corner {
    point: [f64; 2],
    length: f64,
    /// The next corner; none where the goal is next.
    next: Option<usize>,
}

fn length(from: [f64; 2], to: [f64; 2]) -> f64 {
    (to[0] - from[0]).hypot(to[1] - from[1])
}

/// The outer corners of walls that stand free.
fn corners(floor: &Floor) -> Vec<[f64; 2]> {
    let mut points: Vec<[f64; 2]> = Vec::new();
    for wall in floor.walls() {
        for (x, to_x) in [(wall.low[0], -CLEARANCE), (wall.high[0], CLEARANCE)] {
            for (y, to_y) in [(wall.low[1], -CLEARANCE), (wall.high[1], CLEARANCE)] {
                // Free before the corner and beside it on both sides: no other wall goes on there.
                let free = [[x + to_x, y + to_y], [x - to_x, y + to_y], [x + to_x, y - to_y]];
                if free.iter().all(|point| floor.is_clear(*point, CLEARANCE / 2.0)) {
                    points.push(free[0]);
                }
            }
        }
    }
    points.sort_by(|one, other| one[0].total_cmp(&other[0]).then(one[1].total_cmp(&other[1])));
    points.dedup();
    points
}

impl Routes {
    /// All routes to a free point.
    pub fn to(floor: &Floor, goal: Point) -> Self {
        let points = corners(floor);
        let mut best: Vec<(f64, Option<usize>)> = vec![(f64::INFINITY, None); points.len()];
        let mut left: Vec<usize> = (0..points.len()).collect();
        let mut corners: Vec<Corner> = Vec::new();
        // Dijkstra's search; whether two points see each other is asked only where that would shorten a route.
        let mut here = goal.map(f64::from);
        let mut margin = clearance(floor, here);
        let (mut done, mut place) = (0.0, None);
        loop {
            for &other in &left {
                let through = done + length(here, points[other]);
                if through < best[other].0 && !floor.is_blocked_within(here, points[other], margin) {
                    best[other] = (through, place);
                }
            }
            let nearest = (0..left.len()).min_by(|one, other| best[left[*one]].0.total_cmp(&best[left[*other]].0));
            let Some(corner) = nearest.map(|at| left.swap_remove(at)).filter(|corner| best[*corner].0.is_finite())
            else {
                return Self { goal, corners };
            };
            here = points[corner];
            margin = CLEARANCE / 2.0;
            (done, place) = (best[corner].0, Some(corners.len()));
            corners.push(Corner { point: here, length: done, next: best[corner].1 });
        }
    }

    /// The goal.
    pub fn goal(&self) -> Point {
        self.goal
    }

    /// Where the shortest route from here begins: the length of the route, and the corner it goes to straight; no corner where the goal
    /// is in sight, nothing where no route leads.
    fn first(&self, floor: &Floor, from: Point) -> Option<(f64, Option<usize>)> {
        let (here, goal) = (from.map(f64::from), self.goal.map(f64::from));
        let margin = clearance(floor, here);
        if !floor.is_blocked_within(here, goal, margin.min(clearance(floor, goal))) {
            return Some((length(here, goal), None));
        }
        let mut ways: Vec<(f64, usize)> = self
            .corners
            .iter()
            .enumerate()
            .map(|(at, corner)| (length(here, corner.point) + corner.length, at))
            .collect();
        ways.sort_by(|one, other| one.0.total_cmp(&other.0));
        let seen = |(_, at): &&(f64, usize)| !floor.is_blocked_within(here, self.corners[*at].point, margin);
        ways.iter().find(seen).map(|(length, at)| (*length, Some(*at)))
    }

    /// Length of the shortest route from here; `None` where none leads to the goal.
    pub fn length_from(&self, floor: &Floor, from: Point) -> Option<f64> {
        self.first(floor, from).map(|(length, _)| length)
    }

    /// The point that the shortest route from here goes to straight: the goal, or a corner.
    pub fn next_from(&self, floor: &Floor, from: Point) -> Option<Point> {
        let (_, corner) = self.first(floor, from)?;
        Some(corner.map_or(self.goal, |at| self.corners[at].point.map(|value| value as f32)))
    }

    /// The points at which the shortest route from here bends, and the goal; nothing where none leads there.
    pub fn points_from(&self, floor: &Floor, from: Point) -> Vec<Point> {
        let Some((_, mut next)) = self.first(floor, from) else { return Vec::new() };
        let mut points = Vec::new();
        while let Some(at) = next {
            points.push(self.corners[at].point.map(|value| value as f32));
            next = self.corners[at].next;
        }
        points.push(self.goal);
        points
    }
}

/// How far a straight way from this point keeps from walls: less than what routes keep elsewhere, should the point be near to one itself.
fn clearance(floor: &Floor, point: [f64; 2]) -> f64 {
    let margins = [CLEARANCE / 4.0, CLEARANCE / 32.0];
    margins.into_iter().find(|margin| floor.is_clear(point, *margin)).unwrap_or(1e-9)
}
