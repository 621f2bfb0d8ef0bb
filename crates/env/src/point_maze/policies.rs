//! The policies of the world: one that takes the shortest route, one that explores.

use prevision_core::seed;

use super::dynamics::{MASS, Motion, STEP_SECONDS, SUBSTEPS};
use super::options::{CRUISE, PointMazeWorld};
use crate::maze::expert::{place, unfit};
use crate::maze::wander::Wanderer;
use crate::maze::{Floor, Point, Routes};
use crate::{Decision, Policy, PolicyError, Start, TimeStep};

/// How fast the expert wants to go for each m to where its way bends, in 1/s: it brakes over about a quarter of a second.
const APPROACH: f32 = 4.0;
/// Share of the lack of speed that one action makes up for.
const GAIN: f32 = 0.8;

/// The push that brings the ball to a velocity: proportional to what lacks of it, where the velocity that is wanted is itself
/// proportional to what lacks of the way. Together that is a controller of proportion and derivative.
fn push(motion: Motion, velocity: Point, wanted: Point) -> Vec<f32> {
    let duration = SUBSTEPS as f32 * STEP_SECONDS;
    [0, 1]
        .map(|axis| {
            let force = GAIN * (wanted[axis] - velocity[axis]) * MASS / duration + motion.damping * wanted[axis];
            (force / motion.gear).clamp(-1.0, 1.0)
        })
        .to_vec()
}

/// The velocity of a state.
fn velocity(policy: &str, seen: &TimeStep) -> Result<Point, PolicyError> {
    match seen.state.as_deref() {
        Some(&[_, _, u, v]) => Ok([u, v]),
        _ => Err(unfit(policy, "it needs a state of x, y and two velocities")),
    }
}

/// Goes to the goal along the shortest legal route, braking where it bends. It knows the walls.
#[derive(Debug, Clone)]
pub struct Expert {
    world: PointMazeWorld,
    rows: Vec<(Floor, Routes, Motion)>,
}

impl Expert {
    /// The name of this policy.
    pub const NAME: &'static str = "expert";

    /// For this maze.
    pub fn new(world: PointMazeWorld) -> Self {
        Self { world, rows: Vec::new() }
    }
}

impl Policy for Expert {
    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        let row = |start: &Start<'_>| {
            let floor = self.world.floor_of(start.first).map_err(|message| unfit(Self::NAME, message))?;
            let goal = place(Self::NAME, start.goal.and_then(|goal| goal.state.as_ref()))?;
            let routes = Routes::to(&floor, goal);
            Ok((floor, routes, self.world.motion_of(start.first)))
        };
        self.rows = episodes.iter().map(row).collect::<Result<_, PolicyError>>()?;
        Ok(())
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let act = |(row, seen): (&usize, &&TimeStep)| {
            let (floor, routes, motion) = &self.rows[*row];
            let at = place(Self::NAME, seen.state.as_ref())?;
            let Some(next) = routes.next_from(floor, at) else {
                return Err(unfit(Self::NAME, format!("no route leads from {at:?} to {:?}", routes.goal())));
            };
            let by = [next[0] - at[0], next[1] - at[1]];
            let distance = by[0].hypot(by[1]).max(f32::MIN_POSITIVE);
            // A bend is passed at some speed still, so that the ball gets round it.
            let least = if next == routes.goal() { 0.0 } else { 0.5 };
            let speed = (APPROACH * distance).clamp(least, CRUISE);
            let wanted = by.map(|part| part / distance * speed);
            Ok(Decision::of(push(*motion, velocity(Self::NAME, seen)?, wanted)))
        };
        rows.iter().zip(seen).map(act).collect()
    }
}

/// Explores: by turns it rolls without aim, keeping its heading for a while, and takes the way to a place drawn anywhere on the floor. It
/// knows the walls.
#[derive(Debug, Clone)]
pub struct Walk {
    world: PointMazeWorld,
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    floor: Floor,
    wanderer: Wanderer,
    motion: Motion,
    seed: u64,
    episode: u64,
    step: u64,
}

impl Walk {
    /// The name of this policy.
    pub const NAME: &'static str = "walk";

    /// For this maze.
    pub fn new(world: PointMazeWorld) -> Self {
        Self { world, rows: Vec::new() }
    }
}

impl Policy for Walk {
    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        let row = |start: &Start<'_>| {
            let floor = self.world.floor_of(start.first).map_err(|message| unfit(Self::NAME, message))?;
            let motion = self.world.motion_of(start.first);
            Ok(Row { floor, wanderer: Wanderer::new(), motion, seed: start.seed, episode: start.episode, step: 0 })
        };
        self.rows = episodes.iter().map(row).collect::<Result<_, PolicyError>>()?;
        Ok(())
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let mut decisions = Vec::with_capacity(rows.len());
        for (row, seen) in rows.iter().zip(seen) {
            let row = &mut self.rows[*row];
            let mut rng = seed::rng(row.seed, "point-maze/walk", row.step, row.episode);
            let (at, velocity) = (place(Self::NAME, seen.state.as_ref())?, velocity(Self::NAME, seen)?);
            row.step += 1;
            let reach = CRUISE * STEP_SECONDS * SUBSTEPS as f32;
            let wanted = row.wanderer.next(&row.floor, at, reach, &mut rng).map(|part| part * CRUISE);
            decisions.push(Decision::of(push(row.motion, velocity, wanted)));
        }
        Ok(decisions)
    }
}
