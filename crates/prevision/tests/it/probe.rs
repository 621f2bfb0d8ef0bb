//! Probes of frozen encoders, from the command line.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use prevision::core::FrameBuffer;
use prevision::video::{Mp4Options, Mp4Writer, Quality};
use serde_json::Value;

use crate::support::{refused, stdout, succeed, text, videos_experiment};

/// A video of a bar that moves to the left, bright or dark.
fn film(path: &Path, frames: usize, bright: bool, offset: usize) {
    let options = Mp4Options { width: 32, height: 32, frame_rate: 10, quality: Quality::Crf(20), keyframe_interval: 8 };
    let mut writer = Mp4Writer::create(path, &options).expect("a video");
    for index in 0..frames {
        let mut frame = FrameBuffer::new(1, 32, 32);
        for (pixel, rgb) in frame.data.chunks_exact_mut(3).enumerate() {
            let lit = (pixel % 32 + index * 2 + offset) % 32 < 4;
            let shade = if bright { 150 } else { 20 };
            rgb.fill(if lit { shade + 100 } else { shade });
        }
        writer.write(&frame.data).expect("a frame");
    }
    writer.finish().expect("a finished video");
}

/// A folder with a run, ten films, and a manifest that says which are bright.
fn folder() -> (tempfile::TempDir, [PathBuf; 3]) {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let [run, films, manifest] = [at("run"), at("films"), at("films.csv")];
    fs::create_dir(&films).expect("a folder");
    let mut lines = String::new();
    for number in 0..10 {
        let name = format!("{number}.mp4");
        film(&films.join(&name), 16, number % 2 == 1, 3 * number);
        writeln!(lines, "films/{name},{}", number % 2 + 4).expect("a string");
    }
    fs::write(&manifest, lines).expect("a manifest");
    let experiment = at("experiment.toml");
    fs::write(&experiment, videos_experiment(&films, 4)).expect("an experiment");
    succeed(&["train", text(&experiment), "--run", text(&run)]);
    (folder, [run, films, manifest])
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(&succeed(&[arguments, &["--json", "-"]].concat()))).expect("JSON")
}

fn value(task: &Value, head: &str, features: &str) -> f64 {
    let results = task["results"].as_array().expect("results");
    let found = results.iter().find(|it| it["head"] == head && it["features"] == features);
    found.unwrap_or_else(|| panic!("{head} on {features}: {task}"))["value"].as_f64().expect("a number")
}

