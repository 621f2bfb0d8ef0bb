//! One open video: any frame, exactly.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::convert::{Converter, MAX_SIDE};
use crate::decode::Decoder;
use crate::demux::{Demuxer, KEEP_BYTES};
use crate::index::FrameIndex;
use crate::probe::{describe, orientation};
use crate::survey::{identify, index_frames};
use crate::{FrameBuffer, OutputSize, VideoError, VideoInfo};

/// Any frames of one video, by number.
pub trait FrameSource {
    /// Number of frames.
    fn len(&self) -> usize;

    /// Whether there is no frame.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When each frame is shown, seconds from the first one; never falling.
    fn timestamps(&self) -> &[f64];

    /// Width and height of the delivered frames, pixels.
    fn size(&self) -> (usize, usize);

    /// Reads frames by number, in any order and with repetitions, into `out`, which takes the shape
    /// `[indices.len(), height, width, 3]`.
    ///
    /// # Errors
    /// When an index is out of range or one of the frames cannot be decoded; `out` is unspecified then.
    fn read(&mut self, indices: &[usize], out: &mut FrameBuffer) -> Result<(), VideoError>;
}

/// How to open a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// The size frames are delivered in.
    pub size: OutputSize,
    /// Threads the decoder uses.
    pub threads: usize,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { size: OutputSize::Native, threads: 1 }
    }
}

/// An open video file.
///
/// Opening reads the container once, without decoding, to know every frame's packet and time; where a container does not
/// tell them (transport streams, AVI, GIF, raw streams), the file is decoded once instead. Reading starts at the key frame
/// at or before the wanted frame, or goes on from where the last read ended when that is nearer.
pub struct Video {
    demuxer: Demuxer,
    decoder: Decoder,
    converter: Converter,
    index: FrameIndex,
    info: VideoInfo,
    size: (usize, usize),
    /// The frame the decoder gave last, and whether it is intact.
    current: Option<(usize, bool)>,
    /// Whether the decoder stands at `current`; false once it has run to the end.
    running: bool,
    /// Frames that are known not to be decodable, and why.
    lost: HashMap<usize, String>,
}

impl Video {
    /// Opens a file and decodes its first frame.
    ///
    /// # Errors
    /// When the file cannot be opened, has no video stream, or not one frame of it can be decoded.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, VideoError> {
        Self::open_keeping(path, options, KEEP_BYTES)
    }

    fn open_keeping(path: &Path, options: &OpenOptions, keep_bytes: usize) -> Result<Self, VideoError> {
        crate::initialise();
        let metadata = fs::metadata(path).map_err(|error| VideoError::open(path, error))?;
        if !metadata.is_file() {
            return Err(VideoError::open(path, "it is not a regular file"));
        }
        if metadata.len() == 0 {
            return Err(VideoError::open(path, "the file is empty"));
        }
        let mut demuxer = Demuxer::open(path, keep_bytes)?;
        let threads = options.threads.max(1);
        let time_base = f64::from(demuxer.time_base());
        let container = demuxer.container();
        let known = FrameIndex::from_packets(demuxer.records(), &container, demuxer.codec(), time_base);
        let reorder = known.as_ref().and_then(FrameIndex::reorder);
        let mut decoder = Decoder::open(&mut demuxer, threads, reorder)?;
        let (index, current) = index_frames(&mut demuxer, &mut decoder, known, time_base)?;
        let orientation = orientation(&mut demuxer);
        let info = describe(&mut demuxer, &mut decoder, &index, orientation);
        let size = options.size.resolve((info.width, info.height), (info.display_width, info.display_height));
        if !(1..=MAX_SIDE).contains(&size.0) || !(1..=MAX_SIDE).contains(&size.1) {
            return Err(VideoError::convert(
                path,
                format!("the output size is {}x{}, expected sides of 1 to {MAX_SIDE} pixels", size.0, size.1),
            ));
        }
        Ok(Self {
            demuxer,
            decoder,
            converter: Converter::new(size, orientation),
            index,
            info,
            size,
            current: Some((current, true)),
            running: true,
            lost: HashMap::new(),
        })
    }

    /// What is in the file.
    pub fn info(&self) -> &VideoInfo {
        &self.info
    }

    /// The frame that is shown at a time, seconds from the first frame: the last one that begins no later.
    pub fn index_at(&self, seconds: f64) -> usize {
        self.index.at(seconds)
    }

    /// Brings frame `index` into the decoder's hands.
    fn decode(&mut self, index: usize) -> Result<(), VideoError> {
        if self.running && self.current == Some((index, true)) {
            return Ok(());
        }
        if let Some(reason) = self.lost.get(&index) {
            return Err(self.lost_frame(index, reason.clone()));
        }
        let from = self.index.access_point(index);
        let passed = self.current.is_some_and(|(current, _)| current >= index);
        let ahead = self.running && !passed && from <= self.decoder.position();
        if !ahead || self.decoder.start() > from {
            self.restart(from);
        }
        let failure = self.seek_forward(index)?;
        let Some(mut reason) = failure else {
            return Ok(());
        };
        if self.decoder.start() > 0 {
            self.restart(0);
            match self.seek_forward(index)? {
                None => return Ok(()),
                Some(second) => reason = second,
            }
        }
        self.lost.insert(index, reason.to_owned());
        Err(self.lost_frame(index, reason.to_owned()))
    }

    fn restart(&mut self, packet: usize) {
        self.decoder.restart(packet);
        self.current = None;
        self.running = true;
    }

    /// Decodes forward to frame `index`; says why when it does not come, or does not come intact.
    fn seek_forward(&mut self, index: usize) -> Result<Option<&'static str>, VideoError> {
        while let Some(output) = self.decoder.advance(&mut self.demuxer)? {
            let Some(frame) = identify(&self.index, &output) else {
                continue;
            };
            self.current = Some((frame, !output.damaged));
            if frame == index {
                return Ok(output.damaged.then_some("its data are damaged"));
            }
            if frame > index {
                return Ok(Some("the decoder left it out"));
            }
        }
        self.running = false;
        Ok(Some("the decoder ended before it"))
    }

    fn lost_frame(&self, index: usize, reason: String) -> VideoError {
        VideoError::Frame { path: self.demuxer.path().to_owned(), index, seconds: self.index.times()[index], reason }
    }
}

