//! Real containers and codecs against what FFmpeg's own programs say of them. Each frame of the derived films carries its
//! number as a bar code. Skipped where the shared data are not there.

#![allow(
    clippy::doc_markdown,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "FFmpeg is a name; the names of the test files are known"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::films::{bar_code, shuffled};
use prevision_core::{FrameBuffer, frames::Window};
use prevision_video::{FrameSource, OpenOptions, Video, VideoError};
use serde_json::Value;

fn data() -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    path.join("derived/manifest.json").exists().then(|| path.to_owned())
}

fn manifest(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("manifest.json")).expect("a manifest");
    serde_json::from_str(&text).expect("JSON")
}

fn open(path: &Path) -> Result<Video, VideoError> {
    Video::open(path, &OpenOptions::default())
}

/// The bar codes a file shows in order, where they are not simply 0, 1, 2 …
fn expected_codes(name: &str, frames: usize) -> Option<Vec<usize>> {
    match name {
        "editlist.mp4" => Some((21..21 + frames).collect()),
        "size_change.ts" => None,
        _ => Some((0..frames).collect()),
    }
}

#[test]
fn every_derived_file_gives_exactly_its_frames() {
    let Some(data) = data() else { return };
    let folder = data.join("derived");
    let mut checked = 0;
    for entry in manifest(&folder) {
        let name = entry["path"].as_str().expect("a name");
        if name.starts_with("broken_") || name.starts_with("audio_") && name.ends_with(".m4a") {
            continue;
        }
        let mut video = open(&folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let frames = entry["decoded_frames"].as_u64().expect("a count") as usize;
        assert_eq!(video.len(), frames, "{name}: frames");
        let truth: Vec<f64> =
            entry["pts"].as_array().expect("times").iter().map(|time| time.as_f64().expect("seconds")).collect();
        for (index, (found, truth)) in video.timestamps().iter().zip(&truth).enumerate() {
            let wanted = truth - entry["pts"][0].as_f64().expect("seconds");
            assert!((found - wanted).abs() < 2.1e-3, "{name}: frame {index} at {found} s instead of {wanted} s");
        }
        check_order(name, &mut video);
        checked += 1;
    }
    assert!(checked >= 48, "only {checked} files");
}

/// Reads in order, in reverse and shuffled, at once and one by one: always the same frame under the same number.
fn check_order(name: &str, video: &mut Video) {
    let frames = video.len();
    let (width, height) = video.size();
    let mut in_order = FrameBuffer::default();
    let order: Vec<usize> = (0..frames).collect();
    video.read(&order, &mut in_order).unwrap_or_else(|error| panic!("{name}: {error}"));
    if width == 128
        && height == 96
        && let Some(codes) = expected_codes(name, frames)
        && !name.starts_with("rot_")
    {
        for (index, code) in codes.into_iter().enumerate() {
            let found = bar_code(in_order.frame(index), width, height);
            assert_eq!(found, Some(code), "{name}: bar code of frame {index}");
        }
    }
    let mut out = FrameBuffer::default();
    let reverse: Vec<usize> = order.iter().rev().copied().collect();
    let mut with_repeats = shuffled(frames);
    with_repeats.extend([0, frames - 1, frames - 1]);
    for order in [reverse, with_repeats] {
        video.read(&order, &mut out).unwrap_or_else(|error| panic!("{name}: {error}"));
        for (slot, &index) in order.iter().enumerate() {
            assert!(
                out.frame(slot) == in_order.frame(index),
                "{name}: frame {index} in slot {slot} differs from reading in order"
            );
        }
    }
    for index in shuffled(frames) {
        video.read(&[index], &mut out).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(out.frame(0) == in_order.frame(index), "{name}: frame {index} alone differs from reading in order");
    }
}

#[test]
fn broken_files_are_told_or_read() {
    let Some(data) = data() else { return };
    let derived = data.join("derived");
    let files = manifest(&derived)
        .into_iter()
        .map(|entry| derived.join(entry["path"].as_str().expect("a name")))
        .filter(|path| path.to_string_lossy().contains("broken_"))
        .chain(
            std::fs::read_dir(data.join("real/broken"))
                .into_iter()
                .flatten()
                .map(|entry| entry.expect("an entry").path()),
        );
    let codes: Value =
        serde_json::from_str(&std::fs::read_to_string(derived.join("barcode.json")).expect("bar code times"))
            .expect("JSON");
    let variable: Vec<f64> = codes["vfr_pts_ms"]
        .as_array()
        .expect("times")
        .iter()
        .map(|time| time.as_f64().expect("milliseconds") / 1000.0)
        .collect();
    let mut readable = 0;
    for path in files {
        let started = Instant::now();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        match open(&path) {
            Err(error) => assert!(error.to_string().contains(&name), "{error}"),
            Ok(mut video) => {
                let mut out = FrameBuffer::default();
                let (width, height) = video.size();
                let mut first = None;
                for index in 0..video.len() {
                    let time = video.timestamps()[index];
                    if let Err(error) = video.read(&[index], &mut out) {
                        assert!(error.to_string().contains(&name), "{error}");
                        continue;
                    }
                    readable += 1;
                    // The bar code of a frame that is given is the code its time stands for.
                    if (width, height) == (128, 96) {
                        let code = bar_code(out.frame(0), width, height).expect("a clear bar code");
                        let since = if name.ends_with("cut.mkv") || name.ends_with(".webm") {
                            variable.iter().filter(|&&known| known < time - 5e-4).count()
                        } else {
                            (time * 30.0).round() as usize
                        };
                        let first = *first.get_or_insert(code - since);
                        assert_eq!(code, first + since, "{name}: frame {index} at {time} s");
                    }
                }
            }
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{name} takes too long");
    }
    assert!(readable > 150, "only {readable} frames are readable");
}

#[test]
fn files_without_moving_pictures_say_so() {
    let Some(data) = data() else { return };
    for name in ["audio_only.m4a", "audio_with_cover.m4a"] {
        let error = open(&data.join("derived").join(name)).err().expect(name);
        assert!(matches!(error, VideoError::NoVideo { .. }), "{error}");
        assert!(error.to_string().contains("no video stream"), "{error}");
    }
}

#[test]
fn rotated_files_are_upright() {
    let Some(data) = data() else { return };
    for (name, degrees) in [("cw90", 90), ("ccw90", 270), ("180", 180)] {
        let stem = data.join(format!("derived/rot_{name}_h264"));
        let mut video = open(&stem.with_extension("mp4")).expect("opens");
        let truth = image::open(stem.with_extension("first_upright.png")).expect("a picture").to_rgb8();
        let size = (truth.width() as usize, truth.height() as usize);
        assert_eq!((video.size(), video.info().rotation), (size, degrees), "{name}");
        let mut out = FrameBuffer::default();
        video.read(&[0], &mut out).expect("reads");
        let found = psnr(out.frame(0), truth.as_raw());
        assert!(found > 40.0, "{name}: {found:.1} dB");
    }
}

#[test]
fn pixel_aspect_size_change_and_best_stream() {
    let Some(data) = data() else { return };
    let derived = data.join("derived");
    let wide = open(&derived.join("sar2_h264.mp4")).expect("opens");
    assert_eq!((wide.info().width, wide.info().display_width), (128, 256));

    let mut changing = open(&derived.join("size_change.ts")).expect("opens");
    let mut out = FrameBuffer::default();
    changing.read(&[170, 3], &mut out).expect("reads");
    assert_eq!((out.width, out.height), (128, 96));
    assert_eq!(bar_code(out.frame(1), 128, 96), Some(3));

    let nasa = open(&data.join("real/torchcodec_nasa_13013.mp4")).expect("opens");
    assert_eq!(nasa.size(), (480, 270));
}

fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let error: f64 = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    10.0 * (255.0_f64.powi(2) * a.len() as f64 / error.max(1e-9)).log10()
}

#[test]
fn colours_are_those_of_the_command_line() {
    let Some(data) = data() else { return };
    if Command::new("ffmpeg").arg("-version").output().is_err() {
        return;
    }
    let derived = data.join("derived");
    for entry in manifest(&derived) {
        let name = entry["path"].as_str().expect("a name");
        if name.starts_with("broken_") || name.ends_with(".m4a") {
            continue;
        }
        let path = derived.join(name);
        let mut video = open(&path).expect("opens");
        let count = video.len().min(5);
        let indices: Vec<usize> = (0..count).collect();
        let mut out = FrameBuffer::default();
        video.read(&indices, &mut out).expect("reads");
        let told = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(&path)
            .args(["-frames:v", &count.to_string(), "-vsync", "passthrough"])
            .args(["-pix_fmt", "rgb24", "-f", "rawvideo", "-"])
            .output()
            .expect("ffmpeg runs");
        assert!(told.stdout.len() >= out.data.len(), "{name}: ffmpeg gave {}", told.stdout.len());
        let found = psnr(&out.data, &told.stdout[..out.data.len()]);
        assert!(found >= 40.0, "{name}: {found:.1} dB");
    }
}

#[test]
fn real_files_are_read_alike_forwards_and_at_random() {
    let Some(data) = data() else { return };
    let folder = data.join("real");
    for entry in manifest(&folder) {
        let name = entry["path"].as_str().expect("a name");
        let frames = entry["decoded_frames"].as_u64().unwrap_or(0) as usize;
        if name.starts_with("broken/") || entry["video_streams"] != 1 || frames == 0 {
            continue;
        }
        let mut video = open(&folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(video.len(), frames, "{name}: frames");
        if frames > 160 {
            continue;
        }
        let (width, height) = video.size();
        let (whole, mut in_order) = (Window::whole(width, height), FrameBuffer::new(0, 24, 32));
        let order: Vec<usize> = (0..frames).collect();
        video.read_window(&order, &whole, false, &mut in_order).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut out = FrameBuffer::new(0, 24, 32);
        for index in shuffled(frames).into_iter().take(6) {
            video.read_window(&[index], &whole, false, &mut out).expect("reads");
            assert!(out.frame(0) == in_order.frame(index), "{name}: frame {index}");
        }
    }
}
