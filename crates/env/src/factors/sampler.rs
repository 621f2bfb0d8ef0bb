//! Values of the factors of an episode.

use std::collections::BTreeMap;

use prevision_core::seed;
use rand::Rng;

use super::{Factor, FactorRange, Factors, Variation};

/// Draws the values of a world's factors for each episode.
#[derive(Debug, Clone, PartialEq)]
pub struct FactorSampler {
    factors: Factors,
    variation: Variation,
}

impl FactorSampler {
    /// For these factors of a world, as configured.
    ///
    /// # Errors
    /// The key at fault, below `[env.NAME]`, see [`Variation::check`].
    pub fn new(factors: Factors, variation: Variation) -> Result<Self, String> {
        variation.check(&factors)?;
        Ok(Self { factors, variation })
    }

    /// The factors.
    pub fn factors(&self) -> &Factors {
        &self.factors
    }

    /// The values in the episode of this seed. What one factor is does not depend on which others vary.
    pub fn sample(&self, seed: u64) -> FactorValues {
        let mut values = FactorValues::default();
        for factor in self.factors.iter() {
            let value = match self.variation.values.get(&factor.name) {
                Some(value) => value.numbers().to_vec(),
                None if self.variation.varies(factor) => self.drawn(factor, seed, 0),
                None => factor.nominal.clone(),
            };
            if value != factor.nominal || self.variation.varies(factor) {
                values.told.push(factor.name.clone());
            }
            values.all.insert(factor.name.clone(), value);
        }
        values
    }

    /// Draws one factor of the episode anew, for a world in which not all values go together; `attempt` counts from 1. Says whether the
    /// factor varies, else it stays as it is.
    pub fn redraw(&self, seed: u64, attempt: u64, name: &str, values: &mut FactorValues) -> bool {
        let Some(factor) = self.factors.get(name).filter(|factor| self.variation.varies(factor)) else {
            return false;
        };
        values.all.insert(factor.name.clone(), self.drawn(factor, seed, attempt));
        true
    }

    fn drawn(&self, factor: &Factor, seed: u64, attempt: u64) -> Vec<f32> {
        let mut rng = seed::rng(seed, &format!("factor/{}", factor.name), 0, attempt);
        draw(factor, self.variation.range, &mut rng)
    }
}

/// A value from the range. Numbers are drawn one by one; held out, each lies outside of what training shows, as far as there is room.
fn draw(factor: &Factor, range: FactorRange, rng: &mut impl Rng) -> Vec<f32> {
    let between = |low: f32, high: f32, rng: &mut dyn rand::RngCore| {
        if factor.whole { rng.random_range(low as i64..=high as i64) as f32 } else { rng.random_range(low..=high) }
    };
    let number = |place: usize, rng: &mut dyn rand::RngCore| {
        let [low, high] = [0, 1].map(|edge| factor.bounds[edge][place]);
        let [inner_low, inner_high] = [0, 1].map(|edge| factor.training[edge][place]);
        match range {
            FactorRange::All => between(low, high, rng),
            FactorRange::HeldOut if (inner_low, inner_high) != (low, high) => {
                // Of whole numbers the edges themselves belong to training.
                let step = if factor.whole { 1.0 } else { 0.0 };
                let room = [inner_low - low, high - inner_high];
                let below = rng.random_range(0.0..room[0] + room[1]) < room[0];
                if below { between(low, inner_low - step, rng) } else { between(inner_high + step, high, rng) }
            }
            FactorRange::Training | FactorRange::HeldOut => between(inner_low, inner_high, rng),
        }
    };
    (0..factor.nominal.len()).map(|place| number(place, rng)).collect()
}

/// The values of a world's factors in one episode.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FactorValues {
    all: BTreeMap<String, Vec<f32>>,
    /// Names of those that vary or are not nominal.
    told: Vec<String>,
}

impl FactorValues {
    /// Those that a world told of in [`TimeStep::info`](crate::TimeStep::info), the rest nominal.
    pub fn from_info(factors: &Factors, info: &BTreeMap<String, Vec<f32>>) -> Self {
        let mut values = Self::default();
        for factor in factors.iter() {
            let told = info.get(&format!("factor.{}", factor.name)).filter(|value| value.len() == factor.nominal.len());
            values.told.extend(told.map(|_| factor.name.clone()));
            values.all.insert(factor.name.clone(), told.unwrap_or(&factor.nominal).clone());
        }
        values
    }

    /// Replaces the value of a factor that is told of, for instance where an episode was given its start.
    ///
    /// # Panics
    /// If the world has no factor of this name, or it has another count of numbers.
    pub(crate) fn set(&mut self, name: &str, value: &[f32]) {
        assert!(self.get(name).len() == value.len(), "factor {name} is {:?}, not {value:?}", self.get(name));
        self.all.insert(name.to_owned(), value.to_vec());
        if !self.told.iter().any(|told| told == name) {
            self.told.push(name.to_owned());
        }
    }

    /// The numbers of a factor.
    ///
    /// # Panics
    /// If the world has no factor of this name.
    pub fn get(&self, name: &str) -> &[f32] {
        self.all.get(name).unwrap_or_else(|| panic!("this world has no factor {name}"))
    }

    /// The number of a factor that is one number.
    ///
    /// # Panics
    /// As [`get`](Self::get), and if it is not one number.
    pub fn number(&self, name: &str) -> f32 {
        match *self.get(name) {
            [value] => value,
            ref other => panic!("factor {name} is {other:?}, not one number"),
        }
    }

