//! Replay buffers that the package `zarr` wrote (`zarr/make.py`), versions 2 and 3.

#![allow(clippy::unwrap_used, reason = "a test that fails says why")]

use std::path::Path;

use crate::common::{all_frames, bits, converted, copy, damage, golden, hexadecimal, read_all, read_at_once};
use prevision_core::config::Part;
use prevision_data::convert::convert;
use prevision_data::{DataConfig, EpisodeFrames, EpisodeSource, Formats, Split, in_order};
use serde_json::{Value, json};

const LENGTHS: [usize; 3] = [5, 7, 4];

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(golden("zarr/expected.json")).unwrap()).unwrap()
}

fn recording(name: &str) -> Box<dyn EpisodeSource> {
    Formats::built_in().open(&golden(&format!("zarr/{name}")), None).unwrap()
}

fn wanted(expected: &Value, name: &str) -> Vec<u32> {
    serde_json::from_value(expected["columns"][name].clone()).unwrap()
}

#[test]
fn columns_and_pictures_are_those_that_were_written() {
    let expected = expected();
    let pictures = hexadecimal(&expected["img"]);
    let names: [(&str, &[&str]); 3] = [
        ("v2.zarr", &["action", "choice", "done", "keypoint", "n_contacts", "reward", "small"]),
        ("v2f.zarr", &["action", "keypoint", "reward"]),
        ("v3.zarr", &["action", "choice", "done", "keypoint", "reward", "small"]),
    ];
    for (name, columns) in names {
        let source = recording(name);
        assert_eq!((0..source.episodes()).map(|episode| source.length(episode)).collect::<Vec<_>>(), LENGTHS);
        assert_eq!(source.columns().unwrap(), columns, "{name}");
        for column in columns {
            let mut wanted = wanted(&expected, column);
            if (name, *column) == ("v2f.zarr", "reward") {
                // The rest is not stored.
                wanted[8..].fill((-7.5_f32).to_bits());
            }
            let found = source.column(column).unwrap();
            assert_eq!((found.rows, found.columns), (16, wanted.len() / 16), "{name}: {column}");
            assert_eq!(bits(&found), wanted, "{name}: {column}");
        }
        let cameras: &[&str] = if name == "v2f.zarr" { &["grey", "img"] } else { &["img"] };
        assert_eq!(source.cameras().unwrap(), cameras);
        assert!(all_frames(source.as_ref(), "img") == pictures, "{name}");
        read_at_once(recording(name).as_ref(), "img", &pictures);
        assert_eq!(source.frames_of("img", 0), EpisodeFrames::Own);
    }
    let grey: Vec<u8> = pictures.chunks(3).flat_map(|pixel| [pixel[0]; 3]).collect();
    assert!(all_frames(recording("v2f.zarr").as_ref(), "grey") == grey);
}

#[test]
fn clips_have_the_frames_that_were_asked_for() {
    let path = golden("zarr/v2.zarr");
    let config = DataConfig {
        source: Part::new("episodes")
            .with("path", path.to_str().unwrap())
            .with("cameras", vec!["img"])
            .with("state", "keypoint"),
        frames: 2,
        frame_step: 2,
        clips_per_video: 2,
        validation_fraction: 0.0,
        ..DataConfig::default()
    };
    let dataset = crate::common::open_side(&config, Split::Train, 1).unwrap();
    let (source, mut clips) = (recording("v2.zarr"), 0);
    let actions = source.column("action").unwrap();
    for batch in in_order(dataset.as_ref(), 2) {
        for clip in batch.unwrap().clips {
            let (episode, start) = (clip.source.video, clip.source.start);
            let frames = source.frames("img", episode, &[start, start + 2]).unwrap();
            assert_eq!(clip.observations.cameras["img"], frames);
            let first = LENGTHS[..episode].iter().sum::<usize>() + start;
            assert_eq!(clip.actions.unwrap().data, actions.slice(first, 2).data);
            clips += 1;
        }
    }
    assert_eq!(clips, 5);
}

