//! The policy that takes the shortest route.

use super::ACTION_NORM;
use super::floor::Floor;
use super::options::MazeWorld;
use super::route::Routes;
use super::wall::Point;
use crate::{Decision, Policy, PolicyError, Start, TimeStep};

/// Goes to the goal by the shortest legal route, as fast as it may. It knows the walls.
#[derive(Debug, Clone)]
pub struct Expert {
    world: MazeWorld,
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    floor: Floor,
    routes: Routes,
    /// How far an action of norm 1 goes.
    speed: f32,
}

impl Expert {
    /// The name of this policy.
    pub const NAME: &'static str = "expert";

    /// For this maze.
    pub fn new(world: MazeWorld) -> Self {
        Self { world, rows: Vec::new() }
    }
}

/// What keeps a policy of a maze from acting.
pub(crate) fn unfit(policy: &str, message: impl Into<String>) -> PolicyError {
    PolicyError::Unfit { policy: policy.to_owned(), message: message.into() }
}

/// Where the agent is, from the first two numbers of a state.
pub(crate) fn place(policy: &str, state: Option<&Vec<f32>>) -> Result<Point, PolicyError> {
    match state.and_then(|state| state.first_chunk::<2>()) {
        Some(point) => Ok(*point),
        None => Err(unfit(policy, "it needs a state that begins with x and y")),
    }
}

/// The part of a displacement that is at most `norm` long.
pub(crate) fn shortened(by: Point, norm: f32) -> Point {
    let length = by[0].hypot(by[1]);
    if length > norm { by.map(|value| value * norm / length) } else { by }
}

impl Policy for Expert {
    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        let row = |start: &Start<'_>| {
            let floor = self.world.floor_of(start.first).map_err(|message| unfit(Self::NAME, message))?;
            let goal = place(Self::NAME, start.goal.and_then(|goal| goal.state.as_ref()))?;
            Ok(Row { routes: Routes::to(&floor, goal), floor, speed: self.world.speed_of(start.first) })
        };
        self.rows = episodes.iter().map(row).collect::<Result<_, PolicyError>>()?;
        Ok(())
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let act = |(row, seen): (&usize, &&TimeStep)| {
            let Row { floor, routes, speed } = &self.rows[*row];
            let at = place(Self::NAME, seen.state.as_ref())?;
            let Some(next) = routes.next_from(floor, at) else {
                return Err(unfit(Self::NAME, format!("no route leads from {at:?} to {:?}", routes.goal())));
            };
            let by = [(next[0] - at[0]) / speed, (next[1] - at[1]) / speed];
            Ok(Decision::of(shortened(by, ACTION_NORM).to_vec()))
        };
        rows.iter().zip(seen).map(act).collect()
    }
}
