//! How an action moves agent and block.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::body::Body;
use super::shape::Shape;
use super::space::Space;
use super::vector::{Vector, add, scale, sub};

/// Sub-steps of an action: upstream controls at 10 Hz and moves at 100 Hz.
pub const SUB_STEPS: usize = 10;
/// Length of a sub-step in seconds.
pub const SECONDS: f64 = 0.01;
/// Pixels of a relative action of 1.
pub const ACTION_PIXELS: f64 = 100.0;
/// Acceleration for each pixel that the agent is away from its target.
const STIFFNESS: f64 = 100.0;
/// Deceleration for each pixel per second of its velocity.
const DAMPING: f64 = 20.0;

/// Where gym-pusht puts agent and block before they are where they are to be.
const AGENT_ENTERS: Vector = [256.0, 400.0];
const BLOCK_ENTERS: Vector = [256.0, 300.0];

/// What the two numbers of an action mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// A target relative to where the agent is when the step begins, from -1 to 1: 1 is 100 pixels (stable-worldmodel).
    #[default]
    Relative,
    /// A target in the pixels of the world, from 0 to 512 (gym-pusht, diffusion policy).
    Absolute,
}

impl Control {
    /// Where the agent is drawn to by an action that was chosen at this position.
    pub fn target(self, position: Vector, action: Vector) -> Vector {
        match self {
            Self::Relative => add(position, scale(action, ACTION_PIXELS)),
            Self::Absolute => action,
        }
    }

    /// Least and largest value of each number of an action.
    pub fn bounds(self) -> [f32; 2] {
        match self {
            Self::Relative => [-1.0, 1.0],
            Self::Absolute => [0.0, 512.0],
        }
    }

    /// The action that draws the agent from this position to a target, as far as the bounds allow.
    pub fn towards(self, position: Vector, target: Vector) -> [f32; 2] {
        let [low, high] = self.bounds();
        let action = match self {
            Self::Relative => scale(sub(target, position), 1.0 / ACTION_PIXELS),
            Self::Absolute => target,
        };
        action.map(|value| (value as f32).clamp(low, high))
    }
}

/// Positions and velocities of a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct State {
    /// Position of the agent.
    pub agent: Vector,
    /// Position of the block: of the origin of its shape.
    pub block: Vector,
    /// Angle of the block in radians, from x towards y.
    pub angle: f64,
    /// Velocity of the agent in pixels per second.
    pub velocity: Vector,
}

impl State {
    /// The seven numbers of a state: agent x and y, block x and y, angle of the block in [0, 2π), velocity of the agent in x and y.
    pub fn numbers(&self) -> Vec<f32> {
        let angle = self.angle.rem_euclid(std::f64::consts::TAU);
        let [[agent_x, agent_y], [x, y], [velocity_x, velocity_y]] = [self.agent, self.block, self.velocity];
        [agent_x, agent_y, x, y, angle, velocity_x, velocity_y].map(|value| value as f32).to_vec()
    }

    /// The state of seven numbers, or of five: then the agent is at rest. `None` of other counts, and where a number is not finite.
    pub fn of_numbers(numbers: &[f32]) -> Option<Self> {
        let (numbers, velocity) = match *numbers {
            [.., x, y] if numbers.len() == 7 => (&numbers[..5], [f64::from(x), f64::from(y)]),
            _ => (numbers, [0.0; 2]),
        };
        let all = numbers.iter().map(|&value| f64::from(value)).chain(velocity);
        let &[agent_x, agent_y, x, y, angle] = numbers else { return None };
        all.into_iter().all(f64::is_finite).then(|| Self {
            agent: [agent_x, agent_y].map(f64::from),
            block: [x, y].map(f64::from),
            angle: f64::from(angle),
            velocity,
        })
    }
}

/// Shapes and sizes of the bodies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Build {
    /// Shape of the agent.
    pub agent: Shape,
    /// Its scale.
    pub agent_scale: f64,
    /// Angle at which the agent is put into the world, in radians.
    pub agent_angle: f64,
    /// Shape of the block.
    pub block: Shape,
    /// Its scale.
    pub block_scale: f64,
}

impl Build {
    /// A space with these bodies in a state. A round agent is moved by nothing but its target; one of another shape is a body of mass 1, which
    /// walls and block hold up.
    ///
    /// As in gym-pusht, the bodies enter the space elsewhere and are moved to where they are to be, for that decides in which order pairs of
    /// them are looked at.
    pub fn space(&self, state: &State) -> Space {
        let mut agent = match self.agent {
            Shape::Circle => Body::kinematic(Shape::Circle, self.agent_scale),
            shape => Body::dynamic(shape, self.agent_scale),
        };
        let mut block = Body::dynamic(self.block, self.block_scale);
        agent.place(AGENT_ENTERS, self.agent_angle);
        block.place(BLOCK_ENTERS, 0.0);
        let mut space = Space::new(agent, block, SECONDS);
        space.agent.place(state.agent, self.agent_angle);
        space.agent.set_velocity(state.velocity);
        space.block.place(state.block, state.angle);
        space
    }
}

