//! Dots that play no part.

use std::f32::consts::TAU;

use prevision_core::seed;
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wall::Point;
use crate::canvas::Colour;

/// Whether distractors move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DistractorMotion {
    /// They drift straight on, through walls, and turn at the edges of the maze.
    #[default]
    Drift,
    /// They stay where they are.
    Still,
}

/// A coloured dot that touches nothing. Where it is at any step is a function of the seed of the episode.
#[derive(Debug, Clone, PartialEq)]
pub struct Distractor {
    /// Its colour, RGB, each in [0, 255].
    pub colour: [f32; 3],
    /// Its radius as a share of the agent's.
    pub size: f32,
    start: Point,
    velocity: Point,
    extent: Point,
}

/// Colours that neither floor, walls nor agents have.
const COLOURS: [Colour; 6] = [
    [58.0, 120.0, 220.0],
    [40.0, 160.0, 100.0],
    [150.0, 84.0, 200.0],
    [236.0, 172.0, 40.0],
    [30.0, 176.0, 190.0],
    [226.0, 120.0, 170.0],
];
/// Least and largest distance in a step, in radii of the agent.
const SPEEDS: [f32; 2] = [0.1, 0.6];
/// Least and largest radius, in radii of the agent.
const SIZES: [f32; 2] = [0.8, 1.3];

impl Distractor {
    /// The dots of the episode of a seed, in a maze of this extent in which the agent has this radius.
    pub fn sample(seed: u64, count: usize, motion: DistractorMotion, extent: Point, radius: f32) -> Vec<Self> {
        let draw = |index: usize| {
            let mut rng = seed::rng(seed, "maze/distractor", 0, index as u64);
            let colour = COLOURS[rng.random_range(0..COLOURS.len())];
            let start = extent.map(|length| rng.random_range(0.0..length));
            let speed = radius * rng.random_range(SPEEDS[0]..SPEEDS[1]);
            let heading = rng.random_range(0.0..TAU);
            let size = rng.random_range(SIZES[0]..SIZES[1]);
            let velocity = match motion {
                DistractorMotion::Drift => [speed * heading.cos(), speed * heading.sin()],
                DistractorMotion::Still => [0.0; 2],
            };
            Self { colour, size, start, velocity, extent }
        };
        (0..count).map(draw).collect()
    }

    /// Where it is after so many steps.
    pub fn at(&self, step: u64) -> Point {
        [0, 1].map(|axis| {
            // As if it went straight on through mirrors.
            let length = self.extent[axis];
            let straight = (self.start[axis] + self.velocity[axis] * step as f32).rem_euclid(2.0 * length);
            straight.min(2.0 * length - straight)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_turn_at_the_edges_and_are_a_function_of_the_seed() {
        let dot =
            Distractor { colour: [0.0; 3], size: 1.0, start: [6.0, 1.0], velocity: [3.0, -0.5], extent: [8.0, 4.0] };
        let places: Vec<Point> = (0..6).map(|step| dot.at(step)).collect();
        assert_eq!(places, [[6.0, 1.0], [7.0, 0.5], [4.0, 0.0], [1.0, 0.5], [2.0, 1.0], [5.0, 1.5]]);
        let sample = |seed, motion| Distractor::sample(seed, 5, motion, [64.0, 64.0], 2.0);
        assert_eq!(sample(3, DistractorMotion::Drift), sample(3, DistractorMotion::Drift));
        assert_ne!(sample(3, DistractorMotion::Drift), sample(4, DistractorMotion::Drift));
        assert_eq!(
            sample(3, DistractorMotion::Drift)[..2],
            Distractor::sample(3, 2, DistractorMotion::Drift, [64.0, 64.0], 2.0)
        );
        for dot in sample(5, DistractorMotion::Still) {
            assert_eq!(dot.at(0), dot.at(77));
        }
    }
}
