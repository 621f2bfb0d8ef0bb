//! The 18 factors of variation of the published world, under its names.

use super::plan::{BORDER, FITTING, WORLD};
use crate::factors::{Factor, FactorKind, FactorValues, Factors};

/// Doors that a wall can have.
const DOORS: usize = 3;

/// The factors: names, nominal values and bounds are upstream's (`envs/two_room/env.py`), the ranges of training our own.
pub(super) fn factors() -> Factors {
    use FactorKind::{Appearance, Physics};
    let position = |name: &str, nominal: [f32; 2]| {
        let bounds = [BORDER, WORLD - BORDER - 1.0].map(|edge| vec![edge; 2]);
        Factor::vector(name, Physics, nominal.to_vec(), bounds)
    };
    let doors = |name: &str, nominal: f32, [low, high]: [f32; 2]| {
        Factor::vector(name, Physics, vec![nominal; DOORS], [vec![low; DOORS], vec![high; DOORS]]).whole()
    };
    Factors::new(vec![
        Factor::colour("background.color", [255, 255, 255]),
        Factor::colour("wall.color", [0, 0, 0]),
        Factor::colour("wall.border_color", [0, 0, 0]),
        Factor::number("wall.thickness", Physics, 10.0, [7.0, 41.0]).whole().training([7.0, 20.0]),
        Factor::number("wall.axis", Physics, 1.0, [0.0, 1.0]).whole().training([1.0, 1.0]),
        Factor::colour("agent.color", [255, 0, 0]),
        Factor::number("agent.radius", Physics, 7.0, [7.0, 14.0]).training([7.0, 10.0]),
        position("agent.position", [60.0, 112.0]),
        Factor::number("agent.speed", Physics, 5.0, [1.75, 10.5]).training([3.5, 7.0]),
        Factor::colour("door.color", [255, 255, 255]),
        Factor::number("door.number", Physics, 1.0, [1.0, 3.0]).whole().training([1.0, 2.0]),
        doors("door.size", 14.0, [1.0, 21.0]).training([8.0, 16.0]),
        doors("door.position", 49.0, [0.0, 223.0]).training([40.0, 184.0]),
        Factor::number("task.min_steps", Physics, 25.0, [15.0, 114.0]).whole().training([15.0, 60.0]),
        Factor::colour("target.color", [0, 255, 0]),
        Factor::number("target.radius", Appearance, 7.0, [7.0, 14.0]).training([7.0, 10.0]),
        position("target.position", [164.0, 112.0]),
        Factor::number("rendering.render_target", Appearance, 0.0, [0.0, 1.0]).whole(),
    ])
}

/// An opening in the wall.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Door {
    /// Coordinate of its middle along the wall, in pixels.
    pub centre: f32,
    /// Half its opening, in pixels.
    pub half: f32,
}

impl Door {
    /// The doors of an episode.
    pub(super) fn all(values: &FactorValues) -> Vec<Self> {
        let number = values.number("door.number") as usize;
        let (centres, sizes) = (values.get("door.position"), values.get("door.size"));
        centres.iter().zip(sizes).take(number).map(|(&centre, &half)| Self { centre, half }).collect()
    }

    /// Whether a dot of this radius fits through, by upstream's measure.
    pub fn fits(&self, radius: f32) -> bool {
        self.half >= FITTING * radius
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::factors::{FactorSampler, FactorValue, Variation};

    /// The nominal values, but for these.
    pub(in super::super) fn values(set: &[(&str, &[f32])]) -> FactorValues {
        let value = |numbers: &[f32]| FactorValue::List(numbers.to_vec());
        let values: BTreeMap<_, _> = set.iter().map(|(name, numbers)| ((*name).to_owned(), value(numbers))).collect();
        FactorSampler::new(factors(), Variation { values, ..Variation::default() }).unwrap().sample(0)
    }

    #[test]
    fn there_are_eighteen() {
        assert_eq!(factors().iter().count(), 18);
        let two = values(&[("door.number", &[2.0]), ("door.position", &[30.0, 150.0, 7.0])]);
        assert_eq!(Door::all(&two), [Door { centre: 30.0, half: 14.0 }, Door { centre: 150.0, half: 14.0 }]);
        assert!(Door { centre: 0.0, half: 7.75 }.fits(7.0) && !Door { centre: 0.0, half: 7.5 }.fits(7.0));
    }
}
