//! What an episode has met: places where the model imagined the agent and it did not get, and places where it came to a stop.
//!
//! A predictor that errs at a wall is planned with again from the same place, with the same result; and a learned distance that
//! errs has dead ends, from which no short plan leads on. So both are remembered as obstacles, which make the distances of this
//! episode longer there, until another way is shorter. This is the update of learning real-time search (Korf 1990, "Real-Time
//! Heuristic Search", section 4): where the estimate proved too small, it grows.

use std::collections::BTreeMap;

use burn::prelude::*;
use prevision_model::DistanceField;

/// Share of the presence that must be elsewhere for the agent to be elsewhere.
const ELSEWHERE: f32 = 0.5;
/// Share of the presence from which on the agent stands in a place.
const HERE: f32 = 0.05;

/// The obstacles of every episode.
pub(crate) struct Memory {
    head: DistanceField,
    /// Steps that an obstacle adds to passing a place.
    price: f32,
    /// `[places]` of every trial.
    obstacles: BTreeMap<usize, Vec<f32>>,
    /// Where the last plan was to bring every trial, `[places]`.
    expected: BTreeMap<usize, Vec<f32>>,
    /// Where every trial was before the last plan, `[places]`.
    before: BTreeMap<usize, Vec<f32>>,
}

impl Memory {
    pub(crate) fn new(head: DistanceField, price: f32) -> Self {
        Self { head, price, obstacles: BTreeMap::new(), expected: BTreeMap::new(), before: BTreeMap::new() }
    }

    /// Remembers where plans are to bring the trials.
    ///
    /// # Shapes
    /// - latents: `[trials, dim]`, imagined after the actions that will be executed
    pub(crate) fn expect(&mut self, trials: &[usize], latents: Tensor<2>) {
        self.expected = trials.iter().copied().zip(self.presence(latents)).collect();
    }

    /// Compares where trials are with where they were to be and with where they were, and remembers what failed.
    ///
    /// # Shapes
    /// - latents: `[trials, dim]`, encoded from what is seen
    pub(crate) fn observe(&mut self, trials: &[usize], latents: Tensor<2>) {
        for (trial, seen) in trials.iter().zip(self.presence(latents)) {
            if let Some(expected) = self.expected.remove(trial) {
                let missing = beyond(&expected, &seen);
                if missing.iter().sum::<f32>() > ELSEWHERE {
                    self.add(*trial, &missing);
                }
            }
            if let Some(before) = self.before.insert(*trial, seen.clone())
                && beyond(&seen, &before).iter().sum::<f32>() < ELSEWHERE
            {
                self.add(*trial, &seen);
            }
        }
    }

    /// Makes passing places longer, by the share of the agent that is there.
    fn add(&mut self, trial: usize, shares: &[f32]) {
        let obstacles = self.obstacles.entry(trial).or_insert_with(|| vec![0.0; shares.len()]);
        obstacles.iter_mut().zip(shares).for_each(|(steps, share)| *steps += self.price * share);
    }

    /// The fields of goals, with what their trials have met, `[trials, places]`.
    ///
    /// # Shapes
    /// - latents: `[trials, dim]`
    pub(crate) fn field(&self, trials: &[usize], latents: Tensor<2>) -> Tensor<2> {
        let free = vec![0.0; self.head.places()];
        let obstacles = trials.iter().map(|trial| self.obstacles.get(trial).unwrap_or(&free).clone());
        self.field_with(latents, obstacles.collect())
    }

    /// The fields of where the trials are, `[trials, places]`. Where the agent stands is no obstacle on its way out.
    ///
    /// # Shapes
    /// - latents: `[trials, dim]`
    pub(crate) fn field_from(&self, trials: &[usize], latents: Tensor<2>) -> Tensor<2> {
        let free = vec![0.0; self.head.places()];
        let obstacles = trials.iter().zip(self.presence(latents.clone())).map(|(trial, here)| {
            let met = self.obstacles.get(trial).unwrap_or(&free);
            met.iter().zip(here).map(|(steps, share)| if share > HERE { 0.0 } else { *steps }).collect()
        });
        self.field_with(latents, obstacles.collect())
    }

