//! The policy that mazes are recorded with.

use prevision_core::seed;

use super::ACTION_NORM;
use super::expert::{place, unfit};
use super::floor::Floor;
use super::options::MazeWorld;
use super::wander::Wanderer;
use crate::{Decision, Policy, PolicyError, Start, TimeStep};

/// Explores: by turns it walks without aim, keeping its heading for a while, and takes the way to a place drawn anywhere on the floor. It
/// knows the walls. Steps are 0.3 to 1 times as long as the longest action.
#[derive(Debug, Clone)]
pub struct Walk {
    world: MazeWorld,
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    floor: Floor,
    wanderer: Wanderer,
    /// How far the longest action goes.
    reach: f32,
    seed: u64,
    episode: u64,
    step: u64,
}

impl Walk {
    /// The name of this policy.
    pub const NAME: &'static str = "walk";

    /// For this maze.
    pub fn new(world: MazeWorld) -> Self {
        Self { world, rows: Vec::new() }
    }
}

impl Policy for Walk {
    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        let row = |start: &Start<'_>| {
            let floor = self.world.floor_of(start.first).map_err(|message| unfit(Self::NAME, message))?;
            let reach = ACTION_NORM * self.world.speed_of(start.first);
            Ok(Row { floor, wanderer: Wanderer::new(), reach, seed: start.seed, episode: start.episode, step: 0 })
        };
        self.rows = episodes.iter().map(row).collect::<Result<_, PolicyError>>()?;
        Ok(())
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let mut decisions = Vec::with_capacity(rows.len());
        for (row, seen) in rows.iter().zip(seen) {
            let row = &mut self.rows[*row];
            let mut rng = seed::rng(row.seed, "maze/walk", row.step, row.episode);
            let at = place(Self::NAME, seen.state.as_ref())?;
            row.step += 1;
            let by = row.wanderer.next(&row.floor, at, row.reach, &mut rng);
            decisions.push(Decision::of(by.map(|value| value * ACTION_NORM).to_vec()));
        }
        Ok(decisions)
    }
}
