//! Damaged copies of films: a frame that is read is one of the film, or there is an error. Where neither the container nor the codec
//! has anything to check, some damage cannot be found; how much is bounded here.
#![allow(clippy::unwrap_used, reason = "a test that fails says why")]

use std::collections::HashSet;
use std::path::Path;

use prevision_core::FrameBuffer;
use prevision_video::{FrameSource, OpenOptions, Video};

/// Copies that are made of a film.
const COPIES: usize = 40;

/// A sequence of numbers that is the same on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// What is done to a copy.
#[derive(Clone, Copy)]
enum Damage {
    FlipBit,
    Zero,
    Remove,
    FlipEightBits,
}

const ALL: [Damage; 4] = [Damage::FlipBit, Damage::Zero, Damage::Remove, Damage::FlipEightBits];

impl Damage {
    /// Damages what lies between the head of a file and its end.
    fn apply(self, data: &mut Vec<u8>, numbers: &mut Numbers) {
        let (head, end) = (data.len() / 25 + 200, data.len() - data.len() / 25);
        let place = head + numbers.below(end - head);
        match self {
            Self::FlipBit => data[place] ^= 1 << numbers.below(8),
            Self::Zero => {
                let end = end.min(place + 1 + numbers.below(64));
                data[place..end].fill(0);
            }
            Self::Remove => drop(data.drain(place..end.min(place + 1 + numbers.below(64)))),
            Self::FlipEightBits => {
                for _ in 0..8 {
                    data[head..end][numbers.below(end - head)] ^= 1 << numbers.below(8);
                }
            }
        }
    }
}

/// What became of the frames of the damaged copies of a film.
#[derive(Debug, Default)]
struct Tally {
    /// Frames that are those of the film.
    right: usize,
    /// Frames that are not.
    wrong: usize,
    /// Frames that are an error, or that are missing in a file that is said to be damaged; all of a file that is refused.
    named: usize,
    /// Frames that are missing in a file of which nothing is said.
    missing: usize,
}

/// All frames by their samples; `None` for those that are errors.
fn frames(path: &Path) -> Option<(Video, Vec<Option<Vec<u8>>>)> {
    let mut video = Video::open(path, &OpenOptions::default()).ok()?;
    let mut out = FrameBuffer::default();
    let frames = (0..video.len()).map(|index| video.read(&[index], &mut out).is_ok().then(|| out.data.clone()));
    let frames = frames.collect();
    Some((video, frames))
}

/// `None` if there is no encoder for the film.
fn tally(file: &str, damages: &[Damage]) -> Option<Tally> {
    let folder = tempfile::tempdir().unwrap();
    let (_, path) = crate::films::make(folder.path(), file)?;
    let whole = std::fs::read(&path).unwrap();
    let (_, originals) = frames(&path).unwrap();
    let count = originals.len();
    let originals: HashSet<Vec<u8>> = originals.into_iter().map(Option::unwrap).collect();
    let copy = folder.path().join(format!("damaged-{file}"));
    let mut numbers = Numbers(1);
    let mut tally = Tally::default();
    for number in 0..COPIES {
        let mut data = whole.clone();
        damages[number % damages.len()].apply(&mut data, &mut numbers);
        std::fs::write(&copy, &data).unwrap();
        let Some((video, found)) = frames(&copy) else {
            tally.named += count;
            continue;
        };
        let missing = count.saturating_sub(found.len());
        if video.info().warnings > 0 {
            tally.named += missing;
        } else {
            tally.missing += missing;
        }
        for frame in &found {
            match frame {
                None => tally.named += 1,
                Some(frame) if originals.contains(frame) => tally.right += 1,
                Some(_) => tally.wrong += 1,
            }
        }
    }
    Some(tally)
}

#[test]
fn containers_with_checksums_give_no_wrong_frame() {
    for file in ["theora.ogv", "x264.mkv", "ffv1.mkv", "keys_mpeg2.mkv"] {
        let Some(tally) = tally(file, &ALL) else { continue };
        assert!(tally.wrong == 0 && tally.missing == 0 && tally.named > 0 && tally.right > 0, "{file}: {tally:?}");
    }
}

/// Copies in which bits were flipped may hold frames that are wrong, and are valid all the same; where bytes are zero or missing it shows.
#[test]
fn little_damage_of_mpeg_goes_unnoticed() {
    for file in ["mpeg1.mpg", "mpeg2.mpg", "mpeg2.ts"] {
        let Some(flipped) = tally(file, &[Damage::FlipBit]) else { continue };
        let Some(gone) = tally(file, &[Damage::Zero, Damage::Remove]) else { continue };
        let shown = format!("{file}: {flipped:?} when bits are flipped, {gone:?} when bytes are gone");
        assert!(12 * flipped.wrong <= flipped.right && 100 * gone.wrong <= gone.right, "{shown}");
        assert!(flipped.named > 0 && gone.named > 10 * gone.missing, "{shown}");
    }
}

/// What decoders only log is noticed, too.
#[test]
fn what_decoders_log_is_damage() {
    for (file, most) in [("gif.gif", 50), ("wmv2.avi", 300)] {
        let Some(tally) = tally(file, &ALL) else { continue };
        assert!(tally.wrong < most, "{file}: {tally:?}");
    }
}
