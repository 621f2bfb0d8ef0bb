//! Any bytes in place of any file, but the videos, of any golden copy of recorded episodes: of every format that is built in.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use prevision_fuzz::{Copies, golden_recordings, is_video, look_at_recording};

static COPIES: OnceLock<Copies> = OnceLock::new();

fn copies() -> &'static Copies {
    COPIES.get_or_init(|| Copies::new("recordings", &golden_recordings(), |path| !is_video(path)))
}

fuzz_target!(init: { copies(); }, |input: &[u8]| {
    copies().replaced(input, |_, _| {}, look_at_recording);
});
