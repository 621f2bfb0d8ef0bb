//! Any bytes as the array of a column of recorded episodes, in an archive whose checksums fit.
#![no_main]

use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use prevision_fuzz::{Copies, golden_recordings, look_at_recording, seed};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

const MEMBER: &str = "arr_0.npy";

static COPIES: OnceLock<Copies> = OnceLock::new();

fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "npz")
}

fn copies() -> &'static Copies {
    COPIES.get_or_init(|| {
        let roots: Vec<_> = golden_recordings().into_iter().filter(|root| root.join("ep_len.npz").is_file()).collect();
        let copies = Copies::new("npz", &roots, is_archive);
        // The arrays themselves instead of the archives.
        seed("npz", copies.seeds().map(|(number, archive)| [&number[..], &member(&archive)].concat()));
        copies
    })
}

fn member(archive: &[u8]) -> Vec<u8> {
    let (mut archive, mut bytes) = (ZipArchive::new(Cursor::new(archive)).expect("an archive"), Vec::new());
    archive.by_name(MEMBER).expect("an array").read_to_end(&mut bytes).expect("read");
    bytes
}

fn archive(bytes: &mut Vec<u8>) {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    archive.start_file(MEMBER, options).expect("begun");
    archive.write_all(bytes).expect("written");
    *bytes = archive.finish().expect("finished").into_inner();
}

fuzz_target!(init: { copies(); }, |input: &[u8]| {
    copies().replaced(input, |_, bytes| archive(bytes), look_at_recording);
});
