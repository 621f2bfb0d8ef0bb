//! Settings that a stream tells once: wherever decoding starts, the decoder has them.

use std::path::Path;

use crate::films::{bar_code, make, shuffled};
use prevision_core::FrameBuffer;
use prevision_video::{FrameSource, OpenOptions, Video};

/// A raw stream without its sequence and picture parameter sets (H.264, 7 and 8) but for the first of each.
fn once(data: &[u8]) -> Vec<u8> {
    let mut starts: Vec<usize> = (0..data.len() - 3).filter(|&at| data[at..at + 3] == [0, 0, 1]).collect();
    starts.push(data.len());
    let (mut kept, mut seen) = (data[..starts[0]].to_vec(), [0; 2]);
    for pair in starts.windows(2) {
        let kind = data[pair[0] + 3] & 0x1f;
        if matches!(kind, 7 | 8) {
            seen[usize::from(kind - 7)] += 1;
            if seen[usize::from(kind - 7)] > 1 {
                continue;
            }
        }
        kept.extend_from_slice(&data[pair[0]..pair[1]]);
    }
    kept
}

/// Every frame is the right one, in order, alone in any order, and with a decoder that goes back and forth.
fn check(path: &Path, codes: &[usize]) {
    let open = || Video::open(path, &OpenOptions::default()).expect("opens");
    let mut video = open();
    assert_eq!(video.len(), codes.len());
    let (width, height) = video.size();
    let mut out = FrameBuffer::default();
    video.read(&(0..codes.len()).collect::<Vec<_>>(), &mut out).expect("reads");
    for (index, code) in codes.iter().enumerate() {
        assert_eq!(bar_code(out.frame(index), width, height), Some(*code), "frame {index} in order");
    }
    let whole = out.clone();
    for index in shuffled(codes.len()) {
        video.read(&[index], &mut out).expect("reads");
        assert!(out.frame(0) == whole.frame(index), "frame {index} after others");
        open().read(&[index], &mut out).expect("reads");
        assert!(out.frame(0) == whole.frame(index), "frame {index} alone");
    }
}

#[test]
fn parameter_sets_that_come_once_and_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let (Some((_, first)), Some((_, second))) = (make(folder.path(), "raw.h264"), make(folder.path(), "other.h264"))
    else {
        return;
    };
    let [first, second] = [first, second].map(|path| once(&std::fs::read(path).expect("readable")));
    let codes: Vec<usize> = (0..48).collect();
    let path = folder.path().join("joined.h264");
    std::fs::write(&path, [first.as_slice(), &second].concat()).expect("written");
    check(&path, &[codes.as_slice(), &codes].concat());
    std::fs::write(&path, [first.as_slice(), &second, &first].concat()).expect("written");
    check(&path, &[codes.as_slice(), &codes, &codes].concat());
}

/// An uncompressed film of 8 bits in an AVI file (RIFF), whose palette is told with the header and changed once.
fn palette_film(frames: usize, change: usize) -> Vec<u8> {
    let chunk = |name: &[u8; 4], content: &[u8]| {
        let mut chunk = [name.as_slice(), &(content.len() as u32).to_le_bytes(), content].concat();
        chunk.resize(chunk.len().next_multiple_of(2), 0);
        chunk
    };
    let list = |name: &[u8; 4], content: &[u8]| chunk(b"LIST", &[name.as_slice(), content].concat());
    let numbers = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let (width, height) = (64_u32, 48_u32);
    // Microseconds a frame, rate, padding, flags, frames, delay, streams, buffer, size.
    let header = numbers(&[40_000, 0, 0, 0x10, frames as u32, 0, 1, 0, width, height, 0, 0, 0, 0]);
    let mut stream = b"vidsDIB ".to_vec();
    stream.extend(numbers(&[0, 0, 0, 1, 25, 0, frames as u32, width * height, 0, 0, 0, 0]));
    let mut format = numbers(&[40, width, height, 1 | 8 << 16, 0, width * height, 0, 0, 256, 0]);
    format.extend((0..256_u32).flat_map(|color| gray(color as u8)));
    let streams = list(b"strl", &[chunk(b"strh", &stream), chunk(b"strf", &format)].concat());
    let mut movie = Vec::new();
    for frame in 0..frames {
        if frame == change {
            // First entry, 0 for 256 entries, flags; from here on colours are upside down.
            let mut palette = vec![0, 0, 0, 0];
            palette.extend((0..256_u32).flat_map(|color| {
                let [gray, ..] = gray(255 - color as u8);
                [gray, gray, gray, 0]
            }));
            movie.extend(chunk(b"00pc", &palette));
        }
        let cell = |x: u32, y: u32| {
            let bit = (y / (height / 6)) * 8 + x / (width / 8);
            let light = bit < 16 && frame >> (15 - bit) & 1 == 1;
            if light == (frame >= change) { 16 } else { 235 }
        };
        // Rows are stored from the bottom up.
        let pixels: Vec<u8> =
            (0..height).rev().flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| cell(x, y)).collect();
        movie.extend(chunk(b"00db", &pixels));
    }
    let content = [list(b"hdrl", &[chunk(b"avih", &header), streams].concat()), list(b"movi", &movie)].concat();
    chunk(b"RIFF", &[b"AVI ".as_slice(), &content].concat())
}

fn gray(value: u8) -> [u8; 4] {
    [value, value, value, 0]
}

#[test]
fn palettes_that_are_told_once_and_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("palette.avi");
    for change in [24, 0, 1] {
        std::fs::write(&path, palette_film(24, change)).expect("written");
        check(&path, &(0..24).collect::<Vec<_>>());
    }
}
