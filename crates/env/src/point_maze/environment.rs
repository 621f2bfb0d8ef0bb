//! The world while somebody acts in it.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use prevision_core::{Action, Camera, FrameBuffer, Observations, Space, Spaces, seed};

use super::dynamics::{Motion, Mover, TOP_SPEED};
use super::options::{PointMazeWorld, factors};
use crate::canvas::Canvas;
use crate::maze::scene::{Scene, Shown};
use crate::maze::{self, LayoutChoice, Point, RoomLayout, Routes, Task};
use crate::registry::Purpose;
use crate::two_rooms::LayoutSplit;
use crate::{EnvError, Environment, EnvironmentSpec, Goal, Legality, Mark, TimeStep};

/// The name of this world.
pub const NAME: &str = "point-maze";
/// The name of its camera.
pub const CAMERA: &str = "pixels";
/// A ball nearer to the goal than this, in m, has reached it, as in Gymnasium-Robotics.
pub const SUCCESS_DISTANCE: f64 = 0.45;
/// Least distance of starts and goals from where walls stop the ball, in m.
const PADDING: f64 = 0.1;
/// What rounding may add to a position or a velocity.
const ROUNDING: f32 = 1e-3;

/// A point maze at an episode. Its state is x and y of the ball in m and its velocity in m/s; [`reset_to`](Environment::reset_to) takes
/// the doors of the layout behind it ([`RoomLayout::numbers`]), where layouts are random.
#[derive(Debug, Clone)]
pub struct PointMaze {
    spec: EnvironmentSpec,
    world: PointMazeWorld,
    split: LayoutSplit,
    layout: Option<RoomLayout>,
    scene: Scene,
    motion: Motion,
    task: Task,
    ball: Mover,
    /// The floor plan at the scale that was rendered first.
    floor: OnceCell<Canvas>,
}

