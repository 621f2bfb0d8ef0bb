//! The world while somebody acts in it: a task, and where the dot is.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use prevision_core::{Action, Camera, FrameBuffer, Observations, Space, Spaces, seed};

use super::draw::{draw_dot, draw_walls};
use super::geometry::{Point, SIZE};
use super::layout::{DOOR_RANGE, Layout, LayoutSplit, WALL_RANGE};
use super::look::{Look, factors};
use super::task::{SUCCESS_DISTANCE, Task};
use super::{Options, render};
use crate::canvas::Canvas;
use crate::registry::Purpose;
use crate::{EnvError, Environment, EnvironmentSpec, FactorSampler, FactorValues, Goal, Legality, Mark, TimeStep};

/// The name of this world.
pub const NAME: &str = "two-rooms";
/// The name of its camera.
pub const CAMERA: &str = "pixels";
/// Largest Euclidean norm of an action, in pixels.
pub const ACTION_NORM: f32 = 2.45;

/// What rounding may add to the length of a step, in pixels.
const ROUNDING: f32 = 1e-3;

/// Two Rooms at an episode. Its state is where the dot is; [`reset_to`](Environment::reset_to) takes the column of the wall and the row
/// of the door behind it.
#[derive(Debug, Clone)]
pub struct TwoRooms {
    spec: EnvironmentSpec,
    options: Options,
    split: LayoutSplit,
    seed: u64,
    task: Task,
    position: Point,
    steps: u64,
    sampler: FactorSampler,
    /// Values of the factors in this episode.
    factors: FactorValues,
    look: Look,
    /// A frame with the walls alone.
    walls: Vec<u8>,
    /// The floor plan at the scale that was rendered first.
    floor: OnceCell<Canvas>,
}

impl TwoRooms {
    /// The world at the task of seed 0.
    ///
    /// # Panics
    /// If the variation names what there is not: options are validated before a world is made of them.
    pub fn new(options: &Options, purpose: Purpose) -> Self {
        let split = options.layouts.unwrap_or(match purpose {
            Purpose::Recording => LayoutSplit::Training,
            Purpose::Evaluation => LayoutSplit::HeldOut,
        });
        let task = Task::sample(0, options.layout, split);
        let sampler =
            FactorSampler::new(factors(), options.variation.clone()).unwrap_or_else(|error| panic!("{error}"));
        let factors = sampler.sample(0);
        let look = Look::new(&factors);
        Self {
            spec: spec(),
            options: options.clone(),
            split,
            seed: 0,
            task,
            position: task.start,
            steps: 0,
            sampler,
            factors,
            look,
            walls: draw_walls(task.layout, &look),
            floor: OnceCell::new(),
        }
    }

    /// The current task.
    pub fn task(&self) -> &Task {
        &self.task
    }

    fn begin(&mut self, seed: u64, task: Task) -> TimeStep {
        self.seed = seed;
        self.position = task.start;
        self.steps = 0;
        self.factors = self.sampler.sample(seed);
        self.look = Look::new(&self.factors);
        self.walls = draw_walls(task.layout, &self.look);
        self.floor = OnceCell::new();
        self.task = task;
        self.moment()
    }

    fn observe(&self, position: Point) -> Observations {
        let mut data = self.walls.clone();
        draw_dot(&mut data, position, &self.look);
        Observations::of_camera(CAMERA, FrameBuffer { data, frames: 1, height: SIZE, width: SIZE })
    }

    fn moment(&self) -> TimeStep {
        let [x, y] = [0, 1].map(|axis| f64::from(self.position[axis]) - f64::from(self.task.goal[axis]));
        let distance = x.hypot(y);
        let layout = self.task.layout;
        let mut info = self.factors.info();
        info.insert("layout".to_owned(), vec![f32::from(layout.wall_x), f32::from(layout.door_y)]);
        TimeStep {
            observations: self.observe(self.position),
            state: Some(self.position.to_vec()),
            info,
            success: distance < SUCCESS_DISTANCE,
            distance: Some(distance),
            ..TimeStep::default()
        }
    }
}

