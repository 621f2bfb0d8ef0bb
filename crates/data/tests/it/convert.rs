//! Recordings in another format, and back.

#![allow(clippy::unwrap_used, reason = "a test that fails says why")]

use std::collections::BTreeMap;
use std::path::Path;

use prevision_core::{Array2, Camera, FrameBuffer, Observations, Spaces};
use prevision_data::convert::{check_apart, convert};
use prevision_data::{Episode, EpisodeOptions, EpisodeSource, EpisodeWriter, Formats, open_recording};

const LENGTHS: [usize; 3] = [7, 12, 9];

fn record(folder: &Path) {
    let spaces =
        Spaces { cameras: BTreeMap::from([("pixels".into(), Camera { height: 16, width: 24 })]), ..Spaces::default() };
    let mut writer = EpisodeWriter::create(folder, &spaces, &EpisodeOptions::default()).unwrap();
    for (number, &length) in LENGTHS.iter().enumerate() {
        let mut frames = FrameBuffer::new(length, 16, 24);
        let (mut action, mut state) = (Array2::zeros(0, 2), Array2::zeros(0, 1));
        for moment in 0..length {
            frames.frame_mut(moment).iter_mut().enumerate().for_each(|(place, sample)| {
                *sample = (place * 3 + moment * 17 + number * 40) as u8;
            });
            let last = moment + 1 == length;
            action.push(&if last { [f32::NAN; 2] } else { [moment as f32 / 3.0, f32::MIN_POSITIVE] });
            state.push(&[(number * 100 + moment) as f32]);
        }
        let columns = BTreeMap::from([("action".into(), action), ("state".into(), state)]);
        writer.write(&Episode { observations: Observations::of_camera("pixels", frames), columns }).unwrap();
    }
    writer.finish().unwrap();
}

fn open(folder: &Path) -> (Option<String>, Box<dyn EpisodeSource>) {
    open_recording(folder, None, &Formats::built_in(), 1).unwrap()
}

fn bits(column: &Array2) -> Vec<u32> {
    column.data.iter().map(|value| value.to_bits()).collect()
}

fn write(from: &Path, to: &str, out: &Path) {
    let (_, source) = open(from);
    let mut told = Vec::new();
    convert(source.as_ref(), to, &Formats::built_in(), out, |done, all| {
        told.push((done, all));
        true
    })
    .unwrap();
    assert_eq!(told.last(), Some(&(source.episodes(), source.episodes())));
}

/// Columns bit for bit, frames sample for sample.
fn assert_same(one: &dyn EpisodeSource, other: &dyn EpisodeSource, names: &[[&str; 2]], cameras: [&str; 2]) {
    assert_eq!(one.episodes(), other.episodes());
    for [of_one, of_other] in names {
        assert_eq!(bits(&one.column(of_one).unwrap()), bits(&other.column(of_other).unwrap()), "{of_one}");
    }
    for episode in 0..one.episodes() {
        assert_eq!(one.length(episode), other.length(episode));
        let all: Vec<usize> = (0..one.length(episode)).collect();
        let frames = one.frames(cameras[0], episode, &all).unwrap();
        assert!(frames == other.frames(cameras[1], episode, &all).unwrap(), "frames of episode {episode}");
    }
}

#[test]
fn there_and_back_without_loss() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    record(&place("own"));
    write(&place("own"), "lerobot", &place("lerobot"));
    write(&place("lerobot"), "video", &place("back"));
    let ((first, own), (second, lerobot), (third, back)) =
        (open(&place("own")), open(&place("lerobot")), open(&place("back")));
    assert_eq!([first, second, third].map(Option::unwrap), ["video", "lerobot", "video"]);
    let names = [["action", "action"], ["state", "observation.state"]];
    assert_same(own.as_ref(), lerobot.as_ref(), &names, ["pixels", "observation.images.pixels"]);
    assert_same(own.as_ref(), back.as_ref(), &names.map(|[name, _]| [name, name]), ["pixels", "pixels"]);
    assert_eq!(back.columns().unwrap(), ["action", "state"]);
    let file = |name: &str| std::fs::read(place(name).join("pixels/ep_1.mp4")).unwrap();
    assert!(file("own") == file("back"), "a video of one episode is copied");
    let index = lerobot.column("index").unwrap();
    assert_eq!(index.data, (0..28).map(|row| row as f32).collect::<Vec<_>>());
    let times = lerobot.column("timestamp").unwrap();
    assert_eq!(times.data[7..10], [0.0, 0.04, 0.08]);
}

#[test]
fn episodes_that_share_a_video_are_taken_apart() {
    let folder = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lerobot/v3.0");
    write(&golden, "video", folder.path());
    let ((_, lerobot), (_, own)) = (open(&golden), open(folder.path()));
    let names = [["action", "action"], ["observation.state", "state"]];
    for camera in ["top", "side"] {
        assert_same(lerobot.as_ref(), own.as_ref(), &names, [&format!("observation.images.{camera}"), camera]);
    }
}

#[test]
fn what_cannot_be_written_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    record(&folder.path().join("own"));
    let (_, source) = open(&folder.path().join("own"));
    let out = folder.path().join("out");
    let message = |to: &str, out: &Path| {
        convert(source.as_ref(), to, &Formats::built_in(), out, |_, _| true).unwrap_err().to_string()
    };
    let known = "there is no format `zip` of recorded episodes; known: video, lerobot, hdf5, folder, zarr, table";
    assert!(message("zip", &out).contains(known));
    assert!(message("video", &folder.path().join("own")).contains("is not empty"));
    std::fs::remove_file(folder.path().join("own/pixels/ep_2.mp4")).unwrap();
    assert!(message("lerobot", &out).contains("ep_2.mp4"));
    assert!(!out.exists());
}

#[test]
fn what_is_interrupted_leaves_nothing_and_can_be_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own");
    record(&own);
    let (_, source) = open(&own);
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    for out in [&folder.path().join("out"), &empty] {
        for to in ["video", "lerobot", "hdf5", "zarr", "table", "folder"] {
            let done = |limit| convert(source.as_ref(), to, &Formats::built_in(), out, |done, _| done < limit).unwrap();
            assert!(!done(1), "{to}");
            // What a program that was killed has left is in nobody's way.
            std::fs::create_dir(out.with_file_name(".out.1-0.partial")).unwrap();
            if out == &empty {
                assert_eq!(std::fs::read_dir(out).unwrap().count(), 0);
                std::fs::create_dir(out.join(".empty.1-0.partial")).unwrap();
            } else {
                assert!(!out.exists());
            }
            assert!(done(usize::MAX), "{to}");
            assert_eq!(Formats::built_in().open(out, Some(to)).unwrap().episodes(), source.episodes());
            std::fs::remove_dir_all(out).unwrap();
            std::fs::remove_dir_all(out.with_file_name(".out.1-0.partial")).unwrap();
            if out == &empty {
                std::fs::create_dir(&empty).unwrap();
            }
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "own and empty");
    }
    for inside in [own.join("new"), own.clone()] {
        let message = check_apart(&own, &inside).unwrap_err().to_string();
        assert!(message.contains("lies in the source folder"), "{message}");
    }
    check_apart(&own, &folder.path().join("own2")).unwrap();
}