impl FrameSource for Video {
    fn len(&self) -> usize {
        self.index.len()
    }

    fn timestamps(&self) -> &[f64] {
        self.index.times()
    }

    fn size(&self) -> (usize, usize) {
        self.size
    }

    fn read(&mut self, indices: &[usize], out: &mut FrameBuffer) -> Result<(), VideoError> {
        if let Some(&index) = indices.iter().find(|&&index| index >= self.len()) {
            return Err(VideoError::OutOfRange { path: self.demuxer.path().to_owned(), index, frames: self.len() });
        }
        let (width, height) = self.size;
        out.reshape(indices.len(), height, width);
        let mut slots: Vec<usize> = (0..indices.len()).collect();
        slots.sort_by_key(|&slot| indices[slot]);
        let mut last: Option<usize> = None;
        for slot in slots {
            match last {
                Some(done) if indices[done] == indices[slot] => out.duplicate(done, slot),
                _ => {
                    self.decode(indices[slot])?;
                    self.converter
                        .convert(self.decoder.frame(), out.frame_mut(slot))
                        .map_err(|error| VideoError::convert(self.demuxer.path(), error))?;
                    last = Some(slot);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{FrameSource, KEEP_BYTES, OpenOptions, Video};
    use crate::{FrameBuffer, Mp4Options, Mp4Writer, Quality};

    fn write(path: &Path, frames: u8, keyframe_interval: usize) {
        let options =
            Mp4Options { width: 24, height: 18, frame_rate: 25, quality: Quality::Crf(18), keyframe_interval };
        let mut writer = Mp4Writer::create(path, &options).expect("created");
        for index in 0..frames {
            let rgb: Vec<u8> = (0..24 * 18 * 3).map(|place: u32| (place as u8 / 9).wrapping_add(index * 3)).collect();
            writer.write(&rgb).expect("a frame");
        }
        writer.finish().expect("finished");
    }

    /// Files too large to keep give the same frames as those that are kept.
    fn check_large(path: &Path) {
        let options = OpenOptions::default();
        let mut kept = Video::open_keeping(path, &options, KEEP_BYTES).expect("opens");
        let mut large = Video::open_keeping(path, &options, 0).expect("opens");
        assert_eq!(kept.len(), large.len());
        let (mut wanted, mut found) = (FrameBuffer::default(), FrameBuffer::default());
        for step in 0..kept.len().min(24) {
            let first = step * 37 % kept.len();
            let clip = [first, (first + 2) % kept.len(), 0];
            kept.read(&clip, &mut wanted).expect("reads");
            large.read(&clip, &mut found).expect("reads");
            assert!(wanted == found, "{}: frames {clip:?}", path.display());
        }
        // Where seeking leads astray, the answer is right but slow; in these two containers it must be quick.
        let container = &kept.info().container;
        if container.starts_with("mov,") || container.starts_with("matroska") {
            assert_eq!(large.demuxer.misses(), 0, "{}: seeks", path.display());
        }
    }

    #[test]
    fn large_files_are_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.mp4");
        write(&path, 60, 12);
        check_large(&path);
    }

    #[test]
    fn large_files_of_every_container_are_read_again() {
        let data = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/derived"));
        for name in [
            "cfr_h264_bframes.mp4",
            "vfr_h264.mkv",
            "editlist.mp4",
            "h264_opengop.mp4",
            "fragmented.mp4",
            "h264.ts",
            "h264.flv",
            "mpeg1.mpg",
            "mpeg4_asp.avi",
            "theora.ogv",
            "raw_annexb.h264",
            "anim.gif",
            "vp8.webm",
            "wmv2.wmv",
        ] {
            let path = data.join(name);
            if path.exists() {
                check_large(&path);
            }
        }
    }

    #[test]
    fn decoding_goes_on_where_it_stands() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.mp4");
        write(&path, 60, 30);
        let mut video = Video::open(&path, &OpenOptions::default()).expect("opens");
        let mut out = FrameBuffer::default();
        // From the start, on within the group, the same frame again, over to the next group, back.
        for (clip, start, given) in [
            (vec![0, 1, 2], 0, 3),
            (vec![7, 9], 0, 10),
            (vec![9], 0, 10),
            (vec![45, 40], 30, 16),
            (vec![46], 30, 17),
            (vec![31], 30, 2),
        ] {
            video.read(&clip, &mut out).expect("reads");
            assert_eq!((video.decoder.start(), video.decoder.given()), (start, given), "after {clip:?}");
        }
    }
}
