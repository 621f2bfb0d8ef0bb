//! Closed-loop episodes: a policy acts in worlds, and how often it reaches the goal is measured.

mod guardrails;
mod rules;
mod traces;
mod trial;
#[cfg(feature = "videos")]
mod videos;
mod watch;

use std::time::{Duration, Instant};

use prevision_env::{Decision, Goal, Policy, Start, TimeStep, Worlds};
use prevision_kernels::operations_so_far;

pub use guardrails::{Guardrail, Guardrails};
pub use rules::Rules;
pub use traces::{PlanTrace, Traces};
#[cfg(feature = "videos")]
pub use videos::{EpisodeVideos, EpisodeVideosError};
pub use watch::{Moment, PlanProgress, Watch, WatchError};

use crate::error::PlanError;
use crate::results::{PlanResults, Totals};
use trial::Trial;

/// Runs episodes, as many side by side as there are worlds, and reports how many reach their goals.
///
/// Tasks depend on the seed and the number of an episode alone, or are those of a frozen list, and no episode depends on the others.
///
/// # Errors
/// If a rule is out of range, there is no world, every episode is solved at the start, or a world, the policy or whoever watches fails.
///
/// # Panics
/// If the policy does not choose one action for every row.
pub fn run_episodes(
    worlds: &mut dyn Worlds,
    policy: &mut dyn Policy,
    rules: &Rules,
    watch: &mut dyn Watch,
) -> Result<PlanResults, PlanError> {
    run_judged_episodes(worlds, policy, None, rules, watch)
}

/// As [`run_episodes`], with guardrails that count the steps which violated them.
///
/// # Errors
/// As [`run_episodes`], and if a guardrail cannot judge what the worlds show.
///
/// # Panics
/// As [`run_episodes`].
pub fn run_judged_episodes(
    worlds: &mut dyn Worlds,
    policy: &mut dyn Policy,
    guardrails: Option<&Guardrails>,
    rules: &Rules,
    watch: &mut dyn Watch,
) -> Result<PlanResults, PlanError> {
    rules.validate().map_err(PlanError::Config)?;
    if worlds.rows() == 0 {
        return Err(PlanError::Config("there is no world to act in".to_owned()));
    }
    let started = Instant::now();
    let spec = worlds.spec().clone();
    let max_steps = rules.max_steps.unwrap_or(spec.max_steps);
    let mut run = Run {
        worlds,
        policy,
        guardrails,
        rules,
        watch,
        max_steps,
        next: 0,
        excluded: 0,
        done: Vec::new(),
        acting: Duration::ZERO,
        operations: 0,
    };
    loop {
        let batch = run.batch()?;
        if batch.is_empty() {
            break;
        }
        let batch = run.play(batch)?;
        run.done.extend(batch);
    }
    if run.done.is_empty() {
        return Err(PlanError::AllSolvedAtStart { world: spec.name, episodes: rules.episodes });
    }
    let totals = Totals {
        policy: run.policy.name(),
        spec,
        excluded: run.excluded,
        stop_on_arrival: rules.stop_on_arrival,
        enforced: guardrails.map(Guardrails::enforced).unwrap_or_default(),
        seconds: started.elapsed().as_secs_f64(),
        planning_seconds: run.acting.as_secs_f64(),
        operations: run.operations,
    };
    let results = run.done.iter().map(|trial| trial.result(totals.spec.rewards)).collect();
    Ok(PlanResults::new(totals, results))
}

/// Episodes while they run.
struct Run<'a> {
    worlds: &'a mut dyn Worlds,
    policy: &'a mut dyn Policy,
    guardrails: Option<&'a Guardrails>,
    rules: &'a Rules,
    watch: &'a mut dyn Watch,
    max_steps: usize,
    /// The next episode to begin.
    next: usize,
    /// Episodes that were solved at the start.
    excluded: usize,
    done: Vec<Trial>,
    /// Time that the policy took.
    acting: Duration,
    /// Floating-point operations that it took.
    operations: u64,
}

