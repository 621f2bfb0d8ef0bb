//! What has to hold for every file, whatever its bytes are.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prevision_core::{FrameBuffer, frames::Window};
use prevision_video::{FrameSource, OpenOptions, Video, VideoError};

use crate::films::bar_code;

/// Frames that are looked at in one file.
const LOOKS: usize = 14;

/// Kinds of files whose damage FFmpeg's decoders do not always tell of: those of MPEG-1 and MPEG-2 fill missing slices from another frame.
const SILENT: [&str; 2] = ["mpeg1", "mpeg2"];

/// Opens a file and reads from it in three orders. It must end soon, with frames or with errors that name the file, and a frame
/// that is given must be the same one whatever was read before: where its bar code is clear, the code must be the same. (Damage
/// that no decoder notices may garble a picture in more than one way.) Gives the number of frames that could be read.
pub(crate) fn check(path: &Path) -> usize {
    let begin = Instant::now();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let readable = read_all_ways(path, &name);
    // A deadline for opening and for each read.
    assert!(begin.elapsed() < Duration::from_mins(1), "{name} takes {:?}", begin.elapsed());
    readable
}

fn read_all_ways(path: &Path, name: &str) -> usize {
    let options = OpenOptions { threads: 1, patience: Duration::from_secs(5) };
    let mut video = match Video::open(path, &options) {
        Ok(video) => video,
        Err(error) => {
            assert!(error.to_string().contains(name), "{error}");
            return 0;
        }
    };
    let (frames, (width, height)) = (video.len(), video.size());
    assert!(frames > 0 && width > 0 && height > 0, "{name}: {frames} frames of {width}x{height}");
    let times = video.timestamps();
    assert!(times.is_sorted() && times.iter().all(|time| time.is_finite()), "{name}: times {times:?}");
    let whole = Window::whole(width, height);
    let places: Vec<usize> = (0..LOOKS).map(|look| look * (frames - 1) / (LOOKS - 1)).collect();
    let told = |result: Result<(), VideoError>| match result {
        Ok(()) => true,
        Err(error) => {
            assert!(error.to_string().contains(name), "{error}");
            false
        }
    };
    if width * height >= 1 << 20 {
        let mut out = FrameBuffer::new(0, 16, 16);
        return places.iter().filter(|&&place| told(video.read_window(&[place], &whole, true, &mut out))).count();
    }
    let mut out = FrameBuffer::default();
    let mut look = |video: &mut Video, index: usize| {
        told(video.read(&[index], &mut out)).then(|| bar_code(out.frame(0), width, height))
    };
    let forwards: Vec<_> = places.iter().map(|&index| look(&mut video, index)).collect();
    let backwards: Vec<_> = places.iter().rev().map(|&index| look(&mut video, index)).collect();
    let same = |one: Option<Option<usize>>, other: Option<Option<usize>>| match (one.flatten(), other.flatten()) {
        (Some(one), Some(other)) => one == other || SILENT.iter().any(|kind| name.starts_with(kind)),
        _ => true,
    };
    for ((place, &one), &other) in places.iter().zip(&forwards).zip(backwards.iter().rev()) {
        assert!(same(one, other), "{name}: frame {place} is {one:?}, after later ones it is {other:?}");
    }
    if let Ok(mut again) = Video::open_indexed(path, &options, Arc::clone(video.index())) {
        for (&place, &one) in places.iter().zip(&forwards).skip(LOOKS / 2).step_by(3) {
            let other = look(&mut again, place);
            assert!(same(one, other), "{name}: frame {place} is {one:?}, with an index that was there {other:?}");
        }
    }
    let mut part = FrameBuffer::new(0, 16, 16);
    told(video.read_window(&[frames / 2, 0], &whole, true, &mut part));
    forwards.iter().flatten().count()
}
