//! A model that errs about its world is put right while it is planned with.

use std::sync::Arc;

use burn::prelude::*;
use prevision_core::config::Part;
use prevision_model::{Adaptable, Latents, ModelSpec, ObservationBatch, Past, Transition, WorldModel};
use prevision_plan::{AdaptationConfig, EpisodeResult, Parts, PlanConfig, PlanResults, Rules, setup};

use super::corridor::{Corridor, Exact};
use super::run;

/// Knows the corridor, but may take up for down. It changes its mind when it was wrong.
struct Doubting {
    exact: Arc<Exact>,
    wrong: bool,
}

impl WorldModel for Doubting {
    fn spec(&self) -> &ModelSpec {
        self.exact.spec()
    }

    fn device(&self) -> Device {
        self.exact.device()
    }

    fn encode(&self, seen: &ObservationBatch) -> Latents {
        self.exact.encode(seen)
    }

    fn imagine(&self, past: &Past, actions: Tensor<4>) -> Latents {
        self.exact.imagine(past, if self.wrong { actions.flip([3]) } else { actions })
    }

    fn adaptable(&self) -> Option<&dyn Adaptable> {
        Some(self)
    }
}

impl Adaptable for Doubting {
    fn errors(&self, transition: &Transition) -> Tensor<1> {
        let imagined = self.imagine(&transition.past, transition.actions.clone().unsqueeze_dim(1));
        (imagined.last().tokens - transition.seen.last().tokens).square().flatten(0, 3)
    }

    fn adapted(&self, transition: &Transition, rate: f64) -> Arc<dyn WorldModel> {
        let error: f32 = self.errors(transition).mean().into_scalar();
        Arc::new(Self { exact: Arc::clone(&self.exact), wrong: self.wrong != (f64::from(error) * rate > 0.0) })
    }
}

fn plan(rate: f64, wrong: bool, execute: usize, rows: usize) -> PlanResults {
    let config = PlanConfig {
        solver: Part::new("cem").with("samples", 60).with("iterations", 3),
        horizon: 4,
        execute,
        adaptation: AdaptationConfig { rate },
        ..PlanConfig::default()
    };
    let mut worlds = Corridor::rows(rows, Corridor::new);
    let spec = worlds[0].spec().clone();
    let model = Arc::new(Doubting { exact: Exact::new(1, false), wrong });
    let mut policy = setup::policy(&config, &Parts::default(), model, &spec).unwrap();
    run(&mut worlds, policy.as_mut(), &Rules::new(6, 0)).unwrap()
}

#[test]
fn a_wrong_model_is_put_right() {
    for execute in [1, 2] {
        let without = plan(0.0, true, execute, 6);
        assert_eq!((without.successes, without.adaptation), (0, None));
        let with = plan(1.0, true, execute, 6);
        assert_eq!((with.policy.as_str(), with.solver.as_str()), ("adapting/planner/cem", "cem"));
        for trial in &with.per_episode {
            // One plan leads the wrong way, or against the end.
            let cells = trial.start_distance.unwrap() as usize;
            let first = trial.first_success_step.unwrap_or_else(|| panic!("{trial:?}"));
            assert!((cells + execute..=cells + 2 * execute + 1).contains(&first), "{trial:?}");
            let found = trial.adaptation.unwrap();
            assert_eq!(found.transitions, trial.plans - 1);
            // It was wrong about the first transition, and about no other.
            assert!(found.error_trained >= found.error_adapted && found.error_adapted > 0.0, "{trial:?}");
        }
        let found = with.adaptation.unwrap();
        assert!(found.error_trained > 2.0 * found.error_adapted, "{found:?}");
        assert_eq!(found.transitions, with.plans - with.episodes);
    }
}

#[test]
fn episodes_learn_for_themselves_and_plans_stay_those_of_the_planner() {
    assert_eq!(plan(1.0, true, 2, 1).per_episode, plan(1.0, true, 2, 6).per_episode);
    let plain = |results: PlanResults| -> Vec<EpisodeResult> {
        results.per_episode.into_iter().map(|trial| EpisodeResult { adaptation: None, ..trial }).collect()
    };
    assert_eq!(plain(plan(1.0, false, 1, 6)), plain(plan(0.0, false, 1, 6)));
}

#[test]
fn a_model_that_cannot_be_adapted_is_refused() {
    let config = PlanConfig { adaptation: AdaptationConfig { rate: 0.5 }, ..PlanConfig::default() };
    let spec = Corridor::rows(1, Corridor::new)[0].spec().clone();
    let refused = setup::policy(&config, &Parts::default(), Exact::new(1, false), &spec).err().unwrap();
    assert_eq!(refused.to_string(), "plan.adaptation.rate is 0.5, but must be 0: this model cannot be adapted");
}
