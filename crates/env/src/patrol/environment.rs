//! The world while somebody acts in it.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use prevision_core::{Action, Camera, FrameBuffer, Observations, Space, Spaces, seed};
use rand::Rng;

use super::options::{EXTENT, PatrolWorld, factors, rail, walls};
use super::rail::{GUARD_RADIUS, Guard, Rail, TOUCH_DISTANCE};
use crate::canvas::Canvas;
use crate::maze::scene::{Dot, Scene, Shown};
use crate::maze::{Floor, Point, Routes};
use crate::registry::Purpose;
use crate::two_rooms::layout::{DOOR_RANGE, WALL_RANGE};
use crate::two_rooms::{self, Layout, LayoutSplit};
use crate::{EnvError, Environment, EnvironmentSpec, Goal, Legality, Mark, TimeStep};

pub use crate::two_rooms::{ACTION_NORM, SUCCESS_DISTANCE};

/// The name of this world.
pub const NAME: &str = "patrol";
/// The name of its camera.
pub const CAMERA: &str = "pixels";
/// What rounding may add to the length of a step, in units.
const ROUNDING: f32 = 1e-3;
/// Least distance of the patrol from the agent at the start, in units.
const START_DISTANCE: f32 = 2.0 * TOUCH_DISTANCE;

/// Two rooms with a patrol at an episode. Its state is x and y of the agent, the row of the patrol, and 1 where that rides down or -1
/// where it rides up; [`reset_to`](Environment::reset_to) takes the column of the wall and the row of the door behind it.
#[derive(Debug, Clone)]
pub struct Patrol {
    spec: EnvironmentSpec,
    world: PatrolWorld,
    split: LayoutSplit,
    task: two_rooms::Task,
    scene: Scene,
    rail: Rail,
    /// Length of the shortest route, whatever the patrol does.
    route: Option<f64>,
    position: Point,
    guard: Guard,
    /// Where the patrol is in the picture of the goal.
    goal_guard: Guard,
    /// Whether the patrol was touched: the episode is over.
    touched: bool,
    /// The floor plan at the scale that was rendered first.
    floor: OnceCell<Canvas>,
}

impl Patrol {
    /// The world at the task of seed 0.
    pub fn new(world: PatrolWorld, purpose: Purpose) -> Self {
        let split = world.split(purpose);
        let task = two_rooms::Task::sample(0, world.options.layout, split);
        let scene = scene(&world, 0, task.layout);
        let rail = rail_of(&scene, task.layout);
        let mut patrol = Self {
            spec: spec(&world),
            split,
            route: Routes::to(&scene.floor, task.goal).length_from(&scene.floor, task.start),
            position: task.start,
            guard: Guard { y: rail.ends[0], direction: 1.0 },
            goal_guard: Guard { y: rail.ends[0], direction: 1.0 },
            touched: false,
            floor: OnceCell::new(),
            task,
            scene,
            rail,
            world,
        };
        patrol.begin(0, task, None);
        patrol
    }

    /// The floor plan, start and goal.
    pub fn task(&self) -> &two_rooms::Task {
        &self.task
    }

    /// Where the patrol rides.
    pub fn rail(&self) -> &Rail {
        &self.rail
    }

    fn begin(&mut self, seed: u64, task: two_rooms::Task, guard: Option<Guard>) {
        self.scene = scene(&self.world, seed, task.layout);
        self.rail = rail_of(&self.scene, task.layout);
        self.route = Routes::to(&self.scene.floor, task.goal).length_from(&self.scene.floor, task.start);
        let mut rng = seed::rng(seed, "patrol/phase", 0, 0);
        let mut anywhere = || {
            let y = rng.random_range(self.rail.ends[0]..=self.rail.ends[1]);
            Guard { y, direction: if rng.random_bool(0.5) { 1.0 } else { -1.0 } }
        };
        self.goal_guard = anywhere();
        let distance = |guard: &Guard| self.rail.nearest([task.start; 2], [*guard; 2]);
        self.guard = guard.unwrap_or_else(|| {
            // Not beside the start, so that nobody is caught before the first step; the furthest draw where the start is in the way.
            let drawn: Vec<Guard> = (0..50).map(|_| anywhere()).collect();
            let far = drawn.iter().find(|guard| distance(guard) >= START_DISTANCE);
            let furthest = || drawn.iter().max_by(|one, other| distance(one).total_cmp(&distance(other)));
            far.or_else(furthest).copied().expect("50 draws")
        });
        (self.position, self.touched, self.floor) = (task.start, false, OnceCell::new());
        self.task = task;
    }

