//! The policy that Two Rooms is recorded with: random walks that keep a direction, a third of them laid through the door.

use prevision_core::seed;

use super::layout::Layout;
use super::walk::Walk;
use super::{LayoutSplit, Options};
use crate::{Decision, Policy, PolicyError, Start, TimeStep};

/// Takes each episode through a [`Walk`] of its own, from where that begins.
#[derive(Debug, Clone)]
pub struct Walker {
    options: Options,
    steps: usize,
    /// The walk of each row, and how many of its actions are done.
    rows: Vec<(Walk, usize)>,
}

impl Walker {
    /// The name of this policy.
    pub const NAME: &'static str = "walk";

    /// Walks of `steps` actions.
    pub fn new(options: Options, steps: usize) -> Self {
        Self { options, steps, rows: Vec::new() }
    }

    /// Floor plan and walk of an episode, a function of the seed and its number.
    pub fn sample(&self, seed: u64, episode: u64) -> (Layout, Walk) {
        let group = episode / self.options.episodes_per_layout as u64;
        let split = self.options.layouts.unwrap_or(LayoutSplit::Training);
        let mut rng = seed::rng(seed, "two-rooms/layout", 0, group);
        let layout = Layout::sample(self.options.layout, split, &mut rng);
        let mut rng = seed::rng(seed, "two-rooms/walk", 0, episode);
        (layout, Walk::sample(layout, self.options.collision, self.steps, &mut rng))
    }
}

impl Policy for Walker {
    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn start_state(&mut self, seed: u64, episode: u64) -> Option<Vec<f32>> {
        let (layout, walk) = self.sample(seed, episode);
        let [x, y] = walk.positions[0];
        Some(vec![x, y, f32::from(layout.wall_x), f32::from(layout.door_y)])
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        self.rows = episodes.iter().map(|start| (self.sample(start.seed, start.episode).1, 0)).collect();
        Ok(())
    }

    fn act(&mut self, rows: &[usize], _seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let mut decisions = Vec::with_capacity(rows.len());
        for row in rows {
            let (walk, done) = &mut self.rows[*row];
            let Some(action) = walk.actions.get(*done) else {
                let message = format!("a walk of {} actions goes on", walk.actions.len());
                return Err(PolicyError::Unfit { policy: Self::NAME.to_owned(), message });
            };
            *done += 1;
            decisions.push(Decision::of(action.to_vec()));
        }
        Ok(decisions)
    }
}
