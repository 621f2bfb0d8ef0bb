//! Two Rooms: a dot, a wall and a door.
//!
//! The world of `eb_jepa/datasets/two_rooms` (Meta AI, EB-JEPA): 65x65 pixels with x to the right and y down, border lines at
//! row and column 4 and 60, a vertical wall three pixels thick with a door of nine. An action is a displacement in pixels.
//!
//! Two things differ from upstream on purpose. Its evaluation moves the dot by other rules than its data, and here the rule of
//! the data ([`Collision::Stop`]) is the default for both. Its evaluation configures a bound of 2.45 for actions but does not
//! enforce it, and here [`Environment::step`] shortens longer actions to that norm.

pub mod draw;
pub mod dynamics;
pub mod geometry;
pub mod layout;
mod render;
pub mod task;
pub mod walk;

use std::cell::OnceCell;

use prevision_data::seed;
use prevision_video::FrameBuffer;

pub use draw::draw;
pub use dynamics::Collision;
pub use geometry::{Contact, Point, SIZE, Surface};
pub use layout::{Layout, LayoutChoice, LayoutSplit};
pub use task::{SUCCESS_DISTANCE, Task};
pub use walk::Walk;

use crate::canvas::Canvas;
use crate::{EnvError, EnvOptions, Environment, EnvironmentSpec, Overlay};

/// Largest Euclidean norm of an action during evaluation, in pixels.
pub const ACTION_NORM: f32 = 2.45;

static SPEC: EnvironmentSpec = EnvironmentSpec {
    name: TwoRooms::NAME,
    action_dim: 2,
    action_norm: 2.45,
    state_dim: 2,
    width: SIZE,
    height: SIZE,
    max_steps: 200,
};

/// The world during evaluation: a task, and where the dot is.
#[derive(Debug, Clone)]
pub struct TwoRooms {
    options: EnvOptions,
    seed: u64,
    task: Task,
    position: Point,
    steps: u64,
    /// The floor plan at the scale that was rendered first.
    floor: OnceCell<Canvas>,
}

impl TwoRooms {
    /// The name of this world.
    pub const NAME: &'static str = "two-rooms";

    /// The world at the task of seed 0.
    pub fn new(options: &EnvOptions) -> Self {
        let task = Task::sample(0, options);
        Self { options: *options, seed: 0, task, position: task.start, steps: 0, floor: OnceCell::new() }
    }

    /// The current task.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// Where the dot is.
    pub fn position(&self) -> Point {
        self.position
    }
}

impl Environment for TwoRooms {
    fn spec(&self) -> &EnvironmentSpec {
        &SPEC
    }

    fn reset(&mut self, seed: u64) -> Result<(), EnvError> {
        self.seed = seed;
        self.task = Task::sample(seed, &self.options);
        self.position = self.task.start;
        self.steps = 0;
        self.floor = OnceCell::new();
        Ok(())
    }

    fn step(&mut self, action: &[f32]) {
        let &[x, y] = action else {
            panic!("two-rooms: an action of {} numbers, expected 2 (x and y displacement in pixels)", action.len());
        };
        let norm = x.hypot(y);
        let shorten = if norm > ACTION_NORM { ACTION_NORM / norm } else { 1.0 };
        let mut noise = seed::rng(self.seed, "two-rooms/bounce", 0, self.steps);
        self.position =
            self.options.collision.advance(self.task.layout, self.position, [x * shorten, y * shorten], &mut noise);
        self.steps += 1;
    }

    fn observe(&self) -> Vec<u8> {
        draw(self.task.layout, self.position)
    }

    fn goal_observation(&self) -> Vec<u8> {
        draw(self.task.layout, self.task.goal)
    }

    fn state(&self) -> Vec<f32> {
        self.position.to_vec()
    }

    fn goal_state(&self) -> Vec<f32> {
        self.task.goal.to_vec()
    }

    fn distance(&self) -> f64 {
        let [x, y] = [0, 1].map(|axis| f64::from(self.position[axis]) - f64::from(self.task.goal[axis]));
        x.hypot(y)
    }

    fn success(&self) -> bool {
        self.distance() < SUCCESS_DISTANCE
    }

    fn render(&self, overlay: &Overlay<'_>, scale: usize) -> FrameBuffer {
        let layout = self.task.layout;
        let kept = self.floor.get_or_init(|| render::floor_plan(layout, scale));
        let floor = if kept.scale() == scale { kept.clone() } else { render::floor_plan(layout, scale) };
        render::render(floor, &self.task, self.position, overlay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_longer_than_the_norm_is_shortened() {
        let mut world = TwoRooms::new(&EnvOptions { layout: LayoutChoice::Fixed, ..EnvOptions::default() });
        world.position = [20.0, 30.0];
        world.step(&[-30.0, 40.0]);
        approx::assert_abs_diff_eq!(world.position[0], 20.0 - 1.47, epsilon = 1e-5);
        approx::assert_abs_diff_eq!(world.position[1], 30.0 + 1.96, epsilon = 1e-5);
        world.position = [20.0, 30.0];
        world.step(&[1.0, -2.0]);
        assert_eq!(world.state(), [21.0, 28.0]);
        world.step(&[f32::NAN, 1.0]);
        world.step(&[f32::INFINITY, 1.0]);
        assert_eq!(world.state(), [21.0, 28.0]);
    }

    #[test]
    fn frames_follow_the_task_and_the_scale() {
        let mut world = TwoRooms::new(&EnvOptions::default());
        let fresh = |seed, scale| {
            let mut world = TwoRooms::new(&EnvOptions::default());
            world.reset(seed).expect("reset");
            world.render(&Overlay::default(), scale).data
        };
        for (seed, scale) in [(0, 2), (0, 3), (1, 3), (1, 2)] {
            world.reset(seed).expect("reset");
            assert!(world.render(&Overlay::default(), 2).data == fresh(seed, 2));
            assert!(world.render(&Overlay::default(), scale).data == fresh(seed, scale));
        }
        assert!(fresh(0, 2) != fresh(1, 2));
    }

    #[test]
    fn success_is_nearer_than_four_and_a_half_pixels() {
        let mut world = TwoRooms::new(&EnvOptions::default());
        world.task.goal = [20.0, 20.0];
        world.position = [24.5, 20.0];
        assert_eq!(world.distance(), 4.5);
        assert!(!world.success());
        world.position = [22.0, 24.0];
        assert!(world.success());
    }

    #[test]
    #[should_panic(expected = "an action of 3 numbers")]
    fn an_action_of_another_length_is_a_bug() {
        TwoRooms::new(&EnvOptions::default()).step(&[0.0; 3]);
    }
}
