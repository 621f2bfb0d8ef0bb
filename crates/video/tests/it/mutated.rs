//! Damaged files of every kind: whatever the bytes are, opening and reading ends soon, with frames or with an error that names
//! the file. Where the shared data are there, files of many containers and codecs are mutated, too.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::torture::check;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// How a file is damaged. Places are shares of its length, in 1/65536.
#[derive(Clone, Debug)]
enum Damage {
    Flip { place: u16, bits: u8 },
    Zero { place: u16, bytes: u16 },
    Cut { place: u16 },
    Remove { place: u16, bytes: u8 },
    Repeat { place: u16, bytes: u16 },
    Swap { place: u16, other: u16, bytes: u16 },
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
            Self::Swap { place, other, bytes } => {
                let (first, second) = (at(place.min(other)), at(place.max(other)));
                let length = usize::from(bytes).min(second - first).min(data.len() - second);
                let (head, tail) = data.split_at_mut(second);
                head[first..first + length].swap_with_slice(&mut tail[..length]);
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
        1 => (place.clone(), any::<u16>(), 1_u16..3000)
            .prop_map(|(place, other, bytes)| Damage::Swap { place, other, bytes }),
        3 => (place, number).prop_map(|(place, value)| Damage::Number { place, value }),
    ]
}

/// The files that are damaged: films made here, and small shared ones.
fn originals(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = crate::films::make_all(folder).0.into_iter().map(|(_, path)| path).collect();
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

/// A number from the environment.
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Mutations that are tried when no time is asked for: the same on every machine.
const CASES: usize = 600;

/// Mutates files: [`CASES`] of them and for 60 seconds at most, or for `PREVISION_FUZZ_SECONDS`. `PREVISION_FUZZ_SEED` chooses the mutations.
/// `PREVISION_FUZZ_KEEP` is a folder in which files that fail are kept, as well as the one in hand, in case the process dies of it.
#[test]
fn mutated_files_end_in_frames_or_in_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = std::env::var_os("PREVISION_FUZZ_KEEP").map(PathBuf::from);
    let files = originals(folder.path());
    let most = if std::env::var_os("PREVISION_FUZZ_SECONDS").is_some() { usize::MAX } else { CASES };
    let end = Instant::now() + Duration::from_secs(setting("PREVISION_FUZZ_SECONDS", 60));
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&setting("PREVISION_FUZZ_SEED", 0).to_le_bytes());
    let config = Config { cases: u32::MAX, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let strategy = (0..files.len(), prop::collection::vec(damage(), 1..4));
    let (mut cases, mut readable, mut findings) = (0, 0, vec![]);
    while cases < most && Instant::now() < end {
        let (file, damages) = strategy.new_tree(&mut runner).expect("a case").current();
        let mut data = std::fs::read(&files[file]).expect("readable");
        for damage in &damages {
            damage.apply(&mut data);
        }
        let stem = files[file].file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let kind = files[file].extension().unwrap_or_default().to_string_lossy().into_owned();
        let path = kept.as_deref().unwrap_or(folder.path()).join(format!("{stem}-{cases}.{kind}"));
        std::fs::write(&path, &data).expect("written");
        if let Ok(frames) = std::panic::catch_unwind(|| check(&path)) {
            readable += usize::from(frames > 0);
            std::fs::remove_file(&path).expect("removed");
        } else {
            findings.push(format!("{} damaged by {damages:?}", files[file].display()));
        }
        cases += 1;
    }
    assert!(findings.is_empty(), "{} of {cases}:\n{}", findings.len(), findings.join("\n"));
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