/// The state of a space.
pub fn state(space: &Space) -> State {
    State {
        agent: space.agent.position(),
        block: space.block.position(),
        angle: space.block.angle(),
        velocity: space.agent.velocity(),
    }
}

/// One action: ten sub-steps towards a target. Gives the number of touches in all of them.
pub fn advance(space: &mut Space, target: Vector) -> usize {
    let mut touches = 0;
    for _ in 0..SUB_STEPS {
        let velocity = space.agent.velocity();
        let pull = scale(sub(target, space.agent.position()), STIFFNESS);
        let acceleration = sub(pull, scale(velocity, DAMPING));
        space.agent.set_velocity(add(velocity, scale(acceleration, SECONDS)));
        space.step();
        touches += space.touches().count();
    }
    touches
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) const BUILD: Build =
        Build { agent: Shape::Circle, agent_scale: 40.0, agent_angle: 0.0, block: Shape::T, block_scale: 30.0 };

    fn start() -> (Space, State) {
        let state = State { agent: [0.0, 450.0], block: [300.0, 100.0], angle: 0.3, velocity: [0.0; 2] };
        (BUILD.space(&state), state)
    }

    #[test]
    fn a_unit_action_moves_the_agent_as_the_closed_form_says() {
        let (mut space, first) = start();
        // v' = 0.8 v + (T - x), x' = x + 0.01 v', ten times; T is set again at each step.
        let expected = [
            (29.567_178_591_344_156, 374.147_66),
            (70.333_274_651_859_47, 371.696_12),
            (111.025_991_687_139, 371.712_18),
        ];
        for (x, velocity) in expected {
            let target = Control::Relative.target(space.agent.position(), [1.0, 0.0]);
            advance(&mut space, target);
            let now = state(&space);
            approx::assert_abs_diff_eq!(now.agent[0], x, epsilon = 1e-9);
            approx::assert_abs_diff_eq!(now.velocity[0], velocity, epsilon = 1e-5);
            assert_eq!((now.agent[1], now.block, now.angle), (450.0, space.block.position(), first.angle));
        }
        approx::assert_abs_diff_eq!(space.block.position()[0], 300.0, epsilon = 1e-9);
    }

    #[test]
    fn a_target_that_is_held_is_approached_without_overshoot() {
        let (mut space, _) = start();
        for x in [29.567, 61.591, 80.762, 90.700] {
            advance(&mut space, Control::Absolute.target([7.0, 7.0], [100.0, 450.0]));
            approx::assert_abs_diff_eq!(state(&space).agent[0], x, epsilon = 1e-3);
        }
    }

    #[test]
    fn a_state_has_seven_numbers_and_may_leave_out_the_velocity() {
        let state = State { agent: [1.0, 2.0], block: [3.0, 4.0], angle: -1.0, velocity: [5.0, 6.0] };
        let numbers = state.numbers();
        assert_eq!(numbers[..4], [1.0, 2.0, 3.0, 4.0]);
        approx::assert_abs_diff_eq!(numbers[4], std::f32::consts::TAU - 1.0, epsilon = 1e-6);
        assert_eq!(State::of_numbers(&numbers).map(|state| state.velocity), Some([5.0, 6.0]));
        assert_eq!(State::of_numbers(&numbers[..5]).map(|state| state.velocity), Some([0.0; 2]));
        assert!(State::of_numbers(&numbers[..6]).is_none() && State::of_numbers(&[f32::NAN; 7]).is_none());
    }

    #[test]
    fn an_agent_that_is_no_circle_is_stopped_by_walls() {
        let build = Build { agent: Shape::Square, agent_scale: 20.0, ..BUILD };
        let mut space =
            build.space(&State { agent: [60.0, 450.0], block: [300.0, 100.0], angle: 0.3, velocity: [0.0; 2] });
        for _ in 0..40 {
            let target = Control::Relative.target(space.agent.position(), [-0.5, 0.0]);
            advance(&mut space, target);
        }
        // The target is 50 pixels away, so each sub-step moves it half a pixel into the wall at 7, where its half width of 20 ends, and
        // 1 - 0.9^0.6 of the overlap beyond 0.1 is taken away in the same time.
        let overlap = 0.5 / (1.0 - 0.9_f64.powf(0.6)) + 0.1;
        approx::assert_abs_diff_eq!(space.agent.position()[0], 27.0 - overlap, epsilon = 1e-3);
    }
}
