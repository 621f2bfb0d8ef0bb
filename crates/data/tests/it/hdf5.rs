//! Recordings in HDF5: those of stable-worldmodel's writer and of h5py (`hdf5/make.py`), and our own.

#![allow(clippy::unwrap_used, reason = "a test that fails says why")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prevision_core::config::Part;
use prevision_core::{Array2, Camera, FrameBuffer, Spaces};
use prevision_data::convert::convert;
use prevision_data::{DataConfig, EpisodeSource, EpisodesInMemory, Formats, Split, built_in, in_order, open};

const LENGTHS: [usize; 3] = [5, 7, 4];
const OFFSETS: [usize; 3] = [0, 5, 12];
const ROWS: usize = 16;
const HEIGHT: usize = 8;
const WIDTH: usize = 12;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hdf5").join(name)
}

fn read(path: &Path) -> Box<dyn EpisodeSource> {
    Formats::built_in().open(path, None).unwrap()
}

fn message(path: &Path) -> String {
    Formats::built_in().open(path, Some("hdf5")).err().unwrap().to_string()
}

fn bits(values: &[f32]) -> Vec<u32> {
    // A NaN is a NaN, whatever its bits.
    values.iter().map(|value| if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() }).collect()
}

/// The numbers of a column as float32.
fn expected() -> BTreeMap<String, Vec<f32>> {
    let text = std::fs::read(golden("expected.json")).unwrap();
    let columns: BTreeMap<String, Vec<Option<f64>>> = serde_json::from_slice(&text).unwrap();
    let float = |value: Option<f64>| value.map_or(f32::NAN, |value| value as f32);
    columns.into_iter().map(|(name, values)| (name, values.into_iter().map(float).collect())).collect()
}

/// `picture` of `make.py`.
fn picture(row: usize, channels: usize) -> Vec<u8> {
    let sample = |place: usize| row * 7 + place / 3 / WIDTH * 5 + place / 3 % WIDTH * 3 + place % 3 % channels * 50;
    (0..HEIGHT * WIDTH * 3).map(|place| sample(place) as u8).collect()
}

/// `table` of `make.py`.
fn table() -> Vec<f32> {
    (0..ROWS * 4096).map(|place| (place / 4096 * 5 + place % 4096) as f32 % 97.0 / 4.0).collect()
}

fn assert_pictures(source: &dyn EpisodeSource, camera: &str, channels: usize) {
    for episode in 0..3 {
        let order: Vec<usize> = (0..LENGTHS[episode]).rev().chain([0, 0]).collect();
        let frames = source.frames(camera, episode, &order).unwrap();
        assert_eq!((frames.frames, frames.height, frames.width), (order.len(), HEIGHT, WIDTH));
        for (place, moment) in order.into_iter().enumerate() {
            assert!(
                frames.frame(place) == picture(OFFSETS[episode] + moment, channels),
                "{camera}, {episode}, {moment}"
            );
        }
    }
}

fn assert_columns(source: &dyn EpisodeSource, names: &[&str]) {
    let expected = expected();
    for name in names {
        let column = source.column(name).unwrap();
        assert_eq!((column.rows, column.rows * column.columns), (ROWS, expected[*name].len()), "{name}");
        assert_eq!(bits(&column.data), bits(&expected[*name]), "{name}");
    }
}

fn lengths(source: &dyn EpisodeSource) -> Vec<usize> {
    (0..source.episodes()).map(|episode| source.length(episode)).collect()
}

const COLUMNS: [&str; 9] =
    ["action", "done", "episode_idx", "half", "integer", "small", "state", "step_idx", "unsigned"];

