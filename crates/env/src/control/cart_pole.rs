//! A cart on a rail with a pole that hangs from it and is to stand on it.
//!
//! The measures are those of `dm_control`'s `cartpole` (cart 1 kg, pole 0.1 kg and 1 m, force up to 10 N, rail of ±1.8 m), which are
//! Gymnasium's too; the equations are the textbook ones for a uniform pole, as in Gymnasium's `cartpole.py` (Florian, Correct equations
//! for the dynamics of the cart-pole system, 2005), with damping of cart and joint. With `θ` from upright, clockwise, and `l` half the
//! pole:
//!
//! ```text
//! (M + m) x'' + m l cos θ θ'' = F - b x' + m l θ'² sin θ
//! m l cos θ x'' + 4/3 m l² θ'' = m g l sin θ - c θ'
//! ```
//!
//! A step of 0.04 s is four steps of the classical Runge-Kutta method of fourth order. At the ends of the rail the cart stops at once;
//! the pole takes the blow (its momentum about the joint stays as it is). The reward is `dm_control`'s smooth one.

use rand::{Rng, RngCore};

use super::integrate::runge_kutta;
use super::lqr::gains;
use super::system::{Controller, Shown, System, all_finite, disc, wrapped};
use crate::canvas::{Canvas, Colour};
use crate::factors::{Factor, FactorKind, FactorValues, Factors};
use crate::paint::{AGENT, GOAL, IMAGINED, SHADOW, WALL};
use crate::registry::Purpose;

/// Length of a step of the integrator in seconds, and how many of them are one step of the world.
const SUBSTEP: f64 = 0.01;
const SUBSTEPS: usize = 4;
/// Largest force in N, at the nominal strength of the motor.
const MAX_FORCE: f32 = 10.0;
/// How far the middle of the cart can go either way, in metres.
const RAIL: f64 = 1.8;
/// Reached is nearer than this: metres, rad, m/s, rad/s.
const REACHED: [f64; 4] = [0.25, 0.2, 0.5, 0.5];

#[derive(Debug, Clone)]
pub(crate) struct CartPole {
    gravity: f64,
    cart: f64,
    pole: f64,
    /// Half the length of the pole.
    half: f64,
    cart_damping: f64,
    pole_damping: f64,
    strength: f64,
    width: f32,
    colours: Colours,
}

#[derive(Debug, Clone, Copy)]
struct Colours {
    cart: Colour,
    pole: Colour,
    rail: Colour,
    background: Colour,
}

/// Place of the cart in metres, angle of the pole from upright in rad, and their speeds.
type Motion = [f64; 4];

impl CartPole {
    /// The matrix of inertia: both masses, what couples them, and the pole about its joint.
    fn inertia(&self, angle: f64) -> [f64; 3] {
        let (mass, half) = (self.pole, self.half);
        [self.cart + mass, mass * half * angle.cos(), 4.0 / 3.0 * mass * half * half]
    }

    fn rate(&self, &[_, angle, speed, spin]: &Motion, force: f64) -> Motion {
        let [both, coupled, about] = self.inertia(angle);
        let lever = self.pole * self.half;
        let along = force - self.cart_damping * speed + lever * spin * spin * angle.sin();
        let turning = lever * self.gravity * angle.sin() - self.pole_damping * spin;
        let determinant = both * about - coupled * coupled;
        let acceleration = (about * along - coupled * turning) / determinant;
        [speed, spin, acceleration, (both * turning - coupled * along) / determinant]
    }

    fn moved(&self, motion: Motion, force: f64) -> Motion {
        (0..SUBSTEPS).fold(motion, |motion, _| {
            let [x, angle, speed, spin] = runge_kutta(motion, SUBSTEP, |motion| self.rate(motion, force));
            if x.abs() < RAIL || x * speed < 0.0 {
                return [x, angle, speed, spin];
            }
            let [_, coupled, about] = self.inertia(angle);
            [RAIL.copysign(x), angle, 0.0, spin + coupled / about * speed]
        })
    }
}

/// `dm_control`'s `rewards.tolerance` around 0: 1 there, and 0.1 at the margin.
fn tolerance(value: f64, margin: f64) -> f64 {
    0.1_f64.powf((value / margin).powi(2))
}

