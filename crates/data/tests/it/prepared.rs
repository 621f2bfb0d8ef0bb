//! Prepared data sets: complete, resumable, checked, and the same clips as from the sources.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{bytes, open_side, source};
use prevision_data::{
    CropConfig, DataConfig, Encoding, Loader, LoaderConfig, PrepareOptions, PrepareProgress, PreparedSummary, Split,
    prepare,
};
use prevision_video::{Mp4Options, Mp4Writer, Quality};

/// A video of smooth waves that move.
fn write_video(path: &Path, number: usize, frames: usize, width: usize, height: usize) {
    let options = Mp4Options { width, height, frame_rate: 20, quality: Quality::Crf(12), keyframe_interval: 50 };
    let mut video = Mp4Writer::create(path, &options).unwrap();
    for t in 0..frames {
        let wave = |phase: f64| (127.5 + 100.0 * (phase / 11.0).sin()) as u8;
        let pixel = |place: usize| {
            let (x, y) = ((place % width) as f64, (place / width) as f64);
            [wave(x + (t + number * 40) as f64), wave(y - t as f64), wave(x + y)]
        };
        video.write(&(0..width * height).flat_map(pixel).collect::<Vec<u8>>()).unwrap();
    }
    video.finish().unwrap();
}

/// Five videos, one of them labelled, and one file that is no video.
fn sources(folder: &Path) -> PathBuf {
    for (number, frames) in [30, 24, 40, 27, 33].into_iter().enumerate() {
        write_video(&folder.join(format!("{number}.mp4")), number, frames, 96, 64 + 8 * (number % 2));
    }
    std::fs::write(folder.join("broken.mp4"), "no video").unwrap();
    let manifest = folder.join("list.txt");
    std::fs::write(&manifest, "0.mp4 7\n1.mp4\n2.mp4\nbroken.mp4\n3.mp4\n4.mp4\n").unwrap();
    manifest
}

fn options(source: &Path, out: &Path, encoding: Encoding) -> PrepareOptions {
    PrepareOptions {
        source: source.into(),
        out: out.into(),
        encoding,
        short_side: 48,
        quality: 4,
        keyframe_interval: 4,
        workers: 2,
        read_timeout: 60.0,
    }
}

fn made(options: &PrepareOptions) -> PreparedSummary {
    prepare(options, &|_| true).unwrap().unwrap()
}

/// Video, first frame, label, times, pixels.
type Print = (usize, usize, Option<i64>, Vec<f64>, Vec<u8>);

fn clips(path: &Path, workers: usize, start: u64) -> Vec<Print> {
    let config = DataConfig {
        source: source("videos", path),
        frames: 4,
        frame_step: 3,
        size: Some(40),
        crop: CropConfig::Centre { short_side: Some(48) },
        batch_size: 2,
        validation_fraction: 0.0,
        max_broken_fraction: 0.5,
        workers,
        ..DataConfig::default()
    };
    let dataset = open_side(&config, Split::Train, 3).unwrap();
    let mut loader = Loader::new(dataset, &LoaderConfig::new(&config, 3), start).unwrap();
    (start..8)
        .flat_map(|_| loader.next_batch().unwrap().clips)
        .map(|clip| (clip.source.video, clip.source.start, clip.label, clip.times.clone(), bytes(clip)))
        .collect()
}

fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let error: f64 = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    10.0 * (255.0_f64.powi(2) * a.len() as f64 / error.max(1e-9)).log10()
}

#[test]
fn every_encoding_gives_the_same_clips_with_any_number_of_workers_and_from_any_batch_on() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = sources(folder.path());
    // Without the broken one, so that the videos are numbered alike.
    let good = folder.path().join("good.txt");
    std::fs::write(&good, "0.mp4 7\n1.mp4\n2.mp4\n3.mp4\n4.mp4\n").unwrap();
    let wanted = clips(&good, 0, 0);
    for workers in [1, 2, 7] {
        assert!(clips(&good, workers, 0) == wanted, "{workers} workers");
    }
    for (encoding, least) in [(Encoding::Raw, 60.0), (Encoding::H264, 33.0), (Encoding::Mjpeg, 33.0)] {
        let out = folder.path().join(format!("{encoding:?}"));
        let summary = made(&options(&manifest, &out, encoding));
        assert_eq!((summary.videos, summary.frames, summary.skipped_files.len()), (5, 154, 1));
        assert!(summary.skipped_files[0].path.ends_with("broken.mp4"), "{:?}", summary.skipped_files);
        let reference = clips(&out, 0, 0);
        assert_eq!(reference.len(), wanted.len());
        for (found, wanted) in reference.iter().zip(&wanted) {
            assert_eq!((found.0, found.1, found.2, &found.3), (wanted.0, wanted.1, wanted.2, &wanted.3));
            let close = psnr(&found.4, &wanted.4);
            assert!(close >= least, "{encoding:?}: {close:.1} dB");
        }
        for workers in [1, 2, 7] {
            assert!(clips(&out, workers, 0) == reference, "{encoding:?}, {workers} workers");
        }
        assert!(clips(&out, 2, 5) == reference[10..], "{encoding:?}, resumed");
    }
}

