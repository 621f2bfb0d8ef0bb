//! An arm of two links in the plane, whose finger is to touch a target.
//!
//! The measures are those of `dm_control`'s `reacher` (links of 0.12 m, torques up to 0.05 N m, joint damping 0.01 N m s, a target of
//! radius 0.05 m at 0.05 to 0.20 m from the shoulder, touched by a finger of radius 0.01 m; steps of 0.02 s, no gravity), the equations
//! the textbook ones for two uniform links of mass `m` and length `l` (Spong, Hutchinson and Vidyasagar, Robot Modeling and Control,
//! section 7.3), with `q2` the angle of the second link against the first:
//!
//! ```text
//! m l² [5/3 + cos q2, 1/3 + cos q2 / 2; 1/3 + cos q2 / 2, 1/3] q'' = τ - d q' + m l² / 2 sin q2 [2 q1' q2' + q2'², -q1'²]
//! ```
//!
//! `dm_control`'s wrist stops at ±160°; here both joints turn freely. A step is taken by the classical Runge-Kutta method of fourth order,
//! in as many parts as the damping of light links needs.

use rand::{Rng, RngCore};

use super::integrate::runge_kutta;
use super::system::{Controller, Shown, System, all_finite, disc, wrapped};
use crate::canvas::{Canvas, Colour};
use crate::factors::{Factor, FactorKind, FactorValues, Factors};
use crate::paint::{AGENT, GOAL, WALL, WHITE};
use crate::registry::Purpose;

/// Length of a step in seconds.
const STEP: f64 = 0.02;
/// Fewest parts of a step.
const PARTS: usize = 4;
/// Largest torque of each joint in N m, at the nominal strength of the motors.
const MAX_TORQUE: f64 = 0.05;
/// Radius of the finger in metres.
const FINGER: f64 = 0.01;
/// Least and largest distance of the target from the shoulder, as a share of the length of the whole arm.
const TARGET_AT: [f64; 2] = [0.05 / 0.24, 0.20 / 0.24];
/// Stiffness and damping of the expert, in 1/s² and 1/s.
const EXPERT: [f64; 2] = [100.0, 18.0];

#[derive(Debug, Clone)]
pub(crate) struct Reacher {
    length: f64,
    mass: f64,
    damping: f64,
    strength: f64,
    radius: f64,
    /// Where the target is, from the shoulder, in metres, x to the right and y up.
    target: [f64; 2],
    width: f32,
    colours: Colours,
}

#[derive(Debug, Clone, Copy)]
struct Colours {
    arm: Colour,
    finger: Colour,
    target: Colour,
    background: Colour,
}

/// Angles of shoulder and wrist in rad, and their speeds.
type Motion = [f64; 4];

impl Reacher {
    /// The matrix of inertia: both links about the shoulder, what couples them, and the second one about the wrist.
    fn inertia(&self, bend: f64) -> [f64; 3] {
        let scale = self.mass * self.length * self.length;
        [5.0 / 3.0 + bend.cos(), 1.0 / 3.0 + bend.cos() / 2.0, 1.0 / 3.0].map(|value| scale * value)
    }

    /// Torques by which the joints act on each other as they turn.
    fn turning(&self, &[_, bend, first, second]: &Motion) -> [f64; 2] {
        let lever = self.mass * self.length * self.length / 2.0 * bend.sin();
        [lever * (2.0 * first * second + second * second), -lever * first * first]
    }

    fn rate(&self, motion: &Motion, torques: [f64; 2]) -> Motion {
        let &[_, bend, first, second] = motion;
        let turning = self.turning(motion);
        let sum = [0, 1].map(|joint| torques[joint] - self.damping * motion[2 + joint] + turning[joint]);
        let [both, coupled, wrist] = self.inertia(bend);
        let determinant = both * wrist - coupled * coupled;
        let accelerations = [wrist * sum[0] - coupled * sum[1], both * sum[1] - coupled * sum[0]];
        [first, second, accelerations[0] / determinant, accelerations[1] / determinant]
    }

