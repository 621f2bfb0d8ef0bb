//! A world of any system.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use prevision_core::{Action, Camera, FrameBuffer, Observations, Space, Spaces, seed};

use super::Options;
use super::feedback::{EXPERT, Feedback};
use super::system::{Shown, System};
use crate::canvas::Canvas;
use crate::paint::{FLOOR, draw_marks};
use crate::registry::{Purpose, World};
use crate::{
    EnvError, Environment, EnvironmentSpec, FactorSampler, FactorValues, Goal, Mark, Policy, Smooth, TimeStep,
};

/// The name of the camera.
const CAMERA: &str = "pixels";
/// Width of a path in a frame for people, as a share of the picture.
const WIDTH: f32 = 0.009;

/// A world of this system, set up.
#[derive(Debug, Clone)]
pub(crate) struct ControlWorld<S> {
    size: usize,
    sampler: FactorSampler,
    system: PhantomData<S>,
}

impl<S: System> ControlWorld<S> {
    /// Set up by these options.
    ///
    /// # Errors
    /// The key at fault, below `[env.NAME]`.
    pub(crate) fn new(options: &Options) -> Result<Self, String> {
        let sampler = FactorSampler::new(S::factors(), options.variation.clone())?;
        Ok(Self { size: options.size, sampler, system: PhantomData })
    }

    fn space() -> Space {
        Space::Box { low: S::ACTION.iter().map(|value| -value).collect(), high: S::ACTION.to_vec() }
    }

    fn spec(&self) -> EnvironmentSpec {
        EnvironmentSpec {
            name: S::NAME.to_owned(),
            spaces: Spaces {
                cameras: BTreeMap::from([(CAMERA.to_owned(), Camera { height: self.size, width: self.size })]),
                action: Some(Self::space()),
                state: Some(S::STATE),
                ..Spaces::default()
            },
            max_steps: 200,
            unit: Some(S::UNIT.to_owned()),
            rewards: true,
            factors: S::factors(),
            ..EnvironmentSpec::default()
        }
    }
}

impl<S: System> World for ControlWorld<S> {
    fn environment(&self, purpose: Purpose) -> Result<Box<dyn Environment>, EnvError> {
        let (system, motion) = drawn::<S>(&self.sampler.sample(0), purpose, 0);
        Ok(Box::new(ControlEnvironment {
            spec: self.spec(),
            size: self.size,
            purpose,
            sampler: self.sampler.clone(),
            values: self.sampler.sample(0),
            goal: system.goal(&motion),
            system,
            motion,
        }))
    }

    fn policies(&self) -> &[&str] {
        &[Smooth::NAME, EXPERT]
    }

    fn policy(&self, name: &str, _steps: usize) -> Option<Box<dyn Policy>> {
        match name {
            Smooth::NAME => Some(Box::new(Smooth::new(Self::space()))),
            EXPERT => Some(Box::new(Feedback::<S>::new())),
            _ => None,
        }
    }
}

/// The system of an episode with its target, and where it begins.
fn drawn<S: System>(values: &FactorValues, purpose: Purpose, seed: u64) -> (S, S::Motion) {
    let mut system = S::new(values);
    let mut rng = seed::rng(seed, &format!("{}/task", S::NAME), 0, 0);
    let motion = system.start(purpose, &mut rng);
    system.aim(&mut rng);
    (system, motion)
}

/// A system at an episode.
#[derive(Debug, Clone)]
struct ControlEnvironment<S: System> {
    spec: EnvironmentSpec,
    size: usize,
    purpose: Purpose,
    sampler: FactorSampler,
    /// Values of the factors in this episode.
    values: FactorValues,
    system: S,
    motion: S::Motion,
    goal: S::Motion,
}

impl<S: System> ControlEnvironment<S> {
    fn begin(&mut self, seed: u64, state: Option<&[f32]>) -> Result<TimeStep, EnvError> {
        let values = self.sampler.sample(seed);
        let (mut system, mut motion) = drawn::<S>(&values, self.purpose, seed);
        if let Some(state) = state {
            motion = system.place(state).ok_or_else(|| invalid::<S>("state", format!("{state:?}"), S::STATE_TEXT))?;
        }
        self.goal = system.goal(&motion);
        (self.values, self.system, self.motion) = (values, system, motion);
        Ok(self.moment(0.0))
    }

    fn observe(&self, motion: &S::Motion) -> Observations {
        let mut canvas = Canvas::of_area(S::EXTENT, self.size, self.system.background());
        self.system.draw(motion, Shown::Observed, &mut canvas);
        Observations::of_camera(CAMERA, canvas.to_frame())
    }

    fn moment(&self, reward: f64) -> TimeStep {
        TimeStep {
            observations: self.observe(&self.motion),
            state: Some(self.system.state(&self.motion)),
            info: self.values.info(),
            reward,
            success: self.system.success(&self.motion),
            distance: Some(self.system.distance(&self.motion)),
            ..TimeStep::default()
        }
    }
}

fn invalid<S: System>(what: &'static str, given: String, expected: &str) -> EnvError {
    EnvError::Invalid { world: S::NAME.to_owned(), what, given, expected: expected.to_owned() }
}

impl<S: System> Environment for ControlEnvironment<S> {
    fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    fn reset(&mut self, seed: u64) -> Result<TimeStep, EnvError> {
        self.begin(seed, None)
    }

    fn reset_to(&mut self, seed: u64, state: &[f32]) -> Result<TimeStep, EnvError> {
        self.begin(seed, Some(state))
    }

    fn step(&mut self, action: Action<'_>) -> Result<TimeStep, EnvError> {
        let numbers = match action {
            Action::Vector(numbers) if numbers.len() == S::ACTION.len() => numbers,
            _ => return Err(invalid::<S>("action", format!("{action:?}"), S::ACTION_TEXT)),
        };
        if !numbers.iter().all(|value| value.is_finite()) {
            return Ok(self.moment(0.0));
        }
        let bounded = |(value, largest): (&f32, &f32)| f64::from(value.clamp(-largest, *largest));
        let action: Vec<f64> = numbers.iter().zip(S::ACTION).map(bounded).collect();
        let before = self.motion;
        self.motion = self.system.advance(&before, &action);
        Ok(self.moment(self.system.reward(&before, &action, &self.motion)))
    }

    fn goal(&self) -> Option<Goal> {
        Some(Goal {
            observations: Some(self.observe(&self.goal)),
            state: Some(self.system.state(&self.goal)),
            route: None,
        })
    }

    fn position(&self) -> Option<[f32; 2]> {
        Some(self.system.tip(&self.motion))
    }

    fn render(&self, marks: &[Mark<'_>], scale: usize) -> Option<FrameBuffer> {
        assert!(scale > 0, "scale of a rendered frame: got 0, expected at least 1");
        let mut canvas = Canvas::of_area(S::EXTENT, self.size * scale, FLOOR);
        self.system.draw(&self.goal, Shown::Goal, &mut canvas);
        draw_marks(&mut canvas, marks, WIDTH * S::EXTENT);
        self.system.draw(&self.motion, Shown::People, &mut canvas);
        Some(canvas.to_frame())
    }
}
