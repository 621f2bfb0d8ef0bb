//! Running the binary, and small experiments for it.

use std::path::Path;
use std::process::{Command, Output};

use prevision::core::FrameBuffer;
use prevision::video::{Mp4Options, Mp4Writer, Quality};

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prevision"));
    command.args(arguments);
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the binary starts")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Runs, and fails with both streams if the exit code is not 0.
pub(crate) fn succeed(arguments: &[&str]) -> Output {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}\n{}\n{}", stdout(&output), stderr(&output));
    output
}

/// Checks the exit code and that the message names everything in `names`.
pub(crate) fn refused(arguments: &[&str], code: i32, names: &[&str]) {
    let output = run(arguments);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
    let error = message.find("error: ").map_or_else(|| panic!("no error: {message}"), |at| &message[at..]);
    for name in names {
        assert!(error.contains(name), "{name:?} is not in: {error}");
    }
    assert!(!message.contains("panicked"), "{message}");
}

/// A small world model of recorded episodes in `data`.
pub(crate) fn episodes_experiment(data: &Path) -> String {
    format!(
        r#"
seed = 4
[data]
frames = 9
batch_size = 4
workers = 2
validation_fraction = 0.25
[data.source]
kind = "episodes"
path = {:?}
[model]
kind = "action-conditioned"
[model.encoder]
kind = "strided-conv"
patch = 5
widths = [8]
hidden = 16
dim = 16
[model.distance]
hidden = 16
groups = 2
size = 4
[objective]
variance = 1
covariance = 1
inverse_dynamics = 1
position = 1
[objective.distance]
weight = 1
[train]
steps = 30
log_every = 5
checkpoint_every = 5
[eval]
horizons = [1, 8]
clips = 4
probe.steps = 20
[plan]
horizon = 4
execute = 4
episodes = 3
max_steps = 8
videos = 1

[plan.costs]
distance = 1
[plan.solver]
kind = "icem"
samples = 8
elites = 2
iterations = 2
keep_elites = 1
"#,
        data.display().to_string()
    )
}

/// A small masked model of the videos in `data`.
pub(crate) fn videos_experiment(data: &Path, batch_size: usize) -> String {
    format!(
        r#"
[data]
frames = 4
size = 32
batch_size = {batch_size}
workers = 2
[data.source]
kind = "videos"
path = {:?}
[model]
kind = "masked"
[model.encoder]
dim = 24
depth = 1
heads = 2
patch = 8
[model.predictor]
width = 24
depth = 1
heads = 2
[objective.prediction]
loss = "l1"
normalise_targets = true
[train]
steps = 3
"#,
        data.display().to_string()
    )
}

/// A short video of a moving bar.
pub(crate) fn video(path: &Path, frames: usize, offset: usize) {
    let options = Mp4Options { width: 48, height: 32, frame_rate: 10, quality: Quality::Crf(25), keyframe_interval: 8 };
    let mut writer = Mp4Writer::create(path, &options).expect("a video");
    for index in 0..frames {
        let mut frame = FrameBuffer::new(1, 32, 48);
        for (pixel, rgb) in frame.data.chunks_exact_mut(3).enumerate() {
            let lit = (pixel % 48 + index * 2 + offset).is_multiple_of(16);
            rgb.copy_from_slice(if lit { &[250, 200, 60] } else { &[20, 30, 90] });
        }
        writer.write(&frame.data).expect("a frame");
    }
    writer.finish().expect("a finished video");
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