    /// Parts of a step, each no longer than the shortest time in which damping stops a joint: that of the outstretched arm.
    fn parts(&self) -> usize {
        let [both, coupled, wrist] = self.inertia(0.0);
        let fastest = self.damping * (both + wrist) / (both * wrist - coupled * coupled);
        PARTS.max((STEP * fastest).ceil() as usize)
    }

    fn moved(&self, motion: Motion, torques: [f64; 2]) -> Motion {
        let parts = self.parts();
        let part = STEP / parts as f64;
        (0..parts).fold(motion, |motion, _| runge_kutta(motion, part, |motion| self.rate(motion, torques)))
    }

    /// Where wrist and finger are, from the shoulder, in metres, x to the right and y up.
    fn joints(&self, &[shoulder, bend, ..]: &Motion) -> [[f64; 2]; 2] {
        let link = |angle: f64| [self.length * angle.cos(), self.length * angle.sin()];
        let (wrist, hand) = (link(shoulder), link(shoulder + bend));
        [wrist, [wrist[0] + hand[0], wrist[1] + hand[1]]]
    }

    fn on_canvas([x, y]: [f64; 2]) -> [f32; 2] {
        [x, -y].map(|value| value as f32 + Self::EXTENT / 2.0)
    }
}

impl System for Reacher {
    const NAME: &'static str = "reacher";
    const UNIT: &'static str = "m";
    const STATE: usize = 6;
    const STATE_TEXT: &'static str = "6 numbers, cosine and sine of the angles of shoulder and wrist and their speeds, then, if wanted, x and y of the target";
    const ACTION: &'static [f32] = &[1.0, 1.0];
    const ACTION_TEXT: &'static str = "2 numbers within -1 and 1, the torques of shoulder and wrist in 0.05 N m";
    const EXTENT: f32 = 0.66;
    type Motion = Motion;

    fn factors() -> Factors {
        use FactorKind::{Appearance, Physics};
        Factors::new(vec![
            Factor::number("arm.length", Physics, 0.12, [0.06, 0.15]).training([0.1, 0.135]),
            Factor::number("arm.mass", Physics, 0.042, [0.021, 0.063]).training([0.032, 0.053]),
            Factor::number("joint.damping", Physics, 0.01, [0.005, 0.015]).training([0.0075, 0.0125]),
            Factor::number("motor.strength", Physics, 1.0, [0.5, 1.5]).training([0.75, 1.25]),
            Factor::number("target.radius", Physics, 0.05, [0.015, 0.05]),
            Factor::number("arm.width", Appearance, 0.024, [0.012, 0.04]).training([0.018, 0.03]),
            Factor::colour("arm.color", [90, 90, 110]),
            Factor::colour("finger.color", [204, 77, 77]),
            Factor::colour("target.color", [120, 200, 120]),
            Factor::colour("background.color", [255, 255, 255]),
        ])
    }

    fn new(values: &FactorValues) -> Self {
        let number = |name| f64::from(values.number(name));
        Self {
            length: number("arm.length"),
            mass: number("arm.mass"),
            damping: number("joint.damping"),
            strength: number("motor.strength"),
            radius: number("target.radius"),
            target: [number("arm.length"), 0.0],
            width: values.number("arm.width"),
            colours: Colours {
                arm: values.colour("arm.color"),
                finger: values.colour("finger.color"),
                target: values.colour("target.color"),
                background: values.colour("background.color"),
            },
        }
    }

    fn start(&self, _: Purpose, rng: &mut dyn RngCore) -> Motion {
        use std::f64::consts::PI;
        [rng.random_range(-PI..=PI), rng.random_range(-PI..=PI), 0.0, 0.0]
    }

    fn aim(&mut self, rng: &mut dyn RngCore) {
        use std::f64::consts::PI;
        let angle: f64 = rng.random_range(-PI..=PI);
        let away = 2.0 * self.length * rng.random_range(TARGET_AT[0]..=TARGET_AT[1]);
        self.target = [away * angle.cos(), away * angle.sin()];
    }