/// What is told after what is said of an array was changed.
fn changed(recording: &str, array: &str, change: &[(&str, Value)]) -> Result<usize, String> {
    let folder = copy(&golden(&format!("zarr/{recording}")));
    let path = folder.path().join(array);
    let mut said: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for (pointer, value) in change {
        *said.pointer_mut(pointer).unwrap() = value.clone();
    }
    std::fs::write(&path, said.to_string()).unwrap();
    read_all(folder.path(), "zarr").map_err(|error| error.to_string())
}

#[test]
fn what_is_wrong_is_named() {
    let refused = |recording, array, change: &[(&str, Value)], part: &str| {
        let message = changed(recording, array, change).unwrap_err();
        assert!(message.contains(part) && message.contains(array.rsplit_once('/').unwrap().0), "{message}");
    };
    let (img, action, ends) = ("data/img/.zarray", "data/action/.zarray", "meta/episode_ends/.zarray");
    let codec = json!({"id": "imagecodecs_jpegxl", "level": 99});
    refused("v2.zarr", img, &[("/compressor", codec)], "the codec \"imagecodecs_jpegxl\" is not read");
    refused("v2.zarr", img, &[("/filters", json!([{"id": "delta"}]))], "the filter \"delta\" is not read");
    refused("v2.zarr", img, &[("/zarr_format", json!(4))], "zarr_format is 4, expected 2");
    refused("v2.zarr", action, &[("/dtype", json!("<q4"))], "dtype \"<q4\" is not known");
    refused("v2.zarr", action, &[("/shape", json!([15, 2]))], "has 15 steps, meta/episode_ends tells of 16");
    refused("v2.zarr", action, &[("/chunks", json!([6]))], "expected as many axes");
    refused("v2.zarr", action, &[("/chunks", json!([0, 2]))], "chunks of [0, 2]");
    refused("v2.zarr", ends, &[("/dtype", json!("<f8"))], "expected whole numbers that grow");
    let sharding = json!([{"name": "sharding_indexed", "configuration": {}}]);
    refused("v3.zarr", "data/action/zarr.json", &[("/codecs", sharding)], "the codec \"sharding_indexed\" is not read");
    let folder = copy(&golden("zarr/v2.zarr"));
    let path = folder.path().join("data/img/1.0.0.0");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let message = read_all(folder.path(), "zarr").unwrap_err().to_string();
    assert!(message.contains("data/img/1.0.0.0: is damaged"), "{message}");
    let source = recording("v2.zarr");
    let message = source.column("force").unwrap_err().to_string();
    assert!(message.contains("has no column `force`; columns here: action, choice"), "{message}");
    assert!(source.frames("front", 0, &[0]).unwrap_err().to_string().contains("has no camera `front`"));
    let message = source.frames("img", 1, &[7]).unwrap_err().to_string();
    assert!(message.contains("episode 1 has 7 frames, frame 7 was asked for"), "{message}");
}

#[test]
fn what_is_claimed_and_not_there_takes_no_memory() {
    let huge = 1_u64 << 60;
    let tell = |array: &str, change: &[(&str, Value)], part: &str| {
        let message = changed("v2.zarr", array, change).unwrap_err();
        assert!(message.contains(part), "{message}");
    };
    let (img, action, ends) = ("data/img/.zarray", "data/action/.zarray", "meta/episode_ends/.zarray");
    let far = "far more than its files hold";
    tell(action, &[("/chunks", json!([huge, 2]))], far);
    tell(action, &[("/chunks", json!([1_u64 << 62, 2]))], "more than there can be");
    tell(action, &[("/shape", json!([16, huge]))], far);
    tell(action, &[("/shape", json!([16, huge])), ("/chunks", json!([6, huge]))], "more than there can be");
    tell(action, &[("/shape", json!([16, 1_u64 << 40])), ("/chunks", json!([6, 1_u64 << 40]))], far);
    tell(img, &[("/chunks", json!([1_u64 << 40, 12, 10, 3]))], far);
    tell(img, &[("/chunks", json!([1 << 17, 12, 10, 3]))], "holds");
    tell(img, &[("/shape", json!([16, 1 << 30, 10, 3]))], far);
    tell(ends, &[("/shape", json!([huge]))], "is 0 for episode 3 behind 16");
    tell(ends, &[("/chunks", json!([huge]))], far);
    // Steps behind the last episode are not looked at.
    assert!(changed("v2.zarr", action, &[("/shape", json!([huge, 2]))]).is_ok());
}

