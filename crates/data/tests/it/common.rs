//! What the tests share.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use prevision_core::config::Part;
use prevision_core::{Clip, FrameBuffer};
use prevision_data::convert::convert;
use prevision_data::{ClipDataset, DataConfig, DataError, EpisodeSource, Formats, PIXELS, Split, built_in, open};

/// A source of this kind at a path.
pub(crate) fn source(kind: &str, path: &Path) -> Part {
    Part::new(kind).with("path", path.to_str().unwrap())
}

/// One side of a data set of a built-in source.
pub(crate) fn open_side(config: &DataConfig, split: Split, seed: u64) -> Result<Arc<dyn ClipDataset>, DataError> {
    let source = config.source(&built_in(), &Formats::built_in()).unwrap();
    open(config, source.as_ref(), split, seed)
}

/// The frames of a clip of a single camera.
pub(crate) fn frames(clip: &Clip) -> &FrameBuffer {
    &clip.observations.cameras[PIXELS]
}

/// The bytes of the frames of a clip of a single camera.
pub(crate) fn bytes(mut clip: Clip) -> Vec<u8> {
    clip.observations.cameras.remove(PIXELS).unwrap().data
}

/// A recording below `tests`.
pub(crate) fn golden(place: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(place)
}

/// The files in a folder and those in it.
pub(crate) fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// A copy of a folder.
pub(crate) fn copy(from: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in walk(from) {
        let to = folder.path().join(entry.strip_prefix(from).unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(&entry, to).unwrap();
    }
    folder
}

/// Bytes that are written as hexadecimal digits.
pub(crate) fn hexadecimal(text: &serde_json::Value) -> Vec<u8> {
    let digits = text.as_str().unwrap().as_bytes().as_chunks::<2>().0;
    digits.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Opens what is there in the format that is found, every column and all frames read: their number of numbers.
pub(crate) fn read_all(folder: &Path, format: &str) -> Result<usize, DataError> {
    let source = Formats::built_in().open(folder, Some(format))?;
    let rows: usize = (0..source.episodes()).map(|episode| source.length(episode)).sum();
    assert!(rows < 1000, "{rows} rows");
    let mut numbers = 0;
    for name in source.columns()? {
        let column = source.column(&name)?;
        assert_eq!((column.rows, column.data.len()), (rows, rows * column.columns), "{name}");
        numbers += column.data.len();
    }
    for camera in source.cameras()? {
        for episode in 0..source.episodes() {
            let all: Vec<usize> = (0..source.length(episode)).collect();
            let frames = source.frames(&camera, episode, &all)?;
            assert_eq!(frames.data.len(), all.len() * frames.height * frames.width * 3, "{camera}");
            numbers += frames.data.len();
        }
    }
    Ok(numbers)
}

/// Cuts every file of a recording at several lengths and changes bytes at several places: an answer of the same form or an error comes
/// back. How many errors, of how many.
pub(crate) fn damage(recording: &Path, format: &str) -> (usize, usize) {
    let folder = copy(recording);
    let (mut errors, mut all) = (0, 0);
    let mut read = || {
        errors += usize::from(read_all(folder.path(), format).is_err());
        all += 1;
    };
    for path in walk(folder.path()) {
        let whole = std::fs::read(&path).unwrap();
        for part in 0..6 {
            std::fs::write(&path, &whole[..whole.len() * part / 6]).unwrap();
            read();
        }
        for place in (0..whole.len()).step_by(whole.len() / 24 + 1) {
            let mut damaged = whole.clone();
            damaged[place] ^= [0x01, 0x20, 0xff][place % 3];
            std::fs::write(&path, damaged).unwrap();
            read();
        }
        std::fs::write(&path, &whole).unwrap();
    }
    assert!(read_all(folder.path(), format).is_ok());
    (errors, all)
}

/// The bits of a column.
pub(crate) fn bits(column: &prevision_core::Array2) -> Vec<u32> {
    column.data.iter().map(|value| value.to_bits()).collect()
}

/// Converts a recording into a new folder, and opens it there in the format that is found.
pub(crate) fn converted(source: &dyn EpisodeSource, to: &str, out: &Path) -> Box<dyn EpisodeSource> {
    convert(source, to, &Formats::built_in(), out, |_, _| true).unwrap();
    assert_eq!(Formats::built_in().detect(out).as_deref(), Some(to));
    Formats::built_in().open(out, None).unwrap()
}

/// Every frame of a camera, one after the other.
pub(crate) fn all_frames(source: &dyn EpisodeSource, camera: &str) -> Vec<u8> {
    let frames =
        |episode| source.frames(camera, episode, &(0..source.length(episode)).collect::<Vec<_>>()).unwrap().data;
    (0..source.episodes()).flat_map(frames).collect()
}

/// Reads single frames of a camera on four threads at once, in orders of their own, and compares them with all of them.
pub(crate) fn read_at_once(source: &dyn EpisodeSource, camera: &str, all: &[u8]) {
    let starts: Vec<usize> = (0..source.episodes()).map(|e| (0..e).map(|e| source.length(e)).sum()).collect();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let starts = &starts;
            scope.spawn(move || {
                for turn in 0..40 {
                    let episode = (turn * 7 + thread) % source.episodes();
                    let moments = [(turn * 3 + thread) % source.length(episode), 0];
                    let frames = source.frames(camera, episode, &moments).unwrap();
                    for (place, moment) in moments.into_iter().enumerate() {
                        let frame = frames.frame(place);
                        assert!(
                            frame == &all[(starts[episode] + moment) * frame.len()..][..frame.len()],
                            "{episode} {moment}"
                        );
                    }
                }
            });
        }
    });
}
