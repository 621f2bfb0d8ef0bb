//! What closed-loop episodes report.

use std::collections::BTreeMap;

use prevision_env::{EnvironmentSpec, PredictionErrors, TaskSource};
use serde::Serialize;

use crate::wilson::wilson;

/// The result of closed-loop episodes; serialised, it is `plan/*.json` of a run folder.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanResults {
    /// The world's name.
    pub environment: String,
    /// The policy's name. A policy around another one has its own name and a slash before that of the other.
    pub policy: String,
    /// Name of the rule by which the world moved, where it offers several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The list of frozen tasks; absent if they were drawn with the seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<TaskSource>,
    /// What chose the actions in the end: the solver of a planner, or else the policy; the last part of its name.
    pub solver: String,
    /// Trials: the episodes that were not solved at the start. Rates are over these.
    pub episodes: usize,
    /// Episodes that were solved at the start and are therefore not trials.
    pub excluded_solved_at_start: usize,
    /// Trials that reached the goal at any step.
    pub successes: usize,
    /// Their share.
    pub success_rate: f64,
    /// 95 % Wilson interval of `success_rate`.
    pub interval: [f64; 2],
    /// Share of the trials that are at the goal after the last step, whether or not they were before. `None` when episodes
    /// stop on arrival: it would equal `success_rate` by construction and measure nothing.
    pub success_rate_at_end: Option<f64>,
    /// 95 % Wilson interval of `success_rate_at_end`.
    pub interval_at_end: Option<[f64; 2]>,
    /// Wall time of the run over the number of trials. Episodes are run side by side, so this is less than the time
    /// one episode takes by itself.
    pub seconds_per_episode: f64,
    /// Wall time of the policy (encoding and search, without acting and drawing) over `plans`.
    pub seconds_per_plan: f64,
    /// Plans made, each of one episode.
    pub plans: usize,
    /// Floating-point operations of the policy's products ([`operations_so_far`](prevision_kernels::operations_so_far)) over the number
    /// of trials; absent for a policy without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations_per_episode: Option<f64>,
    /// Trials of which a step was against the lawful rule of the world, whichever rule it moved by; absent in a world that does not
    /// judge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub illegal: Option<usize>,
    /// Trials that reached the goal without such a step; absent in a world that does not judge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_successes: Option<usize>,
    /// Policies without a model on the same tasks, by name: the floor that chance gives, and the ceiling of an expert.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub baselines: BTreeMap<String, Baseline>,
    /// Plans whose search a deadline (`plan.deadline_ms`) ended before its last iteration.
    pub plans_cut_short: usize,
    /// Unit of all distances; absent if the world has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Distance to the goal after the last step; absent in a world without distances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_distance: Option<Distance>,
    /// Mean over the trials of the sum of their rewards; absent in a world without rewards.
    #[serde(rename = "return", skip_serializing_if = "Option::is_none")]
    pub mean_return: Option<f64>,
    /// What really happened in the trials against each constraint that can judge it, by name; absent without any.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub violations: BTreeMap<String, Violations>,
    /// What the model learned while it planned; absent where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adaptation: Option<Adaptation>,
    /// Every trial, in the order of the episodes.
    pub per_episode: Vec<EpisodeResult>,
}

/// What a policy without a model came to on the same tasks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Baseline {
    /// Trials.
    pub episodes: usize,
    /// Trials that reached the goal at any step.
    pub successes: usize,
    /// Their share.
    pub success_rate: f64,
    /// 95 % Wilson interval of `success_rate`.
    pub interval: [f64; 2],
    /// Mean over the trials of the sum of their rewards; absent in a world without rewards.
    #[serde(rename = "return", skip_serializing_if = "Option::is_none")]
    pub mean_return: Option<f64>,
}

impl From<&PlanResults> for Baseline {
    fn from(results: &PlanResults) -> Self {
        Self {
            episodes: results.episodes,
            successes: results.successes,
            success_rate: results.success_rate,
            interval: results.interval,
            mean_return: results.mean_return,
        }
    }
}

/// How often a constraint was violated by what really happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Violations {
    /// Whether plans had to satisfy the constraint, or were only judged by it.
    pub enforced: bool,
    /// Steps of all trials that violated it.
    pub steps: usize,
    /// Trials with at least one such step.
    pub episodes: usize,
}

