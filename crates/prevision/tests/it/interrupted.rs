//! Signals during a training, and two trainings in one folder.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{command, refused, succeed, text, video, videos_experiment};

/// A folder with a video, an experiment that trains for ever, and the place of its run.
struct Endless(tempfile::TempDir);

impl Endless {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("videos")).expect("a folder");
        video(&folder.path().join("videos/a.mp4"), 12, 0);
        let experiment = videos_experiment(&folder.path().join("videos"), 1);
        let endless = experiment.replace("steps = 3", "steps = 100000000\nlog_every = 5\nimage_every = 0");
        let endless = endless.replace("workers = 2", "workers = 0\nvalidation_fraction = 0");
        fs::write(folder.path().join("e.toml"), endless).expect("a file");
        Self(folder)
    }

    fn experiment(&self) -> String {
        text(&self.0.path().join("e.toml")).to_owned()
    }

    fn run(&self) -> String {
        text(&self.0.path().join("run")).to_owned()
    }

    /// Starts the training and waits for its first metrics.
    fn start(&self, more: &[&str]) -> Child {
        let (experiment, run) = (self.experiment(), self.run());
        let arguments: Vec<&str> = ["train", &experiment, "--run", &run].iter().chain(more).copied().collect();
        let child = command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let metrics = Path::new(&run).join("metrics.jsonl");
        wait_until(|| fs::metadata(&metrics).is_ok_and(|file| file.len() > 0));
        child
    }
}

fn wait_until(there: impl Fn() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < Duration::from_mins(1), "it takes too long");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(name: &str, child: &Child) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status();
    assert!(sent.expect("sh starts").success());
}

#[test]
fn a_scheduler_gets_a_checkpoint() {
    for name in ["TERM", "HUP", "INT"] {
        let endless = Endless::new();
        let mut child = endless.start(&[]);
        signal(name, &child);
        assert_eq!(child.wait().expect("it ends").code(), Some(1), "SIG{name}");
        assert!(Path::new(&endless.run()).join("checkpoints/latest").exists(), "SIG{name}");
        succeed(&["train", &endless.experiment(), "--run", &endless.run(), "--resume", "--set", "train.steps=1"]);
    }
}

#[test]
fn a_second_signal_ends_a_long_step() {
    let endless = Endless::new();
    let (experiment, run) = (endless.experiment(), endless.run());
    let mut child = command(&["train", &experiment, "--run", &run, "--set", "train.accumulate=100000000"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    wait_until(|| Path::new(&run).join("config.toml").exists());
    // The handler is there before the run's folder is written to.
    signal("INT", &child);
    std::thread::sleep(Duration::from_millis(200));
    assert!(child.try_wait().expect("a child").is_none(), "the first one waits for the end of the step");
    signal("INT", &child);
    assert_eq!(child.wait().expect("it ends").signal(), Some(2));
}

#[test]
fn one_training_in_a_run_folder() {
    let endless = Endless::new();
    let mut child = endless.start(&["--set", "train.checkpoint_every=5"]);
    wait_until(|| Path::new(&endless.run()).join("checkpoints/latest").exists());
    let again = ["train", &endless.experiment(), "--run", &endless.run(), "--resume"];
    refused(&again, 1, &["another process trains in this run folder"]);
    assert!(Path::new(&endless.run()).join("checkpoints/latest").exists());
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}