    fn guard_dot(&self, guard: Guard) -> Dot {
        Dot { at: [self.rail.x, guard.y], radius: GUARD_RADIUS, colour: self.scene.values.colour("patrol.color") }
    }

    fn observe(&self, position: Point, guard: Guard) -> Observations {
        Observations::of_camera(CAMERA, self.scene.frame([self.guard_dot(guard), self.scene.agent(position)]))
    }

    fn moment(&self) -> TimeStep {
        let [x, y] = [0, 1].map(|axis| f64::from(self.position[axis]) - f64::from(self.task.goal[axis]));
        let distance = x.hypot(y);
        let layout = self.task.layout;
        let mut info = self.scene.values.info();
        info.insert("layout".to_owned(), vec![f32::from(layout.wall_x), f32::from(layout.door_y)]);
        TimeStep {
            observations: self.observe(self.position, self.guard),
            state: Some(state(self.position, self.guard)),
            info,
            terminated: self.touched,
            success: !self.touched && distance < SUCCESS_DISTANCE,
            distance: Some(distance),
            ..TimeStep::default()
        }
    }

    fn state_error(&self, given: &[f32]) -> EnvError {
        EnvError::Invalid {
            world: NAME.to_owned(),
            what: "state",
            given: format!("{given:?}"),
            expected: format!(
                "x and y of the agent on the floor, row of the patrol (here {} to {}) away from it, its direction (1 or -1), then, if \
                 wanted, column of the wall and row of the door",
                self.rail.ends[0], self.rail.ends[1]
            ),
        }
    }
}

fn state(position: Point, guard: Guard) -> Vec<f32> {
    vec![position[0], position[1], guard.y, guard.direction]
}

fn scene(world: &PatrolWorld, seed: u64, layout: Layout) -> Scene {
    let values = world.sampler.sample(seed);
    let walls = walls(layout, values.number("door.width"));
    let cell = EXTENT / 4.0;
    Scene::new(Floor::new([EXTENT; 2], cell, walls.clone()), walls, cell, values, world.options.size)
}

fn rail_of(scene: &Scene, layout: Layout) -> Rail {
    rail(layout, scene.values.number("patrol.range"), scene.values.number("patrol.speed"))
}

fn spec(world: &PatrolWorld) -> EnvironmentSpec {
    let size = world.options.size;
    EnvironmentSpec {
        name: NAME.to_owned(),
        spaces: Spaces {
            frames: 1,
            frame_step: 1,
            cameras: BTreeMap::from([(CAMERA.to_owned(), Camera { height: size, width: size })]),
            vectors: BTreeMap::new(),
            action: Some(Space::Ball { dim: 2, radius: ACTION_NORM }),
            state: Some(4),
        },
        max_steps: 200,
        unit: Some("units".to_owned()),
        rewards: false,
        rule: Some(world.options.collision.name().to_owned()),
        factors: factors(),
    }
}

/// A number of a state as a column or row of the grid.
fn cell(value: f32, range: &std::ops::RangeInclusive<u8>) -> Option<u8> {
    range.clone().find(|place| f32::from(*place) == value)
}

