//! What an episode asks for.

use super::factors::{Door, factors};
use super::options::Rooms;
use super::plan::{FloorPlan, Point};
use super::route;
use crate::{FactorSampler, FactorValues, Variation};

/// A dot nearer to the goal than this, in pixels, has reached it.
pub const SUCCESS_DISTANCE: f64 = 16.0;

/// How often values that do not go together are drawn anew.
const ATTEMPTS: u64 = 1_000;
const START: &str = "agent.position";
const GOAL: &str = "target.position";

/// A floor plan, a start and a goal.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Wall and doors.
    pub plan: FloorPlan,
    /// Where the dot starts.
    pub start: Point,
    /// Where it should get to.
    pub goal: Point,
    /// Values of all factors, start and goal among them.
    pub values: FactorValues,
}

/// Draws the tasks of seeds.
#[derive(Debug, Clone)]
pub(super) struct Tasks {
    sampler: FactorSampler,
    rooms: Rooms,
}

impl Tasks {
    /// Start and goal differ between episodes, whatever else does.
    pub(super) fn new(variation: &Variation, rooms: Rooms) -> Result<Self, String> {
        let mut variation = variation.clone();
        variation.vary.extend([START, GOAL].map(str::to_owned));
        Ok(Self { sampler: FactorSampler::new(factors(), variation)?, rooms })
    }

    /// The task of this seed.
    pub(super) fn sample(&self, seed: u64) -> Task {
        let mut values = self.sampler.sample(seed);
        self.draw_until(seed, "door.size", &mut values, |values| fitting(values).next().is_some());
        self.draw_until(seed, "door.position", &mut values, |values| {
            let [low, high] = FloorPlan::new(values).limits();
            fitting(values).any(|door| (low..=high).contains(&door.centre))
        });
        let plan = FloorPlan::new(&values);
        let start = |values: &FactorValues| place(values, START);
        self.draw_until(seed, START, &mut values, |values| {
            plan.is_free(start(values)) && plan.room(start(values)).is_some()
        });
        let start = start(&values);
        self.draw_until(seed, GOAL, &mut values, |values| plan.is_free(place(values, GOAL)));
        if self.rooms == Rooms::Opposite {
            self.move_goal_over(seed, &plan, start, &mut values);
        }
        Task { start, goal: place(&values, GOAL), plan, values }
    }

    /// Draws the goal until it is in the other room and so far away as `task.min_steps` says; the farthest one, if none is that far.
    fn move_goal_over(&self, seed: u64, plan: &FloorPlan, start: Point, values: &mut FactorValues) {
        let wanted = f64::from(values.number("task.min_steps") * values.number("agent.speed"));
        let other = plan.room(start).map(|room| 1 - room);
        let mut farthest = (0.0, place(values, GOAL));
        for attempt in 1..=ATTEMPTS {
            let goal = place(values, GOAL);
            if other.is_some() && plan.is_free(goal) && plan.room(goal) == other {
                let length = route::shortest(plan, start, goal).map_or(0.0, |way| route::length(&way));
                if length >= farthest.0 {
                    farthest = (length, goal);
                }
            }
            if farthest.0 >= wanted || !self.sampler.redraw(seed, ATTEMPTS + attempt, GOAL, values) {
                break;
            }
        }
        values.set(GOAL, &farthest.1);
    }

    fn draw_until(&self, seed: u64, name: &str, values: &mut FactorValues, fits: impl Fn(&FactorValues) -> bool) {
        for attempt in 1..=ATTEMPTS {
            if fits(values) || !self.sampler.redraw(seed, attempt, name, values) {
                return;
            }
        }
    }
}

/// The doors through which the dot fits.
fn fitting(values: &FactorValues) -> impl Iterator<Item = Door> {
    let radius = values.number("agent.radius");
    Door::all(values).into_iter().filter(move |door| door.fits(radius))
}

fn place(values: &FactorValues, name: &str) -> Point {
    let numbers = values.get(name);
    [numbers[0], numbers[1]]
}

impl Task {
    /// Starts elsewhere.
    pub(super) fn start_at(&mut self, start: Point) {
        self.start = start;
        self.values.set(START, &start);
    }

    /// Has another goal.
    pub(super) fn aim_at(&mut self, goal: Point) {
        self.goal = goal;
        self.values.set(GOAL, &goal);
    }

    /// Length of the shortest lawful way from start to goal, in pixels; `None` if there is none.
    pub fn route(&self) -> Option<f64> {
        route::shortest(&self.plan, self.start, self.goal).map(|way| route::length(&way))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factors::FactorRange;

    fn tasks(vary: &[&str], range: FactorRange, rooms: Rooms) -> Tasks {
        let vary = vary.iter().map(|&name| name.to_owned()).collect();
        Tasks::new(&Variation { vary, range, ..Variation::default() }, rooms).unwrap()
    }

    #[test]
    fn start_and_goal_are_anywhere_or_in_opposite_rooms() {
        let (anywhere, opposite) =
            (tasks(&[], FactorRange::Training, Rooms::Anywhere), tasks(&[], FactorRange::Training, Rooms::Opposite));
        let mut same = 0;
        for seed in 0..300 {
            let task = anywhere.sample(seed);
            assert!(task.plan.is_free(task.start) && task.plan.is_free(task.goal) && task.route().is_some());
            assert_eq!(task, anywhere.sample(seed));
            same += u32::from(task.plan.room(task.start) == task.plan.room(task.goal));
            let task = opposite.sample(seed);
            let rooms = [task.start, task.goal].map(|point| task.plan.room(point).unwrap());
            assert_eq!(rooms[0] + rooms[1], 1);
            assert!(task.route().unwrap() >= 25.0 * 5.0, "{:?}", task.route());
        }
        assert!((100..200).contains(&same), "{same}");
    }

    #[test]
    fn floor_plans_that_vary_let_the_dot_through() {
        for range in [FactorRange::Training, FactorRange::HeldOut, FactorRange::All] {
            let tasks = tasks(&["all"], range, Rooms::Opposite);
            let ways = (0..100).filter(|seed| tasks.sample(*seed).route().is_some()).count();
            assert_eq!(ways, 100, "{range:?}");
        }
    }
}
