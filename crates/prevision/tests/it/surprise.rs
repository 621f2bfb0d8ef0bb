//! Films, a training on possible ones, and the surprise at impossible ones.

use std::path::Path;

use crate::support::{refused, stdout, succeed};
use prevision::video::{FrameSource as _, OpenOptions, Video};
use serde_json::Value;

const EXPERIMENT: &str = r#"
seed = 3
[data]
frames = 12
frame_step = 2
size = 32
batch_size = 8
[data.source]
kind = "physics-films"
videos = 500
[model]
kind = "masked"
momentum = 0.9
[model.encoder]
dim = 32
depth = 1
heads = 2
patch = 8
[model.predictor]
width = 32
depth = 1
heads = 2
[objective]
variance = 1
[objective.prediction]
loss = "l1"
normalise_targets = true
[train]
steps = 20
"#;

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn films_are_drawn_and_scored() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(place("experiment.toml"), EXPERIMENT).unwrap();
    let films = ["data", "films", "--out", &place("films"), "--quadruplets", "6", "--seed", "2"];
    assert!(stdout(&succeed(&films)).starts_with("24 films of 6 scenes: "));
    succeed(&["train", &place("experiment.toml"), "--run", &place("run")]);
    let (run, films, results) = (place("run"), place("films"), place("results.json"));
    let video = place("films.mp4");
    let group = "permanence_moving 4";
    let table = stdout(&succeed(&[
        "surprise",
        &run,
        &films,
        "--json",
        &results,
        "--video",
        &video,
        "--group",
        group,
        "--contexts",
        "2,4,10",
    ]));
    assert!(table.starts_with("24 films in 6 groups, windows of 12 frames 2 apart"), "{table}");
    assert!(table.lines().any(|line| line.starts_with("pairwise accuracy, mean ")), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 110), "{table}");

    let found = json(Path::new(&results));
    assert_eq!(found["contexts"], serde_json::json!([2, 4, 10]));
    // By the way the films are made, pixel change is right in two of the four pairs of every group.
    let half = serde_json::json!({"value": 0.5, "low": 0.5, "high": 0.5});
    assert_eq!(found["mean"]["pairwise"]["pixel_change"], half);
    let kinds: Vec<&Value> = found["per_kind"].as_array().unwrap().iter().map(|kind| &kind["kind"]).collect();
    assert_eq!(kinds, ["permanence_moving 1-0", "permanence_moving 0-1"]);
    let film = &found["films"][17];
    assert_eq!(film["group"], group);
    let curve = film["surprise"]["curve"].as_array().unwrap();
    assert_eq!(curve.len(), 24);
    assert!(
        curve.iter().take(4).all(Value::is_null) && curve.iter().skip(4).all(|value| value.as_f64().unwrap() > 0.0)
    );
    let per_context: Vec<f64> =
        film["surprise"]["per_context"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    let mean = per_context.iter().sum::<f64>() / 3.0;
    assert!((film["surprise"]["mean"].as_f64().unwrap() - mean).abs() < 1e-12);

    let shown = Video::open(Path::new(&video), &OpenOptions::default()).unwrap();
    assert_eq!((shown.len(), shown.size()), (24, (4 * 268, 268 + 112)));

    // The same again, and as files.
    succeed(&["surprise", &run, &films, "--json", &place("again.json"), "--contexts", "2,4,10"]);
    assert_eq!(json(&folder.path().join("again.json")), found);

    refused(&["surprise", &run, &films, "--contexts", "3"], 2, &["contexts is 3", "a multiple of 2 (the tubelet)"]);
    refused(&["surprise", &run, &films, "--step", "3"], 2, &["film 0 has 24 frames, a window takes 36"]);
    let group = ["surprise", &run, &films, "--video", &video, "--group", "none"];
    refused(&group, 2, &["--group none: no such group", "permanence_moving 0"]);
    refused(&["surprise", &run, &films, "--video", &place("a.gif")], 2, &["a.gif: expected a name that ends in .mp4"]);
    refused(&["surprise", &run, &place("nothing")], 1, &["nothing"]);
    refused(&["data", "films", "--out", &films], 1, &["films: is not empty"]);
    refused(
        &["data", "films", "--out", &place("b"), "--set", "lamps=2"],
        2,
        &["lamps is 2, but must be between 0 and 1"],
    );
    refused(&["data", "films", "--out", &place("b"), "--set", "lamp=1"], 2, &["lamp", "lamps"]);
}