    fn place(&mut self, state: &[f32]) -> Option<Motion> {
        let (&[cos1, sin1, cos2, sin2, first, second], target) = state.split_first_chunk::<6>()?;
        let angles = cos1.hypot(sin1) > 0.0 && cos2.hypot(sin2) > 0.0;
        if !all_finite(state) || !angles {
            return None;
        }
        match *target {
            [] => {}
            [x, y] if f64::from(x.hypot(y)) <= 2.0 * self.length => self.target = [x, y].map(f64::from),
            _ => return None,
        }
        let angle = |cos: f32, sin: f32| f64::from(sin).atan2(f64::from(cos));
        Some([angle(cos1, sin1), angle(cos2, sin2), f64::from(first), f64::from(second)])
    }

    fn state(&self, &[shoulder, bend, first, second]: &Motion) -> Vec<f32> {
        [shoulder.cos(), shoulder.sin(), bend.cos(), bend.sin(), first, second].map(|value| value as f32).to_vec()
    }

    fn advance(&self, motion: &Motion, action: &[f64]) -> Motion {
        self.moved(*motion, [0, 1].map(|joint| self.strength * MAX_TORQUE * action[joint]))
    }

    fn reward(&self, _: &Motion, _: &[f64], after: &Motion) -> f64 {
        f64::from(u8::from(self.success(after)))
    }

    /// The finger in the middle of the target, the wrist bent to the side to which the joints turn less.
    fn goal(&self, start: &Motion) -> Motion {
        let [x, y] = self.target;
        let square = self.length * self.length;
        let bend = ((x * x + y * y) / (2.0 * square) - 1.0).clamp(-1.0, 1.0).acos();
        let bent = |bend: f64| {
            let behind = (self.length * bend.sin()).atan2(self.length * (1.0 + bend.cos()));
            [wrapped(y.atan2(x) - behind), bend, 0.0, 0.0]
        };
        let turned = |goal: &Motion| wrapped(goal[0] - start[0]).abs() + wrapped(goal[1] - start[1]).abs();
        let (one, other) = (bent(bend), bent(-bend));
        if turned(&one) <= turned(&other) { one } else { other }
    }

    fn distance(&self, motion: &Motion) -> f64 {
        let [_, finger] = self.joints(motion);
        (finger[0] - self.target[0]).hypot(finger[1] - self.target[1])
    }

    fn success(&self, motion: &Motion) -> bool {
        self.distance(motion) <= self.radius + FINGER
    }

    fn background(&self) -> Colour {
        self.colours.background
    }

    fn draw(&self, motion: &Motion, shown: Shown, canvas: &mut Canvas) {
        let own = self.colours;
        let (arm, finger, opacity) = match shown {
            Shown::Observed => (own.arm, own.finger, 1.0),
            Shown::People => (WALL, AGENT, 1.0),
            Shown::Goal => (GOAL, GOAL, 0.25),
        };
        let (target, radius) = (Self::on_canvas(self.target), self.radius as f32);
        match shown {
            Shown::Observed => disc(canvas, own.target, 1.0, target, radius),
            Shown::Goal => {
                disc(canvas, GOAL, 0.15, target, radius);
                canvas.ring(GOAL, 1.0, target, radius, 0.004);
            }
            Shown::People => {}
        }
        let shoulder = Self::on_canvas([0.0; 2]);
        let [wrist, end] = self.joints(motion).map(Self::on_canvas);
        if shown == Shown::Goal {
            canvas.polyline(arm, [opacity; 2], &[shoulder, wrist, end], self.width);
            return;
        }
        canvas.line(arm, opacity, shoulder, wrist, self.width);
        canvas.line(arm, opacity, wrist, end, 0.8 * self.width);
        if shown == Shown::People {
            for joint in [shoulder, wrist] {
                disc(canvas, WHITE, 1.0, joint, 0.3 * self.width);
            }
        }
        disc(canvas, finger, opacity, end, 1.4 * FINGER as f32);
    }

    fn tip(&self, motion: &Motion) -> [f32; 2] {
        Self::on_canvas(self.joints(motion)[1])
    }

