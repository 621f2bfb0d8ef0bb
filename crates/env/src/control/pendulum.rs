//! A rod on a motor that is too weak to lift it at once.
//!
//! Gymnasium's `Pendulum-v1` (`classic_control/pendulum.py`): a uniform rod of mass `m` and length `l`, its angle `θ` measured from
//! upright, `θ'' = 3g/(2l) sin θ + 3 (u - c θ') / (m l²)`, where `c` is a damping that Gymnasium has not. The speed is updated first and
//! bounded to ±8 rad/s, then the angle with the new speed (semi-implicit Euler), in steps of 0.05 s. The reward of a step is
//! `-(θ² + 0.1 θ'² + 0.001 u²)` of where it begins.

use rand::{Rng, RngCore};

use super::lqr::gains;
use super::system::{Controller, Shown, System, all_finite, disc, wrapped};
use crate::canvas::{Canvas, Colour};
use crate::factors::{Factor, FactorKind, FactorValues, Factors};
use crate::paint::{AGENT, GOAL, SHADOW, WALL};
use crate::registry::Purpose;

/// Length of a step in seconds.
const STEP: f64 = 0.05;
/// Largest speed in rad/s.
const MAX_SPEED: f64 = 8.0;
/// Largest torque in N m, at the nominal strength of the motor.
const MAX_TORQUE: f32 = 2.0;
/// Upright is nearer than this, in rad.
const UPRIGHT: f64 = 0.2;
/// At rest is slower than this, in rad/s.
const AT_REST: f64 = 0.5;

#[derive(Debug, Clone)]
pub(crate) struct Pendulum {
    gravity: f64,
    mass: f64,
    length: f64,
    damping: f64,
    strength: f64,
    width: f32,
    rod: Colour,
    axle: Colour,
    background: Colour,
}

/// Angle from upright in rad and its speed in rad/s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Swing {
    angle: f64,
    speed: f64,
}

impl Pendulum {
    /// Square of the rate at which a small deviation from upright grows, in 1/s².
    fn growth(&self) -> f64 {
        1.5 * self.gravity / self.length
    }

    /// Acceleration by a torque of 1 N m.
    fn push(&self) -> f64 {
        3.0 / (self.mass * self.length * self.length)
    }

    fn moved(&self, Swing { angle, speed }: Swing, torque: f64) -> Swing {
        let acceleration = self.growth() * angle.sin() + self.push() * (torque - self.damping * speed);
        let speed = (speed + acceleration * STEP).clamp(-MAX_SPEED, MAX_SPEED);
        Swing { angle: angle + speed * STEP, speed }
    }
}

impl System for Pendulum {
    const NAME: &'static str = "pendulum";
    const UNIT: &'static str = "rad";
    const STATE: usize = 3;
    const STATE_TEXT: &'static str =
        "3 numbers, cosine and sine of the angle from upright and its speed, at most 8 rad/s";
    const ACTION: &'static [f32] = &[MAX_TORQUE];
    const ACTION_TEXT: &'static str = "1 number within -2 and 2, the torque in N m";
    const EXTENT: f32 = 3.4;
    type Motion = Swing;

    fn factors() -> Factors {
        use FactorKind::{Appearance, Physics};
        Factors::new(vec![
            Factor::number("rod.mass", Physics, 1.0, [0.5, 1.5]).training([0.75, 1.25]),
            Factor::number("rod.length", Physics, 1.0, [0.5, 1.5]).training([0.75, 1.25]),
            Factor::number("gravity", Physics, 10.0, [5.0, 15.0]).training([7.5, 12.5]),
            Factor::number("joint.damping", Physics, 0.0, [0.0, 0.2]).training([0.0, 0.1]),
            Factor::number("motor.strength", Physics, 1.0, [0.5, 1.5]).training([0.75, 1.25]),
            Factor::number("rod.width", Appearance, 0.2, [0.1, 0.4]).training([0.15, 0.3]),
            Factor::colour("rod.color", [204, 77, 77]),
            Factor::colour("axle.color", [0, 0, 0]),
            Factor::colour("background.color", [255, 255, 255]),
        ])
    }

    fn new(values: &FactorValues) -> Self {
        let number = |name| f64::from(values.number(name));
        Self {
            gravity: number("gravity"),
            mass: number("rod.mass"),
            length: number("rod.length"),
            damping: number("joint.damping"),
            strength: number("motor.strength"),
            width: values.number("rod.width"),
            rod: values.colour("rod.color"),
            axle: values.colour("axle.color"),
            background: values.colour("background.color"),
        }
    }

    fn start(&self, _: Purpose, rng: &mut dyn RngCore) -> Swing {
        use std::f64::consts::PI;
        Swing { angle: rng.random_range(-PI..=PI), speed: rng.random_range(-1.0..=1.0) }
    }

    fn place(&mut self, state: &[f32]) -> Option<Swing> {
        match *state {
            [cos, sin, speed] if all_finite(state) && cos.hypot(sin) > 0.0 && f64::from(speed.abs()) <= MAX_SPEED => {
                Some(Swing { angle: f64::from(sin).atan2(f64::from(cos)), speed: f64::from(speed) })
            }
            _ => None,
        }
    }

