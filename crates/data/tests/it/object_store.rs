//! Data sets in object storage, against a server of this process.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

#[path = "../../../storage/tests/server/mod.rs"]
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::common::{all_frames, bits, bytes, golden, open_side, source, walk};
use prevision_data::{
    ClipDataset, DataConfig, DataError, Encoding, Formats, Loader, LoaderConfig, PrepareOptions, Split, VideoEntry,
    find_videos, prepare,
};
use prevision_video::{Mp4Options, Mp4Writer, Quality};
use server::{Bucket, Counts, Fault};

/// A video whose frame `t` is all (number, t, x) in (red, green, blue).
fn write_video(path: &Path, number: u8) {
    let options =
        Mp4Options { width: 24, height: 16, frame_rate: 10, quality: Quality::Lossless, keyframe_interval: 4 };
    let mut video = Mp4Writer::create(path, &options).unwrap();
    for t in 0..20 {
        let rgb: Vec<u8> = (0..24 * 16).flat_map(|pixel| [number, t, (pixel % 24) as u8]).collect();
        video.write(&rgb).unwrap();
    }
    video.finish().unwrap();
}

/// Eight videos in a folder, and the same in a bucket below `clips`.
fn both(name: &str) -> (tempfile::TempDir, Bucket) {
    let (folder, bucket) = (tempfile::tempdir().unwrap(), Bucket::new(name));
    for number in 0..8 {
        let name = format!("{number}.mp4");
        write_video(&folder.path().join(&name), number);
        bucket.put(&format!("clips/{name}"), fs::read(folder.path().join(&name)).unwrap());
    }
    bucket.put("clips/notes.txt", *b"no video");
    (folder, bucket)
}

fn config(path: &Path, workers: usize) -> DataConfig {
    DataConfig {
        source: source("videos", path),
        frames: 4,
        frame_step: 2,
        clips_per_video: 2,
        size: Some(16),
        validation_fraction: 0.0,
        batch_size: 3,
        workers,
        read_timeout: 5.0,
        ..DataConfig::default()
    }
}

type Print = (usize, usize, Option<i64>, Vec<u8>);

/// The clips of batches `start..8`, and the data set.
fn clips(config: &DataConfig, start: u64) -> (Vec<Print>, Arc<dyn ClipDataset>) {
    let dataset = open_side(config, Split::Train, 5).unwrap();
    let mut loader = Loader::new(Arc::clone(&dataset), &LoaderConfig::new(config, 5), start).unwrap();
    let clips = (start..8).flat_map(|_| loader.next_batch().unwrap().clips);
    let prints = clips.map(|clip| (clip.source.video, clip.source.start, clip.label, bytes(clip))).collect();
    (prints, dataset)
}

#[test]
fn a_prefix_is_read_like_a_folder() {
    let (folder, bucket) = both("prefix");
    let (expected, _) = clips(&config(folder.path(), 1), 0);
    for workers in [0, 1, 2, 7] {
        let (found, dataset) = clips(&config(&bucket.address("clips"), workers), 0);
        assert!(found == expected, "{workers} workers");
        assert!(dataset.skipped().is_empty());
    }
    let counts = bucket.take_counts();
    let total: usize =
        fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().len() as usize).sum();
    assert_eq!(counts.bytes, total, "every object once, for four loaders");
    let (found, _) = clips(&config(&bucket.address("clips/"), 2), 5);
    assert!(found == expected[15..], "after a resume");
    assert_eq!(bucket.take_counts().bytes, 0);
}

