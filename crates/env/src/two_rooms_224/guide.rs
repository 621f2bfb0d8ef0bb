//! Policies that know the floor plan: one that goes to the goal, one that goes everywhere.

use prevision_core::seed;
use rand::Rng;
use rand_distr::StandardNormal;

use super::factors::factors;
use super::plan::{FloorPlan, Point, WALL_CENTRE};
use super::route;
use crate::{Decision, FactorValues, Policy, PolicyError, Start, TimeStep};

/// Distance to the middle of a door, in pixels, from which on the expert looks beyond it.
const DOOR_REACHED: f32 = 10.5;
/// Standard deviation of the noise with which the published recordings were made.
const PUBLISHED_NOISE: f32 = 2.0;
/// Distance at which a place on the way counts as passed, in pixels.
const PASSED: f64 = 2.0;
/// Distance at which the explorer chooses another place to go to, in pixels.
const ARRIVED: f32 = 10.0;
/// Steps after which it does so anyway.
const PATIENCE: u64 = 80;
/// Standard deviation of the noise on the explorer's actions.
const NOISE: f32 = 0.35;
/// Chance that the explorer's next place is in the other room.
const CROSSING: f64 = 0.75;

/// What a policy knows of its episode.
#[derive(Debug, Clone)]
struct Row {
    seed: u64,
    episode: u64,
    step: u64,
    plan: FloorPlan,
    target: Option<Point>,
    /// Step at which the target was chosen.
    chosen: u64,
}

impl Row {
    fn new(start: &Start<'_>, target: Option<Point>) -> Self {
        let plan = FloorPlan::new(&FactorValues::from_info(&factors(), &start.first.info));
        Self { seed: start.seed, episode: start.episode, step: 0, plan, target, chosen: 0 }
    }
}

fn place(state: Option<&Vec<f32>>, policy: &str) -> Result<Point, PolicyError> {
    match state.map(Vec::as_slice) {
        Some(&[x, y]) => Ok([x, y]),
        other => {
            let message = format!("a state is {other:?}, expected x and y of the dot in two-rooms-224");
            Err(PolicyError::Unfit { policy: policy.to_owned(), message })
        }
    }
}

/// The unit vector from one place to another, the zero vector if they are the same.
fn towards(from: Point, to: [f64; 2]) -> [f32; 2] {
    let by = [0, 1].map(|axis| to[axis] - f64::from(from[axis]));
    let length = by[0].hypot(by[1]);
    if length > 1e-8 { by.map(|value| (value / length) as f32) } else { [0.0; 2] }
}

/// The next place on the shortest way that is not passed yet; the goal itself where there is no way. It keeps a pixel away from the
/// corners of the wall: the dot would stop at one for a hair's breadth.
fn next_bend(plan: &FloorPlan, from: Point, to: Point) -> [f64; 2] {
    let goal = to.map(f64::from);
    let far = |point: &[f64; 2]| (point[0] - f64::from(from[0])).hypot(point[1] - f64::from(from[1])) > PASSED;
    let next = route::shortest(plan, from, to).and_then(|way| way.into_iter().skip(1).find(far)).unwrap_or(goal);
    if next == goal {
        return goal;
    }
    let [across, along] = plan.turned(next.map(|value| value as f32));
    plan.turned([across + (across - WALL_CENTRE).signum(), along]).map(f64::from)
}

/// Goes to the goal: while that is in the other room first to the middle of the nearest door that fits the dot, until that is 10.5 pixels
/// away, then through it, then along the shortest way. Upstream's goes straight to the goal from inside of the door, and so gets stuck in
/// the doorway on its way to goals beside the wall.
#[derive(Debug, Clone)]
pub struct Expert {
    noise: f32,
    rows: Vec<Row>,
}

impl Expert {
    /// The name of this policy.
    pub const NAME: &'static str = "expert";
    /// The name of this policy with the noise of the published recordings.
    pub const NOISY: &'static str = "noisy-expert";

    /// Without noise.
    pub fn new() -> Self {
        Self { noise: 0.0, rows: Vec::new() }
    }

    /// With normal noise of standard deviation 2 on each number of an action, as in the published recordings.
    pub fn noisy() -> Self {
        Self { noise: PUBLISHED_NOISE, rows: Vec::new() }
    }

