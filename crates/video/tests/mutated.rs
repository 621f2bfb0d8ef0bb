//! Damaged files of every kind: whatever the bytes are, opening and reading ends soon, with frames or with an error that names
//! the file. Where the shared data are there, files of many containers and codecs are mutated, too.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use prevision_video::{FrameBuffer, FrameSource, Mp4Options, Mp4Writer, OpenOptions, Quality, Video, Window};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};

/// How a file is damaged. Places are shares of its length, in 1/65536.
#[derive(Clone, Debug)]
enum Damage {
    Flip { place: u16, bits: u8 },
    Zero { place: u16, bytes: u16 },
    Cut { place: u16 },
    Remove { place: u16, bytes: u8 },
    Repeat { place: u16, bytes: u16 },
    Number { place: u16, value: u32 },
}

impl Damage {
    fn apply(&self, data: &mut Vec<u8>) {
        let at = |place: u16| data.len() * usize::from(place) / 65536;
        let up_to = |start: usize, bytes: usize| start..data.len().min(start + bytes);
        match *self {
            Self::Flip { place, bits } => {
                let place = at(place);
                if let Some(byte) = data.get_mut(place) {
                    *byte ^= bits.max(1);
                }
            }
            Self::Zero { place, bytes } => {
                let range = up_to(at(place), usize::from(bytes));
                data[range].fill(0);
            }
            Self::Cut { place } => data.truncate(at(place)),
            Self::Remove { place, bytes } => {
                let range = up_to(at(place), usize::from(bytes));
                data.drain(range);
            }
            Self::Repeat { place, bytes } => {
                let range = up_to(at(place), usize::from(bytes));
                let (copy, end) = (data[range.clone()].to_vec(), range.end);
                data.splice(end..end, copy);
            }
            Self::Number { place, value } => {
                let range = up_to(at(place), 4);
                let length = range.len();
                data[range].copy_from_slice(&value.to_be_bytes()[..length]);
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    // Headers lie at the ends: half of the damage is done there.
    let place = prop_oneof![any::<u16>(), 0_u16..2000, 60000_u16..=65535];
    let number = prop_oneof![any::<u32>(), Just(0), Just(u32::MAX), Just(0x7fff_ffff), 1_u32..100];
    prop_oneof![
        4 => (place.clone(), any::<u8>()).prop_map(|(place, bits)| Damage::Flip { place, bits }),
        1 => (place.clone(), 1_u16..3000).prop_map(|(place, bytes)| Damage::Zero { place, bytes }),
        1 => place.clone().prop_map(|place| Damage::Cut { place }),
        1 => (place.clone(), 1_u8..200).prop_map(|(place, bytes)| Damage::Remove { place, bytes }),
        1 => (place.clone(), 1_u16..3000).prop_map(|(place, bytes)| Damage::Repeat { place, bytes }),
        3 => (place, number).prop_map(|(place, value)| Damage::Number { place, value }),
    ]
}

/// Opens and reads: in order and from behind, whole and in windows. Gives the number of frames that could be read.
fn check(path: &Path) -> usize {
    let begin = Instant::now();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let options = OpenOptions { threads: 1, patience: Duration::from_secs(5) };
    let mut readable = 0;
    match Video::open(path, &options) {
        Err(error) => assert!(error.to_string().contains(&name), "{error}"),
        Ok(mut video) => {
            let (frames, (width, height)) = (video.len(), video.size());
            assert!(frames > 0 && width > 0 && height > 0, "{name}: {frames} frames of {width}x{height}");
            assert!(video.timestamps().is_sorted() && video.timestamps().iter().all(|time| time.is_finite()), "{name}");
            let mut out = FrameBuffer::new(0, 16, 16);
            for index in (0..frames).step_by(3).take(12).chain((0..frames).rev().step_by(5).take(6)) {
                match video.read_window(&[index], &Window::whole(width, height), false, &mut out) {
                    Ok(()) => readable += 1,
                    Err(error) => assert!(error.to_string().contains(&name), "{error}"),
                }
            }
            if width * height < 1 << 20 {
                let _ = video.read(&[0, frames - 1], &mut out);
            }
            let index = video.index().clone();
            if let Ok(mut again) = Video::open_indexed(path, &options, index) {
                let _ = again.read_window(&[frames / 2], &Window::whole(width, height), true, &mut out);
            }
        }
    }
    // A deadline for opening and for each read.
    assert!(begin.elapsed() < Duration::from_mins(1), "{name} takes {:?}", begin.elapsed());
    readable
}

fn film(path: &Path, quality: Quality) {
    let options = Mp4Options { width: 64, height: 48, frame_rate: 25, quality, keyframe_interval: 10 };
    let mut film = Mp4Writer::create(path, &options).expect("created");
    for t in 0..30_usize {
        let picture: Vec<u8> = (0..64 * 48 * 3).map(|place| ((place / 3 + t * 5) % 251) as u8).collect();
        film.write(&picture).expect("written");
    }
    film.finish().expect("finished");
}

/// The files that are damaged: films of our own, and small shared ones.
fn originals(folder: &Path) -> Vec<PathBuf> {
    let mut files = vec![];
    for (name, quality) in [("b.mp4", Quality::Crf(20)), ("c.mp4", Quality::Compact(20)), ("j.mp4", Quality::Jpeg(4))] {
        let path = folder.join(name);
        film(&path, quality);
        files.push(path);
    }
    let shared = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/derived"));
    for entry in std::fs::read_dir(shared).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_film = path.extension().is_some_and(|kind| kind != "json" && kind != "png" && kind != "m4a");
        if is_film && entry.metadata().is_ok_and(|metadata| metadata.len() < 60_000) {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Mutates files for a bounded time: `PREVISION_FUZZ_SECONDS`, 20 if that is not set.
#[test]
fn mutated_files_end_in_frames_or_in_an_error() {
    let seconds = std::env::var("PREVISION_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let folder = tempfile::tempdir().expect("a folder");
    let files = originals(folder.path());
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut runner = TestRunner::new(Config { cases: u32::MAX, failure_persistence: None, ..Config::default() });
    let strategy = (0..files.len(), prop::collection::vec(damage(), 1..4));
    let (mut cases, mut readable) = (0, 0);
    while Instant::now() < end {
        let (file, damages) = strategy.new_tree(&mut runner).expect("a case").current();
        let mut data = std::fs::read(&files[file]).expect("readable");
        for damage in &damages {
            damage.apply(&mut data);
        }
        let kind = files[file].extension().map(|kind| kind.to_string_lossy().into_owned()).unwrap_or_default();
        let path = folder.path().join(format!("mutated-{cases}.{kind}"));
        std::fs::write(&path, &data).expect("written");
        let Ok(frames) = std::panic::catch_unwind(|| check(&path)) else {
            panic!("{} damaged by {damages:?}", files[file].display());
        };
        readable += usize::from(frames > 0);
        std::fs::remove_file(&path).expect("removed");
        cases += 1;
    }
    assert!(cases > 10 && readable > 0 && readable < cases, "{readable} of {cases} were readable");
}

#[test]
fn what_is_no_film_at_all_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases: [(&str, Vec<u8>); 6] = [
        ("empty.mp4", vec![]),
        ("text.mp4", b"To whom it may concern".repeat(99)),
        ("zeros.mkv", vec![0; 100_000]),
        ("ones.ts", vec![0xff; 100_000]),
        ("header.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom".to_vec()),
        ("endless.mp4", [b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom".as_slice(), &[0xff; 5000]].concat()),
    ];
    for (name, data) in cases {
        let path = folder.path().join(name);
        std::fs::write(&path, data).expect("written");
        assert_eq!(check(&path), 0, "{name}");
    }
    assert_eq!(check(&folder.path().join("missing.mp4")), 0);
    assert_eq!(check(folder.path()), 0);
}