impl Environment for Patrol {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, seed: u64) -> Result<TimeStep, EnvError> {
        let task = two_rooms::Task::sample(seed, self.world.options.layout, self.split);
        self.begin(seed, task, None);
        Ok(self.moment())
    }

    fn reset_to(&mut self, seed: u64, given: &[f32]) -> Result<TimeStep, EnvError> {
        let (&[x, y, row, direction], layout) =
            given.split_first_chunk::<4>().ok_or_else(|| self.state_error(given))?;
        let mut task = match *layout {
            [] => two_rooms::Task::sample(seed, self.world.options.layout, self.split),
            [wall, door] => match (cell(wall, &WALL_RANGE), cell(door, &DOOR_RANGE)) {
                (Some(wall_x), Some(door_y)) => two_rooms::Task::in_layout(seed, Layout { wall_x, door_y }),
                _ => return Err(self.state_error(given)),
            },
            _ => return Err(self.state_error(given)),
        };
        task.start = [x, y];
        let guard = Guard { y: row, direction };
        self.begin(seed, task, Some(guard));
        let [upper, lower] = self.rail.ends;
        let on_rail = (upper..=lower).contains(&row) && [1.0, -1.0].contains(&direction);
        if !on_rail || !self.scene.floor.is_free([x, y]) || self.rail.is_touched([[x, y]; 2], [guard; 2]) {
            let error = self.state_error(given);
            self.reset(seed)?;
            return Err(error);
        }
        Ok(self.moment())
    }

    fn step(&mut self, action: Action<'_>) -> Result<TimeStep, EnvError> {
        let Action::Vector(&[x, y]) = action else {
            return Err(EnvError::invalid(NAME, "action", action, "2 numbers, the displacement in x and y in units"));
        };
        if !self.touched {
            let norm = x.hypot(y);
            let shorten = if norm > ACTION_NORM { ACTION_NORM / norm } else { 1.0 };
            let speed = shorten * self.scene.values.number("agent.speed");
            let by = [x * speed, y * speed];
            let next = self.world.options.collision.advance(&self.scene.floor, self.position, by);
            let guard = self.rail.advance(self.guard);
            self.touched = self.rail.is_touched([self.position, next], [self.guard, guard]);
            (self.position, self.guard) = (next, guard);
        }
        Ok(self.moment())
    }

    fn goal(&self) -> Option<Goal> {
        Some(Goal {
            observations: Some(self.observe(self.task.goal, self.goal_guard)),
            state: Some(state(self.task.goal, self.goal_guard)),
            route: self.route,
        })
    }

    fn legality(&self, states: &[Vec<f32>]) -> Legality {
        let reach = ACTION_NORM * self.scene.values.number("agent.speed") + ROUNDING;
        let lawful = |from: &[f32], to: &[f32]| {
            let ([x, y], [u, v]) = ([from[0], from[1]], [to[0], to[1]]);
            let guard = self.rail.advance(Guard { y: from[2], direction: from[3] });
            let moved = !self.scene.floor.is_blocked([x, y], [u, v]) && (u - x).hypot(v - y) <= reach;
            moved && (guard.y - to[2]).abs() <= ROUNDING && guard.direction == to[3]
        };
        Legality::of_steps(states, |from, to| lawful(from, to))
    }

    fn position(&self) -> Option<[f32; 2]> {
        Some(self.position)
    }

    fn render(&self, marks: &[Mark<'_>], scale: usize) -> Option<FrameBuffer> {
        let kept = self.floor.get_or_init(|| self.floor_plan(scale));
        let side = self.world.options.size * scale;
        let floor = if kept.size() == side { kept.clone() } else { self.floor_plan(scale) };
        let shown = Shown {
            goal: self.task.goal,
            reached: SUCCESS_DISTANCE as f32,
            marks,
            agent: self.position,
            dots: &[self.guard_dot(self.guard)],
        };
        Some(self.scene.render(floor, &shown))
    }
}

impl Patrol {
    /// The floor plan for people, with the rail of the patrol.
    fn floor_plan(&self, scale: usize) -> Canvas {
        let mut canvas = self.scene.floor_plan(scale);
        let colour = self.scene.values.colour("patrol.color");
        let [upper, lower] = self.rail.ends.map(|y| [self.rail.x, y]);
        canvas.line(colour, 0.5, upper, lower, 0.5);
        canvas
    }
}