impl PointMaze {
    /// The maze at the task of seed 0.
    ///
    /// # Errors
    /// If there are no tasks with routes of the lengths that are asked for.
    pub fn new(world: PointMazeWorld, purpose: Purpose) -> Result<Self, EnvError> {
        let split = world.options.plans.split(purpose);
        let Setting { layout, scene, task } = Setting::draw(&world, split, 0)?;
        Ok(Self {
            spec: spec(&world),
            motion: motion(&scene),
            ball: Mover { position: task.start, velocity: [0.0; 2] },
            world,
            split,
            layout,
            scene,
            task,
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

    fn begin(&mut self, seed: u64, layout: Option<RoomLayout>, ball: Option<Mover>) -> Result<TimeStep, EnvError> {
        let setting = match layout {
            Some(layout) => Setting::of(&self.world, seed, Some(layout)),
            None => Setting::draw(&self.world, self.split, seed),
        };
        let Setting { layout, scene, mut task } = setting?;
        if let Some(ball) = ball {
            let state = [ball.position, ball.velocity].concat();
            let invalid =
                || EnvError::invalid(NAME, "state", state, "a place on the floor, and velocities of up to 5 m/s");
            if !scene.floor.is_free(ball.position) || !ball.velocity.iter().all(|speed| speed.abs() <= TOP_SPEED) {
                return Err(invalid());
            }
            task = task.from(&scene.floor, ball.position).ok_or_else(invalid)?;
        }
        self.ball = ball.unwrap_or(Mover { position: task.start, velocity: [0.0; 2] });
        self.motion = motion(&scene);
        (self.layout, self.scene, self.floor) = (layout, scene, OnceCell::new());
        self.task = task;
        Ok(self.moment())
    }

    fn observe(&self, position: Point) -> Observations {
        Observations::of_camera(CAMERA, self.scene.frame([self.scene.agent(position)]))
    }

    fn moment(&self) -> TimeStep {
        let (goal, at) = (self.task.goal(), self.ball.position);
        let [x, y] = [0, 1].map(|axis| f64::from(at[axis]) - f64::from(goal[axis]));
        let distance = x.hypot(y);
        TimeStep {
            observations: self.observe(at),
            state: Some([at, self.ball.velocity].concat()),
            info: maze::info(&self.scene, self.world.options.plans.layout, self.layout.as_ref()),
            success: distance < SUCCESS_DISTANCE,
            distance: Some(distance),
            ..TimeStep::default()
        }
    }

    /// Whether one action can lead from one state to the other: the second lies on the floor, as near by some legal route as the ball can
    /// get, and no speed has grown by more than the motor can give.
    fn is_lawful(&self, from: &[f32], to: &[f32]) -> bool {
        let [start, end] = [from, to].map(|state| [state[0], state[1]]);
        let floor = &self.scene.floor;
        let reach = self.motion.reach() + ROUNDING;
        let change = self.motion.most_change() + ROUNDING;
        let near = (0..2).all(|axis| (end[axis] - start[axis]).abs() <= reach);
        // A wall may take all of a speed, but turns none round.
        let pushed = (2..4).all(|at| (from[at].min(0.0) - change..=from[at].max(0.0) + change).contains(&to[at]));
        if !near || !pushed || !floor.is_free(start) || !floor.is_free(end) {
            return false;
        }
        let furthest = f64::from(reach) * std::f64::consts::SQRT_2;
        let around = || Routes::to(floor, end).length_from(floor, start).is_some_and(|length| length <= furthest);
        !floor.is_blocked(start, end) || around()
    }
}

fn motion(scene: &Scene) -> Motion {
    Motion { gear: scene.values.number("motor.gear"), damping: scene.values.number("joint.damping") }
}

fn scene(world: &PointMazeWorld, seed: u64, layout: Option<&RoomLayout>) -> Scene {
    let values = world.sampler.sample(seed);
    let (floor, walls) = world.floor(layout, values.number("door.width"));
    Scene::new(floor, walls, world.options.room, values, world.options.plans.size)
}

/// The floor plan of an episode, and a task in it.
struct Setting {
    layout: Option<RoomLayout>,
    scene: Scene,
    task: Task,
}

impl Setting {
    /// Of the first layout that has a task, among those drawn for the seed.
    fn draw(world: &PointMazeWorld, split: LayoutSplit, seed: u64) -> Result<Self, EnvError> {
        let plans = &world.options.plans;
        let of = |draw| Self::of(world, seed, plans.sample(split, seed, draw));
        (1..plans.draws()).fold(of(0), |found, draw| found.or_else(|_| of(draw)))
    }

    /// Of a chosen layout.
    fn of(world: &PointMazeWorld, seed: u64, layout: Option<RoomLayout>) -> Result<Self, EnvError> {
        let scene = scene(world, seed, layout.as_ref());
        let mut rng = seed::rng(seed, "point-maze/task", 0, 0);
        let task = Task::sample(&scene.floor, PADDING, 1.5 * SUCCESS_DISTANCE, world.route_lengths(), &mut rng)
            .ok_or_else(|| EnvError::InvalidOption {
                key: "env.point-maze.route_steps",
                value: format!("{:?}", world.options.route_steps),
                expected: "lengths that routes of this maze have",
            })?;
        Ok(Self { layout, scene, task })
    }
}

fn spec(world: &PointMazeWorld) -> EnvironmentSpec {
    let size = world.options.plans.size;
    EnvironmentSpec {
        name: NAME.to_owned(),
        spaces: Spaces {
            frames: 1,
            frame_step: 1,
            cameras: BTreeMap::from([(CAMERA.to_owned(), Camera { height: size, width: size })]),
            vectors: BTreeMap::new(),
            action: Some(Space::Box { low: vec![-1.0; 2], high: vec![1.0; 2] }),
            state: Some(4),
        },
        max_steps: (2.0 * world.options.route_steps[1]).ceil() as usize,
        unit: Some("m".to_owned()),
        rewards: false,
        rule: None,
        factors: factors(),
    }
}

impl Environment for PointMaze {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, seed: u64) -> Result<TimeStep, EnvError> {
        self.begin(seed, None, None)
    }

    fn reset_to(&mut self, seed: u64, state: &[f32]) -> Result<TimeStep, EnvError> {
        let plans = &self.world.options.plans;
        let Some((&[x, y, u, v], numbers)) = state.split_first_chunk::<4>() else {
            let expected = "x, y and the two velocities of the ball, then, if wanted, the doors of the layout";
            return Err(EnvError::invalid(NAME, "state", state, expected));
        };
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
                    "x, y and the two velocities alone: this maze has one layout",
                ));
            }
        };
        self.begin(seed, layout, Some(Mover { position: [x, y], velocity: [u, v] }))
    }

    fn step(&mut self, action: Action<'_>) -> Result<TimeStep, EnvError> {
        let Action::Vector(&[x, y]) = action else {
            return Err(EnvError::invalid(NAME, "action", action, "2 numbers, the push in x and y, each in [-1, 1]"));
        };
        self.ball = self.motion.advance(&self.scene.floor, self.ball, [x, y]);
        Ok(self.moment())
    }

    fn goal(&self) -> Option<Goal> {
        let goal = self.task.goal();
        Some(Goal {
            observations: Some(self.observe(goal)),
            state: Some(vec![goal[0], goal[1], 0.0, 0.0]),
            route: Some(self.task.route),
        })
    }

    fn legality(&self, states: &[Vec<f32>]) -> Legality {
        Legality::of_steps(states, |from, to| self.is_lawful(from, to))
    }

    fn position(&self) -> Option<[f32; 2]> {
        Some(self.ball.position)
    }

    fn render(&self, marks: &[Mark<'_>], scale: usize) -> Option<FrameBuffer> {
        let kept = self.floor.get_or_init(|| self.scene.floor_plan(scale));
        let side = self.world.options.plans.size * scale;
        let floor = if kept.size() == side { kept.clone() } else { self.scene.floor_plan(scale) };
        let shown = Shown {
            goal: self.task.goal(),
            reached: SUCCESS_DISTANCE as f32,
            marks,
            agent: self.ball.position,
            dots: &[],
        };
        Some(self.scene.render(floor, &shown))
    }
}