fn spec() -> EnvironmentSpec {
    EnvironmentSpec {
        name: NAME.to_owned(),
        spaces: Spaces {
            frames: 1,
            frame_step: 1,
            cameras: BTreeMap::from([(CAMERA.to_owned(), Camera { height: SIZE, width: SIZE })]),
            vectors: BTreeMap::new(),
            action: Some(Space::Ball { dim: 2, radius: ACTION_NORM }),
            state: Some(2),
        },
        max_steps: 200,
        unit: Some("px".to_owned()),
        factors: factors(),
        ..EnvironmentSpec::default()
    }
}

/// A number of a state as a column or row of the grid.
fn cell(value: f32, range: &std::ops::RangeInclusive<u8>) -> Option<u8> {
    range.clone().find(|place| f32::from(*place) == value)
}

impl Environment for TwoRooms {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, seed: u64) -> Result<TimeStep, EnvError> {
        let task = Task::sample(seed, self.options.layout, self.split);
        Ok(self.begin(seed, task))
    }

    fn reset_to(&mut self, seed: u64, state: &[f32]) -> Result<TimeStep, EnvError> {
        let expected = "x and y of the dot on the floor, then, if wanted, column of the wall and row of the door";
        let invalid = || EnvError::invalid(NAME, "state", state, expected);
        let mut task = Task::sample(seed, self.options.layout, self.split);
        match *state {
            [x, y] => task.start = [x, y],
            [x, y, wall, door] => {
                let wall_x = cell(wall, &WALL_RANGE).ok_or_else(invalid)?;
                let door_y = cell(door, &DOOR_RANGE).ok_or_else(invalid)?;
                task = Task::in_layout(seed, Layout { wall_x, door_y });
                task.start = [x, y];
            }
            _ => return Err(invalid()),
        }
        if !task.layout.is_free(task.start) {
            return Err(invalid());
        }
        Ok(self.begin(seed, task))
    }

    fn step(&mut self, action: Action<'_>) -> Result<TimeStep, EnvError> {
        let Action::Vector(&[x, y]) = action else {
            return Err(EnvError::invalid(NAME, "action", action, "2 numbers, the displacement in x and y in pixels"));
        };
        let norm = x.hypot(y);
        let shorten = if norm > ACTION_NORM { ACTION_NORM / norm } else { 1.0 };
        let stretch = shorten * self.factors.number("dot.speed");
        let mut noise = seed::rng(self.seed, "two-rooms/bounce", 0, self.steps);
        self.position =
            self.options.collision.advance(self.task.layout, self.position, [x * stretch, y * stretch], &mut noise);
        self.steps += 1;
        Ok(self.moment())
    }

    fn goal(&self) -> Option<Goal> {
        Some(Goal {
            observations: Some(self.observe(self.task.goal)),
            state: Some(self.task.goal.to_vec()),
            route: Some(self.task.route()),
        })
    }

    fn legality(&self, states: &[Vec<f32>]) -> Legality {
        let layout = self.task.layout;
        let longest = ACTION_NORM * self.factors.number("dot.speed") + ROUNDING;
        let lawful = |from: Point, to: Point| {
            let norm = (to[0] - from[0]).hypot(to[1] - from[1]);
            layout.is_free(to) && layout.first_contact(from, to).is_none() && norm <= longest
        };
        let points = states.iter().map(|state| [state[0], state[1]]).collect::<Vec<Point>>();
        Legality::of_steps(&points, |from, to| lawful(*from, *to))
    }

    fn position(&self) -> Option<[f32; 2]> {
        Some(self.position)
    }

    fn render(&self, marks: &[Mark<'_>], scale: usize) -> Option<FrameBuffer> {
        let layout = self.task.layout;
        let kept = self.floor.get_or_init(|| render::floor_plan(layout, scale));
        let floor = if kept.size() == SIZE * scale { kept.clone() } else { render::floor_plan(layout, scale) };
        Some(render::render(floor, &self.task, self.position, marks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::two_rooms::LayoutChoice;

    fn world() -> TwoRooms {
        TwoRooms::new(&Options::default(), Purpose::Evaluation)
    }

    fn step(world: &mut TwoRooms, action: [f32; 2]) -> TimeStep {
        world.step(Action::Vector(&action)).expect("a step")
    }

    #[test]
    fn an_action_longer_than_the_norm_is_shortened() {
        let options = Options { layout: LayoutChoice::Fixed, ..Options::default() };
        let mut world = TwoRooms::new(&options, Purpose::Evaluation);
        world.reset_to(0, &[20.0, 30.0]).expect("a free place");
        step(&mut world, [-30.0, 40.0]);
        approx::assert_abs_diff_eq!(world.position[0], 20.0 - 1.47, epsilon = 1e-5);
        approx::assert_abs_diff_eq!(world.position[1], 30.0 + 1.96, epsilon = 1e-5);
        world.position = [20.0, 30.0];
        assert_eq!(step(&mut world, [1.0, -2.0]).state, Some(vec![21.0, 28.0]));
        step(&mut world, [f32::NAN, 1.0]);
        assert_eq!(step(&mut world, [f32::INFINITY, 1.0]).state, Some(vec![21.0, 28.0]));
    }

    #[test]
    fn frames_follow_the_task_and_the_scale() {
        let mut kept = world();
        let fresh = |seed, scale| {
            let mut world = world();
            world.reset(seed).expect("reset");
            world.render(&[], scale).expect("a frame").data
        };
        for (seed, scale) in [(0, 2), (0, 3), (1, 3), (1, 2)] {
            kept.reset(seed).expect("reset");
            assert!(kept.render(&[], 2).expect("a frame").data == fresh(seed, 2));
            assert!(kept.render(&[], scale).expect("a frame").data == fresh(seed, scale));
        }
        assert!(fresh(0, 2) != fresh(1, 2));
    }

    #[test]
    fn success_is_nearer_than_four_and_a_half_pixels() {
        let mut world = world();
        world.task.goal = [20.0, 20.0];
        world.position = [24.5, 20.0];
        assert_eq!((world.moment().distance, world.moment().success), (Some(4.5), false));
        world.position = [22.0, 24.0];
        assert!(world.moment().success);
    }

    #[test]
    fn a_way_through_the_wall_is_illegal() {
        let options = Options { layout: LayoutChoice::Fixed, ..Options::default() };
        let mut world = TwoRooms::new(&options, Purpose::Evaluation);
        world.reset(0).expect("reset");
        let judge =
            |states: &[[f32; 2]]| world.legality(&states.iter().map(|state| state.to_vec()).collect::<Vec<_>>());
        assert_eq!(judge(&[[30.0, 18.0], [32.0, 18.0], [34.0, 18.5]]), Legality::Legal);
        assert_eq!(judge(&[[28.0, 40.0], [30.0, 40.0], [30.0, 40.0], [32.0, 40.0]]), Legality::Illegal { step: 3 });
        assert_eq!(judge(&[[20.0, 40.0], [23.0, 40.0]]), Legality::Illegal { step: 1 });
        assert_eq!(judge(&[[20.0, 40.0]]), Legality::Legal);
    }

    #[test]
    fn what_is_no_action_or_state_is_said() {
        let mut world = world();
        let message = world.step(Action::Vector(&[0.0; 3])).unwrap_err().to_string();
        assert!(message.contains("two-rooms") && message.contains("expected 2 numbers"), "{message}");
        assert!(world.step(Action::Choice(1)).is_err());
        for state in [&[4.0, 30.0][..], &[20.0], &[20.0, 30.0, 3.0, 18.0], &[32.0, 40.0, 32.0, 18.0]] {
            assert!(world.reset_to(0, state).unwrap_err().to_string().contains("state is"), "{state:?}");
        }
        let first = world.reset_to(0, &[20.0, 30.0, 32.0, 18.0]).expect("a free place");
        assert_eq!((first.state, &first.info["layout"]), (Some(vec![20.0, 30.0]), &vec![32.0, 18.0]));
    }
}