#[test]
fn the_labels_of_a_manifest_are_told() {
    let (_folder, [run, films, manifest]) = folder();
    let fast = ["--clips", "2", "--head", "linear,knn,retrieval"];
    let found = json(&[&["probe", text(&run), text(&manifest)], &fast[..]].concat());
    let tasks = found["tasks"].as_array().expect("tasks");
    let names: Vec<&str> = tasks.iter().map(|task| task["task"].as_str().expect("a name")).collect();
    assert_eq!(names, ["labels", "arrow-of-time", "speed", "order"]);
    let labels = &tasks[0];
    assert_eq!(labels["classes"].to_string(), r#"["4","5"]"#);
    assert_eq!(
        (labels["videos"].as_u64(), labels["views"].as_u64(), labels["folds"].as_u64()),
        (Some(10), Some(20), Some(5))
    );
    for features in ["model", "random", "pixels"] {
        assert_eq!(value(labels, "linear", features), 1.0, "{labels}");
    }
    assert_eq!(value(labels, "retrieval", "model"), 1.0);
    let majority = value(labels, "linear", "majority");
    assert!((0.3..0.7).contains(&majority), "{majority}");
    let beats: Vec<bool> = labels["results"]
        .as_array()
        .expect("results")
        .iter()
        .filter_map(|it| it["model_minus_this"]["beats"].as_bool())
        .collect();
    assert_eq!(beats[..3], [false, false, true]);
    // Four frames of two tubelets, at three speeds.
    assert_eq!(
        (tasks[1]["views"].as_u64(), tasks[2]["views"].as_u64(), tasks[3]["views"].as_u64()),
        (Some(40), Some(60), Some(40))
    );
    assert_eq!(tasks[2]["classes"].to_string(), r#"["1x","2x","3x"]"#);
    assert!(value(&tasks[1], "linear", "majority") == 0.5);

    let again = json(&[&["probe", text(&run), text(&manifest), "--task", "labels"], &fast[..]].concat());
    assert_eq!(again["tasks"][0]["results"], labels["results"]);

    let table = stdout(&succeed(&["probe", text(&run), text(&films), "--head", "knn", "--clips", "1"]));
    assert!(table.contains("labels: left out: the first video has no label"), "{table}");
    assert!(
        table.contains("arrow-of-time: 2 classes, 20 views of 10 clips of 10 videos, all tested in 5 folds"),
        "{table}"
    );
    refused(
        &["probe", text(&run), text(&films), "--task", "labels"],
        2,
        &["task labels: the first video has no label"],
    );
}

#[test]
fn imported_weights_are_probed() {
    let (_folder, [_, _, manifest]) = folder();
    let folder = tempfile::tempdir().expect("a folder");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/transformers/golden");
    for (name, more, depth) in [("vjepa2", [].as_slice(), 2), ("vit", &["--set", "data.frames=2"], 3)] {
        let model = folder.path().join(name).with_extension("safetensors");
        succeed(&["import", text(&golden.join(name)), "--out", text(&model)]);
        let fixed =
            ["probe", text(&model), text(&manifest), "--task", "labels,arrow-of-time", "--head", "attentive,linear"];
        let quick = ["--clips", "1", "--folds", "1", "--set", "head.attentive.steps=60"];
        let found = json(&[&fixed[..], &quick, more].concat());
        let labels = &found["tasks"][0];
        assert_eq!((labels["tested_videos"].as_u64(), labels["folds"].as_u64()), (Some(2), Some(1)), "{name}");
        assert_eq!(value(labels, "linear", "model"), 1.0, "{name}");
        assert_eq!(found["tasks"][1]["classes"].to_string(), r#"["forwards","backwards"]"#);
        let of_layers = |layers: &[&str]| {
            let ranks =
                ["probe", text(&model), text(&manifest), "--task", "arrow-of-time,speed", "--head", "retrieval"];
            let found = json(&[&ranks[..], more, layers].concat());
            [0, 1].map(|task| value(&found["tasks"][task], "retrieval", "model"))
        };
        assert_eq!(of_layers(&["--layers", &depth.to_string()]), of_layers(&[]), "{name}");
        assert_ne!(of_layers(&["--layers", &format!("0,{depth}")]), of_layers(&[]), "{name}");
        let [deeper, message] =
            [format!("{}", depth + 1), format!("--layers {}: the model has {depth} blocks", depth + 1)];
        refused(&["probe", text(&model), text(&manifest), "--layers", &deeper], 2, &[&message]);
    }
}

#[test]
fn what_cannot_be_probed_is_said() {
    let (folder, [run, films, manifest]) = folder();
    refused(&["probe", text(&run), text(&films), "--layers", "1"], 2, &["--layers", "prevision import RUN"]);
    let probe = |more: &[&str], code: i32, names: &[&str]| {
        refused(&[&["probe", text(&run), text(&manifest)], more].concat(), code, names);
    };
    probe(&["--task", "lables"], 2, &["there is no probe task `lables`; did you mean `labels`?"]);
    probe(&["--head", "liner"], 2, &["there is no probe head `liner`; did you mean `linear`?"]);
    probe(&["--set", "head.linear.rate=1"], 2, &["unknown key `head.linear.rate`; did you mean `head.linear.rates`?"]);
    probe(&["--set", "task.speed.steps=[3]"], 2, &["task.speed.steps is [3]"]);
    probe(&["--set", "model.kind=masked"], 2, &["there is no section `model`, expected data, task or head"]);
    probe(&["--set", "data.frames=6"], 2, &["data.frames is 6, but must be 4, as in training"]);
    probe(&["--set", "data.size=40"], 2, &["trained on camera pixels 32x32", "40x40"]);
    probe(&["--folds", "2"], 2, &["--folds is 2"]);
    probe(&["--folds", "11", "--task", "order"], 2, &["task order: 10 videos", "expected 11 or more"]);
    probe(&["--task", "labels", "--clips", "500", "--memory-mb", "1"], 2, &["MiB", "--memory-mb"]);
    probe(
        &["--set", "head.attentive.heads=7", "--task", "labels"],
        2,
        &["head.attentive.heads is 7", "a divisor of 24"],
    );
    refused(
        &["probe", text(&run), text(&films.join("1.mp4"))],
        2,
        &["no task applies", "every class is of one video only"],
    );
    refused(&["probe", text(folder.path()), text(&films)], 1, &["config.toml"]);
    refused(&["probe", text(&manifest), text(&films)], 1, &["films.csv"]);
    refused(&["probe", text(&run), text(&folder.path().join("none"))], 1, &["none"]);
}