impl System for CartPole {
    const NAME: &'static str = "cart-pole";
    const UNIT: &'static str = "m";
    const STATE: usize = 5;
    const STATE_TEXT: &'static str = "5 numbers, place of the cart within ±1.8 m, cosine and sine of the pole's angle from upright, and the speeds of cart and pole";
    const ACTION: &'static [f32] = &[MAX_FORCE];
    const ACTION_TEXT: &'static str = "1 number within -10 and 10, the force on the cart in N";
    const EXTENT: f32 = 4.4;
    type Motion = Motion;

    fn factors() -> Factors {
        use FactorKind::{Appearance, Physics};
        Factors::new(vec![
            Factor::number("cart.mass", Physics, 1.0, [0.5, 1.5]).training([0.75, 1.25]),
            Factor::number("pole.mass", Physics, 0.1, [0.05, 0.15]).training([0.075, 0.125]),
            Factor::number("pole.length", Physics, 1.0, [0.5, 1.5]).training([0.75, 1.25]),
            Factor::number("gravity", Physics, 9.81, [4.9, 14.7]).training([7.4, 12.3]),
            Factor::number("cart.damping", Physics, 5e-4, [0.0, 0.5]).training([0.0, 0.25]),
            Factor::number("pole.damping", Physics, 2e-6, [0.0, 0.01]).training([0.0, 0.005]),
            Factor::number("motor.strength", Physics, 1.0, [0.5, 1.5]).training([0.75, 1.25]),
            Factor::number("pole.width", Appearance, 0.12, [0.06, 0.24]).training([0.09, 0.18]),
            Factor::colour("cart.color", [60, 90, 160]),
            Factor::colour("pole.color", [204, 77, 77]),
            Factor::colour("rail.color", [120, 120, 120]),
            Factor::colour("background.color", [255, 255, 255]),
        ])
    }

    fn new(values: &FactorValues) -> Self {
        let number = |name| f64::from(values.number(name));
        Self {
            gravity: number("gravity"),
            cart: number("cart.mass"),
            pole: number("pole.mass"),
            half: number("pole.length") / 2.0,
            cart_damping: number("cart.damping"),
            pole_damping: number("pole.damping"),
            strength: number("motor.strength"),
            width: values.number("pole.width"),
            colours: Colours {
                cart: values.colour("cart.color"),
                pole: values.colour("pole.color"),
                rail: values.colour("rail.color"),
                background: values.colour("background.color"),
            },
        }
    }

    /// Recordings begin anywhere, so that they show the pole upright too; evaluations with a pole that hangs almost at rest.
    fn start(&self, purpose: Purpose, rng: &mut dyn RngCore) -> Motion {
        use std::f64::consts::PI;
        let mut within = |bound: f64| rng.random_range(-bound..=bound);
        match purpose {
            Purpose::Recording => [within(1.2), within(PI), within(1.0), within(4.0)],
            Purpose::Evaluation => [within(0.8), PI + within(0.2), within(0.1), within(0.1)],
        }
    }

    fn place(&mut self, state: &[f32]) -> Option<Motion> {
        match *state {
            [x, cos, sin, speed, spin] if all_finite(state) && cos.hypot(sin) > 0.0 && x.abs() <= RAIL as f32 => {
                Some([f64::from(x), f64::from(sin).atan2(f64::from(cos)), f64::from(speed), f64::from(spin)])
            }
            _ => None,
        }
    }

    fn state(&self, &[x, angle, speed, spin]: &Motion) -> Vec<f32> {
        [x, angle.cos(), angle.sin(), speed, spin].map(|value| value as f32).to_vec()
    }

    fn advance(&self, motion: &Motion, action: &[f64]) -> Motion {
        self.moved(*motion, self.strength * action[0])
    }

    fn reward(&self, _: &Motion, action: &[f64], &[x, angle, _, spin]: &Motion) -> f64 {
        let upright = f64::midpoint(angle.cos(), 1.0);
        let centred = f64::midpoint(tolerance(x, 2.0), 1.0);
        let control = action[0] / f64::from(MAX_FORCE);
        let gentle = (4.0 + (1.0 - control * control).max(0.0)) / 5.0;
        let slow = f64::midpoint(tolerance(spin, 5.0), 1.0);
        upright * centred * gentle * slow
    }

    fn goal(&self, _: &Motion) -> Motion {
        [0.0; 4]
    }

