//! Episodes by random actions.

use std::collections::BTreeMap;

use prevision_core::{Space, seed};

use super::moments::{Moment, Picture, difference, fits, seen};
use super::{CheckOptions, Finding};
use crate::{EnvironmentSpec, Worlds};

/// What was played.
pub(super) struct Played {
    /// Its number: that of its task and of its actions.
    pub(super) task: usize,
    /// The first moment, and one after each action.
    pub(super) moments: Vec<Moment>,
    /// What the goal shows.
    pub(super) goal: Option<BTreeMap<String, Picture>>,
    /// The state of the goal.
    pub(super) goal_state: Option<Vec<f32>>,
}

impl Played {
    pub(super) fn first(&self) -> &Moment {
        &self.moments[0]
    }

    pub(super) fn last(&self) -> &Moment {
        &self.moments[self.moments.len() - 1]
    }

    /// Where another run of the same episode differs, in words.
    pub(super) fn difference(&self, again: &Self) -> Option<String> {
        let mut steps = self.moments.iter().zip(&again.moments).enumerate();
        let moment = steps.find_map(|(step, (a, b))| difference(a, b).map(|what| (step, what)));
        if let Some((step, what)) = moment {
            return Some(format!("at step {step} of an episode {what}"));
        }
        let counts = [self.moments.len(), again.moments.len()];
        if counts[0] != counts[1] {
            return Some(format!("an episode of {} moments has {}", counts[0], counts[1]));
        }
        let goals = |played: &Self| (played.goal.clone(), played.goal_state.clone());
        (goals(self) != goals(again)).then(|| "the goal of an episode differs".to_owned())
    }
}

/// How episodes are played.
pub(super) struct Play<'a> {
    pub(super) spec: &'a EnvironmentSpec,
    pub(super) space: &'a Space,
    pub(super) options: &'a CheckOptions,
    /// Most steps of an episode.
    pub(super) steps: usize,
}

impl Play<'_> {
    /// The action of a step of an episode: of every kind that the space has, inside and at its edges. Each is kept for some steps, so
    /// that it leads somewhere.
    pub(super) fn action(&self, stream: &str, task: usize, step: usize) -> Vec<f32> {
        const KEPT: usize = 4;
        let mut rng = seed::rng(self.options.seed, stream, (step / KEPT) as u64, task as u64);
        let mut action = self.space.sample(&mut rng);
        if !matches!(self.space, Space::Discrete { .. }) && (step / KEPT) % 3 == 2 {
            for value in &mut action {
                *value *= 10.0;
            }
            self.space.project(&mut action);
        }
        action
    }

    /// Begins an episode in a row.
    pub(super) fn begin(&self, worlds: &mut dyn Worlds, row: usize, task: usize) -> Result<Played, Finding> {
        let first = worlds.reset(row, self.options.task(task), None).map_err(|error| Finding::of(&error))?;
        let goal = worlds.goal(row);
        let observations = goal.as_ref().and_then(|goal| goal.observations.as_ref());
        observations.map_or(Ok(()), |observations| fits(self.spec, observations))?;
        Ok(Played {
            task,
            moments: vec![Moment::of(self.spec, &first)?],
            goal: observations.map(|observations| seen(observations).0),
            goal_state: goal.and_then(|goal| goal.state),
        })
    }

    /// One step of some rows; which episode is in which row is its place in `played`.
    pub(super) fn step(
        &self,
        worlds: &mut dyn Worlds,
        rows: &[usize],
        played: &mut [Played],
        stream: &str,
    ) -> Result<(), Finding> {
        let act = |row: &usize| self.action(stream, played[*row].task, played[*row].moments.len() - 1);
        let actions: Vec<Vec<f32>> = rows.iter().map(act).collect();
        let actions: Vec<&[f32]> = actions.iter().map(Vec::as_slice).collect();
        let steps = worlds.step(rows, &actions).map_err(|error| Finding::of(&error))?;
        for (row, step) in rows.iter().zip(&steps) {
            played[*row].moments.push(Moment::of(self.spec, step)?);
        }
        Ok(())
    }

    /// Plays episodes side by side, from row 0 on.
    pub(super) fn side_by_side(&self, worlds: &mut dyn Worlds, tasks: &[usize]) -> Result<Vec<Played>, Finding> {
        self.with_actions(worlds, tasks, "check-action")
    }

    /// The same, with the actions of this stream.
    pub(super) fn with_actions(
        &self,
        worlds: &mut dyn Worlds,
        tasks: &[usize],
        stream: &str,
    ) -> Result<Vec<Played>, Finding> {
        let mut played = Vec::new();
        for (row, task) in tasks.iter().enumerate() {
            played.push(self.begin(worlds, row, *task)?);
        }
        for _ in 0..self.steps {
            let live: Vec<usize> = (0..played.len()).filter(|row| !played[*row].last().ended()).collect();
            if live.is_empty() {
                break;
            }
            self.step(worlds, &live, &mut played, stream)?;
        }
        Ok(played)
    }

    /// Plays one episode in a row, while the others stand still.
    pub(super) fn alone(&self, worlds: &mut dyn Worlds, row: usize, task: usize) -> Result<Played, Finding> {
        let mut played = self.begin(worlds, row, task)?;
        for _ in 0..self.steps {
            if played.last().ended() {
                break;
            }
            let action = self.action("check-action", task, played.moments.len() - 1);
            let mut steps = worlds.step(&[row], &[&action]).map_err(|error| Finding::of(&error))?;
            let step = steps.pop().ok_or_else(|| Finding::error("failure", "a step of one row gave no moment"))?;
            played.moments.push(Moment::of(self.spec, &step)?);
        }
        Ok(played)
    }
}