#[test]
fn floats_that_may_be_from_0_to_1_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write = |pictures: &[f32]| {
        let img = folder.path().join("data/img");
        std::fs::create_dir_all(&img).unwrap();
        std::fs::create_dir_all(folder.path().join("meta/episode_ends")).unwrap();
        let array = |dtype: &str, shape: Value| {
            json!({"zarr_format": 2, "shape": shape, "chunks": shape, "dtype": dtype, "compressor": null, "fill_value": 0,
                "order": "C", "filters": null})
        };
        std::fs::write(img.join(".zarray"), array("<f4", json!([2, 8, 8, 1])).to_string()).unwrap();
        std::fs::write(img.join("0.0.0.0"), pictures.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())
            .unwrap();
        let ends = folder.path().join("meta/episode_ends");
        std::fs::write(ends.join(".zarray"), array("<i8", json!([1])).to_string()).unwrap();
        std::fs::write(ends.join("0"), 2_i64.to_le_bytes()).unwrap();
        Formats::built_in().open(folder.path(), None).unwrap()
    };
    let mut pictures = vec![1.0; 128];
    let source = write(&pictures);
    let message = source.frames("img", 0, &[1]).unwrap_err().to_string();
    assert!(message.contains("nothing above 1: they may be from 0 to 1"), "{message}");
    let out = folder.path().join("out");
    let error = convert(source.as_ref(), "zarr", &Formats::built_in(), &out, |_, _| true).unwrap_err();
    assert_eq!(error.to_string(), message);
    pictures[3] = 254.6;
    let frames = write(&pictures).frames("img", 0, &[1, 0]).unwrap();
    assert_eq!((frames.data[192 + 9], frames.data[0], frames.data.len()), (255, 1, 384));
    for wrong in [f32::NAN, -3.0, 256.0, f32::INFINITY] {
        pictures[70] = wrong;
        let message = write(&pictures).frames("img", 0, &[0]).unwrap_err().to_string();
        assert!(
            message.contains(&format!("holds {wrong} in step 1, expected pictures of numbers from 0 to 255")),
            "{message}"
        );
    }
}

#[test]
fn damaged_files_are_errors_or_answers_of_the_same_form() {
    for name in ["v2.zarr", "v2f.zarr", "v3.zarr"] {
        let (errors, all) = damage(&golden(&format!("zarr/{name}")), "zarr");
        assert!(errors > all / 4, "{name}: {errors} of {all}");
    }
}

#[test]
fn converted_there_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let source = recording("v2.zarr");
    let video = converted(source.as_ref(), "video", &folder.path().join("video"));
    let back = converted(video.as_ref(), "zarr", &folder.path().join("zarr"));
    let straight = converted(source.as_ref(), "zarr", &folder.path().join("straight"));
    for other in [&video, &back, &straight] {
        assert_eq!(source.columns().unwrap(), other.columns().unwrap());
        for name in source.columns().unwrap() {
            let (one, other) = (source.column(&name).unwrap(), other.column(&name).unwrap());
            assert_eq!((bits(&one), one.columns), (bits(&other), other.columns), "{name}");
        }
        assert!(all_frames(source.as_ref(), "img") == all_frames(other.as_ref(), "img"));
    }
    // Names of another format.
    let lerobot = converted(source.as_ref(), "lerobot", &folder.path().join("lerobot"));
    let last = converted(lerobot.as_ref(), "zarr", &folder.path().join("last"));
    assert_eq!(last.cameras().unwrap(), ["img"]);
    assert_eq!(last.columns().unwrap(), source.columns().unwrap());
}

#[test]
fn what_cannot_be_written_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = copy(&golden("zarr/v2.zarr"));
    std::fs::write(damaged.path().join("data/img/2.0.0.0"), "damaged").unwrap();
    let source = Formats::built_in().open(damaged.path(), None).unwrap();
    for to in ["zarr", "folder", "video"] {
        let out: &Path = &folder.path().join(to);
        let error = convert(source.as_ref(), to, &Formats::built_in(), out, |_, _| true).unwrap_err();
        assert!(error.to_string().contains("data/img/2.0.0.0"), "{error}");
        assert!(!out.exists());
    }
}
