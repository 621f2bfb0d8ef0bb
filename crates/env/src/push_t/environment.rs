//! The world while somebody acts in it.

use std::collections::BTreeMap;

use prevision_core::{Action, Camera, FrameBuffer, Observations, Space as Values, Spaces};

use super::Options;
use super::draw::draw;
use super::dynamics::{Control, SUB_STEPS, State, advance, state};
use super::factors::{Look, factors};
use super::render::render;
use super::space::Space;
use super::task::{Rule, SUCCESS_COVERAGE, Task};
use crate::{EnvError, Environment, EnvironmentSpec, FactorSampler, Goal, Mark, TimeStep};

/// The name of this world.
pub const NAME: &str = "push-t";
/// The name of its camera.
pub const CAMERA: &str = "pixels";
/// What a recording calls the number of points at which bodies touch, the mean over sub-steps rounded up.
pub const CONTACTS: &str = "n_contacts";

/// Push-T at an episode. Its state has seven numbers: agent x and y, block x and y (the origin of its shape: the middle of the upper edge of
/// the T), angle of the block in [0, 2π), and the agent's velocity in x and y.
#[derive(Debug, Clone)]
pub struct PushT {
    spec: EnvironmentSpec,
    size: usize,
    control: Control,
    rule: Rule,
    sampler: FactorSampler,
    task: Task,
    look: Look,
    space: Space,
    touches: usize,
}

impl PushT {
    /// The world at the task of seed 0.
    pub fn new(options: &Options, sampler: FactorSampler) -> Self {
        let task = Task::sample(0, options.rule, &sampler);
        let mut world = Self {
            spec: spec(options),
            size: options.size,
            control: options.control,
            rule: options.rule,
            sampler,
            look: Look::of(&task.values),
            space: settled(&task, &task.start),
            task,
            touches: 0,
        };
        world.begin();
        world
    }

    /// The current task.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// Starts the task.
    fn begin(&mut self) -> TimeStep {
        self.look = Look::of(&self.task.values);
        self.space = settled(&self.task, &self.task.start);
        self.touches = self.space.touches().count();
        self.moment()
    }

    fn observe(&self, space: &Space) -> Observations {
        Observations::of_camera(CAMERA, draw(space, &self.task.build, &self.look, self.size).to_frame())
    }

    fn moment(&self) -> TimeStep {
        let now = state(&self.space);
        let (success, reward) = match self.rule {
            Rule::Pose => (self.task.posed(&now), 0.0),
            Rule::Coverage => {
                let coverage = self.task.coverage(&self.space);
                (coverage > SUCCESS_COVERAGE, (coverage / SUCCESS_COVERAGE).clamp(0.0, 1.0))
            }
        };
        let mut info: BTreeMap<String, Vec<f32>> = self.task.info();
        info.insert(CONTACTS.to_owned(), vec![self.touches.div_ceil(SUB_STEPS) as f32]);
        TimeStep {
            observations: self.observe(&self.space),
            state: Some(now.numbers()),
            info,
            reward,
            success,
            distance: Some(self.task.distance(self.rule, &now)),
            ..TimeStep::default()
        }
    }

    fn invalid(what: &'static str, given: String, expected: String) -> EnvError {
        EnvError::Invalid { world: NAME.to_owned(), what, given, expected }
    }
}

/// A space in a state, after the one sub-step that upstream runs then: a moving agent goes on by a hundredth of its velocity, and what
/// overlaps begins to part.
fn settled(task: &Task, state: &State) -> Space {
    let mut space = task.build.space(state);
    space.step();
    space
}

fn spec(options: &Options) -> EnvironmentSpec {
    let [low, high] = options.control.bounds();
    let camera = Camera { height: options.size, width: options.size };
    EnvironmentSpec {
        name: NAME.to_owned(),
        spaces: Spaces {
            frames: 1,
            frame_step: 1,
            cameras: BTreeMap::from([(CAMERA.to_owned(), camera)]),
            vectors: BTreeMap::new(),
            action: Some(Values::Box { low: vec![low; 2], high: vec![high; 2] }),
            state: Some(7),
        },
        max_steps: options.max_steps,
        unit: Some("px".to_owned()),
        rewards: options.rule == Rule::Coverage,
        rule: Some(options.rule.name().to_owned()),
        factors: factors(),
    }
}

impl Environment for PushT {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, seed: u64) -> Result<TimeStep, EnvError> {
        self.task = Task::sample(seed, self.rule, &self.sampler);
        Ok(self.begin())
    }

    fn reset_to(&mut self, seed: u64, state: &[f32]) -> Result<TimeStep, EnvError> {
        let start = State::of_numbers(state).ok_or_else(|| {
            let expected = "agent x and y, block x and y, angle of the block, then, if wanted, the agent's velocity in x and y";
            Self::invalid("state", format!("{state:?}"), expected.to_owned())
        })?;
        self.task = Task { start, ..Task::sample(seed, self.rule, &self.sampler) };
        Ok(self.begin())
    }

    fn step(&mut self, action: Action<'_>) -> Result<TimeStep, EnvError> {
        let [low, high] = self.control.bounds();
        let Action::Vector(&[x, y]) = action else {
            let expected = format!("2 numbers from {low} to {high}, the target of the agent in x and y");
            return Err(Self::invalid("action", format!("{action:?}"), expected));
        };
        if x.is_finite() && y.is_finite() {
            let action = [x, y].map(|value| f64::from(value.clamp(low, high)));
            let target = self.control.target(self.space.agent.position(), action);
            self.touches = advance(&mut self.space, target);
        }
        Ok(self.moment())
    }

    fn goal(&self) -> Option<Goal> {
        let space = settled(&self.task, &self.task.goal);
        Some(Goal {
            observations: Some(self.observe(&space)),
            state: Some(self.task.goal.numbers()),
            route: None,
        })
    }

    fn position(&self) -> Option<[f32; 2]> {
        Some(self.space.agent.position().map(|value| value as f32))
    }

    fn render(&self, marks: &[Mark<'_>], scale: usize) -> Option<FrameBuffer> {
        assert!(scale > 0, "scale of a rendered frame: got 0, expected at least 1");
        let goal = settled(&self.task, &self.task.goal);
        Some(render(&self.space, &goal, self.rule, marks, self.size * scale))
    }
}