    /// From the end of the pole to where it is when the pole stands in the middle.
    fn distance(&self, &[x, angle, ..]: &Motion) -> f64 {
        let length = 2.0 * self.half;
        (x + length * angle.sin()).hypot(length * (1.0 - angle.cos()))
    }

    fn success(&self, &[x, angle, speed, spin]: &Motion) -> bool {
        [x, wrapped(angle), speed, spin].iter().zip(REACHED).all(|(value, bound)| value.abs() < bound)
    }

    fn background(&self) -> Colour {
        self.colours.background
    }

    fn draw(&self, motion: &Motion, shown: Shown, canvas: &mut Canvas) {
        let own = self.colours;
        let (cart, pole, rail, opacity) = match shown {
            Shown::Observed => (own.cart, own.pole, own.rail, 1.0),
            Shown::People => (WALL, AGENT, SHADOW, 1.0),
            Shown::Goal => (GOAL, GOAL, GOAL, 0.25),
        };
        let middle = Self::EXTENT / 2.0;
        let x = motion[0] as f32 + middle;
        if shown != Shown::Goal {
            let end = RAIL as f32 + 0.2;
            canvas.line(rail, opacity, [middle - end, middle], [middle + end, middle], 0.05);
            canvas.rectangle(cart, opacity, [x - 0.25, middle - 0.15], [x + 0.25, middle + 0.15]);
        }
        canvas.line(pole, opacity, [x, middle], self.tip(motion), self.width);
        if shown == Shown::People {
            disc(canvas, IMAGINED, opacity, [x, middle], 0.3 * self.width);
        }
    }

    fn tip(&self, &[x, angle, ..]: &Motion) -> [f32; 2] {
        let length = 2.0 * self.half;
        [x + length * angle.sin(), -length * angle.cos()].map(|value| value as f32 + Self::EXTENT / 2.0)
    }

    /// Swings up by the energy of the pole while the cart is drawn to the middle, and holds by a regulator.
    fn expert(&self, _: &Motion) -> Controller<Motion> {
        let system = self.clone();
        let gains = gains(|motion, force| system.moved(motion, force), [4.0, 20.0, 1.0, 1.0], 0.05);
        let largest = 0.9 * system.strength * f64::from(MAX_FORCE) / (system.cart + system.pole);
        Box::new(move |&[x, angle, speed, spin]: &Motion| {
            let angle = wrapped(angle);
            let growth = 0.75 * system.gravity / system.half;
            let escaping = (angle + spin / growth.sqrt()).abs();
            let force = if angle.abs() < 0.6 && escaping < 0.4 {
                -[x, angle, speed, spin].iter().zip(gains).map(|(value, gain)| value * gain).sum::<f64>()
            } else {
                // Energy of the pole over its moment of inertia, less that of standing upright.
                let energy = 0.5 * spin * spin + growth * (angle.cos() - 1.0);
                let pump = 1.5 * energy * (spin * angle.cos()) / growth.sqrt();
                let bound = 0.6 * largest;
                let wanted = pump.clamp(-bound, bound) - 3.0 * x - 1.5 * speed;
                let turning = 0.75 / system.half * (system.gravity * angle.sin() - angle.cos() * wanted);
                let lever = system.pole * system.half;
                (system.cart + system.pole) * wanted
                    + lever * (angle.cos() * turning - spin * spin * angle.sin())
                    + system.cart_damping * speed
            };
            vec![force / system.strength]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factors::{FactorSampler, FactorValue, Variation};

    pub(super) fn with(values: &[(&str, f32)]) -> CartPole {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), FactorValue::Number(*value))).collect();
        let variation = Variation { values, ..Variation::default() };
        CartPole::new(&FactorSampler::new(CartPole::factors(), variation).unwrap().sample(0))
    }

    fn energy(system: &CartPole, &[_, angle, speed, spin]: &Motion) -> f64 {
        let [both, coupled, about] = system.inertia(angle);
        0.5 * both * speed * speed
            + coupled * speed * spin
            + 0.5 * about * spin * spin
            + system.pole * system.gravity * system.half * angle.cos()
    }

