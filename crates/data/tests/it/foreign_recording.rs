//! Recordings that others wrote: numpy and imageio (`golden/make_recording.py`), and stable-worldmodel's own writer
//! (`golden/make_stable_worldmodel.py`).

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::path::Path;

use prevision_core::Array2;
use prevision_data::{EpisodeReader, EpisodeSource as _, Formats};

/// A copy of the golden recording that numpy and imageio wrote.
fn recording() -> (tempfile::TempDir, EpisodeReader) {
    let folder = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/recording");
    std::fs::create_dir(folder.path().join("pixels")).unwrap();
    for part in ["", "pixels"] {
        for entry in std::fs::read_dir(golden.join(part)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, folder.path().join(part).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    let reader = EpisodeReader::open(folder.path()).unwrap();
    (folder, reader)
}

#[test]
fn videos_of_imageio() {
    let (_folder, reader) = recording();
    for (episode, length) in [(0, 3), (1, 2)] {
        let frames = reader.frames("pixels", episode, &(0..length).collect::<Vec<_>>()).unwrap();
        assert_eq!((frames.frames, frames.height, frames.width), (length, 32, 48));
        for t in 0..length {
            for (channel, expected) in [40 * t, 100, 200 * episode].into_iter().enumerate() {
                let found = frames.frame(t).iter().skip(channel).step_by(3).map(|&value| usize::from(value));
                assert!(
                    found.clone().all(|value| value.abs_diff(expected) <= 6),
                    "episode {episode}, frame {t}: {:?}",
                    found.collect::<Vec<_>>()
                );
            }
        }
    }
}

#[test]
fn lengths_and_offsets() {
    let (_folder, reader) = recording();
    assert_eq!((reader.episodes(), reader.spaces()), (2, None));
    assert_eq!([reader.length(0), reader.length(1), reader.offset(0), reader.offset(1)], [3, 2, 0, 3]);
    assert!(reader.columns().unwrap().iter().map(String::as_str).eq([
        "action",
        "big_endian",
        "bool",
        "grid",
        "int16",
        "int32",
        "int64",
        "int8",
        "text",
        "uint16",
        "uint32",
        "uint64",
        "uint8"
    ]));
}

#[test]
fn compressed_doubles_with_undefined_rows() {
    let (_folder, reader) = recording();
    let action = reader.column("action").unwrap();
    assert_eq!((action.rows, action.columns), (5, 2));
    assert_eq!([action.row(0), action.row(1), action.row(3)], [[0.0, 0.0], [0.125, -1.0], [0.375, -3.0]]);
    assert!(action.row(2).iter().chain(action.row(4)).all(|value| value.is_nan()));
}

#[test]
fn further_axes_are_flattened_and_fortran_order_is_understood() {
    let (_folder, reader) = recording();
    let grid = reader.column("grid").unwrap();
    assert_eq!((grid.rows, grid.columns), (5, 6));
    assert_eq!(grid.row(3), [300.0, 301.0, 302.0, 310.0, 311.0, 312.0]);
}

#[test]
fn every_number_type() {
    let (_folder, reader) = recording();
    let expected = Array2::new(vec![0.0, 3.0, 6.0, 9.0, 12.0], 5, 1);
    for name in ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "big_endian"] {
        assert_eq!(reader.column(name).unwrap(), expected, "{name}");
    }
    assert_eq!(reader.column("bool").unwrap().data, [0.0, 1.0, 0.0, 1.0, 0.0]);
}

#[test]
fn what_is_wrong_is_named() {
    let (folder, reader) = recording();
    let message = reader.column("text").unwrap_err().to_string();
    assert!(message.contains("text.npz") && message.contains("<U1"), "{message}");
    let message = reader.column("proprio").unwrap_err().to_string();
    assert!(message.contains("no column `proprio`") && message.contains("action, big_endian"), "{message}");
    std::fs::copy(folder.path().join("action.npz"), folder.path().join("ep_len.npz")).unwrap();
    let message = EpisodeReader::open(folder.path()).unwrap_err().to_string();
    assert!(message.contains("ep_len.npz") && message.contains("whole numbers"), "{message}");
    std::fs::remove_file(folder.path().join("ep_len.npz")).unwrap();
    let message = EpisodeReader::open(folder.path()).unwrap_err().to_string();
    assert!(message.contains("has no ep_len.npz"), "{message}");
    let message = Formats::built_in().open(folder.path(), None).err().unwrap().to_string();
    assert!(message.contains("has no ep_len.npz"), "an unfinished recording is known by its videos: {message}");
    std::fs::remove_dir_all(folder.path().join("pixels")).unwrap();
    let message = Formats::built_in().open(folder.path(), None).err().unwrap().to_string();
    assert!(message.contains("holds no recorded episodes; formats looked for: video, lerobot"), "{message}");
}

#[test]
fn written_by_stable_worldmodel() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/stable_worldmodel");
    let reader = EpisodeReader::open(&folder).unwrap();
    assert_eq!(reader.cameras().unwrap(), ["depth", "pixels"]);
    assert_eq!(reader.columns().unwrap(), ["action", "proprio", "step_idx", "terminated"]);
    assert_eq!((0..reader.episodes()).map(|episode| reader.length(episode)).collect::<Vec<_>>(), [3, 2]);
    for (episode, length) in [(0, 3), (1, 2)] {
        let read = reader.episode(episode).unwrap();
        let (frames, columns) = (&read.observations.cameras["pixels"], &read.columns);
        assert_eq!((frames.frames, frames.height, frames.width), (length, 32, 48));
        for t in 0..length {
            let row = (3 * episode + t) as f32;
            for pixel in frames.frame(t).chunks_exact(3) {
                let expected = [40 * t, 100, 200 * episode];
                let near = pixel.iter().zip(expected).all(|(&found, wanted)| usize::from(found).abs_diff(wanted) <= 6);
                assert!(near, "episode {episode}, frame {t}: {pixel:?} is not {expected:?}");
            }
            let action = columns["action"].row(t);
            if t + 1 < length {
                assert_eq!(action, [row / 8.0, -row]);
            } else {
                assert!(action.iter().all(|value| value.is_nan()), "{action:?}");
            }
            assert_eq!(columns["proprio"].row(t), [row, row.powi(2), row.powi(3)]);
            assert_eq!(columns["step_idx"].row(t), [t as f32]);
            assert_eq!(columns["terminated"].row(t), [f32::from(u8::from(t + 1 == length))]);
        }
    }
    let frames = reader.frames("depth", 0, &[2, 1]).unwrap();
    assert!(frames.frame(0).iter().all(|&value| value.abs_diff(120) <= 3), "grey comes back as RGB");
    assert!(frames.frame(1).iter().all(|&value| value.abs_diff(60) <= 3));
}
