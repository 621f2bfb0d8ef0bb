//! Lance tables that stable-worldmodel's own writer and Lance itself made (`lance/make.py`).

#![allow(clippy::unwrap_used, reason = "a test that fails says why")]

use crate::common::{all_frames, bits, converted, copy, damage, golden, hexadecimal, read_all, read_at_once};
use prevision_data::{EpisodeSource, Formats};
use serde_json::Value;

const LENGTHS: [usize; 3] = [4, 6, 3];

fn opened(name: &str) -> Box<dyn EpisodeSource> {
    let at = golden("lance").join(format!("{name}.lance"));
    assert_eq!(Formats::built_in().detect(&at).as_deref(), Some("lance"));
    Formats::built_in().open(&at, None).unwrap()
}

/// The largest difference of two decoders.
fn difference(one: &[u8], other: &[u8]) -> u8 {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

#[test]
fn columns_and_pictures_are_those_that_were_written() {
    let expected: Value = serde_json::from_slice(&std::fs::read(golden("lance/expected.json")).unwrap()).unwrap();
    for name in ["stable_worldmodel", "v2.0", "v2.2"] {
        let (source, expected) = (opened(name), &expected[name]);
        assert_eq!((0..source.episodes()).map(|episode| source.length(episode)).collect::<Vec<_>>(), LENGTHS);
        let columns = expected["columns"].as_object().unwrap();
        assert_eq!(source.columns().unwrap(), sorted(columns.keys()), "{name}");
        for (column, wanted) in columns {
            let wanted: Vec<u32> = serde_json::from_value(wanted.clone()).unwrap();
            let found = source.column(column).unwrap();
            assert_eq!(found.rows, 13, "{name}, {column}");
            // NaN has many bits.
            let same = |(found, wanted): (u32, u32)| {
                found == wanted || f32::from_bits(found).is_nan() && f32::from_bits(wanted).is_nan()
            };
            assert!(bits(&found).into_iter().zip(wanted).all(same), "{name}, {column}: {:?}", found.data);
        }
        let cameras = expected["cameras"].as_object().unwrap();
        assert_eq!(source.cameras().unwrap(), sorted(cameras.keys()), "{name}");
        for (camera, wanted) in cameras {
            let wanted: Vec<u8> = wanted.as_array().unwrap().iter().flat_map(hexadecimal).collect();
            let found = all_frames(source.as_ref(), camera);
            // Half the resolution of colours is brought back by filters that differ by a little.
            let allowed = if name == "stable_worldmodel" { 6 } else { 0 };
            assert!(difference(&found, &wanted) <= allowed, "{name}, {camera}: {}", difference(&found, &wanted));
            read_at_once(source.as_ref(), camera, &found);
        }
    }
}

fn sorted<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut names: Vec<String> = names.cloned().collect();
    names.sort();
    names
}

#[test]
fn converted_there_and_back() {
    let (folder, source) = (tempfile::tempdir().unwrap(), opened("v2.2"));
    let zarr = converted(source.as_ref(), "zarr", &folder.path().join("zarr"));
    for out in ["lance", "named.lance"] {
        let lance = converted(zarr.as_ref(), "lance", &folder.path().join(out));
        assert_eq!((0..lance.episodes()).map(|episode| lance.length(episode)).collect::<Vec<_>>(), LENGTHS);
        assert_eq!(source.columns().unwrap(), lance.columns().unwrap());
        for name in source.columns().unwrap() {
            assert_eq!(bits(&source.column(&name).unwrap()), bits(&lance.column(&name).unwrap()), "{name}");
        }
        let (frames, lossy) = (all_frames(source.as_ref(), "pixels"), all_frames(lance.as_ref(), "pixels"));
        assert!(difference(&frames, &lossy) <= 8, "{}", difference(&frames, &lossy));
    }
}

#[test]
fn videos_in_tables_are_those_that_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let source = Formats::built_in().open(&golden("golden/stable_worldmodel"), None).unwrap();
    let lance = converted(source.as_ref(), "lance_video", &folder.path().join("lance"));
    assert_eq!((0..lance.episodes()).map(|episode| lance.length(episode)).collect::<Vec<_>>(), [3, 2]);
    let named: Vec<String> = source
        .columns()
        .unwrap()
        .into_iter()
        .filter(|name| source.column(name).is_ok() && name != "step_idx")
        .collect();
    assert_eq!(lance.columns().unwrap(), named);
    for name in &named {
        assert_eq!(bits(&source.column(name).unwrap()), bits(&lance.column(name).unwrap()), "{name}");
    }
    assert_eq!(lance.cameras().unwrap(), source.cameras().unwrap());
    for camera in source.cameras().unwrap() {
        assert!(all_frames(source.as_ref(), &camera) == all_frames(lance.as_ref(), &camera), "{camera}");
    }
    // A table of its own is found beside its videos, and its videos again where they were unpacked.
    let table = folder.path().join("lance/episodes.lance");
    let again = Formats::built_in().open(&table, None).unwrap();
    assert_eq!(again.frames_of("pixels", 1), lance.frames_of("pixels", 1));
    std::fs::remove_dir_all(folder.path().join("lance/episodes_videos.lance/data")).unwrap();
    assert!(Formats::built_in().open(&table, Some("lance_video")).is_err());
}

#[test]
fn what_is_wrong_is_named() {
    let text = opened("v2.2").frames("front", 0, &[0]).unwrap_err().to_string();
    assert!(text.contains("v2.2.lance: has no column `front`; it has byte, count"), "{text}");
    let text = opened("v2.2").column("note").unwrap_err().to_string();
    assert!(text.contains("column `note` is of the type Utf8, expected numbers"), "{text}");
    for (episode, length) in LENGTHS.into_iter().enumerate() {
        let text = opened("v2.2").frames("pixels", episode, &[length]).unwrap_err().to_string();
        assert!(text.contains(&format!("has {length} moments, moment {length} is asked for")), "{text}");
    }
    let folder = tempfile::tempdir().unwrap();
    let text = Formats::built_in().open(folder.path(), Some("lance")).err().unwrap().to_string();
    assert!(text.contains("there is no <name>.lance in it"), "{text}");
    let both = copy(&golden("lance"));
    let text = Formats::built_in().open(both.path(), Some("lance")).err().unwrap().to_string();
    assert!(text.contains("has 3 Lance tables (stable_worldmodel.lance, v2.0.lance, ...)"), "{text}");
    for file in std::fs::read_dir(both.path().join("v2.0.lance/data")).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let text = read_all(&both.path().join("v2.0.lance"), "lance").unwrap_err().to_string();
    assert!(text.contains("v2.0.lance") && !text.contains(".rs:"), "{text}");
}

#[test]
fn damaged_files_are_errors_or_answers_of_the_same_form() {
    for name in ["stable_worldmodel.lance", "v2.0.lance", "v2.2.lance"] {
        let (errors, all) = damage(&golden("lance").join(name), "lance");
        assert!(errors > all / 8, "{name}: {errors} of {all}");
    }
}
