//! The world while somebody acts in it.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use prevision_core::{Action, Camera, FrameBuffer, Observations, Space, Spaces, seed};
use rand::Rng;

use super::distractor::Distractor;
use super::layout::RoomLayout;
use super::options::{AGENT_RADIUS, MazeWorld, factors};
use super::plan::LayoutChoice;
use super::scene::{Dot, Scene, Shown};
use super::task::Task;
use super::wall::Point;
use crate::canvas::Canvas;
use crate::registry::Purpose;
use crate::two_rooms::LayoutSplit;
use crate::{EnvError, Environment, EnvironmentSpec, Goal, Legality, Mark, TimeStep};

/// The name of this world.
pub const NAME: &str = "maze";
/// The name of its camera.
pub const CAMERA: &str = "pixels";
/// Largest Euclidean norm of an action, in units.
pub const ACTION_NORM: f32 = 2.0;
/// An agent nearer to the goal than this, in units, has reached it.
pub const SUCCESS_DISTANCE: f64 = 3.0;
/// Least distance of starts and goals from walls, in units, as far as doors allow.
const PADDING: f64 = 1.5;
/// What rounding may add to the length of a step, in units.
const ROUNDING: f32 = 1e-3;
/// The goal is shown as it looks at a moment so many steps after the start, so that distractors are elsewhere there.
const GOAL_MOMENTS: std::ops::Range<u64> = 1_000..2_000;

/// A maze at an episode. Its state is where the agent is; [`reset_to`](Environment::reset_to) takes the doors of the layout behind it
/// ([`RoomLayout::numbers`]), where layouts are random.
#[derive(Debug, Clone)]
pub struct Maze {
    spec: EnvironmentSpec,
    world: MazeWorld,
    split: LayoutSplit,
    layout: Option<RoomLayout>,
    scene: Scene,
    distractors: Vec<Distractor>,
    task: Task,
    position: Point,
    steps: u64,
    /// The step of the goal's picture.
    goal_step: u64,
    /// The floor plan at the scale that was rendered first.
    floor: OnceCell<Canvas>,
}

impl Maze {
    /// The maze at the task of seed 0.
    ///
    /// # Errors
    /// If there are no tasks with routes of the lengths that are asked for.
    pub fn new(world: MazeWorld, purpose: Purpose) -> Result<Self, EnvError> {
        let split = world.options.plans.split(purpose);
        let Setting { layout, scene, task } = Setting::draw(&world, split, 0)?;
        let (distractors, goal_step) = moving_parts(&world, 0);
        Ok(Self {
            spec: spec(&world),
            world,
            split,
            layout,
            scene,
            distractors,
            position: task.start,
            task,
            steps: 0,
            goal_step,
            floor: OnceCell::new(),
        })
    }

    /// The current task.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// The rooms of the episode; `None` in a plan.
    pub fn layout(&self) -> Option<&RoomLayout> {
        self.layout.as_ref()
    }

    /// Whether the agent may be here.
    pub fn is_free(&self, point: Point) -> bool {
        self.scene.floor.is_free(point)
    }

    fn begin(&mut self, seed: u64, layout: Option<RoomLayout>, start: Option<Point>) -> Result<TimeStep, EnvError> {
        let setting = match layout {
            Some(layout) => Setting::of(&self.world, seed, Some(layout)),
            None => Setting::draw(&self.world, self.split, seed),
        };
        let Setting { layout, scene, mut task } = setting?;
        if let Some(start) = start {
            let invalid = || EnvError::invalid(NAME, "state", start, "a place on the floor");
            if !scene.floor.is_free(start) {
                return Err(invalid());
            }
            task = task.from(&scene.floor, start).ok_or_else(invalid)?;
        }
        (self.distractors, self.goal_step) = moving_parts(&self.world, seed);
        (self.layout, self.scene, self.floor) = (layout, scene, OnceCell::new());
        (self.position, self.steps) = (task.start, 0);
        self.task = task;
        Ok(self.moment())
    }

