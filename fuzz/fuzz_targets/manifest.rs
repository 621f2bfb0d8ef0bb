//! Any bytes as a manifest of videos.
#![no_main]

use std::fs;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use prevision_data::find_videos;
use prevision_fuzz::{seed, temporary};
use tempfile::TempDir;

static FOLDER: OnceLock<TempDir> = OnceLock::new();

fn folder() -> &'static TempDir {
    FOLDER.get_or_init(|| {
        let folder = temporary();
        for name in ["a.mp4", "b c.mp4", "d,1.mp4"] {
            fs::write(folder.path().join(name), "").expect("written");
        }
        seed("manifest", [b"# clips\na.mp4 7\n\"b c.mp4\" -2\r\n'b c.mp4',3 # three\nd,1.mp4\n".to_vec()]);
        folder
    })
}

fuzz_target!(init: { folder(); }, |input: &[u8]| {
    let path = folder().path().join("list.txt");
    fs::write(&path, input).expect("written");
    let _ = find_videos(&path);
});
