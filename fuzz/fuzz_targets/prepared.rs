//! Any bytes in place of any file of prepared videos, raw and encoded ones. The checksum of the list of videos is made to fit.
#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use prevision_core::config::Part;
use prevision_data::{Encoding, PrepareOptions, prepare};
use prevision_fuzz::{Copies, golden_video, look_at_clips, temporary};

static COPIES: OnceLock<Copies> = OnceLock::new();

fn copies() -> &'static Copies {
    COPIES.get_or_init(|| {
        let folder = temporary();
        let roots = [Encoding::Raw, Encoding::Mjpeg].map(|encoding| {
            let out = folder.path().join(format!("{encoding:?}"));
            let options = PrepareOptions {
                source: golden_video(),
                out: out.clone(),
                encoding,
                short_side: 16,
                quality: 4,
                keyframe_interval: 4,
                workers: 1,
                read_timeout: 60.0,
            };
            prepare(&options, &|_| true).expect("prepared");
            out
        });
        Copies::new("prepared", &roots, |path| !path.ends_with("plan.json"))
    })
}

fn change(path: &Path, bytes: &mut Vec<u8>) {
    if path.ends_with("index.bin") && bytes.len() > 4 {
        let body = bytes.len() - 4;
        let checksum = crc32fast::hash(&bytes[..body]).to_le_bytes();
        bytes[body..].copy_from_slice(&checksum);
    }
}

fuzz_target!(init: { copies(); }, |input: &[u8]| {
    copies().replaced(input, change, |root| {
        look_at_clips(Part::new("videos").with("path", root.to_str().expect("UTF-8")));
    });
});