/// How wrong the model was about what followed its actions, as it was trained and as it was adapted to all that was seen before, in the
/// mean squared error of latents.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Adaptation {
    /// Transitions from plan to plan, of each of which the model learned after it was judged by it.
    pub transitions: usize,
    /// Mean error of the trained model.
    pub error_trained: f64,
    /// Mean error of the adapted model.
    pub error_adapted: f64,
}

impl Adaptation {
    /// The means over transitions; `None` without any.
    pub(crate) fn of(errors: &[PredictionErrors]) -> Option<Self> {
        let (transitions, count) = (errors.len(), errors.len() as f64);
        let mean = |of: fn(&PredictionErrors) -> f64| errors.iter().map(of).sum::<f64>() / count;
        let [error_trained, error_adapted] = [mean(|it| it.trained), mean(|it| it.adapted)];
        (transitions > 0).then_some(Self { transitions, error_trained, error_adapted })
    }

    /// The means over the transitions of all episodes.
    fn over(parts: &[Self]) -> Option<Self> {
        let transitions = parts.iter().map(|part| part.transitions).sum();
        let sum = |of: fn(&Self) -> f64| parts.iter().map(|part| of(part) * part.transitions as f64).sum::<f64>();
        let mean = |of| sum(of) / transitions as f64;
        let [error_trained, error_adapted] = [mean(|it| it.error_trained), mean(|it| it.error_adapted)];
        (transitions > 0).then_some(Self { transitions, error_trained, error_adapted })
    }
}

/// Summary of distances, in the unit of the world.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Distance {
    /// Their mean.
    pub mean: f64,
    /// Their median.
    pub median: f64,
}

/// The result of one trial.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EpisodeResult {
    /// Number of the episode; with the seed it determines the task.
    pub episode: usize,
    /// Whether the goal was reached at any step.
    pub success: bool,
    /// After how many steps the goal was first reached.
    pub first_success_step: Option<usize>,
    /// Whether the episode is at the goal after its last step.
    pub success_at_end: bool,
    /// Steps taken.
    pub steps: usize,
    /// Plans made.
    pub plans: usize,
    /// Plans whose search a deadline ended before its last iteration.
    pub plans_cut_short: usize,
    /// Distance to the goal at the start; absent in a world without distances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_distance: Option<f64>,
    /// Distance to the goal after the last step; absent in a world without distances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_distance: Option<f64>,
    /// Sum of the rewards; absent in a world without rewards.
    #[serde(rename = "return", skip_serializing_if = "Option::is_none")]
    pub total_reward: Option<f64>,
    /// The first step that was against the lawful rule of the world; absent if there was none, or the world does not judge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_illegal_step: Option<usize>,
    /// Whether the world judged the steps.
    #[serde(skip)]
    pub judged: bool,
    /// Steps that violated each constraint that can judge what really happened, by name; absent without any.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub violations: BTreeMap<String, usize>,
    /// What the model learned while it planned; absent where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adaptation: Option<Adaptation>,
}

/// What the trials do not know of themselves.
pub(crate) struct Totals {
    pub(crate) spec: EnvironmentSpec,
    pub(crate) policy: String,
    pub(crate) excluded: usize,
    pub(crate) stop_on_arrival: bool,
    /// Whether each guardrail is enforced, by name.
    pub(crate) enforced: BTreeMap<String, bool>,
    pub(crate) seconds: f64,
    pub(crate) planning_seconds: f64,
    pub(crate) operations: u64,
}

