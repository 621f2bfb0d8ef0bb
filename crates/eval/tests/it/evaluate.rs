//! Evaluations of whole models on clips.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use burn::tensor::Device;
use prevision_core::{Normalise, Space, Spaces};
use prevision_data::ClipDataset;
use prevision_eval::{EvalConfig, EvalData, EvalError, EvalResults, built_in, evaluate};
use prevision_model::{ClipBatch, Forecast, FrozenModel, Wanted};
use serde_json::Value;

use crate::models::{MOMENTUM, VECTOR, action, masked};
use crate::walks::{FRAMES, Walks};

const ALL: [&str; 4] = ["rollout", "probe", "collapse", "retrieval"];

pub(crate) fn config() -> EvalConfig {
    toml::from_str("horizons = [4, 1, 2, 50]\nclips = 12\nbatch_size = 5\n[probe]\nsteps = 60").unwrap()
}

pub(crate) fn run(
    model: &dyn FrozenModel,
    held_out: &dyn ClipDataset,
    suites: &[&str],
) -> Result<EvalResults, EvalError> {
    run_with(model, held_out, suites, &config())
}

fn run_with(
    model: &dyn FrozenModel,
    held_out: &dyn ClipDataset,
    suites: &[&str],
    config: &EvalConfig,
) -> Result<EvalResults, EvalError> {
    let training = || Ok(Arc::new(Walks::training()) as Arc<dyn ClipDataset>);
    let suites = config.make(&built_in(), suites).unwrap();
    let data = EvalData { held_out, training: Some(&training) };
    evaluate(model, data, suites, config, 5, &mut |_, done, total| assert!(done <= total))
}

pub(crate) fn at(results: &EvalResults, suite: &str, path: &str) -> f64 {
    results.of(suite).unwrap().pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("no number at {path}"))
}

fn horizons(results: &EvalResults) -> Vec<u64> {
    results.of("rollout").unwrap().as_array().unwrap().iter().map(|entry| entry["horizon"].as_u64().unwrap()).collect()
}

/// A model that notes what it is asked.
struct Asked {
    inner: Box<dyn FrozenModel>,
    wanted: Mutex<Vec<Wanted>>,
}

impl Asked {
    fn new(inner: impl FrozenModel + 'static) -> Self {
        Self { inner: Box::new(inner), wanted: Mutex::default() }
    }
}

impl FrozenModel for Asked {
    fn spaces(&self) -> &Spaces {
        self.inner.spaces()
    }
    fn normalise(&self) -> &Normalise {
        self.inner.normalise()
    }
    fn device(&self) -> Device {
        self.inner.device()
    }
    fn longest_horizon(&self) -> (usize, &'static str) {
        self.inner.longest_horizon()
    }
    fn forecast(&self, batch: &ClipBatch, wanted: Wanted) -> Forecast {
        self.wanted.lock().unwrap().push(wanted);
        self.inner.forecast(batch, wanted)
    }
}

/// A model that has diverged.
struct Diverged(Box<dyn FrozenModel>);

impl FrozenModel for Diverged {
    fn spaces(&self) -> &Spaces {
        self.0.spaces()
    }
    fn normalise(&self) -> &Normalise {
        self.0.normalise()
    }
    fn device(&self) -> Device {
        self.0.device()
    }
    fn longest_horizon(&self) -> (usize, &'static str) {
        self.0.longest_horizon()
    }
    fn forecast(&self, batch: &ClipBatch, wanted: Wanted) -> Forecast {
        let mut forecast = self.0.forecast(batch, wanted);
        forecast.predicted = forecast.predicted.map(|predicted| predicted / 0.0);
        forecast
    }
}

#[test]
fn all_suites_of_an_action_conditioned_model() {
    for (model, normalised, share) in [(VECTOR, false, 0.7), (MOMENTUM, true, 0.9)] {
        let model = action(model, normalised);
        let results = run(&model, &Walks::held_out(), &ALL).unwrap();
        assert_eq!(results.clips, 12);
        assert_eq!(horizons(&results), [1, 2, 4]);
        assert!(at(&results, "rollout", "/2/copy") > at(&results, "rollout", "/0/copy"), "a walk leads away");
        assert!(
            at(&results, "probe", "/linear_px") < share * at(&results, "probe", "/mean_px"),
            "an untrained encoder still shows where things are: {results:?}"
        );
        assert_eq!(at(&results, "probe", "/test_samples"), 12.0 * 8.0);
        assert_eq!(at(&results, "probe", "/training_samples"), 48.0 * 8.0);
        assert!(at(&results, "collapse", "/effective_rank") > 1.0);
        assert!((1.0..=24.0).contains(&at(&results, "collapse", "/rankme")));
        assert_eq!(at(&results, "retrieval", "/candidates"), 12.0);
        assert_eq!(results.table().lines().next(), Some("on 12 held-out clips"));
        let again = EvalResults { seconds: results.seconds, ..run(&model, &Walks::held_out(), &ALL).unwrap() };
        assert_eq!(again, results);
    }
}

