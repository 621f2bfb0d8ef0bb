//! The policy that recordings are made with: it keeps pushing the block about.

use std::f64::consts::{FRAC_PI_2, TAU};

use prevision_core::seed;
use rand::Rng;

use super::dynamics::{Control, State};
use super::space::EXTENT;
use super::vector::{Vector, add, direction, length, rotate, rotation, scale, sub};
use super::weak::seen_state;
use crate::{Decision, Policy, PolicyError, Start, TimeStep};

/// How far from the block's position the agent goes before it pushes, in pixels: past every point of the T of scale 30.
const AWAY: f64 = 150.0;
/// How far beyond the block's position it aims, in pixels.
const BEYOND: [f64; 2] = [0.0, 90.0];
/// Distance, in pixels, by which a push misses the block's position at most, so that it turns too.
const BESIDE: f64 = 90.0;
/// Nearer to a target than this, in pixels, it is reached.
const NEAR: f64 = 25.0;
/// Steps after which a target is given up.
const PATIENCE: [u64; 2] = [3, 9];
/// Chance that a push goes towards the middle of the world, more or less, so that the block does not stay in a corner.
const INWARDS: f64 = 0.7;
/// Nearer to the edges of the world than this, in pixels, it does not go: the block would be pressed through a wall.
const MARGIN: f64 = 60.0;
/// Deviation of each action from the straight way, as a share of its largest value.
const NOISE: f64 = 0.15;

/// Pushes the block again and again: goes to a place beside it, then to one on its other side, at most a little past its middle. Targets are
/// drawn; they are held until they are reached or for a few steps.
#[derive(Debug, Clone)]
pub struct Explorer {
    control: Control,
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    seed: u64,
    episode: u64,
    step: u64,
    /// Where it goes, and until which step.
    target: Vector,
    until: u64,
    /// From which side it pushes next, if it is on its way there.
    side: Option<Vector>,
}

impl Explorer {
    /// The name of this policy.
    pub const NAME: &'static str = "explore";

    /// For actions of this meaning.
    pub fn new(control: Control) -> Self {
        Self { control, rows: Vec::new() }
    }
}

impl Row {
    fn target(&mut self, now: &State) -> Vector {
        let mut rng = seed::rng(self.seed, "push-t/explore", self.step, self.episode);
        let aim = self.target.map(|value| value.clamp(MARGIN, EXTENT - MARGIN));
        let arrived = length(sub(now.agent, aim)) < NEAR;
        if arrived || self.step >= self.until {
            if let Some(side) = self.side.take() {
                let beside = scale(rotate([0.0, 1.0], side), rng.random_range(-BESIDE..=BESIDE));
                let through = scale(side, -rng.random_range(BEYOND[0]..=BEYOND[1]));
                self.target = add(now.block, add(through, beside));
            } else {
                let turn = if rng.random_bool(INWARDS) {
                    let outwards = direction(sub(now.block, [EXTENT / 2.0; 2]));
                    rotate(rotation(rng.random_range(-FRAC_PI_2..=FRAC_PI_2)), outwards)
                } else {
                    rotation(rng.random_range(0.0..TAU))
                };
                self.side = Some(turn);
                self.target = add(now.block, scale(turn, AWAY));
            }
            self.until = self.step + rng.random_range(PATIENCE[0]..=PATIENCE[1]);
        }
        self.step += 1;
        let reach = NOISE * super::dynamics::ACTION_PIXELS;
        self.target.map(|value| (value + rng.random_range(-reach..=reach)).clamp(MARGIN, EXTENT - MARGIN))
    }
}

impl Policy for Explorer {
    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        let row = |start: &Start<'_>| Row {
            seed: start.seed,
            episode: start.episode,
            step: 0,
            target: [0.0; 2],
            until: 0,
            side: None,
        };
        self.rows = episodes.iter().map(row).collect();
        Ok(())
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let mut decisions = Vec::with_capacity(rows.len());
        for (row, seen) in rows.iter().zip(seen) {
            let now = seen_state(Self::NAME, seen)?;
            let target = self.rows[*row].target(&now);
            decisions.push(Decision::of(self.control.towards(now.agent, target).to_vec()));
        }
        Ok(decisions)
    }
}
