//! Decoders kept open between two clips of one video file.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use prevision_video::{FrameSource as _, Video};

/// How much may stay open while nobody uses it, in decoders of 640x480 pixels: about 5 MB each.
const KEPT: usize = 48;
/// Decoders of one file that may stay open, each at another place.
const KEPT_OF_ONE: usize = 4;

/// Idle decoders, the least recently used first. Whoever needs one takes it out, so no two threads share one; a decoder that
/// failed is not given back.
#[derive(Default)]
pub(crate) struct Decoders {
    idle: Mutex<VecDeque<Idle>>,
}

struct Idle {
    file: usize,
    weight: usize,
    decoder: Video,
}

impl Decoders {
    /// The decoder of a file from which frame `first` is reached soonest. `None` when opening another one is as good: then
    /// those that are there keep their places in the file, for clips that begin behind them.
    pub(crate) fn take(&self, file: usize, first: usize) -> Option<Video> {
        let mut idle = self.lock();
        let of_file = || idle.iter().enumerate().filter(|(_, entry)| entry.file == file);
        let (place, nearest) = of_file().min_by_key(|(_, entry)| entry.decoder.distance(first))?;
        let near = nearest.decoder.continues_to(first);
        let place = if near {
            place
        } else if of_file().count() >= KEPT_OF_ONE {
            // The least recently used one.
            of_file().next()?.0
        } else {
            return None;
        };
        idle.remove(place).map(|entry| entry.decoder)
    }

    pub(crate) fn give_back(&self, file: usize, decoder: Video) {
        let (width, height) = decoder.size();
        let weight = (width * height).div_ceil(640 * 480);
        let mut idle = self.lock();
        idle.push_back(Idle { file, weight, decoder });
        let mut closing = vec![];
        while idle.len() > 1 && idle.iter().map(|entry| entry.weight).sum::<usize>() > KEPT {
            closing.extend(idle.pop_front());
        }
        // Closing a decoder takes a while: not under the lock.
        drop(idle);
        drop(closing);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prevision_core::FrameBuffer;
    use prevision_video::{Mp4Options, Mp4Writer, OpenOptions, Quality};

    #[test]
    fn the_nearest_decoder_behind_a_clip_is_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.mp4");
        let options =
            Mp4Options { width: 24, height: 18, frame_rate: 25, quality: Quality::Compact(18), keyframe_interval: 100 };
        let mut writer = Mp4Writer::create(&path, &options).expect("created");
        for index in 0..60 {
            writer.write(&[index * 4; 24 * 18 * 3]).expect("a frame");
        }
        writer.finish().expect("finished");
        let open_at = |frame: usize| {
            let mut video = Video::open(&path, &OpenOptions::default()).expect("opens");
            video.read(&[frame], &mut FrameBuffer::default()).expect("reads");
            video
        };
        let decoders = Decoders::default();
        assert!(decoders.take(0, 5).is_none(), "none is there");
        decoders.give_back(0, open_at(10));
        decoders.give_back(0, open_at(40));
        decoders.give_back(1, open_at(20));
        assert!(decoders.take(0, 5).is_none(), "all are past it, and another one may be opened");
        let taken = decoders.take(0, 30).expect("the one at 10");
        assert!(taken.continues_to(11));
        decoders.give_back(0, taken);
        assert!(!decoders.take(0, 50).expect("the one at 40").continues_to(11));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.mp4");
        let options =
            Mp4Options { width: 8, height: 8, frame_rate: 25, quality: Quality::Crf(18), keyframe_interval: 1 };
        let mut writer = Mp4Writer::create(&path, &options).expect("created");
        writer.write(&[0; 192]).expect("a frame");
        writer.finish().expect("finished");
        let decoders = Decoders::default();
        for video in 0..KEPT + 3 {
            decoders.give_back(video, Video::open(&path, &OpenOptions::default()).expect("opens"));
        }
        assert_eq!(decoders.lock().len(), KEPT);
        assert!(decoders.take(2, 0).is_none(), "the oldest were closed");
    }
}
