//! Evaluations of whole models on recorded episodes.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use prevision_data::{Array2, DataConfig, Episode, EpisodeOptions, EpisodeWriter, SourceConfig, seed};
use prevision_eval::{EvalError, EvalResults, Suite, evaluate};
use prevision_model::{InputShape, Jepa};
use prevision_train::config::ExperimentConfig;
use prevision_video::FrameBuffer;
use rand::Rng;

const SIDE: usize = 16;
const LENGTH: usize = 9;

/// A bright square of 3 x 3 pixels that walks about; the state is its centre.
fn episode(number: usize, with_state: bool) -> Episode {
    let mut rng = seed::rng(1, "episode", 0, number as u64);
    let mut frames = FrameBuffer::new(LENGTH, SIDE, SIDE);
    let (mut action, mut state) = (Array2::default(), Array2::default());
    let mut place: [i32; 2] = [rng.random_range(1..15), rng.random_range(1..15)];
    for t in 0..LENGTH {
        for (dy, dx) in (0..9).map(|i| (i / 3 - 1, i % 3 - 1)) {
            let pixel = ((place[1] + dy) as usize * SIDE + (place[0] + dx) as usize) * 3;
            frames.frame_mut(t)[pixel..pixel + 3].fill(255);
        }
        state.push(&[place[0] as f32, place[1] as f32]);
        let next = place.map(|axis| (axis + rng.random_range(-2..=2)).clamp(1, 14));
        let last = t + 1 == LENGTH;
        action.push(&[0, 1].map(|axis| if last { f32::NAN } else { (next[axis] - place[axis]) as f32 }));
        place = next;
    }
    let mut columns = BTreeMap::from([("action".to_owned(), action)]);
    if with_state {
        columns.insert("state".to_owned(), state);
    }
    Episode { frames, columns }
}

fn record(folder: &Path, with_state: bool) {
    let mut writer = EpisodeWriter::create(folder, &EpisodeOptions::default()).unwrap();
    let episodes: Vec<Episode> = (0..60).map(|number| episode(number, with_state)).collect();
    writer.write_many(&episodes, 2).unwrap();
    writer.finish().unwrap();
}

fn experiment(folder: &Path, with_state: bool, model: &str) -> ExperimentConfig {
    let state = if with_state { "state" } else { "" };
    let source = SourceConfig::Episodes {
        path: folder.into(),
        image: "pixels".into(),
        action: "action".into(),
        state: state.into(),
    };
    let data = DataConfig { source, frames: 8, validation_fraction: 0.3, ..DataConfig::default() };
    let mut config =
        ExperimentConfig { data, model: serde_json::from_str(model).unwrap(), ..ExperimentConfig::default() };
    config.eval.horizons = vec![4, 1, 2, 50];
    config.eval.clips = 12;
    config.eval.batch_size = 5;
    config.eval.probe_steps = 150;
    config.train.steps = Some(1);
    config.validate().unwrap();
    config
}

const ACTION: &str =
    r#"{"kind": "action-conditioned", "encoder": {"kind": "strided-conv", "widths": [8, 16], "dim": 24}}"#;

fn run(config: &ExperimentConfig, suites: &[Suite]) -> Result<EvalResults, EvalError> {
    let device = Device::flex();
    device.seed(3);
    let input = InputShape { channels: 3, frames: 8, height: SIDE, width: SIDE, action_dim: 2, state_dim: 2 };
    let model: Jepa = config.model.init(&input, &config.objective.heads(), &device).valid();
    let mut last = 0;
    evaluate(config, &model, &device, suites, &mut |_, done, total| {
        assert!(done <= total);
        last += 1;
    })
}

#[test]
fn all_suites_of_an_action_conditioned_model() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), true);
    for model in [ACTION.to_owned(), ACTION.replace("}}", r#"}, "target": {"kind": "momentum"}}"#)] {
        let config = experiment(folder.path(), true, &model);
        let results = run(&config, &Suite::ALL).unwrap();
        assert_eq!(results.clips, 12);
        let rollout = results.rollout.as_ref().unwrap();
        assert_eq!(rollout.iter().map(|error| error.horizon).collect::<Vec<_>>(), [1, 2, 4]);
        for error in rollout {
            assert!(error.model > 0.0 && error.copy > 0.0 && error.mean > 0.0, "{error:?}");
        }
        assert!(rollout[2].copy > rollout[0].copy, "a walk leads away");
        let probe = results.probe.as_ref().unwrap();
        assert!(probe.linear_px < 0.7 * probe.mean_px, "an untrained encoder still shows where things are: {probe:?}");
        assert_eq!(probe.test_samples, 12 * 8);
        assert!(probe.training_samples > probe.test_samples);
        let collapse = results.collapse.unwrap();
        assert!(collapse.effective_rank > 1.0 && collapse.rankme > 1.0 && collapse.rankme <= 24.0);
        let retrieval = results.retrieval.as_ref().unwrap();
        assert_eq!((retrieval.candidates, retrieval.horizons.len()), (12, 3));
        let again = EvalResults { seconds: results.seconds, ..run(&config, &Suite::ALL).unwrap() };
        assert_eq!(again, results);
    }
}

#[test]
fn suites_that_are_not_asked_for_or_do_not_apply_are_absent() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), false);
    let config = experiment(folder.path(), false, ACTION);
    let results = run(&config, &[Suite::Probe, Suite::Collapse]).unwrap();
    assert!(results.rollout.is_none() && results.retrieval.is_none() && results.probe.is_none());
    assert!(results.collapse.is_some());
}

#[test]
fn a_masked_model_is_measured_in_tubelets() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), false);
    let model = r#"{"kind": "masked", "encoder": {"dim": 24, "depth": 1, "heads": 2, "patch": 8, "tubelet": 2},
                    "predictor": {"width": 24, "depth": 1, "heads": 2}}"#;
    let mut config = experiment(folder.path(), false, model);
    config.objective.prediction.normalise_targets = true;
    let results = run(&config, &Suite::ALL).unwrap();
    let rollout = results.rollout.as_ref().unwrap();
    // Eight frames are four tubelets: three can be hidden.
    assert_eq!(rollout.iter().map(|error| error.horizon).collect::<Vec<_>>(), [1, 2]);
    // Normalised targets have a mean square of 1 over dimensions, so the mean baseline is at most 1.
    assert!(rollout.iter().all(|error| error.mean > 0.0 && error.mean <= 1.0 + 1e-4), "{rollout:?}");
    assert!(rollout.iter().all(|error| error.model > error.mean), "an untrained predictor knows less than the mean");
    assert!(results.probe.is_none());
    assert_eq!(results.retrieval.unwrap().candidates, 12);
    assert!(results.collapse.unwrap().rankme <= 24.0);
}

#[test]
fn horizons_that_no_clip_has_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), false);
    let mut config = experiment(folder.path(), false, ACTION);
    config.eval.horizons = vec![8, 9];
    let message = run(&config, &Suite::ALL).unwrap_err().to_string();
    assert_eq!(message, "eval.horizons = [8, 9]: clips of 8 frames (data.frames) allow at most 7 steps");
}