    fn heading(row: &Row, at: Point, goal: Point) -> [f32; 2] {
        let plan = &row.plan;
        let ([across, along], [goal_across, _]) = (plan.turned(at), plan.turned(goal));
        if (across > WALL_CENTRE) != (goal_across > WALL_CENTRE) {
            let away = |centre: f32| (across - WALL_CENTRE).hypot(along - centre);
            let fitting = plan.doors.iter().filter(|door| door.fits(plan.radius)).map(|door| door.centre);
            if let Some(centre) = fitting.min_by(|one, other| away(*one).total_cmp(&away(*other))) {
                let [near, far] = plan.faces();
                let beyond = if goal_across > WALL_CENTRE { far } else { near };
                let aim = if away(centre) > DOOR_REACHED { WALL_CENTRE } else { beyond };
                return towards(at, plan.turned([aim, centre]).map(f64::from));
            }
        }
        towards(at, next_bend(plan, at, goal))
    }
}

impl Default for Expert {
    fn default() -> Self {
        Self::new()
    }
}

impl Policy for Expert {
    fn name(&self) -> String {
        if self.noise > 0.0 { Self::NOISY } else { Self::NAME }.to_owned()
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        let name = self.name();
        let row = |start: &Start<'_>| {
            let goal = place(start.goal.and_then(|goal| goal.state.as_ref()), &name)?;
            Ok(Row::new(start, Some(goal)))
        };
        self.rows = episodes.iter().map(row).collect::<Result<_, PolicyError>>()?;
        Ok(())
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let (name, noise) = (self.name(), self.noise);
        let mut decisions = Vec::with_capacity(rows.len());
        for (row, now) in rows.iter().zip(seen) {
            let row = &mut self.rows[*row];
            let at = place(now.state.as_ref(), &name)?;
            let mut action = Self::heading(row, at, row.target.unwrap_or(at));
            if noise > 0.0 {
                let mut rng = seed::rng(row.seed, "two-rooms-224/expert", row.step, row.episode);
                action = action.map(|value| value + noise * rng.sample::<f32, _>(StandardNormal));
            }
            row.step += 1;
            decisions.push(Decision::of(action.map(|value| value.clamp(-1.0, 1.0)).to_vec()));
        }
        Ok(decisions)
    }
}

/// Goes from one place to another along the shortest ways, with noise; three times of four the next place is in the other room.
#[derive(Debug, Clone, Default)]
pub struct Explore {
    rows: Vec<Row>,
}

impl Explore {
    /// The name of this policy.
    pub const NAME: &'static str = "explore";

    fn choose(row: &Row, at: Point, rng: &mut impl Rng) -> Point {
        let [low, high] = row.plan.limits();
        let cross = rng.random_bool(CROSSING);
        // A share of the area is free in every floor plan; the bound is for one that is not.
        for _ in 0..1_000 {
            let goal = [rng.random_range(low..=high), rng.random_range(low..=high)];
            let other = row.plan.room(goal).is_some() && row.plan.room(goal) != row.plan.room(at);
            if row.plan.is_free(goal) && row.plan.room(goal).is_some() && other == cross {
                return goal;
            }
        }
        at
    }
}

impl Policy for Explore {
    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        self.rows = episodes.iter().map(|start| Row::new(start, None)).collect();
        Ok(())
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let mut decisions = Vec::with_capacity(rows.len());
        for (row, now) in rows.iter().zip(seen) {
            let row = &mut self.rows[*row];
            let at = place(now.state.as_ref(), Self::NAME)?;
            let mut rng = seed::rng(row.seed, "two-rooms-224/explore", row.step, row.episode);
            let arrived = |goal: Point| (goal[0] - at[0]).hypot(goal[1] - at[1]) < ARRIVED;
            if row.target.is_none_or(arrived) || row.step - row.chosen > PATIENCE {
                row.target = Some(Self::choose(row, at, &mut rng));
                row.chosen = row.step;
            }
            let heading = towards(at, next_bend(&row.plan, at, row.target.unwrap_or(at)));
            let action = heading.map(|value| (value + NOISE * rng.sample::<f32, _>(StandardNormal)).clamp(-1.0, 1.0));
            row.step += 1;
            decisions.push(Decision::of(action.to_vec()));
        }
        Ok(decisions)
    }
}