    #[test]
    fn energy_stays_without_damping_and_force() {
        let system = with(&[("cart.damping", 0.0), ("pole.damping", 0.0)]);
        let start = [0.1, 2.0, 0.0, -1.0];
        let end = (0..250).fold(start, |motion, _| system.moved(motion, 0.0));
        approx::assert_abs_diff_eq!(energy(&system, &end), energy(&system, &start), epsilon = 1e-7);
        assert!((end[1] - start[1]).abs() > 0.1 && end[0].abs() < RAIL, "{end:?}");
    }

    #[test]
    fn the_equations_at_one_point() {
        // θ = π/2, F = 2 N, θ' = 3: 1.1 x'' = 2 + 0.05·9 and 0.1/3 θ'' = 0.05·9.81, uncoupled.
        let system = with(&[("cart.damping", 0.0), ("pole.damping", 0.0)]);
        let [speed, spin, acceleration, turning] = system.rate(&[0.0, std::f64::consts::FRAC_PI_2, 0.5, 3.0], 2.0);
        assert_eq!([speed, spin], [0.5, 3.0]);
        approx::assert_abs_diff_eq!(acceleration, 2.45 / 1.1, epsilon = 1e-6);
        approx::assert_abs_diff_eq!(turning, 14.715, epsilon = 1e-5);
        // Upright at rest with 1 N: 1.1 x'' + 0.05 θ'' = 1 and 0.05 x'' + θ''/30 = 0, so x'' = 1/(1.1 - 0.075), θ'' = -1.5 x''.
        let [_, _, acceleration, turning] = system.rate(&[0.0; 4], 1.0);
        approx::assert_abs_diff_eq!(acceleration, 1.0 / 1.025, epsilon = 1e-7);
        approx::assert_abs_diff_eq!(turning, -1.5 / 1.025, epsilon = 1e-7);
    }

    #[test]
    fn the_rail_stops_the_cart_and_the_pole_takes_the_blow() {
        let system = with(&[]);
        let [x, angle, speed, spin] = system.moved([1.79, 0.0, 2.0, 0.0], 0.0);
        // The pole falls on and pushes the cart away again.
        assert!((RAIL - 1e-3..=RAIL).contains(&x) && (-0.1..=0.0).contains(&speed), "{x}, {speed}");
        // 3/(4 l) of the speed at the moment of the stop, and a little gravity since.
        assert!((2.9..3.4).contains(&spin) && angle > 0.05, "{spin}, {angle}");
        let away = system.moved([RAIL, 0.0, 0.0, 0.0], -10.0);
        assert!(away[0] < RAIL && away[2] < 0.0);
    }

    #[test]
    fn reward_and_success_at_known_places() {
        let system = with(&[]);
        approx::assert_abs_diff_eq!(system.reward(&[0.0; 4], &[0.0], &[0.0; 4]), 1.0, epsilon = 1e-12);
        // Upright 1; centred (1 + 0.1)/2 at 2 m; full force 4/5; slow (1 + 0.1)/2 at 5 rad/s.
        let reward = system.reward(&[0.0; 4], &[10.0], &[2.0, 0.0, 0.0, 5.0]);
        approx::assert_abs_diff_eq!(reward, 0.55 * 0.8 * 0.55, epsilon = 1e-12);
        assert!(system.success(&[0.2, 0.1, 0.1, 0.1]) && !system.success(&[0.3, 0.0, 0.0, 0.0]));
        assert!(!system.success(&[0.0, 0.25, 0.0, 0.0]) && !system.success(&[0.0, 0.0, 0.0, 0.6]));
    }

    #[test]
    fn accelerations_are_those_of_gymnasium() {
        #[derive(serde::Deserialize)]
        struct Golden {
            tau: f64,
            transitions: Vec<([f64; 4], f64, [f64; 4])>,
        }
        let golden: Golden = serde_json::from_str(include_str!("../../tests/cart_pole/golden.json")).unwrap();
        let system = with(&[("gravity", 9.8), ("cart.damping", 0.0), ("pole.damping", 0.0)]);
        for ([x, speed, angle, spin], force, after) in golden.transitions {
            let [_, _, acceleration, turning] = system.rate(&[x, angle, speed, spin], force);
            approx::assert_abs_diff_eq!(acceleration, (after[1] - speed) / golden.tau, epsilon = 1e-4);
            approx::assert_abs_diff_eq!(turning, (after[3] - spin) / golden.tau, epsilon = 1e-4);
        }
    }
}
