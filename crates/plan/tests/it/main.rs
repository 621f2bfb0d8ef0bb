//! Planning in whole worlds.

#![allow(clippy::unwrap_used, reason = "a test that fails says why")]

mod adapting;
mod bounds;
mod constraints;
mod corridor;
mod discrete;
#[cfg(feature = "videos")]
mod examples;
mod golden;
mod gradients;
mod guardrails;
mod hierarchy;
mod independence;
mod memory;
mod models;
mod reflex;
mod rules;
mod searches;
mod setup;
mod tasks;
mod true_dynamics;
mod two_rooms;
#[cfg(feature = "videos")]
mod videos;

use prevision_env::{Environment, Policy, Worlds};
use prevision_plan::{Moment, PlanError, PlanProgress, PlanResults, Rules, Watch, WatchError, run_episodes};

/// A memory of obstacles at this price.
fn remembering(obstacles: f64) -> prevision_plan::MemoryConfig {
    prevision_plan::MemoryConfig { obstacles, ..prevision_plan::MemoryConfig::default() }
}

/// Runs episodes that nobody watches.
fn run(
    worlds: &mut Vec<Box<dyn Environment>>,
    policy: &mut dyn Policy,
    rules: &Rules,
) -> Result<PlanResults, PlanError> {
    run_episodes(worlds, policy, rules, &mut ())
}

/// Writes down what it is shown.
#[derive(Default)]
struct Notes {
    progress: Vec<PlanProgress>,
    /// Episode, step and action of every decision.
    actions: Vec<(usize, usize, Vec<f32>)>,
    /// What was imagined at every decision.
    imagined: Vec<Vec<[f32; 2]>>,
    /// Episodes in the order of their ends.
    ended: Vec<usize>,
    trails: Vec<usize>,
}

impl Watch for Notes {
    fn progress(&mut self, progress: &PlanProgress) {
        self.progress.push(*progress);
    }

    fn moment(&mut self, worlds: &dyn Worlds, moment: &Moment<'_>) -> Result<(), WatchError> {
        assert!(moment.row < worlds.rows());
        self.trails.push(moment.trail.len());
        match moment.decision {
            Some(decision) => {
                let step = self.actions.iter().filter(|(episode, ..)| *episode == moment.episode).count();
                self.actions.push((moment.episode, step, decision.action.clone()));
                self.imagined.push(decision.imagined.clone());
            }
            None => self.ended.push(moment.episode),
        }
        Ok(())
    }
}

impl Notes {
    /// The actions, by episode and step.
    fn sorted(mut self) -> Vec<(usize, usize, Vec<f32>)> {
        self.actions.sort_by_key(|(episode, step, _)| (*episode, *step));
        self.actions
    }
}
