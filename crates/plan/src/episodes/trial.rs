//! One episode while it runs.

use std::collections::BTreeMap;

use prevision_env::{Decision, Legality, PredictionErrors, TimeStep};

use crate::results::{Adaptation, EpisodeResult};

/// An episode that was not solved at the start.
pub(super) struct Trial {
    pub(super) episode: usize,
    /// Its place among the watched ones.
    pub(super) watched: Option<usize>,
    /// The world as it is.
    pub(super) now: TimeStep,
    /// Where the agent is, by the world itself.
    pub(super) position: Option<[f32; 2]>,
    /// Every position so far, of a watched episode in a world that is drawn.
    pub(super) trail: Vec<[f32; 2]>,
    pub(super) plans: usize,
    pub(super) plans_cut_short: usize,
    pub(super) steps: usize,
    /// Every state so far, in a world that tells them.
    pub(super) states: Vec<Vec<f32>>,
    /// What the world said of the whole episode.
    pub(super) legality: Legality,
    first_success_step: Option<usize>,
    start_distance: Option<f64>,
    total_reward: f64,
    /// Steps that violated each of the guardrails that can judge.
    violations: BTreeMap<String, usize>,
    /// How wrong the policy's models were, transition by transition.
    errors: Vec<PredictionErrors>,
}

impl Trial {
    /// An episode at its first moment.
    pub(super) fn new(episode: usize, watched: Option<usize>, first: TimeStep, position: Option<[f32; 2]>) -> Self {
        Self {
            episode,
            watched,
            position,
            trail: position.filter(|_| watched.is_some()).into_iter().collect(),
            plans: 0,
            plans_cut_short: 0,
            steps: 0,
            first_success_step: None,
            start_distance: first.distance,
            total_reward: 0.0,
            states: first.state.iter().cloned().collect(),
            legality: Legality::Unknown,
            violations: BTreeMap::new(),
            errors: Vec::new(),
            now: first,
        }
    }

    /// Whether the goal has been reached at any step.
    pub(super) fn arrived(&self) -> bool {
        self.first_success_step.is_some()
    }

    /// Whether there is nothing left to do.
    pub(super) fn finished(&self, max_steps: usize, stop_on_arrival: bool) -> bool {
        self.steps >= max_steps || self.now.terminated || self.now.truncated || (stop_on_arrival && self.arrived())
    }

    /// Takes in where a step has led.
    pub(super) fn advance(&mut self, now: TimeStep, position: Option<[f32; 2]>) {
        self.steps += 1;
        self.position = position;
        self.trail.extend(position.filter(|_| self.watched.is_some()));
        self.total_reward += now.reward;
        self.states.extend(now.state.iter().cloned());
        if now.success {
            self.first_success_step.get_or_insert(self.steps);
        }
        self.now = now;
    }

    /// Takes in what the policy has decided.
    pub(super) fn decide(&mut self, decision: &Decision) {
        self.plans += usize::from(decision.planned);
        self.plans_cut_short += usize::from(decision.search.as_ref().is_some_and(|search| search.cut_short));
        self.errors.extend(decision.prediction_errors);
    }

    /// Counts what guardrails say of a step.
    pub(super) fn count(&mut self, verdict: &[(&str, bool)]) {
        for (name, violated) in verdict {
            *self.violations.entry((*name).to_owned()).or_default() += usize::from(*violated);
        }
    }

    /// What it came to; its return in a world with rewards.
    pub(super) fn result(&self, rewards: bool) -> EpisodeResult {
        EpisodeResult {
            episode: self.episode,
            success: self.arrived(),
            first_success_step: self.first_success_step,
            success_at_end: self.now.success,
            steps: self.steps,
            plans: self.plans,
            plans_cut_short: self.plans_cut_short,
            start_distance: self.start_distance,
            final_distance: self.now.distance,
            total_reward: rewards.then_some(self.total_reward),
            first_illegal_step: match self.legality {
                Legality::Illegal { step } => Some(step),
                Legality::Legal | Legality::Unknown => None,
            },
            judged: self.legality != Legality::Unknown,
            violations: self.violations.clone(),
            adaptation: Adaptation::of(&self.errors),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(distance: f64) -> TimeStep {
        TimeStep { distance: Some(distance), success: distance < 1.0, reward: -distance, ..TimeStep::default() }
    }

    #[test]
    fn the_first_arrival_is_recorded_and_leaving_is_seen() {
        let mut trial = Trial::new(7, Some(0), at(3.0), Some([0.0, 0.0]));
        for (step, distance) in [2.0, 0.5, 0.0, 4.0].into_iter().enumerate() {
            assert!(!trial.finished(4, false));
            trial.advance(at(distance), Some([step as f32, 1.0]));
            assert_eq!(trial.finished(9, true), step >= 1);
        }
        assert!(trial.finished(4, false) && !trial.finished(5, false));
        let result = trial.result(true);
        assert_eq!((result.first_success_step, result.success, result.success_at_end), (Some(2), true, false));
        assert_eq!((result.start_distance, result.final_distance), (Some(3.0), Some(4.0)));
        assert_eq!((result.steps, result.total_reward, trial.result(false).total_reward), (4, Some(-6.5), None));
        assert_eq!((trial.trail.len(), trial.trail[1]), (5, [0.0, 1.0]));
        assert_eq!(trial.position, Some([3.0, 1.0]));
    }

    #[test]
    fn violations_are_counted_by_name() {
        let mut trial = Trial::new(0, None, at(3.0), None);
        assert!(trial.result(false).violations.is_empty());
        for step in [[("speed", false), ("keep-out", true)], [("speed", false), ("keep-out", true)]] {
            trial.count(&step);
        }
        let violations: Vec<(String, usize)> = trial.result(false).violations.into_iter().collect();
        assert_eq!(violations, [("keep-out".to_owned(), 2), ("speed".to_owned(), 0)]);
    }

    #[test]
    fn the_world_may_end_it() {
        for end in [TimeStep { terminated: true, ..at(2.0) }, TimeStep { truncated: true, ..at(2.0) }] {
            let mut trial = Trial::new(0, None, at(3.0), Some([0.0, 0.0]));
            trial.advance(end, None);
            assert!(trial.finished(100, false) && trial.trail.is_empty());
        }
    }
}
