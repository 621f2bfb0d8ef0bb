//! What has to hold for every file, whatever its bytes are.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prevision_video::{FrameBuffer, FrameSource, OpenOptions, Video, Window};

/// Frames that are looked at in one file.
const LOOKS: usize = 14;

/// Opens a file and reads from it in three orders. It must end soon, with frames or with errors that name the file, and a frame
/// that is given must be the same whatever was read before. Gives the number of frames that could be read.
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
    let look = |video: &mut Video, index: usize, mirror: bool| {
        let mut out = FrameBuffer::new(0, 16, 16);
        match video.read_window(&[index], &whole, mirror, &mut out) {
            Ok(()) => Some(out),
            Err(error) => {
                assert!(error.to_string().contains(name), "{error}");
                None
            }
        }
    };
    let forwards: Vec<_> = places.iter().map(|&index| look(&mut video, index, false)).collect();
    let backwards: Vec<_> = places.iter().rev().map(|&index| look(&mut video, index, false)).collect();
    for ((place, one), other) in places.iter().zip(&forwards).zip(backwards.iter().rev()) {
        if let (Some(one), Some(other)) = (one, other) {
            assert!(one == other, "{name}: frame {place} differs when it is read after later ones");
        }
    }
    if let Ok(mut again) = Video::open_indexed(path, &options, Arc::clone(video.index())) {
        for (&place, one) in places.iter().zip(&forwards).skip(LOOKS / 2).step_by(3) {
            if let (Some(one), Some(other)) = (one, look(&mut again, place, false)) {
                assert!(*one == other, "{name}: frame {place} differs with an index that was there");
            }
        }
        let _ = look(&mut again, frames / 2, true);
    }
    if width * height < 1 << 20 {
        let mut out = FrameBuffer::default();
        let _ = video.read(&[0, frames - 1], &mut out);
    }
    forwards.iter().flatten().count()
}