#[test]
fn the_plan_is_told_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, out) = (sources(folder.path()), folder.path().join("out"));
    for encoding in [Encoding::Raw, Encoding::H264] {
        let answer = prepare(&options(&manifest, &out, encoding), &|progress| {
            if let PrepareProgress::Planned(plan) = progress {
                assert_eq!((plan.videos, plan.frames, plan.skipped_files.len()), (5, 154, 1));
                assert_eq!(plan.exact, encoding == Encoding::Raw);
                // 30 + 40 + 33 frames of 72x48, 24 + 27 of 64x48.
                let raw = (103 * 72 + 51 * 64) * 48 * 3;
                assert!(if plan.exact { plan.bytes == raw } else { plan.bytes > 1000 && plan.bytes < raw / 3 });
                assert!(plan.free_bytes > 0);
                return false;
            }
            true
        });
        assert_eq!(answer.unwrap(), None);
        assert!(!out.exists(), "nothing is left");
    }
}

#[test]
fn an_interrupted_run_goes_on_and_a_finished_one_is_checked_and_mended() {
    for encoding in [Encoding::Raw, Encoding::Mjpeg] {
        let folder = tempfile::tempdir().unwrap();
        let (manifest, out) = (sources(folder.path()), folder.path().join("out"));
        let options = options(&manifest, &out, encoding);
        let whole = made(&options);
        let reference = clips(&out, 0, 0);
        // As if killed: two records are there, nothing else is known.
        std::fs::create_dir(out.join("progress")).unwrap();
        let written = AtomicUsize::new(0);
        let count = |progress: PrepareProgress<'_>| {
            if matches!(progress, PrepareProgress::Written(..)) {
                written.fetch_add(1, Ordering::Relaxed);
            }
            true
        };
        // A finished folder: nothing is written again.
        assert_eq!(prepare(&options, &count).unwrap().unwrap(), whole);
        assert_eq!(written.load(Ordering::Relaxed), 0);
        // Damage is found and mended.
        let shard = match encoding {
            Encoding::Raw => out.join("shard-00000.raw"),
            _ => out.join("shard-00000/000002.mp4"),
        };
        let mut bytes = std::fs::read(&shard).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        std::fs::write(&shard, &bytes).unwrap();
        assert_eq!(prepare(&options, &count).unwrap().unwrap(), whole);
        assert_eq!(written.load(Ordering::Relaxed), 1);
        assert!(clips(&out, 1, 0) == reference);
        // Not finished: the loader refuses it, and the same command goes on.
        std::fs::remove_file(out.join("prepared.json")).unwrap();
        let config =
            DataConfig { source: source("videos", &out), frames: 2, validation_fraction: 0.0, ..DataConfig::default() };
        let error = open_side(&config, Split::Train, 0).err().unwrap().to_string();
        assert!(error.contains("is not finished; prepare it with the same options again"), "{error}");
        assert_eq!(made(&options), whole);
        assert!(clips(&out, 1, 0) == reference);
        assert!(!out.join("progress").exists());
        // Other options are other work.
        let other = PrepareOptions { short_side: 50, ..options };
        let error = prepare(&other, &|_| true).unwrap_err().to_string();
        assert!(error.contains("with other options"), "{error}");
    }
}

#[test]
fn folders_that_are_not_ours_and_options_out_of_range_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = sources(folder.path());
    let message = |options: &PrepareOptions| prepare(options, &|_| true).unwrap_err().to_string();
    let mine = folder.path().join("mine");
    std::fs::create_dir(&mine).unwrap();
    std::fs::write(mine.join("letter.txt"), "dear").unwrap();
    assert!(message(&options(&manifest, &mine, Encoding::Raw)).contains("is not empty"));
    let inside = options(folder.path(), &folder.path().join("out"), Encoding::Raw);
    assert!(message(&inside).contains("lies in the source folder"), "{}", message(&inside));
    let base = options(&manifest, &folder.path().join("out"), Encoding::Mjpeg);
    for (wrong, text) in [
        (PrepareOptions { short_side: 0, ..base.clone() }, "short_side is 0, but must be between 16 and 4096"),
        (PrepareOptions { quality: 1, ..base.clone() }, "quality is 1, but must be between 2 and 31"),
        (PrepareOptions { keyframe_interval: 0, ..base.clone() }, "keyframe_interval is 0"),
        (PrepareOptions { workers: 0, ..base }, "workers is 0"),
    ] {
        assert!(message(&wrong).contains(text), "{}", message(&wrong));
    }
    let none = folder.path().join("none.txt");
    std::fs::write(&none, "broken.mp4\n").unwrap();
    let error = message(&options(&none, &folder.path().join("out"), Encoding::Raw));
    assert!(error.contains("none of its videos can be used") && error.contains("broken.mp4"), "{error}");
    assert!(!folder.path().join("out").exists());
}
