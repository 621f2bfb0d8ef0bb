//! Stopping, being killed, and going on.

use std::fs;

use burn::tensor::Device;
use prevision_core::Normalise;
use prevision_train::{Control, Progress, RunFolder};
use tempfile::tempdir;

use crate::world::{ACTION, MASKED, Square, experiment, train_until, weights};

fn steps(run: &RunFolder) -> Vec<u64> {
    let text = fs::read_to_string(run.path("metrics.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["step"].as_u64().unwrap())
        .collect()
}

/// Trains 12 steps at once, and again with a stop at 7 and a kill after 10, which leaves the checkpoint of 8.
fn resumes_bit_for_bit(text: &str) {
    let folder = tempdir().unwrap();
    let straight = RunFolder::create(&folder.path().join("straight")).unwrap();
    let config = experiment(text, &["data.workers=0"]);
    let whole = train_until(&config, &straight, 0).unwrap();
    assert_eq!((whole.steps, whole.interrupted), (12, false));

    let config = experiment(text, &["data.workers=2"]);
    let broken = RunFolder::create(&folder.path().join("broken")).unwrap();
    let part = train_until(&config, &broken, 7).unwrap();
    assert_eq!((part.steps, part.interrupted), (7, true));
    let part = train_until(&config, &broken, 10).unwrap();
    assert_eq!(part.steps, 10);
    // As if the process had been killed after step 10: nothing of it was written but metrics.
    fs::remove_dir_all(broken.path("checkpoints/step-10")).unwrap();
    fs::write(broken.path("checkpoints/latest"), "step-8").unwrap();
    assert_eq!(weights(&straight, 8), weights(&broken, 8), "after the first resume");
    let rest = train_until(&config, &broken, 0).unwrap();
    assert_eq!((rest.steps, rest.frames, rest.interrupted), (12, whole.frames, false));
    assert_eq!(weights(&straight, 12), weights(&broken, 12), "after the second resume");
    assert_ne!(weights(&straight, 12)[0], weights(&straight, 8)[0], "the weights do move");
    let last = |run: &RunFolder| {
        let text = fs::read_to_string(run.path("metrics.jsonl")).unwrap();
        serde_json::from_str::<serde_json::Value>(text.lines().last().unwrap()).unwrap()["learning_rate"].clone()
    };
    assert_eq!(last(&straight), last(&broken));
    let seen = steps(&broken);
    assert!(seen.is_sorted_by(|a, b| a < b), "each step is told once: {seen:?}");
}

#[test]
fn an_action_conditioned_run_resumes_bit_for_bit() {
    resumes_bit_for_bit(ACTION);
}

#[test]
fn a_masked_run_resumes_bit_for_bit() {
    resumes_bit_for_bit(MASKED);
}

#[test]
fn half_written_checkpoints_are_ignored_and_removed() {
    let folder = tempdir().unwrap();
    let run = RunFolder::create(&folder.path().join("run")).unwrap();
    let config = experiment(ACTION, &["train.checkpoint_every=1"]);
    train_until(&config, &run, 5).unwrap();
    for name in [".step-9.partial", ".step-4.old.partial"] {
        fs::create_dir(run.path("checkpoints").join(name)).unwrap();
        fs::write(run.path("checkpoints").join(name).join("model.safetensors"), "half").unwrap();
    }
    fs::write(run.path("checkpoints/.latest.1-0.partial"), "step-9").unwrap();
    assert_eq!(run.latest_checkpoint().unwrap().unwrap().state.step, 5);
    // A kill between the checkpoint and the file that names it.
    fs::remove_file(run.path("checkpoints/latest")).unwrap();
    assert_eq!(run.latest_checkpoint().unwrap().unwrap().state.step, 5);
    fs::write(run.path("checkpoints/latest"), "step-4").unwrap();
    assert_eq!(run.latest_checkpoint().unwrap().unwrap().state.step, 4);

    let reference = weights(&run, 5);
    train_until(&config, &run, 6).unwrap();
    assert_eq!(weights(&run, 5), reference, "the checkpoint of a step is replaced by itself");
    let mut names: Vec<_> = fs::read_dir(run.path("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["latest", "step-1", "step-2", "step-3", "step-4", "step-5", "step-6"]);
}

#[test]
fn only_the_newest_checkpoints_are_kept() {
    let folder = tempdir().unwrap();
    let run = RunFolder::create(&folder.path().join("run")).unwrap();
    let config = experiment(ACTION, &["train.checkpoint_every=2", "train.keep_checkpoints=2"]);
    train_until(&config, &run, 0).unwrap();
    let mut names: Vec<_> = fs::read_dir(run.path("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["latest", "step-10", "step-12"]);
    assert_eq!(fs::read_to_string(run.path("checkpoints/latest")).unwrap(), "step-12");
}

#[test]
fn another_experiment_cannot_resume_a_run_but_a_longer_budget_can() {
    let folder = tempdir().unwrap();
    let run = RunFolder::create(&folder.path().join("run")).unwrap();
    train_until(&experiment(ACTION, &["train.steps=4"]), &run, 0).unwrap();
    let message = train_until(&experiment(ACTION, &["model.encoder.dim=32"]), &run, 0).unwrap_err().to_string();
    assert!(
        message.contains("step-4") && message.contains("`model.encoder.dim`: the run has 24, the experiment 32"),
        "{message}"
    );
    let longer = train_until(&experiment(ACTION, &["train.steps=6"]), &run, 0).unwrap();
    assert_eq!(longer.steps, 6);
    let again = train_until(&experiment(ACTION, &["train.steps=6"]), &run, 0).unwrap();
    assert_eq!((again.steps, again.interrupted), (6, false));
    // Nothing was left to do; the losses are those of the last line of metrics.
    let (told, last) = (again.final_loss["total"], longer.final_loss["total"]);
    assert!((told - last).abs() < 1e-9, "{told} is not {last}");
}

#[test]
fn moved_data_can_be_resumed_and_other_clips_cannot() {
    let folder = tempdir().unwrap();
    let run = RunFolder::create(&folder.path().join("run")).unwrap();
    let at = |path: &str, steps: u64| {
        let sets = [format!("data.source={{ kind = \"videos\", path = \"{path}\" }}"), format!("train.steps={steps}")];
        experiment(ACTION, &sets.each_ref().map(String::as_str))
    };
    train_until(&at("here", 2), &run, 0).unwrap();
    assert_eq!(train_until(&at("there", 4), &run, 0).unwrap().steps, 4);
    let message = at("there", 6).train(Square::new(5), &run, &mut Control::default()).unwrap_err().to_string();
    assert!(message.contains("another `data`") && message.contains("\"frames\":5"), "{message}");
}

#[test]
fn a_model_is_loaded_without_its_data() {
    let folder = tempdir().unwrap();
    let run = RunFolder::create(&folder.path().join("run")).unwrap();
    let message = run.trained().unwrap_err().to_string();
    assert!(message.contains("no checkpoint"), "{message}");
    let experiment = experiment(ACTION, &["train.steps=4"]);
    train_until(&experiment, &run, 0).unwrap();
    let run = RunFolder::open(run.root()).unwrap();
    let checkpoint = run.trained().unwrap();
    assert_eq!(checkpoint.config, experiment.settings.resolved);
    assert_eq!(run.config().unwrap(), experiment.settings.resolved);
    let loaded = experiment.task.load(&checkpoint, &Normalise::default(), &Device::flex()).unwrap();
    let (world_model, frozen) = (loaded.world_model.unwrap(), loaded.frozen.unwrap());
    assert_eq!(&world_model.spec().spaces, &Square::new(4).spaces);
    assert_eq!(frozen.spaces(), &Square::new(4).spaces);

    let masked = self::experiment(MASKED, &["train.steps=2"]);
    let second = RunFolder::create(&folder.path().join("masked")).unwrap();
    train_until(&masked, &second, 0).unwrap();
    let loaded = masked.task.load(&second.trained().unwrap(), &Normalise::default(), &Device::flex()).unwrap();
    assert!(loaded.world_model.is_none() && loaded.frozen.is_some());
    let message = masked.task.load(&checkpoint, &Normalise::default(), &Device::flex()).err().unwrap().to_string();
    assert!(message.contains("step-4/model.safetensors"), "{message}");
}

#[test]
fn a_budget_in_minutes_ends_in_time_and_says_how_far_it_is() {
    let folder = tempdir().unwrap();
    let run = RunFolder::create(&folder.path().join("run")).unwrap();
    let config = experiment(&ACTION.replace("steps = 12\n", ""), &["train.minutes=0.02"]);
    let mut seen = Vec::new();
    let summary = {
        let on_progress = Box::new(|progress: &Progress| seen.push((progress.done, progress.seconds_left)));
        let mut control = Control { on_progress, ..Control::default() };
        config.train(Square::new(4), &run, &mut control).unwrap()
    };
    assert!(!summary.interrupted && summary.seconds >= 1.2 && summary.seconds < 10.0, "{} s", summary.seconds);
    assert!(seen.iter().map(|(done, _)| *done).is_sorted(), "{seen:?}");
    assert_eq!(seen.last().copied(), Some((1.0, 0.0)));
    assert_eq!(summary.frames, summary.steps * 8 * 4);
}
