//! One open video: any frame, exactly.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::convert::{Converter, MAX_SIDE};
use crate::decode::Decoder;
use crate::demux::{Demuxer, KEEP_BYTES};
use crate::file_index::VideoIndex;
use crate::index::FrameIndex;
use crate::probe::{describe, orientation};
use crate::stream::Clock;
use crate::survey::{identify, index_frames};
use prevision_core::frames::{FrameBuffer, Window};

use crate::{VideoError, VideoInfo};

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

    /// Width and height of the upright frames, in stored pixels.
    fn size(&self) -> (usize, usize);

    /// Reads whole frames by number, in any order and with repetitions, into `out`, which takes the shape
    /// `[indices.len(), height, width, 3]`.
    ///
    /// # Errors
    /// When an index is out of range or one of the frames cannot be decoded; `out` is unspecified then.
    fn read(&mut self, indices: &[usize], out: &mut FrameBuffer) -> Result<(), VideoError>;

    /// Reads several clips in one pass; each is read as [`FrameSource::read_window`] says.
    ///
    /// # Errors
    /// As [`FrameSource::read_window`]; what the clips hold is unspecified then.
    fn read_clips(&mut self, clips: &mut [ClipRead]) -> Result<(), VideoError>;

    /// Reads the same window of frames by number, scaled to the height and width that `out` has, and mirrored left to right if
    /// asked to. `out` takes the shape `[indices.len(), out.height, out.width, 3]`.
    ///
    /// # Errors
    /// As [`FrameSource::read`]; and when the window lies outside the frames or `out` has a side of 0 or of more than 16384.
    fn read_window(
        &mut self,
        indices: &[usize],
        window: &Window,
        mirror: bool,
        out: &mut FrameBuffer,
    ) -> Result<(), VideoError> {
        let mut clip = ClipRead { indices: indices.to_vec(), window: *window, mirror, out: std::mem::take(out) };
        let read = self.read_clips(std::slice::from_mut(&mut clip));
        *out = clip.out;
        read
    }
}

/// One of several clips that are read together.
#[derive(Clone, Debug)]
pub struct ClipRead {
    /// Which frames, in any order and with repetitions.
    pub indices: Vec<usize>,
    /// Which part of them.
    pub window: Window,
    /// Whether they are mirrored left to right.
    pub mirror: bool,
    /// Where they go, `[indices.len(), out.height, out.width, 3]`.
    pub out: FrameBuffer,
}

/// How to open a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// Threads the decoder uses. Default 1: many files at a time are faster than many threads for one.
    pub threads: usize,
    /// Longest time for opening the file, and for each read. Default 60 seconds.
    pub patience: Duration,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { threads: 1, patience: Duration::from_mins(1) }
    }
}

/// An open video file.
///
/// Opening reads the container once, without decoding, to know every frame's packet and time: by the container's times, or by the
/// order that the heads of the pictures tell. Where neither is certain (fields, damage, packets of several frames, codecs whose
/// packets are not understood here), the file is decoded once instead. What was found is the file's
/// [`VideoIndex`], with which it opens again at once. Reading starts at the key frame at or before the wanted frame, or goes on
/// from where the last read ended when that is nearer; packets that no wanted frame needs are not decoded.
pub struct Video {
    demuxer: Demuxer,
    decoder: Decoder,
    converter: Converter,
    index: Arc<VideoIndex>,
    /// The frame the decoder gave last, and whether it is intact.
    current: Option<(usize, bool)>,
    /// Whether the decoder stands at `current`; false once it has run to the end.
    running: bool,
    /// Frames that are known not to be decodable, and why.
    lost: HashMap<usize, String>,
}