#[test]
fn what_stable_worldmodel_wrote() {
    let source = read(&golden("stable_worldmodel.h5"));
    assert_eq!(lengths(source.as_ref()), LENGTHS);
    assert_eq!(source.cameras().unwrap(), ["depth", "pixels"]);
    assert_eq!(source.columns().unwrap(), COLUMNS);
    assert_columns(source.as_ref(), &COLUMNS);
    assert_pictures(source.as_ref(), "pixels", 3);
    assert_pictures(source.as_ref(), "depth", 1);
    assert!(source.column("action").unwrap().row(4).iter().all(|value| value.is_nan()));
    let error = source.column("pixels").unwrap_err().to_string();
    assert!(error.contains("has no column `pixels`; columns here: action, done"), "{error}");
    let error = source.frames("pixels", 1, &[7]).unwrap_err().to_string();
    assert!(error.contains("camera `pixels`, episode 1: has 7 moments, moment 7 is asked for"), "{error}");
}

#[test]
fn all_layouts_types_and_filters_of_h5py() {
    for name in ["latest.h5", "earliest.h5"] {
        let source = read(&golden(name));
        assert_eq!(lengths(source.as_ref()), LENGTHS);
        let cameras = ["appended", "checked", "depth", "fixed", "lzf", "pixels", "several", "single", "two_axes"];
        assert_eq!(source.cameras().unwrap(), cameras);
        for camera in cameras {
            assert_pictures(source.as_ref(), camera, if camera == "depth" { 1 } else { 3 });
        }
        let columns = source.columns().unwrap();
        // Neither the texts nor what has a row for each episode.
        let big = ["big_action", "big_half", "big_integer", "big_unsigned"];
        assert_eq!(columns, [&COLUMNS[..1], &big, &COLUMNS[1..8], &["table"], &COLUMNS[8..]].concat());
        assert_columns(source.as_ref(), &[&COLUMNS[..], &big].concat());
        assert_eq!(source.column("table").unwrap().data, table());
    }
}

#[test]
fn indices_of_more_chunks_than_one_node_holds() {
    for name in ["many_latest.h5", "many_earliest.h5"] {
        let source = read(&golden(name));
        let numbers: Vec<f32> = (0..300).map(|row| row as f32).collect();
        assert_eq!(source.column("number").unwrap().data, numbers, "{name}");
    }
}

#[test]
fn all_codecs_and_shuffles_of_blosc() {
    let source = read(&golden("blosc.h5"));
    assert_eq!(source.cameras().unwrap().len(), 15);
    for camera in source.cameras().unwrap() {
        assert_pictures(source.as_ref(), &camera, 3);
        assert!(source.column(&format!("table_{camera}")).unwrap().data == table(), "{camera}");
    }
}

#[test]
fn rows_between_episodes_are_left_out() {
    let source = read(&golden("gaps.h5"));
    assert_eq!(lengths(source.as_ref()), LENGTHS);
    assert_pictures(source.as_ref(), "pixels", 3);
    assert_columns(source.as_ref(), &["action", "state"]);
}

#[test]
fn threads_read_at_once() {
    for name in ["blosc.h5", "earliest.h5", "stable_worldmodel.h5"] {
        let source = read(&golden(name));
        let cameras = source.cameras().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (source, cameras) = (source.as_ref(), &cameras);
                scope.spawn(move || {
                    for camera in cameras.iter().cycle().skip(thread).take(cameras.len()) {
                        assert_pictures(source, camera, if camera == "depth" { 1 } else { 3 });
                    }
                });
            }
        });
    }
}

#[test]
fn clips_are_read_with_actions_and_state() {
    let source = Part::new("episodes").with("path", golden("stable_worldmodel.h5").to_str().unwrap());
    let config = DataConfig {
        source,
        frames: 3,
        frame_step: 1,
        clips_per_video: 1,
        validation_fraction: 0.0,
        ..DataConfig::default()
    };
    let source = config.source(&built_in(), &Formats::built_in()).unwrap();
    let dataset = open(&config, source.as_ref(), Split::Train, 3).unwrap();
    let clips: Vec<_> = in_order(dataset.as_ref(), 2).flat_map(|batch| batch.unwrap().clips).collect();
    assert_eq!(clips.len(), 3);
    let actions = &expected()["action"];
    for clip in clips {
        let row = OFFSETS[clip.source.video] + clip.source.start;
        assert_eq!(clip.observations.cameras["pixels"].frame(2).len(), HEIGHT * WIDTH * 3);
        assert_eq!(clip.observations.cameras["pixels"].frame(2), picture(row + 2, 3));
        assert_eq!(clip.actions.unwrap().data, actions[row * 2..row * 2 + 4]);
        assert_eq!(clip.state.unwrap().columns, 3);
    }
}

