//! Data sets that the package `lerobot` wrote (`lerobot/make.py`), in both layouts.

#![allow(clippy::unwrap_used, reason = "a test that fails says why")]

use std::path::{Path, PathBuf};

use prevision_core::FrameBuffer;
use prevision_core::config::Part;
use prevision_data::convert::convert;
use prevision_data::info::DataInfo;
use prevision_data::{DataConfig, EpisodeFrames, EpisodeSource, Formats, Split, built_in, in_order, open};
use serde_json::Value;

const LENGTHS: [usize; 3] = [12, 15, 18];

fn golden(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lerobot").join(version)
}

fn expected() -> Vec<Value> {
    serde_json::from_slice(&std::fs::read(golden("expected.json")).unwrap()).unwrap()
}

fn rows(value: &Value) -> Vec<f32> {
    value
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|v| v.as_f64().unwrap() as f32)
        .collect()
}

/// The mean of red, green and blue in 4x4 cells.
fn cells(frames: &FrameBuffer, frame: usize) -> Vec<f64> {
    let (width, height, pixels) = (frames.width, frames.height, frames.frame(frame));
    let mut cells = vec![0.0; 48];
    for (place, sample) in pixels.iter().enumerate() {
        let (x, y, channel) = (place / 3 % width, place / 3 / width, place % 3);
        cells[(y * 4 / height * 4 + x * 4 / width) * 3 + channel] += f64::from(*sample);
    }
    cells.iter().map(|sum| sum / ((width * height / 16) as f64)).collect()
}

fn check_frames(source: &dyn EpisodeSource, camera: &str, expected: &[Value]) {
    for (episode, expected) in expected.iter().enumerate() {
        let length = source.length(episode);
        let order: Vec<usize> = (0..length).rev().collect();
        let frames = source.frames(&format!("observation.images.{camera}"), episode, &order).unwrap();
        let wanted: Vec<Vec<f64>> = (0..length)
            .map(|moment| {
                let cells = expected["cameras"][camera][moment].as_array().unwrap();
                cells.iter().map(|cell| cell.as_f64().unwrap()).collect()
            })
            .collect();
        for (place, moment) in order.into_iter().enumerate() {
            let found = cells(&frames, place);
            let error = |other: usize| found.iter().zip(&wanted[other]).map(|(a, b)| (a - b).abs()).sum::<f64>() / 48.0;
            let own = error(moment);
            assert!(own < 2.0, "{camera}, episode {episode}, moment {moment}: off by {own}");
            // The disc may hardly move in a step, and the encoder is lossy.
            let nearest = (0..length).map(error).fold(f64::MAX, f64::min);
            assert!(own < nearest + 0.3, "{camera}, episode {episode}, moment {moment}: {own}, another {nearest}");
        }
    }
}

#[test]
fn columns_and_frames_are_those_that_were_written() {
    for version in ["v2.1", "v3.0"] {
        let source = Formats::built_in().open(&golden(version), None).unwrap();
        let expected = expected();
        assert_eq!(
            (0..source.episodes()).map(|episode| source.length(episode)).collect::<Vec<_>>(),
            LENGTHS,
            "{version}"
        );
        assert_eq!(source.cameras().unwrap(), ["observation.images.side", "observation.images.top"]);
        let columns = source.columns().unwrap();
        for name in ["action", "observation.state", "timestamp", "frame_index"] {
            assert!(columns.iter().any(|column| column == name), "{version}: {columns:?}");
        }
        for (name, key) in [("action", "action"), ("observation.state", "state")] {
            let wanted: Vec<f32> = expected.iter().flat_map(|episode| rows(&episode[key])).collect();
            assert_eq!(source.column(name).unwrap().data, wanted, "{version}: {name}");
        }
        let index = source.column("frame_index").unwrap();
        let wanted: Vec<f32> = LENGTHS.iter().flat_map(|&length| (0..length).map(|moment| moment as f32)).collect();
        assert_eq!(index.data, wanted);
        for camera in ["top", "side"] {
            check_frames(source.as_ref(), camera, &expected);
        }
        let frames = source.frames_of("observation.images.top", 1);
        match version {
            "v2.1" => assert!(matches!(frames, EpisodeFrames::Video(path) if path.ends_with("episode_000001.mp4"))),
            _ => assert!(matches!(frames, EpisodeFrames::Part { first: 12, .. })),
        }
        let message = source.column("force").unwrap_err().to_string();
        assert!(message.contains("has no column `force`; columns here: action"), "{message}");
    }
}

#[test]
fn one_configuration_reads_both_layouts_with_equal_clips() {
    let clips = |version: &str| {
        let cameras = vec!["observation.images.top", "observation.images.side"];
        let source = Part::new("episodes")
            .with("path", golden(version).to_str().unwrap())
            .with("cameras", cameras)
            .with("state", "observation.state");
        let config = DataConfig {
            source,
            frames: 6,
            frame_step: 2,
            size: Some(32),
            clips_per_video: 2,
            validation_fraction: 0.0,
            ..DataConfig::default()
        };
        let source = config.source(&built_in(), &Formats::built_in()).unwrap();
        let dataset = open(&config, source.as_ref(), Split::Train, 3).unwrap();
        let batches: Vec<_> = in_order(dataset.as_ref(), 2).map(|batch| batch.unwrap()).collect();
        batches.into_iter().flat_map(|batch| batch.clips).collect::<Vec<_>>()
    };
    let (two, three) = (clips("v2.1"), clips("v3.0"));
    // The shortest episode has one clip, the others have two.
    assert_eq!(two.len(), 5);
    for (two, three) in two.iter().zip(&three) {
        assert_eq!((&two.actions, &two.state, two.source.start), (&three.actions, &three.state, three.source.start));
        assert!(two.times.iter().zip(&three.times).all(|(a, b)| (a - b).abs() < 1e-9));
        for (name, frames) in &two.observations.cameras {
            let other = &three.observations.cameras[name];
            // Encoded apart from each other.
            let far = frames.data.iter().zip(&other.data).filter(|(a, b)| a.abs_diff(**b) > 24).count();
            assert!(far * 200 < frames.data.len(), "{name}: {far} of {}", frames.data.len());
        }
    }
}

