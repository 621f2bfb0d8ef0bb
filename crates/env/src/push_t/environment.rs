//! The world while somebody acts in it.

use std::collections::BTreeMap;

use prevision_core::{Action, Camera, FrameBuffer, Observations, Space as Values, Spaces};

use super::Options;
use super::draw::{draw, ground};
use super::dynamics::{Control, SUB_STEPS, State, advance, state};
use super::factors::{Look, factors};
use super::render::render;
use super::space::Space;
use super::task::{Rule, SUCCESS_COVERAGE, Task};
use crate::canvas::Canvas;
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
    /// What lies under the bodies.
    ground: Canvas,
    space: Space,
    touches: usize,
}

impl PushT {
    /// The world at the task of seed 0.
    pub fn new(options: &Options, sampler: FactorSampler) -> Self {
        let task = Task::sample(0, options.rule, &sampler);
        let look = Look::of(&task.values);
        let mut world = Self {
            spec: spec(options),
            size: options.size,
            control: options.control,
            rule: options.rule,
            sampler,
            ground: ground(&task.build, &look, options.size),
            look,
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
        self.ground = ground(&self.task.build, &self.look, self.size);
        self.space = settled(&self.task, &self.task.start);
        self.touches = self.space.touches().count();
        self.moment()
    }

    fn observe(&self, space: &Space) -> Observations {
        Observations::of_camera(CAMERA, draw(space, &self.look, &self.ground).to_frame())
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
            let expected =
                "agent x and y, block x and y, angle of the block, then, if wanted, the agent's velocity in x and y";
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
        Some(Goal { observations: Some(self.observe(&space)), state: Some(self.task.goal.numbers()), route: None })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{EnvConfig, Purpose, built_in};

    fn world(keys: &str) -> Box<dyn Environment> {
        let world = EnvConfig::of(NAME, keys.parse().expect("keys")).world(&built_in()).expect("a world");
        world.environment(Purpose::Evaluation).expect("an environment")
    }

    fn step(world: &mut dyn Environment, action: [f32; 2]) -> TimeStep {
        world.step(Action::Vector(&action)).expect("a step")
    }

    #[test]
    fn the_agent_moves_by_the_closed_form_and_the_action_is_clamped() {
        let mut world = world("");
        world.reset_to(0, &[100.0, 450.0, 300.0, 100.0, 0.0]).expect("a state");
        let state = step(&mut *world, [7.0, 0.0]).state.expect("a state");
        approx::assert_abs_diff_eq!(state[0], 129.567_18, epsilon = 1e-3);
        approx::assert_abs_diff_eq!(state[5], 374.147_66, epsilon = 1e-2);
        assert_eq!(state[1..5], [450.0, 300.0, 100.0, 0.0]);
        let same = step(&mut *world, [f32::NAN, 1.0]).state.expect("a state");
        assert_eq!(same, state, "what is not finite moves nothing");
    }

    #[test]
    fn a_state_that_is_set_runs_on_for_a_hundredth_of_a_second() {
        let first = world("").reset_to(0, &[100.0, 450.0, 300.0, 100.0, 1.0, 50.0, -20.0]).expect("a state");
        assert_eq!(first.state, Some(vec![100.5, 449.8, 300.0, 100.0, 1.0, 50.0, -20.0]));
    }

    #[test]
    fn the_same_seed_and_actions_give_the_same_episode_and_so_does_its_first_state() {
        let episode = |first: &dyn Fn(&mut dyn Environment) -> TimeStep| {
            let mut world = world("variation.vary = [\"all\"]\nsize = 32");
            step(&mut *world, [1.0, 1.0]);
            let mut steps = vec![first(&mut *world)];
            for at in 0..40 {
                let now = steps[at].state.clone().expect("a state");
                let to_block = [0, 1].map(|axis| (now[axis + 2] - now[axis]) / 100.0);
                steps.push(step(&mut *world, to_block));
            }
            (steps, world.goal())
        };
        let one = episode(&|world| world.reset(11).expect("reset"));
        assert!(one.0.iter().any(|step| step.info[CONTACTS][0] > 0.0));
        assert_eq!(one, episode(&|world| world.reset(11).expect("reset")));
        assert_ne!(one.0[0], episode(&|world| world.reset(12).expect("reset")).0[0]);
    }

    #[test]
    fn success_by_pose_is_seen_at_the_start_and_counts_the_agent() {
        let mut world = world("");
        world.reset(3).expect("reset");
        let goal = world.goal().and_then(|goal| goal.state).expect("a goal");
        let mut near = |by: [f32; 3]| {
            let start = [goal[0] + by[0], goal[1], goal[2], goal[3] + by[1], goal[4] + by[2]];
            world.reset_to(3, &start).expect("a state")
        };
        let solved = near([0.0, 0.0, 0.0]);
        assert!(solved.success && solved.distance == Some(0.0) && solved.reward == 0.0);
        // 12² + 15² < 20² < 12² + 17², and 20° is the bound of the angle.
        assert!(near([12.0, 15.0, 0.34]).success && !near([12.0, 17.0, 0.0]).success);
        assert!(!near([0.0, 0.0, 0.36]).success && !near([21.0, 0.0, 0.0]).success);
    }

    #[test]
    fn turns_that_look_the_same_count_as_none() {
        use std::f32::consts::{FRAC_PI_2, PI, TAU};
        for (shape, same) in [(4, FRAC_PI_2), (5, PI), (2, TAU)] {
            let mut world = world(&format!("[variation.values]\n\"block.shape\" = {shape}"));
            world.reset(5).expect("reset");
            let goal = world.goal().and_then(|goal| goal.state).expect("a goal");
            let mut turned = |by: f32| {
                let start = [goal[0], goal[1], goal[2], goal[3], goal[4] + by];
                world.reset_to(5, &start).expect("a state").success
            };
            assert!(turned(same) && turned(same + 0.3) && !turned(same / 2.0), "shape {shape}");
        }
    }

    #[test]
    fn coverage_is_a_rule_with_rewards() {
        let mut world = world("rule = \"coverage\"\ncontrol = \"absolute\"");
        assert_eq!((world.spec().rewards, world.spec().rule.as_deref()), (true, Some("coverage")));
        let mut at = |x: f32| world.reset_to(0, &[20.0, 20.0, x, 256.0, std::f32::consts::FRAC_PI_4]).expect("a state");
        let (there, near, far) = (at(256.0), at(260.0), at(60.0));
        assert!(there.success && there.reward == 1.0 && !near.success && far.reward == 0.0);
        // gym-pusht's coverage with the block 4 pixels away, over 0.95.
        approx::assert_abs_diff_eq!(near.reward, 0.894_790 / 0.95, epsilon = 1e-4);
    }

    #[test]
    fn factors_change_what_is_seen_and_how_it_moves() {
        let first = |keys: &str| world(keys).reset_to(0, &[60.0, 60.0, 300.0, 200.0, 0.5]).expect("a state");
        let plain = first("");
        assert!(plain.info.keys().all(|name| name == CONTACTS), "{:?}", plain.info);
        for factor in factors().iter().filter(|factor| !super::super::factors::OF_TASKS.contains(&factor.name.as_str()))
        {
            let value: Vec<f32> = factor
                .nominal
                .iter()
                .zip(&factor.bounds[1])
                .map(|(nominal, high)| if nominal == high { factor.bounds[0][0] } else { *high })
                .collect();
            let value = if value.len() == 1 { format!("{}", value[0]) } else { format!("{value:?}") };
            let changed = first(&format!("[variation.values]\n\"{}\" = {value}", factor.name));
            let seen = changed.observations != plain.observations || changed.state != plain.state;
            // The angle of a circle shows nowhere.
            assert_eq!(seen, !["agent.angle", "agent.velocity"].contains(&factor.name.as_str()), "{}", factor.name);
            assert!(changed.info.contains_key(&format!("factor.{}", factor.name)), "{}", factor.name);
        }
    }

    #[test]
    fn tasks_begin_and_end_with_bodies_apart() {
        for seed in 0..100 {
            let mut world = world("size = 8");
            let first = world.reset(seed).expect("reset");
            assert_eq!((first.info[CONTACTS][0], first.success), (0.0, false), "seed {seed}");
        }
    }

    #[test]
    fn what_is_no_action_or_state_is_said() {
        let mut world = world("");
        let message = world.step(Action::Vector(&[0.0; 3])).expect_err("no action").to_string();
        assert!(message.contains("push-t") && message.contains("expected 2 numbers from -1 to 1"), "{message}");
        let message = world.reset_to(0, &[0.0; 6]).expect_err("no state").to_string();
        assert!(message.contains("state is") && message.contains("agent x and y"), "{message}");
        let refused = |keys: &str| {
            EnvConfig::of(NAME, keys.parse().expect("keys")).world(&built_in()).map(|_| ()).expect_err("a fault")
        };
        assert!(refused("variation.vary = [\"blok.*\"]").contains("variation.vary is `blok.*`"));
        assert!(refused("size = 7").contains("size"));
    }

    #[test]
    fn frames_for_people_have_the_scale_and_the_marks() {
        let mut world = world("size = 32");
        world.reset(0).expect("reset");
        let plain = world.render(&[], 4).expect("a frame");
        assert_eq!((plain.height, plain.width), (128, 128));
        let trail = [[20.0, 20.0], [400.0, 480.0]];
        assert_ne!(world.render(&[Mark::trail(&trail)], 4), Some(plain));
    }
}
