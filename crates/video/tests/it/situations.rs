//! Small films that are easily read wrong (`situations/make.py`): every frame shows its own number, however one comes to it.

#![allow(clippy::unwrap_used, reason = "a test that fails says why")]

use std::path::{Path, PathBuf};

use prevision_core::FrameBuffer;
use prevision_video::{FrameSource as _, OpenOptions, Video};

fn film(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/situations").join(name)
}

/// The number in the eight cells of the top quarter, most significant bit first.
fn number(samples: &[u8], width: usize, height: usize) -> usize {
    let row = (height / 8) * width;
    let white = |cell: usize| samples[(row + cell * width / 8 + width / 16) * 3 + 1] > 128;
    (0..8).fold(0, |number, cell| 2 * number + usize::from(white(cell)))
}

/// The numbers that frames show, by what is given for those that show something else.
fn shown(video: &mut Video, indices: &[usize]) -> Vec<usize> {
    let mut frames = FrameBuffer::default();
    video.read(indices, &mut frames).unwrap();
    (0..frames.frames).map(|frame| number(frames.frame(frame), frames.width, frames.height)).collect()
}

#[test]
fn every_frame_is_the_one_that_was_asked_for() {
    for name in ["joined.mkv", "without_offsets.mp4", "every_frame_flagged.mov"] {
        let open = || Video::open(&film(name), &OpenOptions::default()).unwrap();
        let all: Vec<usize> = (0..24).collect();
        // The first frames of one film are black.
        let black = if name == "every_frame_flagged.mov" { 4 } else { 0 };
        let wanted = |index: usize| if index < black { 0 } else { index };
        let mut video = open();
        assert_eq!(video.info().frames, Some(24), "{name}");
        assert_eq!(shown(&mut video, &all), all.iter().map(|&index| wanted(index)).collect::<Vec<_>>(), "{name}");
        let times = video.index().timestamps();
        assert!(times.is_sorted_by(|one, next| one < next), "{name}: {times:?}");
        let index = video.index().clone();
        let mut again = Video::open_indexed(&film(name), &OpenOptions::default(), index.clone()).unwrap();
        for first in 0..24 {
            // Alone, with an index, forward and backward from where a decoder was.
            let later = (first + 13) % 24;
            let pair = [wanted(first), wanted(later)];
            assert_eq!(shown(&mut open(), &[first]), pair[..1], "{name}: {first} alone");
            let mut indexed = Video::open_indexed(&film(name), &OpenOptions::default(), index.clone()).unwrap();
            assert_eq!(shown(&mut indexed, &[first]), pair[..1], "{name}: {first} with an index");
            assert_eq!(shown(&mut open(), &[first, later]), pair, "{name}: {first} and {later}");
            assert_eq!(shown(&mut again, &[first, later]), pair, "{name}: {first} and {later} after others");
        }
    }
}

#[test]
fn colours_of_sixteen_bits_are_kept() {
    let mut video = Video::open(&film("rgb48.mov"), &OpenOptions::default()).unwrap();
    let mut frames = FrameBuffer::default();
    video.read(&[0, 1], &mut frames).unwrap();
    for pixel in frames.data.as_chunks::<3>().0 {
        assert!(pixel.iter().zip([51, 102, 153]).all(|(found, wanted)| found.abs_diff(wanted) <= 1), "{pixel:?}");
    }
}
