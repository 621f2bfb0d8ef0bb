//! One factor, and the factors of a world.

use serde::{Deserialize, Serialize};

/// What a factor changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactorKind {
    /// Only what is seen.
    Appearance,
    /// How the world moves.
    Physics,
}

/// A property of a world that can differ between episodes: one or several numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// Its name, the part of the world first: `block.scale`.
    pub name: String,
    /// What it changes.
    pub kind: FactorKind,
    /// Its value where it does not vary.
    pub nominal: Vec<f32>,
    /// The least and the largest value of each number.
    pub bounds: [Vec<f32>; 2],
    /// The least and the largest value of each number in training; what lies outside is held out.
    pub training: [Vec<f32>; 2],
    /// Whether the values are whole numbers.
    #[serde(default)]
    pub whole: bool,
}

impl Factor {
    /// A factor of one number, with nothing held out.
    pub fn number(name: &str, kind: FactorKind, nominal: f32, [low, high]: [f32; 2]) -> Self {
        Self::vector(name, kind, vec![nominal], [vec![low], vec![high]])
    }

    /// A factor of several numbers, with nothing held out.
    pub fn vector(name: &str, kind: FactorKind, nominal: Vec<f32>, bounds: [Vec<f32>; 2]) -> Self {
        Self { name: name.to_owned(), kind, nominal, training: bounds.clone(), bounds, whole: false }
    }

    /// A colour, RGB, each in [0, 255]. In training each channel is at most 64 from the nominal one.
    pub fn colour(name: &str, nominal: [u8; 3]) -> Self {
        let nominal = nominal.map(f32::from).to_vec();
        let near = [-64.0, 64.0].map(|by| nominal.iter().map(|value| (value + by).clamp(0.0, 255.0)).collect());
        let bounds = [vec![0.0; 3], vec![255.0; 3]];
        Self { training: near, whole: true, ..Self::vector(name, FactorKind::Appearance, nominal, bounds) }
    }

    /// The same factor with whole numbers only.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// The same factor with this range of each number in training; the rest of the bounds is held out.
    #[must_use]
    pub fn training(self, [low, high]: [f32; 2]) -> Self {
        let count = self.nominal.len();
        Self { training: [vec![low; count], vec![high; count]], ..self }
    }

    /// Whether a value lies within the bounds, and is whole where it must be.
    pub fn contains(&self, value: &[f32]) -> bool {
        let [low, high] = &self.bounds;
        value.len() == low.len()
            && value
                .iter()
                .zip(low)
                .zip(high)
                .all(|((value, low), high)| (*low..=*high).contains(value) && (!self.whole || value.fract() == 0.0))
    }

    /// The bounds in words: `20 to 60`.
    pub fn bounds_text(&self) -> String {
        range_text(&self.bounds, self.whole)
    }

    /// The range in training in words.
    pub fn training_text(&self) -> String {
        range_text(&self.training, self.whole)
    }
}

fn range_text([low, high]: &[Vec<f32>; 2], whole: bool) -> String {
    let same = |values: &[f32]| values.windows(2).all(|pair| pair[0] == pair[1]);
    let kind = if whole { "whole numbers" } else { "numbers" };
    match (low.len(), same(low) && same(high)) {
        (1, _) => format!("{} to {}{}", low[0], high[0], if whole { ", whole" } else { "" }),
        (count, true) => format!("{count} {kind} from {} to {}", low[0], high[0]),
        (_, false) => format!("{kind} from {low:?} to {high:?}"),
    }
}

/// The factors of a world.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Factors(Vec<Factor>);

impl Factors {
    /// These factors.
    ///
    /// # Panics
    /// If two have the same name, or the numbers of one do not fit together: a factor is written by the author of a world.
    pub fn new(factors: Vec<Factor>) -> Self {
        for (place, factor) in factors.iter().enumerate() {
            let name = &factor.name;
            assert!(factors[..place].iter().all(|other| other.name != *name), "two factors are called {name}");
            if let Err(message) = fits_together(factor) {
                panic!("factor {name}: {message}");
            }
        }
        Self(factors)
    }

    /// These factors, as a world of somebody else's tells of them.
    ///
    /// # Errors
    /// If two have the same name, or the numbers of one do not fit together.
    pub fn try_new(factors: Vec<Factor>) -> Result<Self, String> {
        for (place, factor) in factors.iter().enumerate() {
            if factors[..place].iter().any(|other| other.name == factor.name) {
                return Err(format!("two factors are called {}", factor.name));
            }
            fits_together(factor).map_err(|message| format!("factor {}: {message}", factor.name))?;
        }
        Ok(Self(factors))
    }

    /// The factors, in the order of the world.
    pub fn iter(&self) -> impl Iterator<Item = &Factor> {
        self.0.iter()
    }

    /// Whether nothing varies in this world.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The factor of this name.
    pub fn get(&self, name: &str) -> Option<&Factor> {
        self.0.iter().find(|factor| factor.name == name)
    }
}

fn fits_together(factor: &Factor) -> Result<(), String> {
    let count = factor.nominal.len();
    let widths = factor.bounds.iter().chain(&factor.training).map(Vec::len);
    if count == 0 || widths.into_iter().any(|width| width != count) {
        return Err(format!("{count} nominal numbers, but other counts of bounds"));
    }
    if !factor.contains(&factor.nominal) {
        return Err(format!("the nominal value {:?} lies outside of {}", factor.nominal, factor.bounds_text()));
    }
    if factor.training.iter().any(|edge| !factor.contains(edge)) {
        return Err(format!(
            "the range in training, {}, lies outside of {}",
            factor.training_text(),
            factor.bounds_text()
        ));
    }
    let [low, high] = &factor.training;
    if low.iter().zip(high).any(|(low, high)| low > high) {
        return Err(format!("the range in training, {}, is empty", factor.training_text()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_has_room_around_its_nominal_one() {
        let colour = Factor::colour("wall.color", [0, 128, 255]);
        assert_eq!(colour.training, [vec![0.0, 64.0, 191.0], vec![64.0, 192.0, 255.0]]);
        assert!(colour.contains(&[1.0, 2.0, 255.0]) && !colour.contains(&[1.5, 2.0, 3.0]) && !colour.contains(&[1.0]));
        assert_eq!(colour.bounds_text(), "3 whole numbers from 0 to 255");
        assert_eq!(Factor::number("a", FactorKind::Physics, 1.0, [0.5, 2.0]).bounds_text(), "0.5 to 2");
    }

    #[test]
    fn what_does_not_fit_together_is_said() {
        let refused = |factors| Factors::try_new(factors).unwrap_err();
        let number = |nominal| Factor::number("mass", FactorKind::Physics, nominal, [0.5, 2.0]);
        assert_eq!(refused(vec![number(3.0)]), "factor mass: the nominal value [3.0] lies outside of 0.5 to 2");
        assert_eq!(refused(vec![number(1.0), number(1.0)]), "two factors are called mass");
        let message = refused(vec![number(1.0).training([0.1, 1.0])]);
        assert_eq!(message, "factor mass: the range in training, 0.1 to 1, lies outside of 0.5 to 2");
    }
}