    /// A colour, RGB, each in [0, 255].
    ///
    /// # Panics
    /// As [`get`](Self::get), and if it is not three numbers.
    pub fn colour(&self, name: &str) -> [f32; 3] {
        match *self.get(name) {
            [red, green, blue] => [red, green, blue],
            ref other => panic!("factor {name} is {other:?}, not a colour"),
        }
    }

    /// All values by name.
    pub fn all(&self) -> &BTreeMap<String, Vec<f32>> {
        &self.all
    }

    /// What a recording says of them: those that vary or are not nominal, under `factor.NAME`.
    pub fn info(&self) -> BTreeMap<String, Vec<f32>> {
        self.told.iter().map(|name| (format!("factor.{name}"), self.all[name].clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FactorKind, FactorValue};
    use super::*;

    fn factors() -> Factors {
        Factors::new(vec![
            Factor::number("block.scale", FactorKind::Physics, 30.0, [20.0, 60.0]).training([25.0, 40.0]),
            Factor::colour("block.color", [100, 100, 100]),
            Factor::number("agent.shape", FactorKind::Physics, 0.0, [0.0, 3.0]).whole().training([0.0, 1.0]),
            Factor::number("light", FactorKind::Appearance, 1.0, [0.5, 1.5]),
        ])
    }

    fn sampler(vary: &[&str], range: FactorRange, values: &[(&str, FactorValue)]) -> Result<FactorSampler, String> {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let vary = vary.iter().map(|&name| name.to_owned()).collect();
        FactorSampler::new(factors(), Variation { vary, range, values })
    }

    #[test]
    fn only_what_varies_differs_and_each_has_its_own_stream() {
        let all = sampler(&["all"], FactorRange::Training, &[]).unwrap();
        let block = sampler(&["block.*"], FactorRange::Training, &[]).unwrap();
        for seed in 0..100 {
            let (all, block) = (all.sample(seed), block.sample(seed));
            assert_eq!(all.get("block.scale"), block.get("block.scale"));
            assert_eq!((block.number("agent.shape"), block.number("light")), (0.0, 1.0));
            assert!((25.0..=40.0).contains(&all.number("block.scale")));
            assert!(all.colour("block.color").iter().all(|value| (36.0..=164.0).contains(value)));
            assert_eq!(block.info().keys().collect::<Vec<_>>(), ["factor.block.color", "factor.block.scale"]);
        }
        assert_ne!(all.sample(1), all.sample(2));
        let nominal = sampler(&[], FactorRange::HeldOut, &[]).unwrap().sample(3);
        assert_eq!(nominal.number("block.scale"), 30.0);
        assert!(nominal.info().is_empty());
    }

    #[test]
    fn held_out_values_are_outside_of_training() {
        let held_out = sampler(&["all"], FactorRange::HeldOut, &[]).unwrap();
        let mut sides = [0; 2];
        for seed in 0..200 {
            let values = held_out.sample(seed);
            let scale = values.number("block.scale");
            assert!((20.0..=60.0).contains(&scale) && !(25.0..40.0).contains(&scale), "{scale}");
            sides[usize::from(scale > 30.0)] += 1;
            assert!([2.0, 3.0].contains(&values.number("agent.shape")));
            assert!(values.colour("block.color").iter().all(|value| !(36.0..=164.0).contains(value)));
            assert!((0.5..=1.5).contains(&values.number("light")), "nothing of it is held out");
        }
        // 5 below against 20 above.
        assert!((20..=65).contains(&sides[0]), "{sides:?}");
        let all = sampler(&["agent.shape"], FactorRange::All, &[]).unwrap();
        let shapes: std::collections::BTreeSet<_> =
            (0..100).map(|seed| all.sample(seed).number("agent.shape") as i32).collect();
        assert_eq!(shapes.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn what_was_told_gives_the_same_values() {
        let sampler = sampler(&["block.*"], FactorRange::All, &[("light", FactorValue::Number(0.75))]).unwrap();
        let values = sampler.sample(4);
        let told = FactorValues::from_info(&factors(), &values.info());
        assert_eq!((told.all(), told.info()), (values.all(), values.info()));
        let mut again = values.clone();
        assert!(sampler.redraw(4, 1, "block.scale", &mut again) && again != values);
        assert!(!sampler.redraw(4, 1, "light", &mut again), "it is set");
        again.set("agent.shape", &[2.0]);
        assert_eq!((again.number("agent.shape"), again.info().len()), (2.0, 4));
    }

    #[test]
    fn values_are_set_by_name_and_wrong_ones_are_said() {
        let set = [("block.scale", FactorValue::Number(55.0)), ("block.color", FactorValue::List(vec![1.0, 2.0, 3.0]))];
        let values = sampler(&["block.*"], FactorRange::Training, &set).unwrap().sample(0);
        assert_eq!((values.number("block.scale"), values.colour("block.color")), (55.0, [1.0, 2.0, 3.0]));
        assert_eq!(values.info().len(), 2);
        let refused =
            |vary: &[&str], values: &[(&str, FactorValue)]| sampler(vary, FactorRange::All, values).unwrap_err();
        let message = refused(&["blok.*"], &[]);
        assert!(message.starts_with("variation.vary is `blok.*`, but must be all, appearance, physics"), "{message}");
        let message = refused(&[], &[("block.scale", FactorValue::Number(61.0))]);
        assert_eq!(message, "variation.values.block.scale is [61.0], but must be 20 to 60");
        let message = refused(&[], &[("block.size", FactorValue::Number(61.0))]);
        assert!(message.contains("there is no factor `block.size`; there are block.scale, "), "{message}");
    }
}