    /// Turns the joints to the goal as springs with damping would, by the torques that the equations ask for.
    fn expert(&self, &goal: &Motion) -> Controller<Motion> {
        let system = self.clone();
        Box::new(move |motion: &Motion| {
            let wanted =
                [0, 1].map(|joint| EXPERT[0] * wrapped(goal[joint] - motion[joint]) - EXPERT[1] * motion[2 + joint]);
            let ([both, coupled, wrist], turning) = (system.inertia(motion[1]), system.turning(motion));
            let torques = [both * wanted[0] + coupled * wanted[1], coupled * wanted[0] + wrist * wanted[1]];
            let scale = system.strength * MAX_TORQUE;
            let action =
                [0, 1].map(|joint| (torques[joint] - turning[joint] + system.damping * motion[2 + joint]) / scale);
            // Shortened together, so that both joints arrive at once.
            let excess = action.iter().fold(1.0_f64, |most, value| most.max(value.abs()));
            action.map(|value| value / excess).to_vec()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factors::{FactorSampler, FactorValue, Variation};

    fn with(values: &[(&str, f32)]) -> Reacher {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), FactorValue::Number(*value))).collect();
        let variation = Variation { values, ..Variation::default() };
        Reacher::new(&FactorSampler::new(Reacher::factors(), variation).unwrap().sample(0))
    }

    #[test]
    fn energy_stays_without_damping_and_torque() {
        let system = Reacher { damping: 0.0, ..with(&[]) };
        let energy = |&[_, bend, first, second]: &Motion| {
            let [both, coupled, wrist] = system.inertia(bend);
            0.5 * both * first * first + coupled * first * second + 0.5 * wrist * second * second
        };
        let start = [0.3, 1.0, 2.0, -3.0];
        let end = (0..100).fold(start, |motion, _| system.moved(motion, [0.0; 2]));
        approx::assert_relative_eq!(energy(&end), energy(&start), max_relative = 1e-5);
        assert!((end[0] - start[0]).abs() > 1.0, "{end:?}");
    }

    #[test]
    fn the_equations_at_one_point() {
        // m = l = 1, q2 = π/2, q' = (1, 2): the inertia is [5/3, 1/3; 1/3, 1/3] with determinant 4/9, the turning 1/2 [4 + 4, -1].
        let system = Reacher { mass: 1.0, length: 1.0, damping: 0.5, ..with(&[]) };
        let rate = system.rate(&[0.7, std::f64::consts::FRAC_PI_2, 1.0, 2.0], [1.0, 2.0]);
        // 1 - 0.5 + 4 = 4.5 and 2 - 1 - 0.5 = 0.5: (4.5/3 - 0.5/3)·9/4 = 3, (0.5·5/3 - 4.5/3)·9/4 = -1.5.
        for (value, wanted) in rate.into_iter().zip([1.0, 2.0, 3.0, -1.5]) {
            approx::assert_abs_diff_eq!(value, wanted, epsilon = 1e-12);
        }
    }

    #[test]
    fn light_links_take_more_parts_and_stay_calm() {
        let light =
            with(&[("arm.length", 0.06), ("arm.mass", 0.021), ("joint.damping", 0.015), ("motor.strength", 1.5)]);
        assert!(light.parts() > 2 * with(&[]).parts(), "{} and {}", light.parts(), with(&[]).parts());
        let mut motion = [0.0; 4];
        for step in 0..200 {
            motion = light.advance(&motion, &[if step % 20 < 10 { 1.0 } else { -1.0 }, -1.0]);
            // The fastest that a torque of 0.075 N m turns a joint of damping 0.015 by itself is 5 rad/s.
            assert!(motion[2..].iter().all(|speed| speed.abs() < 15.0), "{motion:?}");
        }
    }

    #[test]
    fn the_goal_has_the_finger_on_the_target_either_way_round() {
        let mut system = with(&[]);
        system.target = [0.05, 0.12];
        for start in [[0.0, 1.0, 0.0, 0.0], [2.0, -2.0, 0.0, 0.0]] {
            let goal = system.goal(&start);
            approx::assert_abs_diff_eq!(system.distance(&goal), 0.0, epsilon = 1e-12);
            assert_eq!(goal[1] > 0.0, start[1] > 0.0);
        }
        let [_, finger] = system.joints(&[std::f64::consts::FRAC_PI_2, -std::f64::consts::FRAC_PI_2, 0.0, 0.0]);
        approx::assert_abs_diff_eq!(finger[0], 0.12, epsilon = 1e-7);
        approx::assert_abs_diff_eq!(finger[1], 0.12, epsilon = 1e-7);
    }
}