impl Video {
    /// Opens a file, makes its index and decodes its first frame.
    ///
    /// # Errors
    /// When the file cannot be opened, has no video stream, or not one frame of it can be decoded.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, VideoError> {
        Self::open_keeping(path, options, KEEP_BYTES)
    }

    fn open_keeping(path: &Path, options: &OpenOptions, keep_bytes: usize) -> Result<Self, VideoError> {
        let mut demuxer = Demuxer::open(path, Clock::new(options.patience), keep_bytes)?;
        let time_base = f64::from(demuxer.time_base());
        let container = demuxer.container();
        let pictures = demuxer.take_pictures();
        let rate = demuxer.nominal_rate();
        let known = (!demuxer.is_unverified())
            .then(|| {
                FrameIndex::from_packets(demuxer.records(), &pictures, &container, demuxer.codec(), time_base, rate)
            })
            .flatten();
        let reorder = known.as_ref().and_then(FrameIndex::reorder);
        let mut decoder = Decoder::open(&mut demuxer, options.threads.max(1), reorder)?;
        let (frames, current) = index_frames(&mut demuxer, &mut decoder, known, time_base)?;
        let orientation = orientation(&mut demuxer);
        let info = describe(&mut demuxer, &mut decoder, &frames, orientation);
        if info.width > MAX_SIDE || info.height > MAX_SIDE {
            return Err(VideoError::convert(
                path,
                format!("they are {}x{}, expected sides of 1 to {MAX_SIDE} pixels", info.width, info.height),
            ));
        }
        // With an index of the container alone, the first frame has shown that packets are not fields.
        let selective =
            reorder.is_some() && frames.reorder().is_some() || frames.is_one_to_one(demuxer.records().len());
        Ok(Self {
            converter: Converter::new((info.width, info.height), orientation),
            index: Arc::new(VideoIndex {
                packets: Arc::clone(demuxer.table()),
                frames,
                info,
                orientation,
                selective,
                version: demuxer.version().cloned(),
            }),
            demuxer,
            decoder,
            current: Some((current, true)),
            running: true,
            lost: HashMap::new(),
        })
    }

    /// Opens a file whose index is known, without reading it through. It must be the same file as when the index was made; of an
    /// object in storage the version is compared.
    ///
    /// # Errors
    /// When the file cannot be opened, or is found not to be the one of the index.
    pub fn open_indexed(path: &Path, options: &OpenOptions, index: Arc<VideoIndex>) -> Result<Self, VideoError> {
        Self::open_indexed_keeping(path, options, index, KEEP_BYTES)
    }

    fn open_indexed_keeping(
        path: &Path,
        options: &OpenOptions,
        index: Arc<VideoIndex>,
        keep_bytes: usize,
    ) -> Result<Self, VideoError> {
        let (packets, problem) = (Arc::clone(&index.packets), index.info.problem.clone());
        let clock = Clock::new(options.patience);
        let mut demuxer = Demuxer::open_known(path, index.version(), clock, packets, problem, keep_bytes)?;
        let decoder = Decoder::open(&mut demuxer, options.threads.max(1), index.frames.reorder())?;
        Ok(Self {
            converter: Converter::new((index.info.width, index.info.height), index.orientation),
            index,
            demuxer,
            decoder,
            current: None,
            running: true,
            lost: HashMap::new(),
        })
    }

    /// What is in the file.
    pub fn info(&self) -> &VideoInfo {
        &self.index.info
    }

    /// The index of the file.
    pub fn index(&self) -> &Arc<VideoIndex> {
        &self.index
    }

    /// The frame that is shown at a time, seconds from the first frame: the last one that begins no later.
    pub fn index_at(&self, seconds: f64) -> usize {
        self.index.index_at(seconds)
    }

    /// Frames that were decoded since the file was opened, wanted or not.
    pub fn decoded_frames(&self) -> u64 {
        self.decoder.decoded()
    }

    /// Number of packets between the decoder's place, or the key frame before frame `index` if that is where it has to start, and
    /// the frame.
    pub fn distance(&self, index: usize) -> usize {
        let Some(packet) = self.index.frames.packet_of(index) else {
            return match self.current {
                Some((current, _)) if self.continues_to(index) => index - current,
                _ => index,
            };
        };
        let from = self.index.frames.access_point(index);
        packet.saturating_sub(if self.continues_to(index) { self.decoder.position() } else { from })
    }

    /// Whether frame `index` can be reached from where the decoder stands, without a seek, and that is not the longer way.
    pub fn continues_to(&self, index: usize) -> bool {
        let from = self.index.frames.access_point(index);
        let passed = self.current.is_some_and(|(current, _)| current >= index)
            || self.index.frames.packet_of(index).is_some_and(|packet| self.decoder.has_left_out(packet));
        self.running && !passed && from <= self.decoder.position() && self.decoder.start() <= from
    }

    /// Brings frame `index` into the decoder's hands.
    fn decode(&mut self, index: usize) -> Result<(), VideoError> {
        if self.running && self.current == Some((index, true)) {
            return Ok(());
        }
        if let Some(reason) = self.lost.get(&index) {
            return Err(self.lost_frame(index, reason.clone()));
        }
        if !self.continues_to(index) {
            self.restart(self.index.frames.access_point(index));
        }
        let failure = self.seek_forward(index)?;
        let Some(mut reason) = failure else {
            return Ok(());
        };
        self.decoder.distrust();
        if self.decoder.start() > 0 {
            self.restart(0);
            match self.seek_forward(index)? {
                None => return Ok(()),
                Some(second) => reason = second,
            }
            self.decoder.distrust();
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
            let Some(frame) = identify(&self.index.frames, &output) else {
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
        VideoError::Frame {
            path: self.demuxer.path().to_owned(),
            index,
            seconds: self.index.timestamps()[index],
            reason,
        }
    }

    /// Decodes each of some frames once, in ascending order, and hands it to `deliver` with every place where it is wanted.
    fn read_each(
        &mut self,
        indices: &[usize],
        mut deliver: impl FnMut(&mut Converter, &ffmpeg_next::frame::Video, &[usize]) -> Result<(), ffmpeg_next::Error>,
    ) -> Result<(), VideoError> {
        self.check_indices(indices)?;
        self.demuxer.start_clock();
        self.decoder.want(self.packets_of(indices));
        let mut places: Vec<usize> = (0..indices.len()).collect();
        places.sort_by_key(|&place| indices[place]);
        for same in places.chunk_by(|&a, &b| indices[a] == indices[b]) {
            self.decode(indices[same[0]])?;
            deliver(&mut self.converter, self.decoder.frame(), same)
                .map_err(|error| VideoError::convert(self.demuxer.path(), error))?;
        }
        Ok(())
    }

    /// Says which frame there is not.
    fn check_indices(&self, indices: &[usize]) -> Result<(), VideoError> {
        match indices.iter().find(|&&index| index >= self.len()) {
            Some(&index) => {
                Err(VideoError::OutOfRange { path: self.demuxer.path().to_owned(), index, frames: self.len() })
            }
            None => Ok(()),
        }
    }

    /// Says what is wrong with a clip that cannot be read.
    fn check_clip(&self, clip: &ClipRead) -> Result<(), VideoError> {
        let ((width, height), size) = (self.size(), (clip.out.width, clip.out.height));
        let wrong = |reason| Err(VideoError::convert(self.demuxer.path(), reason));
        if !clip.window.fits(width, height) {
            return wrong(format!("the window is {:?}, expected a part of {width}x{height} pixels", clip.window));
        }
        if !(1..=MAX_SIDE).contains(&size.0) || !(1..=MAX_SIDE).contains(&size.1) {
            return wrong(format!(
                "the output size is {}x{}, expected sides of 1 to {MAX_SIDE} pixels",
                size.0, size.1
            ));
        }
        Ok(())
    }

    /// The packets of some frames, ascending; `None` if all packets have to be decoded.
    fn packets_of(&self, indices: &[usize]) -> Option<Vec<usize>> {
        if !self.index.selective {
            return None;
        }
        let mut packets =
            indices.iter().map(|&index| self.index.frames.packet_of(index)).collect::<Option<Vec<usize>>>()?;
        packets.sort_unstable();
        Some(packets)
    }
}

impl FrameSource for Video {
    fn len(&self) -> usize {
        self.index.frames.len()
    }

    fn timestamps(&self) -> &[f64] {
        self.index.timestamps()
    }

    fn size(&self) -> (usize, usize) {
        (self.index.info.width, self.index.info.height)
    }

    fn read(&mut self, indices: &[usize], out: &mut FrameBuffer) -> Result<(), VideoError> {
        let (width, height) = self.size();
        self.check_indices(indices)?;
        out.reshape(indices.len(), height, width);
        self.read_each(indices, |converter, frame, places| {
            converter.whole(frame, out.frame_mut(places[0]))?;
            for &place in &places[1..] {
                out.duplicate(places[0], place);
            }
            Ok(())
        })
    }

    fn read_clips(&mut self, clips: &mut [ClipRead]) -> Result<(), VideoError> {
        let mut indices = Vec::new();
        let mut owners = Vec::new();
        for (owner, clip) in clips.iter_mut().enumerate() {
            self.check_clip(clip)?;
            let (height, width) = (clip.out.height, clip.out.width);
            clip.out.reshape(clip.indices.len(), height, width);
            owners.extend((0..clip.indices.len()).map(|slot| (owner, slot)));
            indices.extend_from_slice(&clip.indices);
        }
        self.read_each(&indices, |converter, frame, places| {
            for &place in places {
                let (owner, slot) = owners[place];
                let clip = &mut clips[owner];
                let size = (clip.out.width, clip.out.height);
                converter.window(frame, &clip.window, size, clip.mirror, clip.out.frame_mut(slot))?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{FrameSource, KEEP_BYTES, OpenOptions, Video};
    use prevision_core::FrameBuffer;

    use crate::{Mp4Options, Mp4Writer, Quality};

    fn write(path: &Path, frames: u8, keyframe_interval: usize, quality: Quality) {
        let options = Mp4Options { width: 24, height: 18, frame_rate: 25, quality, keyframe_interval };
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
        write(&path, 60, 12, Quality::Crf(18));
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
        write(&path, 60, 30, Quality::Compact(18));
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

    #[test]
    fn frames_that_nothing_refers_to_are_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.mp4");
        write(&path, 60, 60, Quality::Crf(18));
        let mut video = Video::open(&path, &OpenOptions::default()).expect("opens");
        let disposable = video.demuxer.records().iter().filter(|record| record.disposable).count();
        assert!(disposable > 15, "x264 makes B-frames: {disposable}");
        let (mut all, mut out) = (FrameBuffer::default(), FrameBuffer::default());
        video.read(&(0..60).collect::<Vec<_>>(), &mut all).expect("reads");
        for step in [1, 3, 7, 20] {
            for start in 0..step {
                let clip: Vec<usize> = (start..60).step_by(step).collect();
                video.read(&clip, &mut out).expect("reads");
                for (slot, &index) in clip.iter().enumerate() {
                    assert!(out.frame(slot) == all.frame(index), "frame {index} of every {step}");
                }
            }
        }
        let mut fresh = Video::open(&path, &OpenOptions::default()).expect("opens");
        fresh.read(&[59], &mut out).expect("reads");
        assert!(fresh.decoded_frames() as usize <= 64 - disposable, "{} were decoded", fresh.decoded_frames());
    }

    #[test]
    fn clips_that_are_read_together_are_as_if_read_alone() {
        use super::ClipRead;
        use prevision_core::frames::Window;

        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.mp4");
        write(&path, 60, 25, Quality::Crf(18));
        let mut video = Video::open(&path, &OpenOptions::default()).expect("opens");
        let clip = |start: usize, x: f64, mirror| ClipRead {
            indices: (start..start + 20).step_by(4).collect(),
            window: Window { x, y: 1.5, width: 12.0, height: 12.0 },
            mirror,
            out: FrameBuffer::new(0, 8, 10),
        };
        let mut together = [clip(30, 0.0, false), clip(2, 3.25, true), clip(10, 12.0, false), clip(2, 3.25, false)];
        video.read_clips(&mut together).expect("reads");
        for wanted in &together {
            let mut alone = FrameBuffer::new(0, 8, 10);
            let mut video = Video::open(&path, &OpenOptions::default()).expect("opens");
            video.read_window(&wanted.indices, &wanted.window, wanted.mirror, &mut alone).expect("reads");
            assert!(alone == wanted.out, "{:?}", wanted.indices);
        }
        let mirrored: Vec<u8> = together[3]
            .out
            .data
            .chunks_exact(30)
            .flat_map(|row| row.chunks_exact(3).rev().flatten())
            .copied()
            .collect();
        assert!(together[1].out.data == mirrored);
    }

    #[test]
    fn a_read_that_takes_too_long_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.mp4");
        write(&path, 60, 60, Quality::Crf(18));
        let index = Video::open(&path, &OpenOptions::default()).expect("opens").index().clone();
        let options = OpenOptions { patience: std::time::Duration::ZERO, ..OpenOptions::default() };
        let error = Video::open(&path, &options).err().map(|error| error.to_string());
        let read = |mut video: Video| {
            std::thread::sleep(std::time::Duration::from_millis(2));
            video.decode(59).err().map(|error| error.to_string())
        };
        let late = error.or_else(|| Video::open_indexed(&path, &options, index).ok().and_then(read));
        assert!(late.as_ref().is_some_and(|text| text.contains("took longer than 0 s")), "{late:?}");
    }
}