#[test]
fn pictures_inside_the_tables_and_tasks() {
    for version in ["images-v2.1", "images-v3.0"] {
        let source = Formats::built_in().open(&golden(version), None).unwrap();
        let camera = "observation.images.top";
        assert_eq!(source.cameras().unwrap(), [camera]);
        assert_eq!((source.length(0), source.length(1)), (5, 7));
        for (episode, moments) in [(0, vec![4, 0, 0, 2]), (1, (0..7).rev().collect::<Vec<_>>()), (1, vec![])] {
            let frames = source.frames(camera, episode, &moments).unwrap();
            assert_eq!(frames.frames, moments.len());
            for (place, moment) in moments.into_iter().enumerate() {
                let samples = frames.frame(place).iter().enumerate().map(|(at, _)| {
                    let (x, y, channel) = (at / 3 % 32, at / 96, at % 3);
                    (7 * x + 3 * y + 50 * channel + 11 * moment + 40 * episode) as u8
                });
                assert!(frames.frame(place).iter().copied().eq(samples), "{version}: {episode}, {moment}");
                assert_eq!(frames.frame(place).len(), 24 * 32 * 3);
            }
        }
        let message = source.frames(camera, 1, &[7]).unwrap_err().to_string();
        assert!(message.contains("episode 1 has 7 moments, moment 7 is asked for"), "{message}");
        assert_eq!(source.tasks(), ["push", "lift the cup"]);
        let info = DataInfo::of(None, source.as_ref()).unwrap();
        let tasks: Vec<_> = info.tasks.iter().map(|task| (task.task.as_str(), task.moments)).collect();
        assert_eq!(tasks, [("push", 9), ("lift the cup", 3)]);
        let top = &info.cameras[0];
        assert_eq!((top.width, top.height, top.frame_rate), (32, 24, Some(10.0)));

        // As videos, with the tasks.
        let out = tempfile::tempdir().unwrap();
        convert(source.as_ref(), "lerobot", &Formats::built_in(), out.path(), |_, _| true).unwrap();
        let written = Formats::built_in().open(out.path(), None).unwrap();
        assert_eq!(written.tasks(), source.tasks());
        assert_eq!(written.column("task_index").unwrap(), source.column("task_index").unwrap());
        assert_eq!(written.column("timestamp").unwrap().data[..3], [0.0, 0.1, 0.2]);
        for episode in 0..2 {
            let all: Vec<usize> = (0..source.length(episode)).collect();
            let frames = |source: &dyn EpisodeSource| source.frames(camera, episode, &all).unwrap();
            assert!(frames(written.as_ref()) == frames(source.as_ref()));
        }
    }
}

#[test]
fn what_is_wrong_is_named() {
    let copy = |version: &str| {
        let folder = tempfile::tempdir().unwrap();
        for entry in walk(&golden(version)) {
            let to = folder.path().join(entry.strip_prefix(golden(version)).unwrap());
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(&entry, to).unwrap();
        }
        folder
    };
    let message = |folder: &Path| match Formats::built_in().open(folder, Some("lerobot")) {
        Ok(source) => source.column("action").unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    let replaced = |version: &str, old: &str, new: &str| {
        let folder = copy(version);
        let info = folder.path().join("meta/info.json");
        let text = std::fs::read_to_string(&info).unwrap();
        assert!(text.contains(old));
        std::fs::write(&info, text.replace(old, new)).unwrap();
        message(folder.path())
    };
    assert!(
        replaced("v3.0", "\"v3.0\"", "\"v4.1\"").contains("codebase_version is \"v4.1\", expected v2.0, v2.1 or v3.0")
    );
    assert!(replaced("v3.0", "\"fps\": 10", "\"fps\": 0").contains("fps is 0, expected"));
    assert!(replaced("v3.0", "{file_index:03d}", "{number}").contains("{number}"));
    assert!(replaced("v2.1", "data/chunk", "../chunk").contains("leads out of the data set"));
    for (version, file) in [
        ("v3.0", "data/chunk-000/file-000.parquet"),
        ("v3.0", "meta/episodes/chunk-000/file-000.parquet"),
        ("v2.1", "data/chunk-000/episode_000001.parquet"),
        ("v2.1", "meta/episodes.jsonl"),
    ] {
        let folder = copy(version);
        let path = folder.path().join(file);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(message(folder.path()).contains(file), "{}", message(folder.path()));
        std::fs::remove_file(&path).unwrap();
        assert!(message(folder.path()).contains(file), "{}", message(folder.path()));
    }
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}
