//! Policies without a model on the tasks of an evaluation: the floor and the ceiling of what a planner can reach.

use std::collections::BTreeMap;

use prevision_env::registry::{World, recording_policy};
use prevision_env::{Decision, Policy, PolicyError, Start, TimeStep, Worlds};

use crate::error::PlanError;
use crate::results::Baseline;
use crate::{Rules, run_episodes};

/// The policy of a world's own that knows its way.
const EXPERT: &str = "expert";

/// What each of these policies comes to by the same rules and on the same tasks, by name. `expert` is left out in a world that has
/// none, and all are left out in a world that takes no actions.
///
/// # Errors
/// If there is no policy of a name, or the world fails.
pub fn baselines(
    world: &dyn World,
    worlds: &mut dyn Worlds,
    names: &[String],
    rules: &Rules,
) -> Result<BTreeMap<String, Baseline>, PlanError> {
    let spec = worlds.spec().clone();
    let rules = Rules { watched: 0, ..rules.clone() };
    let steps = rules.max_steps.unwrap_or(spec.max_steps);
    let mut found = BTreeMap::new();
    for name in names {
        if spec.spaces.action.is_none() || name == EXPERT && !world.policies().contains(&EXPERT) {
            continue;
        }
        let policy = recording_policy(world, &spec, Some(name), steps)
            .map_err(|error| PlanError::Config(format!("plan.baselines: {error}")))?;
        let results = run_episodes(worlds, &mut OnGivenTasks(policy), &rules, &mut ())?;
        found.insert(name.clone(), Baseline::from(&results));
    }
    Ok(found)
}

/// A policy that does not choose where episodes begin.
struct OnGivenTasks(Box<dyn Policy>);

impl Policy for OnGivenTasks {
    fn name(&self) -> String {
        self.0.name()
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        self.0.begin(episodes)
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        self.0.act(rows, seen)
    }
}