    fn field_with(&self, latents: Tensor<2>, obstacles: Vec<Vec<f32>>) -> Tensor<2> {
        let shape = [obstacles.len(), self.head.places()];
        let obstacles = Tensor::from_data(TensorData::new(obstacles.concat(), shape), &latents.device());
        self.head.field(latents, Some(obstacles))
    }

    fn presence(&self, latents: Tensor<2>) -> Vec<Vec<f32>> {
        let values = self.head.presence(latents).into_data().try_into_vec_as::<f32>().expect("presences are floats");
        values.chunks_exact(self.head.places()).map(<[f32]>::to_vec).collect()
    }
}

/// By how much more the agent is at every place than in another presence.
fn beyond(presence: &[f32], other: &[f32]) -> Vec<f32> {
    presence.iter().zip(other).map(|(here, there)| (here - there).max(0.0)).collect()
}

#[cfg(test)]
mod tests {
    use prevision_model::DistanceFieldConfig;

    use super::*;

    /// Enough places for the mean token to be that of an empty one.
    const PLACES: usize = 40;

    /// A row of places, one number each; the agent at `place`.
    fn latents(places: &[usize]) -> Tensor<2> {
        let values: Vec<f32> = places
            .iter()
            .flat_map(|&place| (0..PLACES).map(move |index| if index == place { 20.0 } else { 0.0 }))
            .collect();
        Tensor::from_data(TensorData::new(values, [places.len(), PLACES]), &Device::flex())
    }

    fn memory(price: f32) -> Memory {
        let device = Device::flex();
        device.seed(4);
        Memory::new(DistanceFieldConfig { hidden: 4 }.init([1, PLACES], 0, PLACES, &device), price)
    }

    fn field(memory: &Memory, trial: usize) -> Vec<f32> {
        memory.field(&[trial], latents(&[0])).into_data().try_into_vec_as::<f32>().unwrap()
    }

    #[test]
    fn what_a_plan_did_not_reach_becomes_farther_for_its_trial_alone() {
        let mut memory = memory(30.0);
        let (free, other) = (field(&memory, 7), field(&memory, 3));
        memory.expect(&[3, 7], latents(&[2, 2]));
        // Trial 3 got there, trial 7 did not leave place 3.
        memory.observe(&[3, 7], latents(&[2, 3]));
        let met = field(&memory, 7);
        assert_eq!(field(&memory, 3), other);
        assert!((met[1] - free[1]).abs() < 1.0, "before the obstacle: {free:?} {met:?}");
        assert!(met[4] - free[4] > 20.0, "beyond it: {free:?} {met:?}");
    }

    /// Else an agent that stood somewhere for long would find every imagined way out of there too long to be true.
    #[test]
    fn where_the_agent_stands_is_no_obstacle_on_its_way_out() {
        let mut memory = memory(30.0);
        let from = |memory: &Memory, place| {
            memory.field_from(&[0], latents(&[place])).into_data().try_into_vec_as::<f32>().unwrap()
        };
        let (free, free_before) = (from(&memory, 3), from(&memory, 1));
        memory.observe(&[0], latents(&[3]));
        memory.observe(&[0], latents(&[3]));
        // The presence is soft: a trace of it is everywhere, and so is a trace of the obstacle.
        let longest = from(&memory, 3).iter().zip(&free).map(|(met, free)| met - free).fold(0.0, f32::max);
        assert!(longest < 1.0, "the way out became longer by {longest}");
        let beyond = from(&memory, 1)[5] - free_before[5];
        assert!(beyond > 20.0, "from elsewhere it is one: {beyond}");
    }

    #[test]
    fn standing_still_makes_the_place_an_obstacle_and_moving_does_not() {
        let mut memory = memory(30.0);
        let free = field(&memory, 0);
        memory.observe(&[0], latents(&[3]));
        memory.observe(&[0], latents(&[2]));
        assert_eq!(field(&memory, 0), free);
        memory.observe(&[0], latents(&[2]));
        assert!(field(&memory, 0)[4] - free[4] > 20.0);
    }
}