/// Reads all that a source has: an error, or as many numbers and pictures as it claims.
fn read_all(path: &Path) -> Result<(), String> {
    let text = |error: prevision_data::DataError| error.to_string();
    let source = Formats::built_in().open(path, Some("hdf5")).map_err(text)?;
    let moments: usize = lengths(source.as_ref()).iter().sum();
    let mut result = Ok(());
    for name in source.columns().map_err(text)? {
        match source.column(&name) {
            Ok(column) => assert_eq!((column.rows, column.data.len()), (moments, moments * column.columns)),
            Err(error) => result = Err(text(error)),
        }
    }
    for camera in source.cameras().map_err(text)? {
        for episode in 0..source.episodes() {
            let Some(last) = source.length(episode).checked_sub(1) else { continue };
            match source.frames(&camera, episode, &[last, 0]) {
                Ok(frames) => assert_eq!(frames.data.len(), 2 * frames.frame_bytes()),
                Err(error) => result = Err(text(error)),
            }
        }
    }
    result
}

#[test]
fn damage_is_an_error_or_other_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.h5");
    for name in ["stable_worldmodel.h5", "latest.h5", "earliest.h5", "blosc.h5", "many_latest.h5", "many_earliest.h5"] {
        let bytes = std::fs::read(golden(name)).unwrap();
        for length in (0..20).map(|part| bytes.len() * part / 20).chain([1, 8, 47, bytes.len() - 1]) {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let error = read_all(&path).unwrap_err();
            assert!(error.contains("damaged.h5"), "{error}");
        }
        let mut errors = 0;
        // The headers lie together at no one place, so all of the file is tried, by steps.
        for place in (0..50).chain((0..bytes.len()).step_by(bytes.len() / 50)) {
            let mut damaged = bytes.clone();
            damaged[place] ^= 0xff;
            std::fs::write(&path, damaged).unwrap();
            errors += usize::from(read_all(&path).is_err());
        }
        assert!(errors > 20, "{name}: {errors}");
    }
}

/// Two cameras and two columns, as `LeRobot` calls them.
fn in_memory() -> impl EpisodeSource {
    let camera = |name: &str, height, width| (format!("observation.images.{name}"), Camera { height, width });
    let rows = |count: usize| Array2::new((0..ROWS * count).map(|n| (n as f32).sin()).collect(), ROWS, count);
    let mut action = rows(2);
    action.data[8..10].fill(f32::NAN);
    EpisodesInMemory {
        lengths: LENGTHS.to_vec(),
        spaces: Spaces { cameras: [camera("top", 8, 12), camera("side", 6, 4)].into(), ..Spaces::default() },
        columns: BTreeMap::from([
            ("action".to_owned(), action),
            ("observation.state".to_owned(), rows(3)),
            ("frame_index".to_owned(), rows(1)),
        ]),
        frames: |camera: &str, episode: usize, indices: &[usize]| {
            let (height, width) = if camera.ends_with("top") { (8, 12) } else { (6, 4) };
            let mut frames = FrameBuffer::new(indices.len(), height, width);
            for (place, index) in indices.iter().enumerate() {
                let sample = |n: usize| (n * 3 + index * 29 + episode * 101 + height) as u8;
                frames.frame_mut(place).iter_mut().enumerate().for_each(|(n, to)| *to = sample(n));
            }
            Ok(frames)
        },
    }
}

fn write(source: &dyn EpisodeSource, format: &str, out: &Path) {
    convert(source, format, &Formats::built_in(), out, |_, _| true).unwrap();
}

