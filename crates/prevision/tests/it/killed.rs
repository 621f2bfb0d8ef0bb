//! A training that is killed at any moment resumes to the very same weights.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::{command, episodes_experiment, succeed, text};

fn final_weights(run: &Path) -> Vec<u8> {
    fs::read(run.join("checkpoints/step-30/model.safetensors")).expect("the weights of the last step")
}

fn checkpoint(run: &Path) -> Option<PathBuf> {
    fs::read_dir(run.join("checkpoints"))
        .ok()?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("step-")))
}

#[test]
fn sigkill_and_resume_give_the_same_bits() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, file) = (folder.path().join("episodes"), folder.path().join("e.toml"));
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    fs::write(&file, episodes_experiment(&data)).expect("a file");
    succeed(&["data", "generate", "two-rooms", "--episodes", "16", "--steps", "20", "--out", text(&data)]);
    succeed(&["train", text(&file), "--run", text(&whole)]);

    // Killed as soon as there is a checkpoint, plus some time that differs from machine to machine and run to run.
    let mut training = command(&["train", text(&file), "--run", text(&killed)]).spawn().expect("the binary starts");
    let start = Instant::now();
    while checkpoint(&killed).is_none() && start.elapsed() < Duration::from_mins(1) {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(u64::from(std::process::id() % 40)));
    training.kill().expect("it is killed or has ended");
    training.wait().expect("it has ended");
    succeed(&["train", text(&file), "--run", text(&killed), "--resume"]);
    assert!(final_weights(&whole) == final_weights(&killed), "the weights differ");
    let lines = |run: &Path| fs::read_to_string(run.join("metrics.jsonl")).expect("metrics").lines().count();
    assert_eq!(lines(&whole), lines(&killed));
}