    fn dots(&self, step: u64) -> impl Iterator<Item = Dot> {
        let radius = self.scene.values.number("agent.radius");
        self.distractors.iter().map(move |dot| Dot { at: dot.at(step), radius: dot.size * radius, colour: dot.colour })
    }

    fn observe(&self, position: Point, step: u64) -> Observations {
        Observations::of_camera(CAMERA, self.scene.frame(self.dots(step).chain([self.scene.agent(position)])))
    }

    fn moment(&self) -> TimeStep {
        let goal = self.task.goal();
        let [x, y] = [0, 1].map(|axis| f64::from(self.position[axis]) - f64::from(goal[axis]));
        let distance = x.hypot(y);
        TimeStep {
            observations: self.observe(self.position, self.steps),
            state: Some(self.position.to_vec()),
            info: info(&self.scene, self.world.options.plans.layout, self.layout.as_ref()),
            success: distance < SUCCESS_DISTANCE,
            distance: Some(distance),
            ..TimeStep::default()
        }
    }
}

/// What is known of a moment beside the state: the doors, where they differ between episodes, and the factors.
pub(crate) fn info(scene: &Scene, choice: LayoutChoice, layout: Option<&RoomLayout>) -> BTreeMap<String, Vec<f32>> {
    let mut info = scene.values.info();
    if let (LayoutChoice::Random, Some(layout)) = (choice, layout) {
        info.insert("layout".to_owned(), layout.numbers());
    }
    info
}

fn scene(world: &MazeWorld, seed: u64, layout: Option<&RoomLayout>) -> Scene {
    let (plans, room) = (&world.options.plans, world.options.room);
    let values = world.sampler.sample(seed);
    let walls = plans.walls(layout, room, f64::from(values.number("door.width")));
    Scene::new(plans.floor(&walls, room, 0.0), walls, room, values, plans.size)
}

/// The floor plan of an episode, and a task in it.
struct Setting {
    layout: Option<RoomLayout>,
    scene: Scene,
    task: Task,
}

impl Setting {
    /// Of the first layout that has a task, among those drawn for the seed.
    fn draw(world: &MazeWorld, split: LayoutSplit, seed: u64) -> Result<Self, EnvError> {
        let plans = &world.options.plans;
        let of = |draw| Self::of(world, seed, plans.sample(split, seed, draw));
        (1..plans.draws()).fold(of(0), |found, draw| found.or_else(|_| of(draw)))
    }

    /// Of a chosen layout.
    fn of(world: &MazeWorld, seed: u64, layout: Option<RoomLayout>) -> Result<Self, EnvError> {
        let scene = scene(world, seed, layout.as_ref());
        let mut rng = seed::rng(seed, "maze/task", 0, 0);
        let task = Task::sample(
            &scene.floor,
            PADDING.min(world.options.room / 8.0),
            1.5 * SUCCESS_DISTANCE,
            world.route_lengths(),
            &mut rng,
        )
        .ok_or_else(|| EnvError::InvalidOption {
            key: "env.maze.route_steps",
            value: format!("{:?}", world.options.route_steps),
            expected: "lengths that routes of this maze have",
        })?;
        Ok(Self { layout, scene, task })
    }
}

fn moving_parts(world: &MazeWorld, seed: u64) -> (Vec<Distractor>, u64) {
    let options = &world.options;
    let extent = options.plans.extent(options.room).map(|length| length as f32);
    let distractors = Distractor::sample(seed, options.distractors, options.distractor_motion, extent, AGENT_RADIUS);
    (distractors, seed::rng(seed, "maze/goal-moment", 0, 0).random_range(GOAL_MOMENTS))
}