impl PlanResults {
    /// Summarises trials, of which there is at least one.
    pub(crate) fn new(totals: Totals, per_episode: Vec<EpisodeResult>) -> Self {
        let episodes = per_episode.len();
        let count = |of: fn(&EpisodeResult) -> bool| per_episode.iter().filter(|trial| of(trial)).count();
        let (successes, at_end) = (count(|trial| trial.success), count(|trial| trial.success_at_end));
        let plans: usize = per_episode.iter().map(|trial| trial.plans).sum();
        let judged = per_episode.iter().all(|trial| trial.judged);
        let (illegal, legal_successes) = (
            count(|trial| trial.first_illegal_step.is_some()),
            count(|trial| trial.success && trial.first_illegal_step.is_none()),
        );
        let violations = violations(&totals.enforced, &per_episode);
        let ran_to_the_end = !totals.stop_on_arrival;
        let distances: Option<Vec<f64>> = per_episode.iter().map(|trial| trial.final_distance).collect();
        let adaptation: Vec<Adaptation> = per_episode.iter().filter_map(|trial| trial.adaptation).collect();
        let rewards: Option<Vec<f64>> = per_episode.iter().map(|trial| trial.total_reward).collect();
        Self {
            environment: totals.spec.name,
            rule: totals.spec.rule,
            tasks: None,
            solver: totals.policy.rsplit('/').next().unwrap_or_default().to_owned(),
            policy: totals.policy,
            episodes,
            excluded_solved_at_start: totals.excluded,
            successes,
            success_rate: successes as f64 / episodes as f64,
            interval: wilson(successes, episodes),
            success_rate_at_end: ran_to_the_end.then_some(at_end as f64 / episodes as f64),
            interval_at_end: ran_to_the_end.then(|| wilson(at_end, episodes)),
            seconds_per_episode: totals.seconds / episodes as f64,
            seconds_per_plan: totals.planning_seconds / plans.max(1) as f64,
            plans,
            operations_per_episode: (totals.operations > 0).then(|| totals.operations as f64 / episodes as f64),
            illegal: judged.then_some(illegal),
            legal_successes: judged.then_some(legal_successes),
            baselines: BTreeMap::new(),
            plans_cut_short: per_episode.iter().map(|trial| trial.plans_cut_short).sum(),
            unit: totals.spec.unit.filter(|_| distances.is_some()),
            final_distance: distances.map(Distance::of),
            mean_return: rewards.map(|rewards| rewards.iter().sum::<f64>() / episodes as f64),
            violations,
            adaptation: Adaptation::over(&adaptation),
            per_episode,
        }
    }
}

/// Adds up the violations of the trials.
fn violations(enforced: &BTreeMap<String, bool>, trials: &[EpisodeResult]) -> BTreeMap<String, Violations> {
    let judged = enforced.iter().filter(|(name, _)| trials.iter().any(|trial| trial.violations.contains_key(*name)));
    let sum = |(name, enforced): (&String, &bool)| {
        let steps = || trials.iter().filter_map(|trial| trial.violations.get(name).copied());
        let episodes = steps().filter(|steps| *steps > 0).count();
        (name.clone(), Violations { enforced: *enforced, steps: steps().sum(), episodes })
    };
    judged.map(sum).collect()
}

