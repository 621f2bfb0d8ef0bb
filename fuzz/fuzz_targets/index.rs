//! Any bytes as the kept index of a video, whose checksum has been found to fit.
#![no_main]

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use prevision_fuzz::{golden_video, look_at_video, options, seed};
use prevision_video::{Video, VideoIndex};

static VIDEO: OnceLock<PathBuf> = OnceLock::new();

fn video() -> &'static PathBuf {
    VIDEO.get_or_init(|| {
        let path = golden_video();
        let video = Video::open(&path, &options()).expect("opens");
        seed("index", [postcard::to_stdvec(&**video.index()).expect("stored")]);
        path
    })
}

fuzz_target!(init: { video(); }, |input: &[u8]| {
    let Ok(index) = postcard::from_bytes::<VideoIndex>(input) else { return };
    let _ = index.frames_to_decode(&[0, index.timestamps().len() - 1]);
    look_at_video(Video::open_indexed(video(), &options(), Arc::new(index)));
});