    fn state(&self, motion: &Swing) -> Vec<f32> {
        [motion.angle.cos(), motion.angle.sin(), motion.speed].map(|value| value as f32).to_vec()
    }

    fn advance(&self, motion: &Swing, action: &[f64]) -> Swing {
        self.moved(*motion, self.strength * action[0])
    }

    fn reward(&self, before: &Swing, action: &[f64], _: &Swing) -> f64 {
        let torque = self.strength * action[0];
        -(wrapped(before.angle).powi(2) + 0.1 * before.speed.powi(2) + 0.001 * torque.powi(2))
    }

    fn goal(&self, _: &Swing) -> Swing {
        Swing { angle: 0.0, speed: 0.0 }
    }

    fn distance(&self, motion: &Swing) -> f64 {
        wrapped(motion.angle).abs()
    }

    fn success(&self, motion: &Swing) -> bool {
        self.distance(motion) < UPRIGHT && motion.speed.abs() < AT_REST
    }

    fn background(&self) -> Colour {
        self.background
    }

    fn draw(&self, motion: &Swing, shown: Shown, canvas: &mut Canvas) {
        let (rod, axle, opacity) = match shown {
            Shown::Observed => (self.rod, self.axle, 1.0),
            Shown::People => (AGENT, WALL, 1.0),
            Shown::Goal => (GOAL, GOAL, 0.25),
        };
        let middle = [Self::EXTENT / 2.0; 2];
        if shown == Shown::People {
            // The stand behind the rod.
            let [x, y] = middle;
            canvas.polygon(SHADOW, 0.35, &[[x, y - 0.12], [x - 0.3, y + 0.5], [x + 0.3, y + 0.5]]);
        }
        canvas.line(rod, opacity, middle, self.tip(motion), self.width);
        if shown != Shown::Goal {
            disc(canvas, axle, opacity, middle, 0.25 * self.width);
        }
    }

    fn tip(&self, motion: &Swing) -> [f32; 2] {
        // A positive angle turns to the left, as in Gymnasium's pictures.
        let (sin, cos) = motion.angle.sin_cos();
        [-sin, -cos].map(|value| (self.length * value) as f32 + Self::EXTENT / 2.0)
    }

    /// Swings up by the energy, and holds by a regulator where the motor is strong enough to catch the rod.
    fn expert(&self, _: &Swing) -> Controller<Swing> {
        let system = self.clone();
        let advance = |[angle, speed]: [f64; 2], torque: f64| {
            let next = system.moved(Swing { angle, speed }, torque);
            [next.angle, next.speed]
        };
        let gains = gains(advance, [10.0, 1.0], 0.5);
        let largest = system.strength * f64::from(MAX_TORQUE);
        Box::new(move |motion: &Swing| {
            let (angle, growth) = (wrapped(motion.angle), system.growth());
            // The unstable part of the motion; beyond the bound no torque brings it back.
            let escaping = (angle + motion.speed / growth.sqrt()).abs();
            let torque = if angle.abs() < 0.7 && escaping < 0.95 * largest * system.push() / growth {
                -gains[0] * angle - gains[1] * motion.speed
            } else {
                // Energy over the moment of inertia, and what is missing to stand upright.
                let missing = growth - (0.5 * motion.speed.powi(2) + growth * angle.cos());
                let way = if motion.speed.abs() > 0.05 { motion.speed } else { motion.speed.signum() };
                let damped = system.damping * motion.speed;
                2.0 * missing * way / system.push() + damped
            };
            vec![torque / system.strength]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factors::{FactorSampler, Variation};

    fn nominal() -> Pendulum {
        let sampler = FactorSampler::new(Pendulum::factors(), Variation::default()).unwrap();
        Pendulum::new(&sampler.sample(0))
    }

    #[test]
    fn one_step_by_hand() {
        let pendulum = nominal();
        // 15 sin(π/6) + 3·1.5 = 12; 0.5 + 12·0.05 = 1.1; π/6 + 1.1·0.05.
        let from = Swing { angle: std::f64::consts::FRAC_PI_6, speed: 0.5 };
        let to = pendulum.advance(&from, &[1.5]);
        approx::assert_abs_diff_eq!(to.speed, 1.1, epsilon = 1e-12);
        approx::assert_abs_diff_eq!(to.angle, std::f64::consts::FRAC_PI_6 + 0.055, epsilon = 1e-12);
        let reward = pendulum.reward(&from, &[1.5], &to);
        approx::assert_abs_diff_eq!(reward, -(0.274_155_677_808_037_7 + 0.025 + 0.002_25), epsilon = 1e-9);
    }

    #[test]
    fn success_is_upright_and_at_rest() {
        let pendulum = nominal();
        let success = |angle, speed| pendulum.success(&Swing { angle, speed });
        assert!(success(0.1, 0.4) && success(std::f64::consts::TAU - 0.1, 0.0));
        assert!(!success(0.3, 0.0) && !success(0.0, 0.6));
    }
}
