//! The policy that the patrol is recorded with.

use prevision_core::seed;
use rand::Rng;

use super::ACTION_NORM;
use super::expert::{Known, guard};
use super::options::PatrolWorld;
use crate::maze::expert::{place, unfit};
use crate::maze::wander::Wanderer;
use crate::{Decision, Policy, PolicyError, Start, TimeStep};

/// Chance that an episode is walked with an eye on the patrol.
const WARY_CHANCE: f64 = 0.8;
/// Steps that the wary look ahead.
const LOOK_AHEAD: usize = 4;

/// Explores as [`maze`](crate::maze) is explored. In four episodes of five it keeps out of the way of the patrol; in the others it does
/// not look, and many of them end with a touch.
#[derive(Debug, Clone)]
pub struct Walk {
    world: PatrolWorld,
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    known: Known,
    wanderer: Wanderer,
    wary: bool,
    seed: u64,
    episode: u64,
    step: u64,
}

impl Walk {
    /// The name of this policy.
    pub const NAME: &'static str = "walk";

    /// For this world.
    pub fn new(world: PatrolWorld) -> Self {
        Self { world, rows: Vec::new() }
    }
}

impl Policy for Walk {
    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        let row = |start: &Start<'_>| {
            let known = Known::of(&self.world, start.first).map_err(|message| unfit(Self::NAME, message))?;
            let wary = seed::rng(start.seed, "patrol/wary", 0, start.episode).random_bool(WARY_CHANCE);
            Ok(Row { known, wanderer: Wanderer::new(), wary, seed: start.seed, episode: start.episode, step: 0 })
        };
        self.rows = episodes.iter().map(row).collect::<Result<_, PolicyError>>()?;
        Ok(())
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let mut decisions = Vec::with_capacity(rows.len());
        for (row, seen) in rows.iter().zip(seen) {
            let row = &mut self.rows[*row];
            let mut rng = seed::rng(row.seed, "patrol/walk", row.step, row.episode);
            row.step += 1;
            let at = place(Self::NAME, seen.state.as_ref())?;
            let guard = guard(Self::NAME, seen)?;
            let reach = row.known.reach;
            let mut by = row.wanderer.next(&row.known.floor, at, reach, &mut rng).map(|part| part * reach);
            let to = [at[0] + by[0], at[1] + by[1]];
            let to = if row.known.floor.is_blocked(at, to) { at } else { to };
            if row.wary && !row.known.is_safe_to_stay(to, guard, LOOK_AHEAD) {
                by = row.known.away(at, guard);
            }
            decisions.push(Decision::of(by.map(|part| part * ACTION_NORM / reach).to_vec()));
        }
        Ok(decisions)
    }
}
