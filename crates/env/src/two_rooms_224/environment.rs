//! The world while somebody acts in it: a task, and where the dot is.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use prevision_core::{Action, Camera, FrameBuffer, Observations, Space, Spaces};

use super::draw::{Look, draw_dot, draw_rooms};
use super::factors::factors;
use super::plan::Point;
use super::rule::{ROUNDING, Rule, is_clear};
use super::task::{SUCCESS_DISTANCE, Task, Tasks};
use super::{Options, render};
use crate::canvas::Canvas;
use crate::{EnvError, Environment, EnvironmentSpec, Goal, Legality, Mark, TimeStep};

/// The name of this world.
pub const NAME: &str = "two-rooms-224";
/// The name of its camera.
pub const CAMERA: &str = "pixels";

/// Two Rooms of 224 pixels at an episode. Its state is where the dot is; [`reset_to`](Environment::reset_to) takes the goal behind it.
#[derive(Debug, Clone)]
pub struct TwoRooms224 {
    spec: EnvironmentSpec,
    size: usize,
    rule: Rule,
    tasks: Tasks,
    task: Task,
    position: Point,
    look: Look,
    /// A frame with everything but the dot.
    rooms: Vec<u8>,
    /// The floor plan at the scale that was rendered first.
    floor: OnceLock<Canvas>,
}

impl TwoRooms224 {
    /// The world at the task of seed 0.
    ///
    /// # Errors
    /// The key at fault, below `[env.two-rooms-224]`.
    pub fn new(options: &Options) -> Result<Self, String> {
        let tasks = Tasks::new(&options.variation, options.rooms)?;
        let task = tasks.sample(0);
        let look = Look::new(&task.values);
        Ok(Self {
            spec: spec(options),
            size: options.size,
            rule: options.rule,
            tasks,
            position: task.start,
            rooms: draw_rooms(&task.plan, &look, task.goal, options.size),
            task,
            look,
            floor: OnceLock::new(),
        })
    }

    /// The current task.
    pub fn task(&self) -> &Task {
        &self.task
    }

    fn begin(&mut self, task: Task) -> Result<TimeStep, EnvError> {
        // Upstream's rule moves from everywhere, the lawful one from where the dot fits.
        let known = match self.rule {
            Rule::Swept => [task.start, task.goal].into_iter().all(|point| task.plan.is_free(point)),
            Rule::EndPoint => [task.start, task.goal].concat().iter().all(|value| value.is_finite()),
        };
        if !known {
            return Err(invalid(
                "state",
                format!("{:?} with the goal {:?}", task.start, task.goal),
                "x and y of the dot where it fits, then, if wanted, those of the goal",
            ));
        }
        self.position = task.start;
        self.look = Look::new(&task.values);
        self.rooms = draw_rooms(&task.plan, &self.look, task.goal, self.size);
        self.floor = OnceLock::new();
        self.task = task;
        Ok(self.moment())
    }

    fn observe(&self, position: Point) -> Observations {
        let mut data = self.rooms.clone();
        draw_dot(&mut data, self.size, &self.task.plan, &self.look, position);
        Observations::of_camera(CAMERA, FrameBuffer { data, frames: 1, height: self.size, width: self.size })
    }

    fn moment(&self) -> TimeStep {
        let [x, y] = [0, 1].map(|axis| f64::from(self.position[axis]) - f64::from(self.task.goal[axis]));
        let distance = x.hypot(y);
        TimeStep {
            observations: self.observe(self.position),
            state: Some(self.position.to_vec()),
            info: self.task.values.info(),
            success: distance < SUCCESS_DISTANCE,
            distance: Some(distance),
            ..TimeStep::default()
        }
    }

    fn speed(&self) -> f32 {
        self.task.values.number("agent.speed")
    }
}

fn invalid(what: &'static str, given: String, expected: &str) -> EnvError {
    EnvError::Invalid { world: NAME.to_owned(), what, given, expected: expected.to_owned() }
}

fn spec(options: &Options) -> EnvironmentSpec {
    EnvironmentSpec {
        name: NAME.to_owned(),
        spaces: Spaces {
            cameras: BTreeMap::from([(CAMERA.to_owned(), Camera { height: options.size, width: options.size })]),
            action: Some(Space::Box { low: vec![-1.0; 2], high: vec![1.0; 2] }),
            state: Some(2),
            ..Spaces::default()
        },
        max_steps: 200,
        unit: Some("px".to_owned()),
        rule: Some(options.rule.name().to_owned()),
        factors: factors(),
        ..EnvironmentSpec::default()
    }
}

impl Environment for TwoRooms224 {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, seed: u64) -> Result<TimeStep, EnvError> {
        let task = self.tasks.sample(seed);
        self.begin(task)
    }

    fn reset_to(&mut self, seed: u64, state: &[f32]) -> Result<TimeStep, EnvError> {
        let mut task = self.tasks.sample(seed);
        match *state {
            [x, y] => task.start_at([x, y]),
            [x, y, goal_x, goal_y] => {
                task.start_at([x, y]);
                task.aim_at([goal_x, goal_y]);
            }
            _ => {
                let expected = "2 numbers, x and y of the dot, or 4 with those of the goal behind them";
                return Err(invalid("state", format!("{state:?}"), expected));
            }
        }
        self.begin(task)
    }

    fn step(&mut self, action: Action<'_>) -> Result<TimeStep, EnvError> {
        let Action::Vector(&[x, y]) = action else {
            let expected = "2 numbers within -1 and 1, the velocity in x and y";
            return Err(invalid("action", format!("{action:?}"), expected));
        };
        if x.is_finite() && y.is_finite() {
            let by = [x, y].map(|value| value.clamp(-1.0, 1.0) * self.speed());
            self.position = self.rule.advance(&self.task.plan, self.position, by);
        }
        let now = self.moment();
        Ok(TimeStep { terminated: now.success, ..now })
    }

    fn goal(&self) -> Option<Goal> {
        Some(Goal {
            observations: Some(self.observe(self.task.goal)),
            state: Some(self.task.goal.to_vec()),
            route: self.task.route(),
        })
    }

    fn legality(&self, states: &[Vec<f32>]) -> Legality {
        let plan = &self.task.plan;
        let reach = f64::from(self.speed()) + ROUNDING;
        let lawful = |from: Point, to: Point| {
            let (from, to) = (from.map(f64::from), to.map(f64::from));
            (0..2).all(|axis| (to[axis] - from[axis]).abs() <= reach) && is_clear(plan.obstacles(), from, to, ROUNDING)
        };
        let points: Vec<Point> = states.iter().map(|state| [state[0], state[1]]).collect();
        Legality::of_steps(&points, |from, to| lawful(*from, *to))
    }

    fn position(&self) -> Option<[f32; 2]> {
        Some(self.position)
    }

    fn render(&self, marks: &[Mark<'_>], scale: usize) -> Option<FrameBuffer> {
        assert!(scale > 0, "scale of a rendered frame: got 0, expected at least 1");
        let size = self.size * scale;
        let kept = self.floor.get_or_init(|| render::floor_plan(&self.task.plan, size));
        let floor = if kept.size() == size { kept.clone() } else { render::floor_plan(&self.task.plan, size) };
        Some(render::render(floor, &self.task, self.position, marks))
    }
}
