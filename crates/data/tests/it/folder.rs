//! Folders of pictures that stable-worldmodel's own writer made (`folder/make.py`), with what Pillow decodes out of them.

#![allow(clippy::unwrap_used, reason = "a test that fails says why")]

use std::path::Path;

use crate::common::{all_frames, bits, converted, copy, damage, golden, hexadecimal, read_all, read_at_once};
use prevision_core::config::Part;
use prevision_data::{DataConfig, EpisodeFrames, EpisodeSource, Formats, Split, in_order};
use serde_json::Value;

const LENGTHS: [usize; 3] = [4, 6, 3];

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(golden("folder/expected.json")).unwrap()).unwrap()
}

fn recording() -> Box<dyn EpisodeSource> {
    Formats::built_in().open(&golden("folder/recording"), None).unwrap()
}

/// The largest difference of two decoders.
fn difference(one: &[u8], other: &[u8]) -> u8 {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

#[test]
fn columns_and_pictures_are_those_that_were_written() {
    let (source, expected) = (recording(), expected());
    assert_eq!((0..source.episodes()).map(|episode| source.length(episode)).collect::<Vec<_>>(), LENGTHS);
    assert_eq!(source.cameras().unwrap(), ["depth", "pixels"]);
    assert_eq!(source.columns().unwrap(), ["action", "done", "proprio", "step_idx"]);
    for (name, width) in [("action", 2), ("done", 1), ("proprio", 4), ("step_idx", 1)] {
        let column = source.column(name).unwrap();
        assert_eq!(column.columns, width, "{name}");
        let wanted: Vec<u32> = serde_json::from_value(expected["columns"][name].clone()).unwrap();
        assert_eq!(bits(&column), wanted, "{name}");
    }
    for camera in ["pixels", "depth"] {
        let wanted: Vec<u8> = expected["cameras"][camera].as_array().unwrap().iter().flat_map(hexadecimal).collect();
        let found = all_frames(source.as_ref(), camera);
        // Half the resolution of colours is brought back by filters that differ by a little.
        assert!(difference(&found, &wanted) <= 6, "{camera}: {}", difference(&found, &wanted));
        read_at_once(source.as_ref(), camera, &found);
    }
    assert_eq!(source.frames_of("pixels", 1), EpisodeFrames::Own);
}

#[test]
fn clips_have_the_frames_that_were_asked_for() {
    let path = golden("folder/recording");
    let config = DataConfig {
        source: Part::new("episodes").with("path", path.to_str().unwrap()).with("state", "proprio"),
        frames: 2,
        clips_per_video: 2,
        validation_fraction: 0.0,
        ..DataConfig::default()
    };
    let dataset = crate::common::open_side(&config, Split::Train, 1).unwrap();
    let (source, mut clips) = (recording(), 0);
    for batch in in_order(dataset.as_ref(), 2) {
        for clip in batch.unwrap().clips {
            let moments = [clip.source.start, clip.source.start + 1];
            assert_eq!(
                clip.observations.cameras["pixels"],
                source.frames("pixels", clip.source.video, &moments).unwrap()
            );
            clips += 1;
        }
    }
    assert_eq!(clips, 6);
}

#[test]
fn what_is_wrong_is_named() {
    let message = |change: &dyn Fn(&Path)| {
        let folder = copy(&golden("folder/recording"));
        change(folder.path());
        read_all(folder.path(), "folder").unwrap_err().to_string()
    };
    let text = message(&|folder| std::fs::remove_file(folder.join("pixels/ep_1_step_3.jpeg")).unwrap());
    assert!(text.contains("pixels/ep_1_step_3.jpeg: is missing"), "{text}");
    let text = message(&|folder| {
        image(folder.join("pixels/ep_1_step_3.jpeg").as_path(), 30, 24);
    });
    assert!(text.contains("ep_1_step_3.jpeg: is 30x24, the camera's other pictures are 32x24"), "{text}");
    let text = message(&|folder| std::fs::write(folder.join("depth/ep_0_step_1.jpeg"), "no picture").unwrap());
    assert!(text.contains("ep_0_step_1.jpeg: is no JPEG or PNG picture"), "{text}");
    for kept in [600, 400, 3] {
        let text = message(&|folder| {
            let path = folder.join("pixels/ep_0_step_2.jpeg");
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..kept]).unwrap();
        });
        assert!(text.contains("ep_0_step_2.jpeg"), "{text}");
    }
    let text = message(&|folder| std::fs::remove_file(folder.join("ep_len.npz")).unwrap());
    assert!(text.contains("has no ep_len.npz"), "{text}");
    let text = recording().frames("front", 0, &[0]).unwrap_err().to_string();
    assert!(text.contains("has no camera `front`"), "{text}");
    let text = recording().frames("pixels", 0, &[4]).unwrap_err().to_string();
    assert!(text.contains("ep_0_step_4.jpeg: is missing"), "{text}");
}

/// A grey JPEG picture of this size.
fn image(path: &Path, width: u32, height: u32) {
    let pixels = vec![90; (width * height) as usize];
    image::save_buffer(path, &pixels, width, height, image::ExtendedColorType::L8).unwrap();
}

#[test]
fn damaged_files_are_errors_or_answers_of_the_same_form() {
    let (errors, all) = damage(&golden("folder/recording"), "folder");
    assert!(errors > all / 4, "{errors} of {all}");
}

#[test]
fn converted_there_and_back() {
    let (folder, source) = (tempfile::tempdir().unwrap(), recording());
    let zarr = converted(source.as_ref(), "zarr", &folder.path().join("zarr"));
    let video = converted(source.as_ref(), "video", &folder.path().join("video"));
    let back = converted(video.as_ref(), "folder", &folder.path().join("folder"));
    for name in source.columns().unwrap() {
        for other in [&zarr, &video, &back] {
            assert_eq!(bits(&source.column(&name).unwrap()), bits(&other.column(&name).unwrap()), "{name}");
        }
    }
    for camera in ["pixels", "depth"] {
        let frames = all_frames(source.as_ref(), camera);
        assert!(
            frames == all_frames(zarr.as_ref(), camera) && frames == all_frames(video.as_ref(), camera),
            "{camera}"
        );
        let lossy = all_frames(back.as_ref(), camera);
        let sum: f64 = frames.iter().zip(&lossy).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
        assert!(difference(&frames, &lossy) <= 16 && sum / frames.len() as f64 <= 1.5, "{camera}: {sum}");
    }
}

#[test]
fn each_format_is_known_by_what_is_there() {
    let formats = Formats::built_in();
    for (place, name) in [
        ("folder/recording", "folder"),
        ("golden/recording", "video"),
        ("golden/stable_worldmodel", "video"),
        ("lerobot/v2.1", "lerobot"),
        ("lerobot/v3.0", "lerobot"),
        ("zarr/v2.zarr", "zarr"),
        ("zarr/v2f.zarr", "zarr"),
        ("zarr/v3.zarr", "zarr"),
    ] {
        assert_eq!(formats.detect(&golden(place)).as_deref(), Some(name), "{place}");
    }
    // A video beside pictures, and no frames at all, are the other format of stable-worldmodel.
    let folder = copy(&golden("folder/recording"));
    let video = folder.path().join("side");
    std::fs::create_dir(&video).unwrap();
    std::fs::write(video.join("ep_1.mp4"), "").unwrap();
    assert_eq!(formats.detect(folder.path()).as_deref(), Some("video"));
    for camera in ["side", "pixels", "depth"] {
        std::fs::remove_dir_all(folder.path().join(camera)).unwrap();
    }
    assert_eq!(formats.detect(folder.path()).as_deref(), Some("video"));
}
