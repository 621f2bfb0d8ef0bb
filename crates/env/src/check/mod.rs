//! What is wrong with a world: looked for by acting in it at random.
//!
//! Works on any [`World`]: built in, a user's own, or behind a process. Episodes are played several times, in other rows, in other
//! company and in new instances, and whatever differs that should not, or does not that should, is named.

mod finding;
mod moments;
mod play;
mod rules;

use prevision_core::seed;
use rand::RngCore;
use serde::Serialize;

use crate::registry::{Purpose, World};
use crate::{EnvError, Worlds};

pub use finding::{Finding, Severity};
use play::{Play, Played};

/// How much is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckOptions {
    /// Episodes, at least 2.
    pub episodes: usize,
    /// Most steps of each; fewer where the world's own limit is.
    pub steps: usize,
    /// Worlds side by side, at least 2.
    pub rows: usize,
    /// Of tasks and actions.
    pub seed: u64,
    /// What the world is made for.
    pub purpose: Purpose,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self { episodes: 24, steps: 60, rows: 4, seed: 0, purpose: Purpose::Evaluation }
    }
}

impl CheckOptions {
    fn validate(&self) -> Result<(), EnvError> {
        let counts = [
            ("episodes", self.episodes, 2, "2 or more"),
            ("rows", self.rows, 2, "2 or more"),
            ("steps", self.steps, 1, "1 or more"),
        ];
        match counts.into_iter().find(|(_, value, least, _)| value < least) {
            Some((key, value, _, expected)) => Err(EnvError::InvalidOption { key, value: value.to_string(), expected }),
            None => Ok(()),
        }
    }

    /// The seed of an episode's task.
    fn task(&self, episode: usize) -> u64 {
        seed::rng(self.seed, "check-task", 0, episode as u64).next_u64()
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckReport {
    /// Name of the world; empty if it could not be started.
    pub world: String,
    /// Episodes that were played, those of comparisons not counted.
    pub episodes: usize,
    /// Steps in them.
    pub steps: usize,
    /// Episodes that reached their goal at some step.
    pub successes: usize,
    /// Episodes that the world ended.
    pub terminated: usize,
    /// What is wrong, errors first.
    pub findings: Vec<Finding>,
}

/// Looks for what is wrong with a world.
///
/// # Errors
/// If an option is out of range. Whatever the world does is a finding.
pub fn check_world(world: &dyn World, options: &CheckOptions) -> Result<CheckReport, EnvError> {
    options.validate()?;
    let mut report =
        CheckReport { world: String::new(), episodes: 0, steps: 0, successes: 0, terminated: 0, findings: Vec::new() };
    if let Err(finding) = look(world, options, &mut report) {
        report.findings.push(finding);
    }
    report.findings.sort_by_key(|finding| finding.severity);
    Ok(report)
}

/// Plays, and compares. An error of the world ends it.
fn look(world: &dyn World, options: &CheckOptions, report: &mut CheckReport) -> Result<(), Finding> {
    let start = || world.worlds(options.purpose, options.rows).map_err(|error| Finding::of(&error));
    let mut worlds = start()?;
    let spec = worlds.spec().clone();
    report.world.clone_from(&spec.name);
    let Some(space) = spec.spaces.action.clone() else {
        return Err(Finding::error("spaces", "the world takes no actions: there is nothing to plan"));
    };
    let play = Play { spec: &spec, space: &space, options, steps: options.steps.min(spec.max_steps) };
    let mut played: Vec<Played> = Vec::new();
    while played.len() < options.episodes {
        let count = options.rows.min(options.episodes - played.len());
        let tasks: Vec<usize> = (played.len()..played.len() + count).collect();
        played.extend(play.side_by_side(worlds.as_mut(), &tasks)?);
    }
    report.episodes = played.len();
    report.steps = played.iter().map(|episode| episode.moments.len() - 1).sum();
    report.successes = played.iter().filter(|episode| episode.moments.iter().any(|moment| moment.success)).count();
    report.terminated = played.iter().filter(|episode| episode.last().terminated).count();
    let found = &mut report.findings;
    rules::of_episodes(&spec, &played, found);
    repeats(&play, worlds.as_mut(), start, &played, found)?;
    rules::of_actions(&play, worlds.as_mut(), &played, found)?;
    rules::of_seeds(&play, worlds.as_mut(), &played, found)?;
    rules::of_states(&play, worlds.as_mut(), &played, found)?;
    rules::of_ends(&play, worlds.as_mut(), &played, found)
}

/// Plays the first episodes again: in new worlds, in these ones after other episodes, and one alone in another row.
fn repeats(
    play: &Play<'_>,
    worlds: &mut dyn Worlds,
    start: impl Fn() -> Result<Box<dyn Worlds>, Finding>,
    played: &[Played],
    found: &mut Vec<Finding>,
) -> Result<(), Finding> {
    let tasks: Vec<usize> = (0..play.options.rows.min(played.len())).collect();
    let same = |again: &[Played], first: &[Played]| -> Option<String> {
        again.iter().zip(first).find_map(|(again, first)| first.difference(again))
    };
    let mut fresh = start()?;
    let again = play.side_by_side(fresh.as_mut(), &tasks)?;
    if let Some(what) = same(&again, played) {
        found.push(Finding::error(
            "nondeterminism",
            format!("with the same seeds and actions, started anew, {what}: an episode must be a function of seed and actions"),
        ));
        return Ok(());
    }
    // The last episodes were played in these worlds in between.
    let later = play.side_by_side(worlds, &tasks)?;
    if let Some(what) = same(&later, played) {
        found.push(Finding::error(
            "history",
            format!("after other episodes in the same row, {what}: `reset` does not forget all that was"),
        ));
        return Ok(());
    }
    // In new worlds, so that nothing that was in the row before is mistaken for the others.
    let mut fresh = start()?;
    let alone = [play.alone(fresh.as_mut(), 1, 0)?];
    if let Some(what) = same(&alone, played) {
        found.push(Finding::error(
            "rows",
            format!("alone in another row, {what}: an episode must not depend on the other rows"),
        ));
    }
    Ok(())
}