impl Run<'_> {
    /// Begins an episode in every row, as far as there are any; those that are solved at the start are left out.
    fn batch(&mut self) -> Result<Vec<Trial>, PlanError> {
        let mut batch = Vec::new();
        while batch.len() < self.worlds.rows() && self.next < self.rules.count() {
            let (episode, row) = (self.next, batch.len());
            self.next += 1;
            let first = self.reset(row, episode)?;
            if first.success {
                self.excluded += 1;
                continue;
            }
            let number = self.done.len() + row;
            let watched = (number < self.rules.watched).then_some(number);
            batch.push(Trial::new(episode, watched, first, self.worlds.position(row)));
        }
        let goals: Vec<Option<Goal>> = (0..batch.len()).map(|row| self.worlds.goal(row)).collect();
        let starts: Vec<Start<'_>> = batch
            .iter()
            .zip(&goals)
            .map(|(trial, goal)| Start {
                seed: self.rules.seed,
                episode: trial.episode as u64,
                first: &trial.now,
                goal: goal.as_ref(),
                watched: trial.watched.is_some(),
            })
            .collect();
        if !starts.is_empty() {
            self.policy.begin(&starts)?;
        }
        Ok(batch)
    }

    /// Begins an episode: that of a frozen task, or where the policy wants it, or of its seed.
    fn reset(&mut self, row: usize, episode: usize) -> Result<TimeStep, PlanError> {
        let seed = self.rules.task_seed(episode);
        let Some(manifest) = &self.rules.tasks else {
            let state = self.policy.start_state(self.rules.seed, episode as u64);
            return Ok(self.worlds.reset(row, seed, state.as_deref())?);
        };
        let first = self.worlds.reset(row, seed, None)?;
        let checked = manifest.tasks[episode].check(&first, self.worlds.goal(row).as_ref());
        checked.map_err(|message| PlanError::Config(format!("task {episode}: {message}")))?;
        Ok(first)
    }

    /// Runs the episodes of a batch to their ends.
    fn play(&mut self, mut batch: Vec<Trial>) -> Result<Vec<Trial>, PlanError> {
        loop {
            let goes_on = |row: &usize| !batch[*row].finished(self.max_steps, self.rules.stop_on_arrival);
            let live: Vec<usize> = (0..batch.len()).filter(goes_on).collect();
            self.watch.progress(&self.progress(&batch, &live));
            if live.is_empty() {
                return Ok(batch);
            }
            let seen: Vec<&TimeStep> = live.iter().map(|row| &batch[*row].now).collect();
            let (began, before) = (Instant::now(), operations_so_far());
            let decisions = self.policy.act(&live, &seen)?;
            self.acting += began.elapsed();
            self.operations += operations_so_far() - before;
            let counts = [decisions.len(), live.len()];
            assert!(counts[0] == counts[1], "the policy chose {} actions for {} rows", counts[0], counts[1]);
            for (row, decision) in live.iter().zip(&decisions) {
                batch[*row].decide(decision);
                self.show(*row, &batch[*row], Some(decision))?;
            }
            let actions: Vec<&[f32]> = decisions.iter().map(|decision| decision.action.as_slice()).collect();
            let after = self.worlds.step(&live, &actions)?;
            self.judge(&live, &mut batch, &after)?;
            for (row, step) in live.iter().zip(after) {
                batch[*row].advance(step, self.worlds.position(*row));
                if batch[*row].finished(self.max_steps, self.rules.stop_on_arrival) {
                    batch[*row].legality = self.worlds.legality(*row, &batch[*row].states);
                    self.show(*row, &batch[*row], None)?;
                }
            }
        }
    }

    /// Lets the guardrails judge a step that these rows have taken, before the trials advance.
    fn judge(&self, rows: &[usize], batch: &mut [Trial], after: &[TimeStep]) -> Result<(), PlanError> {
        let Some(guardrails) = self.guardrails else { return Ok(()) };
        let seen = rows.iter().zip(after).map(|(row, after)| [&batch[*row].now, after]);
        let positions = rows.iter().map(|row| Some([batch[*row].position?, self.worlds.position(*row)?]));
        let verdicts = guardrails.judge(seen.collect(), positions.collect())?;
        for (row, verdict) in rows.iter().zip(verdicts) {
            batch[*row].count(&verdict);
        }
        Ok(())
    }

    /// Shows a watched row.
    fn show(&mut self, row: usize, trial: &Trial, decision: Option<&Decision>) -> Result<(), PlanError> {
        let Some(watched) = trial.watched else { return Ok(()) };
        let moment = Moment { row, episode: trial.episode, watched, now: &trial.now, trail: &trial.trail, decision };
        self.watch.moment(&*self.worlds, &moment).map_err(PlanError::Watch)
    }

    fn progress(&self, batch: &[Trial], live: &[usize]) -> PlanProgress {
        let all = || self.done.iter().chain(batch);
        PlanProgress {
            step: live.first().map_or(self.max_steps, |row| batch[*row].steps),
            max_steps: self.max_steps,
            running: live.len(),
            arrived: all().filter(|trial| trial.arrived()).count(),
            ended: self.excluded + self.done.len() + batch.len() - live.len(),
            episodes: self.rules.count(),
        }
    }
}
