//! Any bytes as a video file. The demuxers and decoders are FFmpeg's, but a crash is ours to know.
#![no_main]

use std::fs;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use prevision_fuzz::{look_at_video, options, seed, small_videos, temporary};
use prevision_video::Video;
use tempfile::TempDir;

static FOLDER: OnceLock<TempDir> = OnceLock::new();

fn folder() -> &'static TempDir {
    FOLDER.get_or_init(|| {
        seed("video", small_videos().iter().map(|path| fs::read(path).expect("read")));
        temporary()
    })
}

fuzz_target!(init: { folder(); }, |input: &[u8]| {
    let path = folder().path().join("a.mp4");
    fs::write(&path, input).expect("written");
    look_at_video(Video::open(&path, &options()));
});