#[test]
fn one_object_and_manifests() {
    let (folder, bucket) = both("manifests");
    let one = bucket.address("clips/3.mp4");
    assert_eq!(find_videos(&one).unwrap(), [VideoEntry { path: one.clone(), label: None }]);
    let (first, other) = (bucket.address("clips/1.mp4"), bucket.http_address("clips/2.mp4"));
    let lines = format!("{} 7\n\"{}\" 9\n", first.display(), other.display());
    let expected = [VideoEntry { path: first, label: Some(7) }, VideoEntry { path: other, label: Some(9) }];
    // On this machine, in the bucket, over HTTP.
    let local = folder.path().join("list.txt");
    fs::write(&local, &lines).unwrap();
    bucket.put("list.txt", lines);
    for manifest in [local, bucket.address("list.txt"), bucket.http_address("list.txt")] {
        assert_eq!(find_videos(&manifest).unwrap(), expected, "{}", manifest.display());
    }
    bucket.put("clips/near.txt", *b"4.mp4 1\n");
    let near = VideoEntry { path: bucket.address("clips/4.mp4"), label: Some(1) };
    assert_eq!(find_videos(&bucket.address("clips/near.txt")).unwrap(), [near]);
    let (found, _) = clips(&DataConfig { batch_size: 2, ..config(&bucket.address("list.txt"), 2) }, 0);
    assert!(found.iter().all(|(video, _, label, _)| *label == Some([7, 9][*video])));
    bucket.put("clips/far.txt", *b"/etc/passwd\n");
    let error = find_videos(&bucket.address("clips/far.txt")).unwrap_err().to_string();
    assert!(error.contains("far.txt, line 1: /etc/passwd is a file of this machine"), "{error}");
    let error = find_videos(&bucket.address("nothing")).unwrap_err().to_string();
    assert!(error.contains("there is no object s3://manifests/nothing"), "{error}");
    bucket.put("empty/a.txt", *b"x");
    let error = find_videos(&bucket.address("empty")).unwrap_err().to_string();
    assert!(error.contains("no video in this folder"), "{error}");
}

#[test]
fn broken_and_missing_objects_are_skipped_and_named() {
    let (_folder, bucket) = both("broken");
    bucket.put("clips/2.mp4", *b"this is no video at all");
    let lines: Vec<String> = (0..9).map(|number| format!("clips/{number}.mp4 {number}")).collect();
    bucket.put("list.txt", lines.join("\n"));
    let tolerant = |path: PathBuf, workers| DataConfig { max_broken_fraction: 0.5, ..config(&path, workers) };
    let (expected, dataset) = clips(&tolerant(bucket.address("list.txt"), 1), 0);
    let names: Vec<_> = dataset.skipped().iter().map(|file| file.path.clone()).collect();
    assert_eq!(names, [bucket.address("clips/2.mp4"), bucket.address("clips/8.mp4")]);
    for workers in [0, 3] {
        assert!(clips(&tolerant(bucket.address("list.txt"), workers), 0).0 == expected, "{workers} workers");
    }
}

#[test]
fn a_storage_that_fails_stops_the_run_with_its_reason() {
    let (_folder, bucket) = both("outage");
    bucket.fail(Fault::Status(403), usize::MAX);
    let config = config(&bucket.address("clips"), 2);
    let dataset = open_side(&config, Split::Train, 5).unwrap();
    let mut loader = Loader::new(dataset, &LoaderConfig::new(&config, 5), 0).unwrap();
    let error = loader.next_batch().map(|_| ()).unwrap_err();
    assert!(matches!(error, DataError::TooManyBroken { .. }), "{error}");
    assert!(error.to_string().contains("no access to s3://outage/clips/"), "{error}");
}

#[test]
fn an_object_that_changes_between_runs_is_indexed_again() {
    let (folder, bucket) = both("between");
    let address = bucket.address("clips");
    clips(&config(&address, 2), 0);
    let other = folder.path().join("3.mp4");
    write_video(&other, 200);
    bucket.put("clips/3.mp4", fs::read(&other).unwrap());
    bucket.take_counts();
    assert!(clips(&config(&address, 2), 0).0 == clips(&config(folder.path(), 2), 0).0);
    assert_eq!(bucket.take_counts().bytes, fs::metadata(&other).unwrap().len() as usize, "that one alone");
}