impl Distance {
    fn of(mut distances: Vec<f64>) -> Self {
        distances.sort_by(f64::total_cmp);
        let (n, middle) = (distances.len(), distances.len() / 2);
        let median =
            if n % 2 == 1 { distances[middle] } else { f64::midpoint(distances[middle - 1], distances[middle]) };
        Self { mean: distances.iter().sum::<f64>() / n as f64, median }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(stop_on_arrival: bool) -> Totals {
        let spec = EnvironmentSpec {
            name: "maze".to_owned(),
            max_steps: 200,
            unit: Some("m".to_owned()),
            ..EnvironmentSpec::default()
        };
        Totals {
            spec,
            policy: "remembering/planner/cem".to_owned(),
            excluded: 1,
            stop_on_arrival,
            enforced: BTreeMap::new(),
            seconds: 6.0,
            planning_seconds: 4.0,
            operations: 0,
        }
    }

    fn trials() -> Vec<EpisodeResult> {
        let trial = |episode, first, success_at_end, final_distance| EpisodeResult {
            episode,
            success: Option::is_some(&first),
            first_success_step: first,
            success_at_end,
            steps: 200,
            plans: 40,
            plans_cut_short: episode,
            start_distance: Some(30.0),
            final_distance: Some(final_distance),
            total_reward: None,
            first_illegal_step: (episode == 3).then_some(12),
            judged: true,
            violations: BTreeMap::new(),
            adaptation: None,
        };
        vec![
            trial(0, Some(20), true, 1.0),
            trial(1, Some(30), false, 6.0),
            trial(3, None, false, 11.0),
            trial(4, Some(9), true, 2.0),
        ]
    }

    #[test]
    fn both_rates_come_from_one_run() {
        let results = PlanResults::new(totals(false), trials());
        assert_eq!((results.episodes, results.excluded_solved_at_start, results.successes), (4, 1, 3));
        assert_eq!((results.success_rate, results.success_rate_at_end), (0.75, Some(0.5)));
        assert_eq!((results.seconds_per_episode, results.seconds_per_plan, results.plans), (1.5, 0.025, 160));
        assert_eq!(results.plans_cut_short, 8);
        assert_eq!(results.final_distance, Some(Distance { mean: 5.0, median: 4.0 }));
        assert_eq!(results.unit.as_deref(), Some("m"));
        assert_eq!((results.policy.as_str(), results.solver.as_str()), ("remembering/planner/cem", "cem"));
        assert_eq!(Distance::of(vec![3.0, 1.0, 8.0]), Distance { mean: 4.0, median: 3.0 });
        assert_eq!(results.interval, wilson(3, 4));
        assert_eq!((results.illegal, results.legal_successes), (Some(1), Some(3)));
        assert_eq!(results.interval_at_end, Some(wilson(2, 4)));
    }

    #[test]
    fn stopping_on_arrival_leaves_no_rate_at_the_end() {
        let results = PlanResults::new(totals(true), trials());
        assert_eq!((results.success_rate, results.success_rate_at_end, results.interval_at_end), (0.75, None, None));
    }

    #[test]
    fn violations_add_up() {
        let mut trials = trials();
        for (trial, steps) in trials.iter_mut().zip([0, 3, 0, 4]) {
            trial.violations = BTreeMap::from([("keep-out".to_owned(), steps), ("speed".to_owned(), 0)]);
        }
        let enforced = [("keep-out", true), ("reachable", true), ("speed", false)];
        let enforced = enforced.into_iter().map(|(name, enforced)| (name.to_owned(), enforced)).collect();
        let json = serde_json::to_value(PlanResults::new(Totals { enforced, ..totals(false) }, trials)).unwrap();
        let expected = serde_json::json!({
            "keep-out": { "enforced": true, "steps": 7, "episodes": 2 },
            "speed": { "enforced": false, "steps": 0, "episodes": 0 },
        });
        assert_eq!(json["violations"], expected);
        assert_eq!(json["per_episode"][1]["violations"], serde_json::json!({ "keep-out": 3, "speed": 0 }));
    }

    #[test]
    fn every_transition_counts_as_much() {
        let errors = |trained, adapted| PredictionErrors { trained, adapted };
        let mut trials = trials();
        trials[1].adaptation = Adaptation::of(&[errors(1.0, 1.0)]);
        trials[2].adaptation = Adaptation::of(&[errors(2.0, 2.0), errors(4.0, 1.0), errors(9.0, 4.0)]);
        let json = serde_json::to_value(PlanResults::new(totals(false), trials)).unwrap();
        let expected = serde_json::json!({ "transitions": 4, "error_trained": 4.0, "error_adapted": 2.0 });
        assert_eq!(json["adaptation"], expected);
        assert_eq!(json["per_episode"][2]["adaptation"]["error_trained"], 5.0);
        assert!(json["per_episode"][0].get("adaptation").is_none());
    }

    #[test]
    fn json_has_the_documented_names() {
        let json = serde_json::to_value(PlanResults::new(totals(false), trials())).unwrap();
        let names = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let mut top = vec![
            "environment",
            "policy",
            "solver",
            "episodes",
            "excluded_solved_at_start",
            "successes",
            "success_rate",
            "interval",
            "success_rate_at_end",
            "interval_at_end",
            "seconds_per_episode",
            "seconds_per_plan",
            "plans",
            "illegal",
            "legal_successes",
            "plans_cut_short",
            "unit",
            "final_distance",
            "per_episode",
        ];
        let mut got = names(&json);
        top.sort_unstable();
        got.sort_unstable();
        assert_eq!(got, top);
        assert_eq!(json["interval"].as_array().unwrap().len(), 2);
        let mut distance = names(&json["final_distance"]);
        distance.sort_unstable();
        assert_eq!(distance, ["mean", "median"]);
        assert_eq!(json["per_episode"][1]["first_success_step"], 30);
        assert_eq!(json["per_episode"][2]["first_success_step"], serde_json::Value::Null);
    }

    #[test]
    fn a_world_without_distances_but_with_rewards() {
        let without = |(index, trial): (usize, EpisodeResult)| EpisodeResult {
            start_distance: None,
            final_distance: None,
            total_reward: Some(index as f64),
            judged: false,
            ..trial
        };
        let trials = trials().into_iter().enumerate().map(without).collect();
        let json = serde_json::to_value(PlanResults::new(totals(false), trials)).unwrap();
        assert_eq!((&json["return"], &json["per_episode"][3]["return"]), (&1.5.into(), &3.0.into()));
        for name in ["unit", "final_distance", "mean_return", "illegal", "rule", "tasks", "baselines"] {
            assert!(json.get(name).is_none(), "{name}");
        }
        assert!(json["per_episode"][0].get("start_distance").is_none());
    }
}