fn assert_same(one: &dyn EpisodeSource, prefix: &str, other: &dyn EpisodeSource) {
    assert_eq!(lengths(one), lengths(other));
    for (name, long) in [("action", "action".to_owned()), ("state", format!("{prefix}state"))] {
        let (one, other) = (one.column(&long).unwrap(), other.column(name).unwrap());
        assert_eq!((one.rows, one.columns, bits(&one.data)), (other.rows, other.columns, bits(&other.data)), "{name}");
    }
    let images = if prefix.is_empty() { "" } else { "observation.images." };
    for camera in ["top", "side"] {
        for (episode, &length) in LENGTHS.iter().enumerate() {
            let all: Vec<usize> = (0..length).collect();
            let expected = one.frames(&format!("{images}{camera}"), episode, &all).unwrap();
            assert!(expected == other.frames(camera, episode, &all).unwrap(), "{camera}, episode {episode}");
        }
    }
}

#[test]
fn there_and_back_without_loss() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let source = in_memory();
    write(&source, "hdf5", &place("hdf5"));
    let hdf5 = read(&place("hdf5"));
    assert_same(&source, "observation.", hdf5.as_ref());
    assert_eq!(
        (hdf5.columns().unwrap(), hdf5.cameras().unwrap()),
        (vec!["action".into(), "state".into()], vec!["side".into(), "top".into()])
    );
    write(hdf5.as_ref(), "video", &place("video"));
    let video = read(&place("video"));
    assert_same(hdf5.as_ref(), "", video.as_ref());
    write(video.as_ref(), "hdf5", &place("again"));
    let file = |name: &str| std::fs::read(place(name).join("episodes.h5")).unwrap();
    assert!(file("hdf5") == file("again"));
    assert_eq!(std::fs::read_dir(place("hdf5")).unwrap().count(), 1);
}

#[test]
fn what_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write(&in_memory(), "hdf5", &folder.path().join("whole"));
    let bytes = std::fs::read(folder.path().join("whole/episodes.h5")).unwrap();
    let path = folder.path().join("changed.hdf5");
    let changed = |from_end: usize, number: &[u8]| {
        let mut changed = bytes.clone();
        let place = changed.len() - from_end;
        changed[place..place + number.len()].copy_from_slice(number);
        std::fs::write(&path, changed).unwrap();
        message(&path)
    };
    // The offsets are last, the lengths and four bytes of padding before them.
    assert!(changed(8, &13_i64.to_le_bytes()).contains("data set `action` has 16 rows, the episodes need 17"));
    assert!(
        changed(16, &4_i64.to_le_bytes()).contains("ep_offset of episode 1 is 4, but the one before it ends at row 5")
    );
    assert!(changed(8, &(-1_i64).to_le_bytes()).contains("data set `ep_offset`"));
    assert!(changed(24 + 16, &(-5_i32).to_le_bytes()).contains("data set `ep_len`"));
    assert!(message(&golden("make.py")).contains("make.py"));
    assert!(message(&folder.path().join("none.h5")).contains("none.h5"));
}

#[test]
fn a_folder_with_one_file_is_a_recording() {
    let formats = Formats::built_in();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(formats.detect(folder.path()), None);
    assert!(message(folder.path()).contains("has no file .h5 or .hdf5"));
    std::fs::copy(golden("gaps.h5"), folder.path().join("one.h5")).unwrap();
    assert_eq!(formats.detect(folder.path()), Some("hdf5".to_owned()));
    assert_eq!(formats.detect(&folder.path().join("one.h5")), Some("hdf5".to_owned()));
    assert_pictures(read(folder.path()).as_ref(), "pixels", 3);
    std::fs::copy(golden("gaps.h5"), folder.path().join("two.HDF5")).unwrap();
    assert!(
        message(folder.path()).contains("has 2 HDF5 files (one.h5, two.HDF5, ...), expected one; name the file itself")
    );
    // A folder of another format is that format's.
    let golden = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name);
    assert_eq!(formats.detect(&golden("golden/recording")), Some("video".to_owned()));
    assert_eq!(formats.detect(&golden("lerobot/v3.0")), Some("lerobot".to_owned()));
    assert_eq!(formats.detect(&golden("lerobot")), None);
}