fn spec(world: &MazeWorld) -> EnvironmentSpec {
    let size = world.options.plans.size;
    EnvironmentSpec {
        name: NAME.to_owned(),
        spaces: Spaces {
            frames: 1,
            frame_step: 1,
            cameras: BTreeMap::from([(CAMERA.to_owned(), Camera { height: size, width: size })]),
            vectors: BTreeMap::new(),
            action: Some(Space::Ball { dim: 2, radius: ACTION_NORM }),
            state: Some(2),
        },
        max_steps: (2.0 * world.options.route_steps[1]).ceil() as usize,
        unit: Some("units".to_owned()),
        rewards: false,
        rule: Some(world.options.collision.name().to_owned()),
        factors: factors(),
    }
}

impl Environment for Maze {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, seed: u64) -> Result<TimeStep, EnvError> {
        self.begin(seed, None, None)
    }

    fn reset_to(&mut self, seed: u64, state: &[f32]) -> Result<TimeStep, EnvError> {
        let plans = &self.world.options.plans;
        let (&[x, y], numbers) = state.split_first_chunk::<2>().ok_or_else(|| {
            EnvError::invalid(
                NAME,
                "state",
                state,
                "x and y of the agent on the floor, then, if wanted, the doors of the layout",
            )
        })?;
        let layout = match (numbers, plans.layout) {
            ([], _) => None,
            (numbers, LayoutChoice::Random) => {
                Some(RoomLayout::from_numbers(plans.rooms, numbers).map_err(|fault| {
                    EnvError::invalid(NAME, "state", state, format!("the doors of a layout, and has {fault}"))
                })?)
            }
            _ => {
                return Err(EnvError::invalid(
                    NAME,
                    "state",
                    state,
                    "x and y of the agent on the floor: this maze has one layout alone",
                ));
            }
        };
        self.begin(seed, layout, Some([x, y]))
    }

    fn step(&mut self, action: Action<'_>) -> Result<TimeStep, EnvError> {
        let Action::Vector(&[x, y]) = action else {
            return Err(EnvError::invalid(NAME, "action", action, "2 numbers, the displacement in x and y in units"));
        };
        let norm = x.hypot(y);
        let shorten =
            if norm > ACTION_NORM { ACTION_NORM / norm } else { 1.0 } * self.scene.values.number("agent.speed");
        let by = [x * shorten, y * shorten];
        self.position = self.world.options.collision.advance(&self.scene.floor, self.position, by);
        self.steps += 1;
        Ok(self.moment())
    }

    fn goal(&self) -> Option<Goal> {
        let goal = self.task.goal();
        Some(Goal {
            observations: Some(self.observe(goal, self.goal_step)),
            state: Some(goal.to_vec()),
            route: Some(self.task.route),
        })
    }

    fn legality(&self, states: &[Vec<f32>]) -> Legality {
        let reach = ACTION_NORM * self.scene.values.number("agent.speed") + ROUNDING;
        let lawful = |from: Point, to: Point| {
            !self.scene.floor.is_blocked(from, to) && (to[0] - from[0]).hypot(to[1] - from[1]) <= reach
        };
        let points = states.iter().map(|state| [state[0], state[1]]).collect::<Vec<Point>>();
        Legality::of_steps(&points, |from, to| lawful(*from, *to))
    }

    fn position(&self) -> Option<[f32; 2]> {
        Some(self.position)
    }

    fn render(&self, marks: &[Mark<'_>], scale: usize) -> Option<FrameBuffer> {
        let kept = self.floor.get_or_init(|| self.scene.floor_plan(scale));
        let side = self.world.options.plans.size * scale;
        let floor = if kept.size() == side { kept.clone() } else { self.scene.floor_plan(scale) };
        let dots: Vec<Dot> = self.dots(self.steps).collect();
        let shown = Shown {
            goal: self.task.goal(),
            reached: SUCCESS_DISTANCE as f32,
            marks,
            agent: self.position,
            dots: &dots,
        };
        Some(self.scene.render(floor, &shown))
    }
}
