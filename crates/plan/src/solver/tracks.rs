//! Candidates that move, and the best place that each has been at.

use std::cmp::Ordering;

use prevision_env::SearchIteration;

use super::evaluate::{self, Slopes, Values};
use super::feasibility::compare;
use super::search::mean;
use super::{SolverContext, elites};
use crate::score::Score;

/// Candidates of all episodes that move from place to place.
#[derive(Clone, Debug)]
pub(super) struct Tracks {
    /// `[b, samples, horizon, a]`
    shape: [usize; 4],
    /// Where they are, `[b, samples, horizon, a]`.
    pub(super) actions: Vec<f32>,
    /// The best place of each so far, `[b, samples, horizon, a]`.
    best: Vec<f32>,
    /// Cost and violation there, `[b, samples]`; infinite before the first.
    worth: Vec<(f32, f32)>,
}

impl Tracks {
    /// Candidates at their first places, `[b, samples, horizon, a]`.
    pub(super) fn new(context: &SolverContext, samples: usize, actions: Vec<f32>) -> Self {
        let rows = actions.len() / (samples * context.sequence());
        let shape = [rows, samples, context.horizon, context.action_width()];
        Self { shape, best: actions.clone(), actions, worth: vec![(f32::INFINITY, f32::INFINITY); rows * samples] }
    }

    /// Numbers in a candidate.
    pub(super) fn sequence(&self) -> usize {
        self.shape[2] * self.shape[3]
    }

    /// Judges where the candidates are, and differentiates.
    ///
    /// # Errors
    /// What keeps the score from having derivatives.
    pub(super) fn slopes(&mut self, solver: &str, score: &dyn Score) -> Result<Slopes, String> {
        let slopes = evaluate::slopes(solver, score, &self.actions, self.shape)?;
        self.remember(&slopes.values);
        Ok(slopes)
    }

    /// Judges where the candidates are.
    pub(super) fn judge(&mut self, score: &dyn Score) -> Values {
        let values = evaluate::score(score, &self.actions, self.shape);
        self.remember(&values);
        values
    }

    fn remember(&mut self, values: &Values) {
        let sequence = self.sequence();
        for (candidate, known) in self.worth.iter_mut().enumerate() {
            let found = values.at(candidate);
            if compare(found, *known) == Ordering::Less {
                *known = found;
                let place = candidate * sequence..(candidate + 1) * sequence;
                self.best[place.clone()].copy_from_slice(&self.actions[place]);
            }
        }
    }

    /// The best places of the candidates of one episode, `[samples, horizon, a]`, and cost and violation there, `[samples]`.
    pub(super) fn best(&self, row: usize) -> (&[f32], &[(f32, f32)]) {
        let samples = self.shape[1];
        let length = samples * self.sequence();
        (&self.best[row * length..][..length], &self.worth[row * samples..][..samples])
    }

    /// The best place of all candidates of one episode, `[horizon, a]`, and its cost.
    pub(super) fn champion(&self, row: usize) -> (&[f32], f32) {
        let (places, worth) = self.best(row);
        let best = (0..worth.len()).min_by(|a, b| compare(worth[*a], worth[*b])).unwrap_or(0);
        (&places[best * self.sequence()..][..self.sequence()], worth[best].0)
    }

    /// The best place of all candidates of each episode, `[b, horizon, a]`.
    pub(super) fn champions(&self) -> Vec<f32> {
        (0..self.shape[0]).flat_map(|row| self.champion(row).0).copied().collect()
    }

    /// What an iteration came to for one episode: the candidates are where `values` were found, all of them go on.
    pub(super) fn summary(&self, row: usize, values: &Values) -> SearchIteration {
        let (samples, sequence) = (self.shape[1], self.sequence());
        let all: Vec<usize> = (0..samples).collect();
        let worth: Vec<(f32, f32)> = (0..samples).map(|sample| values.at(row * samples + sample)).collect();
        let best = worth.iter().copied().min_by(|a, b| compare(*a, *b)).map_or(f32::INFINITY, |(cost, _)| cost);
        let (mut center, mut std) = (vec![0.0; sequence], vec![0.0; sequence]);
        elites::mean_and_std(&self.actions[row * samples * sequence..], &all, &mut center, &mut std);
        let elites = worth.iter().map(|(cost, _)| cost).sum::<f32>() / samples as f32;
        SearchIteration { best, elites, spread: mean(&std) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::toy::{Quadratic, one_step};

    #[test]
    fn the_best_place_is_kept_and_what_complies_beats_what_does_not() {
        // Target 1, one candidate at 0 and one at 3; none may exceed 2.
        let score = Quadratic::new(&[[1.0]]).bounded(2.0);
        let mut tracks = Tracks::new(&one_step(1.0), 2, vec![0.0, 3.0]);
        let values = tracks.judge(&score);
        let summary = tracks.summary(0, &values);
        assert_eq!((summary.best, summary.elites), (1.0, 2.5));
        assert!((summary.spread - 4.5_f32.sqrt()).abs() < 1e-6, "{summary:?}");
        tracks.actions = vec![-1.0, 2.5];
        tracks.judge(&score);
        assert_eq!(tracks.best(0), (&[0.0, 2.5][..], &[(1.0, 0.0), (2.25, 0.5)][..]));
        assert_eq!(tracks.champions(), [0.0]);
        tracks.actions = vec![5.0, 0.9];
        tracks.judge(&score);
        assert_eq!(tracks.champions(), [0.9]);
    }
}