#[test]
fn suites_that_are_not_asked_for_or_do_not_apply_are_absent() {
    let model = Asked::new(action(VECTOR, false));
    let opened = AtomicUsize::new(0);
    let training = || {
        opened.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(Walks::training()) as Arc<dyn ClipDataset>)
    };
    let held_out = Walks::held_out().with(|spaces| spaces.state = None);
    let suites = config().make(&built_in(), &["probe", "collapse"]).unwrap();
    let data = EvalData { held_out: &held_out, training: Some(&training) };
    let results = evaluate(&model, data, suites, &config(), 5, &mut |_, _, _| {}).unwrap();
    assert_eq!(results.suites.keys().collect::<Vec<_>>(), ["collapse"]);
    assert_eq!(opened.load(Ordering::Relaxed), 0, "no suite needs training clips");
    assert_eq!(*model.wanted.lock().unwrap(), [Wanted { context: true, steps: 0 }; 3], "nothing is rolled out");
    let data = EvalData { held_out: &Walks::held_out(), training: None };
    let suites = config().make(&built_in(), &["probe", "retrieval"]).unwrap();
    let results = evaluate(&model, data, suites, &config(), 5, &mut |_, _, _| {}).unwrap();
    assert_eq!(results.suites.keys().collect::<Vec<_>>(), ["retrieval"], "nothing to learn from");
    assert_eq!(model.wanted.lock().unwrap().last(), Some(&Wanted { context: false, steps: 4 }));
}

#[test]
fn collapse_needs_neither_a_horizon_nor_actions() {
    let held_out = Walks::held_out().with(|spaces| spaces.action = None);
    let config = EvalConfig { horizons: vec![50], ..config() };
    let results = run_with(&action(VECTOR, false), &held_out, &["collapse"], &config).unwrap();
    assert!(at(&results, "collapse", "/std_mean") > 0.0);
}

#[test]
fn a_masked_model_is_measured_in_tubelets() {
    let results = run(&masked(), &Walks::held_out(), &ALL).unwrap();
    // Eight frames are four tubelets: three can be hidden.
    assert_eq!(horizons(&results), [1, 2]);
    for entry in 0..2 {
        let error = |key: &str| at(&results, "rollout", &format!("/{entry}/{key}"));
        // Normalised targets have a mean square of 1 over dimensions, so the mean baseline is at most 1.
        assert!(error("mean") > 0.0 && error("mean") <= 1.0 + 1e-4);
        assert!(error("model") > error("mean"), "an untrained predictor knows less than the mean");
    }
    assert!(results.of("probe").is_none());
    assert_eq!(at(&results, "retrieval", "/candidates"), 12.0);
    assert!(at(&results, "collapse", "/rankme") <= 24.0);
}

#[test]
fn one_held_out_video_gives_several_clips() {
    let results = run(&action(VECTOR, false), &Walks::new(3, 1).of_length(30), &["rollout"]).unwrap();
    assert_eq!(results.clips, 12, "as many as eval.clips allow");
    let results = run(&action(VECTOR, false), &Walks::new(3, 1).of_length(10), &["rollout"]).unwrap();
    assert_eq!(results.clips, 3, "a video of 10 frames has three different clips of 8");
    let results = run(&action(VECTOR, false), &Walks::new(3, 5).of_length(30), &["rollout"]).unwrap();
    assert_eq!(results.clips, 10, "equally many of each video");
    let message = run(&action(VECTOR, false), &Walks::new(3, 1), &["rollout"]).unwrap_err().to_string();
    assert_eq!(message, "usable held-out clips: 1, expected at least 2");
}

#[test]
fn clips_that_do_not_fit_are_refused() {
    let model = action(VECTOR, false);
    let refused = |held_out: Walks| run(&model, &held_out, &["rollout"]).unwrap_err().to_string();
    let message = refused(Walks::held_out().with(|spaces| {
        let camera = spaces.cameras.remove("pixels").unwrap();
        spaces.cameras.insert("front".to_owned(), camera);
    }));
    assert_eq!(message, "the model was trained on camera pixels 16x16, but the clips have camera front 16x16");
    let message = refused(Walks::held_out().with(|spaces| spaces.frames = 9));
    assert_eq!(message, "data.frames is 9, but must be 8, as in training");
    let message = refused(Walks::held_out().with(|spaces| spaces.action = None));
    assert_eq!(message, "the model was trained with actions of 2 numbers, but the clips have no actions");
    let message = refused(Walks::held_out().with(|spaces| spaces.action = Some(Space::Discrete { count: 3 })));
    assert_eq!(
        message,
        "the model was trained with actions of 2 numbers, but the clips have actions of one of 3 choices"
    );
    let config = EvalConfig { horizons: vec![8, 9], ..config() };
    let message = run_with(&model, &Walks::held_out(), &ALL, &config).unwrap_err().to_string();
    let allowed = format!("7 steps or less for clips of {FRAMES} frames (data.frames)");
    assert_eq!(message, format!("eval.horizons is [8, 9], but must be {allowed}"));
}

#[test]
fn a_model_that_has_diverged_is_named() {
    let model = Diverged(Box::new(action(VECTOR, false)));
    let message = run(&model, &Walks::held_out(), &["rollout"]).unwrap_err().to_string();
    assert_eq!(message, "predicted latents hold values that are not finite: the model has diverged");
}
