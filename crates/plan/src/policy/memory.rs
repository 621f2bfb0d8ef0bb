//! What an episode has met: places where the model imagined the agent and it did not get, and places where it came to a stop.
//!
//! A predictor that errs at a wall is planned with again from the same place, with the same result; and a learned distance that
//! errs has dead ends, from which no short plan leads on. So both are remembered as obstacles, which make the distances of this
//! episode longer there, until another way is shorter. This is the update of learning real-time search (Korf 1990, "Real-Time
//! Heuristic Search", section 4): where the estimate proved too small, it grows.

use std::collections::BTreeMap;

/// Share of the presence that must be elsewhere for the agent to be elsewhere.
const ELSEWHERE: f32 = 0.5;

/// The obstacles of every row. A presence is the share of an agent in each place, `[places]`.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    places: usize,
    /// Steps that an obstacle adds to passing a place.
    price: f32,
    /// `[places]` of every row.
    obstacles: BTreeMap<usize, Vec<f32>>,
    /// The presence to which the last plan of every row was to lead.
    expected: BTreeMap<usize, Vec<f32>>,
    /// The presence of every row before the last plan.
    before: BTreeMap<usize, Vec<f32>>,
}

impl Memory {
    pub(super) fn new(places: usize, price: f32) -> Self {
        Self { places, price, obstacles: BTreeMap::new(), expected: BTreeMap::new(), before: BTreeMap::new() }
    }

    /// Number of places.
    pub(super) fn places(&self) -> usize {
        self.places
    }

    /// Remembers where plans are to bring the agents of these rows.
    pub(super) fn expect(&mut self, rows: &[usize], presences: Vec<Vec<f32>>) {
        self.expected = rows.iter().copied().zip(presences).collect();
    }

    /// Compares where agents are with where they were to be and with where they were, and remembers what failed.
    pub(super) fn observe(&mut self, rows: &[usize], presences: Vec<Vec<f32>>) {
        for (row, seen) in rows.iter().zip(presences) {
            if let Some(expected) = self.expected.remove(row) {
                let missing = beyond(&expected, &seen);
                if missing.iter().sum::<f32>() > ELSEWHERE {
                    self.add(*row, &missing);
                }
            }
            if let Some(before) = self.before.insert(*row, seen.clone())
                && beyond(&seen, &before).iter().sum::<f32>() < ELSEWHERE
            {
                self.add(*row, &seen);
            }
        }
    }

    /// Makes passing places longer, by the share of the agent that is there.
    fn add(&mut self, row: usize, shares: &[f32]) {
        let obstacles = self.obstacles.entry(row).or_insert_with(|| vec![0.0; shares.len()]);
        obstacles.iter_mut().zip(shares).for_each(|(steps, share)| *steps += self.price * share);
    }

    /// Steps that passing each place takes beside what was learned, `[rows, places]`.
    pub(super) fn obstacles(&self, rows: &[usize]) -> Vec<f32> {
        let free = vec![0.0; self.places];
        rows.iter().flat_map(|row| self.obstacles.get(row).unwrap_or(&free)).copied().collect()
    }
}

/// By how much more the agent is at every place than in another presence.
fn beyond(presence: &[f32], other: &[f32]) -> Vec<f32> {
    presence.iter().zip(other).map(|(here, there)| (here - there).max(0.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(place: usize) -> Vec<f32> {
        (0..4).map(|index| if index == place { 0.85 } else { 0.05 }).collect()
    }

    #[test]
    fn what_a_plan_did_not_reach_becomes_an_obstacle_of_its_row_alone() {
        let mut memory = Memory::new(4, 10.0);
        memory.expect(&[3, 7], vec![at(2), at(2)]);
        // Row 3 got there, row 7 did not leave place 1.
        memory.observe(&[3, 7], vec![at(2), at(1)]);
        assert_eq!(memory.obstacles(&[3]), [0.0; 4]);
        let met = memory.obstacles(&[7, 3]);
        assert!((met[2] - 8.0).abs() < 1e-5 && met[..2] == [0.0; 2] && met[3..] == [0.0; 5], "{met:?}");
    }

    #[test]
    fn standing_still_makes_the_place_an_obstacle_and_moving_does_not() {
        let mut memory = Memory::new(4, 10.0);
        memory.observe(&[0], vec![at(3)]);
        memory.observe(&[0], vec![at(2)]);
        assert_eq!(memory.obstacles(&[0]), [0.0; 4]);
        memory.observe(&[0], vec![at(2)]);
        let met = memory.obstacles(&[0]);
        assert!((met[2] - 8.5).abs() < 1e-5 && (met[0] - 0.5).abs() < 1e-5, "{met:?}");
    }
}