#[test]
fn prepared_from_storage_and_read_from_storage() {
    let (folder, bucket) = both("prepare");
    bucket.put("clips/broken.mp4", *b"this is no video at all");
    let out = tempfile::tempdir().unwrap();
    let options = |source: &Path, name: &str, encoding| PrepareOptions {
        source: source.into(),
        out: out.path().join(name),
        encoding,
        short_side: 16,
        quality: 10,
        keyframe_interval: 4,
        workers: 2,
        read_timeout: 5.0,
    };
    let from = bucket.address("clips");
    let made = prepare(&options(&from, "raw", Encoding::Raw), &|_| true).unwrap().unwrap();
    let again = prepare(&options(&from, "raw", Encoding::Raw), &|_| true).unwrap().unwrap();
    assert_eq!((made.videos, made.skipped_files.len(), &made), (8, 1, &again));
    assert_eq!(made.skipped_files[0].path, bucket.address("clips/broken.mp4"));
    prepare(&options(folder.path(), "local", Encoding::Raw), &|_| true).unwrap().unwrap();
    let prepared = |name: &str| clips(&config(&out.path().join(name), 2), 0).0;
    assert!(prepared("raw") == prepared("local"));
    // A prepared folder of files, copied to the bucket, is one there, too.
    prepare(&options(&from, "h264", Encoding::H264), &|_| true).unwrap().unwrap();
    for name in ["prepared.json", "index.bin"] {
        bucket.put(&format!("h264/{name}"), fs::read(out.path().join("h264").join(name)).unwrap());
        bucket.put(&format!("raw/{name}"), fs::read(out.path().join("raw").join(name)).unwrap());
    }
    for file in fs::read_dir(out.path().join("h264/shard-00000")).unwrap().flatten() {
        let key = format!("h264/shard-00000/{}", file.file_name().display());
        bucket.put(&key, fs::read(file.path()).unwrap());
    }
    assert!(clips(&config(&bucket.address("h264"), 2), 0).0 == prepared("h264"));
    let error = open_side(&config(&bucket.address("raw"), 2), Split::Train, 5).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("s3://prepare/raw") && error.contains("local disk only"), "{error}");
    assert_ne!(bucket.take_counts(), Counts::default());
}

#[test]
fn lerobot_data_sets_are_read_from_storage() {
    for version in ["v2.1", "v3.0", "images-v3.0"] {
        let golden = golden("lerobot").join(version);
        let bucket = Bucket::new(&format!("lerobot-{}", version.replace('.', "-")));
        for path in walk(&golden) {
            let key = path.strip_prefix(&golden).unwrap().to_str().unwrap().to_owned();
            bucket.put(&format!("set/{key}"), fs::read(&path).unwrap());
        }
        let formats = Formats::built_in();
        let address = bucket.address("set");
        assert_eq!(formats.detect(&address).as_deref(), Some("lerobot"), "{version}");
        let (there, here) = (formats.open(&address, None).unwrap(), formats.open(&golden, None).unwrap());
        assert_eq!(there.columns().unwrap(), here.columns().unwrap());
        assert_eq!(there.cameras().unwrap(), here.cameras().unwrap());
        assert_eq!(there.episodes(), here.episodes());
        for name in here.columns().unwrap() {
            assert_eq!(bits(&there.column(&name).unwrap()), bits(&here.column(&name).unwrap()), "{version}, {name}");
        }
        for camera in here.cameras().unwrap() {
            assert!(all_frames(there.as_ref(), &camera) == all_frames(here.as_ref(), &camera), "{version}, {camera}");
        }
        let config = |path: &Path| DataConfig {
            source: source("episodes", path)
                .with("cameras", vec![here.cameras().unwrap()[0].clone()])
                .with("state", "")
                .with("action", "action"),
            frames: 2,
            frame_step: 1,
            size: Some(16),
            ..config(path, 2)
        };
        let clips = |path: &Path| -> Vec<Vec<u8>> {
            let dataset = open_side(&config(path), Split::Train, 5).unwrap();
            let mut loader = Loader::new(dataset, &LoaderConfig::new(&config(path), 5), 0).unwrap();
            let clips = (0..4).flat_map(|_| loader.next_batch().unwrap().clips);
            clips.map(|clip| clip.observations.cameras.into_values().next().unwrap().data).collect()
        };
        assert!(clips(&address) == clips(&golden), "{version}");
    }
}
