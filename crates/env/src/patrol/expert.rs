//! The policy that waits for the patrol.

use super::options::PatrolWorld;
use super::rail::{Guard, Rail, TOUCH_DISTANCE};
use super::{ACTION_NORM, SUCCESS_DISTANCE};
use crate::maze::expert::{place, shortened, unfit};
use crate::maze::{Floor, Point, Routes};
use crate::{Decision, Policy, PolicyError, Start, TimeStep};

/// How much further than a touch it keeps from the patrol, in units.
const MARGIN: f32 = 0.5;
/// Directions that are tried to get away from the patrol.
const DIRECTIONS: u8 = 16;

/// Goes to the goal by the shortest route, at the first moment from which on that is safe, and waits until then. It knows the walls and
/// how the patrol rides.
#[derive(Debug, Clone)]
pub struct Expert {
    world: PatrolWorld,
    rows: Vec<(Known, Routes)>,
}

/// What a policy knows of an episode.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) floor: Floor,
    pub(super) rail: Rail,
    /// How far the longest action goes.
    pub(super) reach: f32,
}

impl Known {
    /// From the first moment of an episode.
    pub(super) fn of(world: &PatrolWorld, first: &TimeStep) -> Result<Self, String> {
        let (floor, rail, reach) = world.known(first)?;
        Ok(Self { floor, rail, reach })
    }

    /// Whether a step from one point to another, or a stay, is at a safe distance from the patrol.
    fn is_safe(&self, way: [Point; 2], guard: Guard) -> bool {
        self.rail.nearest(way, [guard, self.rail.advance(guard)]) >= TOUCH_DISTANCE + MARGIN
    }

    /// Whether it is safe to stay at a point for so many steps.
    pub(super) fn is_safe_to_stay(&self, at: Point, mut guard: Guard, steps: usize) -> bool {
        (0..steps).all(|_| {
            let safe = self.is_safe([at; 2], guard);
            guard = self.rail.advance(guard);
            safe
        })
    }

    /// The free step that gets furthest away from the patrol, as a displacement.
    pub(super) fn away(&self, at: Point, guard: Guard) -> Point {
        let guards = [guard, self.rail.advance(guard)];
        let step = |direction: u8| {
            let angle = std::f32::consts::TAU * f32::from(direction) / f32::from(DIRECTIONS);
            [self.reach * angle.cos(), self.reach * angle.sin()]
        };
        let end = |by: Point| [at[0] + by[0], at[1] + by[1]];
        let gained = |by: &Point| {
            let to = end(*by);
            // Where it is after the step counts, unless it is touched on the way.
            self.rail.nearest([at, to], guards).min(TOUCH_DISTANCE) + self.rail.nearest([to; 2], [guards[1]; 2])
        };
        let free = (0..DIRECTIONS).map(step).filter(|by| !self.floor.is_blocked(at, end(*by)));
        free.max_by(|one, other| gained(one).total_cmp(&gained(other))).unwrap_or([0.0; 2])
    }

    /// The step of the shortest route.
    fn onwards(&self, routes: &Routes, at: Point) -> Option<Point> {
        let next = routes.next_from(&self.floor, at)?;
        Some(shortened([next[0] - at[0], next[1] - at[1]], self.reach))
    }

    /// The positions of the shortest route step by step, from here until the goal is reached.
    fn way(&self, routes: &Routes, from: Point) -> Vec<Point> {
        let (mut at, goal) = (from, routes.goal());
        let mut points = vec![at];
        let limit = routes
            .length_from(&self.floor, from)
            .map_or(0, |length| (2.0 * length / f64::from(self.reach)) as usize + 10);
        while points.len() < limit && f64::from((goal[0] - at[0]).hypot(goal[1] - at[1])) >= 0.9 * SUCCESS_DISTANCE {
            let Some(by) = self.onwards(routes, at) else { break };
            at = [at[0] + by[0], at[1] + by[1]];
            points.push(at);
        }
        points
    }

    /// How many steps to wait before the whole way is safe, at most a period of the patrol.
    fn wait(&self, way: &[Point], mut guard: Guard) -> Option<usize> {
        for wait in 0..=self.rail.period() {
            let mut later = guard;
            let safe = way.windows(2).all(|pair| {
                let safe = self.is_safe([pair[0], pair[1]], later);
                later = self.rail.advance(later);
                safe
            });
            if safe {
                return Some(wait);
            }
            if !self.is_safe([way[0]; 2], guard) {
                return None;
            }
            guard = self.rail.advance(guard);
        }
        None
    }
}

/// The patrol of a state.
pub(super) fn guard(policy: &str, seen: &TimeStep) -> Result<Guard, PolicyError> {
    match seen.state.as_deref() {
        Some(&[_, _, y, direction]) => Ok(Guard { y, direction }),
        _ => Err(unfit(policy, "it needs a state of x, y, and row and direction of the patrol")),
    }
}

impl Expert {
    /// The name of this policy.
    pub const NAME: &'static str = "expert";

    /// For this world.
    pub fn new(world: PatrolWorld) -> Self {
        Self { world, rows: Vec::new() }
    }
}

impl Policy for Expert {
    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        let row = |start: &Start<'_>| {
            let known = Known::of(&self.world, start.first).map_err(|message| unfit(Self::NAME, message))?;
            let goal = place(Self::NAME, start.goal.and_then(|goal| goal.state.as_ref()))?;
            let routes = Routes::to(&known.floor, goal);
            Ok((known, routes))
        };
        self.rows = episodes.iter().map(row).collect::<Result<_, PolicyError>>()?;
        Ok(())
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let act = |(row, seen): (&usize, &&TimeStep)| {
            let (known, routes) = &self.rows[*row];
            let at = place(Self::NAME, seen.state.as_ref())?;
            let guard = guard(Self::NAME, seen)?;
            let by = match known.wait(&known.way(routes, at), guard) {
                Some(0) => known.onwards(routes, at).unwrap_or([0.0; 2]),
                Some(_) => [0.0; 2],
                // It cannot stay here either.
                None => known.away(at, guard),
            };
            Ok(Decision::of(by.map(|value| value * ACTION_NORM / known.reach).to_vec()))
        };
        rows.iter().zip(seen).map(act).collect()
    }
}
