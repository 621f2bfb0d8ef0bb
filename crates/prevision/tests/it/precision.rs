//! Training in bfloat16 learns what training in float32 does.

use std::fs;
use std::path::Path;

use crate::support::{refused, succeed, text};

/// A small world model of Two Rooms whose products are those of the kernels.
fn experiment(data: &Path) -> String {
    format!(
        r#"
seed = 2
[data]
frames = 5
batch_size = 8
[data.source]
kind = "episodes"
path = {:?}
[data.normalise]
mean = [0.0026, 0.0989, 0.0989]
std = [0.0369, 0.2986, 0.2986]
[model.encoder]
kind = "patches"
hidden = 16
channels = 4
[model.static_encoder]
kind = "patches"
hidden = 16
channels = 4
[model.predictor]
kind = "residual-conv"
hidden = 24
[objective]
variance = 4
covariance = 1
position = 1
static_similarity = 10
[objective.prediction]
weight = 4
rollout_steps = 4
[optimizer]
lr = 3e-3
[train]
steps = 150
log_every = 5
"#,
        data.display().to_string()
    )
}

/// The values of a term of the loss, one for each line of metrics.
fn curve(run: &Path, term: &str) -> Vec<f64> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).expect("metrics");
    let line = |line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["loss"][term].as_f64();
    text.lines().map(|text| line(text).expect("a number")).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Bfloat16 holds 8 bits of a number, 1 in 256: its training may end a tenth of the way down above or below float32's.
const TOLERANCE: f64 = 0.1;

#[test]
fn training_in_bfloat16_reaches_the_loss_of_float32_and_keeps_its_precision() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, file) = (folder.path().join("episodes"), folder.path().join("e.toml"));
    fs::write(&file, experiment(&data)).expect("a file");
    succeed(&["data", "generate", "two-rooms", "--episodes", "40", "--steps", "20", "--out", text(&data)]);
    let [exact, rounded] = ["float32", "bf16"].map(|precision| {
        let run = folder.path().join(precision);
        let set = format!("train.precision={precision}");
        succeed(&["train", text(&file), "--run", text(&run), "--set", &set]);
        run
    });
    for term in ["total", "position"] {
        let [exact, rounded] = [&exact, &rounded].map(|run| curve(run, term));
        let (first, last, rounded) = (exact[0], mean(&exact[25..]), mean(&rounded[25..]));
        assert!(last < 0.5 * first, "{term} in float32: {first} to {last}");
        let apart = (rounded - last).abs() / (first - last);
        assert!(apart < TOLERANCE, "{term}: {rounded} in bfloat16, {last} in float32, from {first}");
    }
    let weights = |run: &Path| fs::read(run.join("checkpoints/step-150/model.safetensors")).expect("weights");
    assert!(weights(&exact) != weights(&rounded), "the setting reaches the products");

    // Going on: in the precision of the run, and in no other.
    let written = fs::read_to_string(rounded.join("config.toml")).expect("the configuration");
    assert!(written.contains("precision = \"bf16\""), "{written}");
    let resume = ["train", text(&file), "--run", text(&rounded), "--resume", "--set", "train.steps=151"];
    refused(&resume, 1, &["train.precision", "bf16", "float32"]);
    let with = [&resume[..], &["--set", "train.precision=bf16"]].concat();
    succeed(&with);
}
