//! One open video: any frame, exactly.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use ffmpeg_next::codec::packet::side_data;
use ffmpeg_next::color;

use crate::convert::{Converter, MAX_SIDE};
use crate::decode::{Decoder, Output};
use crate::demux::Demuxer;
use crate::index::{DecodedFrame, FrameIndex, Identify};
use crate::orientation::Orientation;
use crate::size::display_size;
use crate::{FrameBuffer, OutputSize, VideoError, VideoInfo, ffi};

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
        Self {
            size: OutputSize::Native,
            threads: 1,
        }
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
        crate::initialise();
        let metadata = fs::metadata(path).map_err(|error| VideoError::open(path, error))?;
        if !metadata.is_file() {
            return Err(VideoError::open(path, "it is not a regular file"));
        }
        if metadata.len() == 0 {
            return Err(VideoError::open(path, "the file is empty"));
        }
        let mut demuxer = Demuxer::open(path)?;
        let threads = options.threads.max(1);
        let time_base = f64::from(demuxer.time_base());
        let container = demuxer.container();
        let known = FrameIndex::from_packets(
            demuxer.records(),
            &container,
            demuxer.codec(),
            time_base,
        );
        let reorder = known.as_ref().and_then(FrameIndex::reorder);
        let mut decoder = Decoder::open(&mut demuxer, threads, reorder)?;
        let index = match known {
            Some(index) => index,
            None => index_by_decoding(&mut demuxer, &mut decoder, time_base)?,
        };
        let current = first_good_frame(&mut demuxer, &mut decoder, &index)?;
        let orientation = orientation(&mut demuxer);
        let info = describe(&mut demuxer, &mut decoder, &index, orientation);
        let size = options.size.resolve(
            (info.width, info.height),
            (info.display_width, info.display_height),
        );
        if !(1..=MAX_SIDE).contains(&size.0) || !(1..=MAX_SIDE).contains(&size.1) {
            return Err(VideoError::convert(
                path,
                format!(
                    "the output size is {}x{}, expected sides of 1 to {MAX_SIDE} pixels",
                    size.0, size.1
                ),
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
        let Some(mut reason) = failure else { return Ok(()) };
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
        VideoError::Frame {
            path: self.demuxer.path().to_owned(),
            index,
            seconds: self.index.times()[index],
            reason,
        }
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
            return Err(VideoError::OutOfRange {
                path: self.demuxer.path().to_owned(),
                index,
                frames: self.len(),
            });
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

/// The frame that came out of the decoder, if it is one that is shown.
fn identify(index: &FrameIndex, output: &Output) -> Option<usize> {
    match index.identify() {
        Identify::Packet => index.frame_of(output.packet?),
        Identify::Count => index.frame_of(output.count),
    }
}

/// Decodes the whole file to learn its frames.
fn index_by_decoding(
    demuxer: &mut Demuxer,
    decoder: &mut Decoder,
    time_base: f64,
) -> Result<FrameIndex, VideoError> {
    let mut decoded = Vec::with_capacity(demuxer.records().len());
    while let Some(output) = decoder.advance(demuxer)? {
        let decoding = decoder.frame().packet().dts;
        decoded.push(DecodedFrame {
            packet: output.packet,
            decoding: (decoding != i64::MIN).then_some(decoding),
            damaged: output.damaged,
        });
    }
    decoder.restart(0);
    Ok(FrameIndex::from_decoding(
        &decoded,
        demuxer.records(),
        demuxer.codec(),
        time_base,
        demuxer.nominal_rate(),
    ))
}

/// Decodes from the start of the file to the first frame that is shown and intact.
fn first_good_frame(
    demuxer: &mut Demuxer,
    decoder: &mut Decoder,
    index: &FrameIndex,
) -> Result<usize, VideoError> {
    while let Some(output) = decoder.advance(demuxer)? {
        if let Some(frame) = identify(index, &output).filter(|_| !output.damaged) {
            return Ok(frame);
        }
    }
    let packets = demuxer.records().len();
    Err(VideoError::NoFrames {
        path: demuxer.path().to_owned(),
        reason: match demuxer.problem() {
            Some(problem) => problem.to_owned(),
            None if packets == 0 => "its video stream holds no packets".to_owned(),
            None => format!("the video stream has {packets} packets, and the decoder made no intact frame of them"),
        },
    })
}

fn orientation(demuxer: &mut Demuxer) -> Orientation {
    let stream = demuxer.stream();
    demuxer.input().stream(stream).map_or(Orientation::UPRIGHT, |stream| {
        stream
            .side_data()
            .find(|data| data.kind() == side_data::Type::DisplayMatrix)
            .map_or(Orientation::UPRIGHT, |data| Orientation::from_matrix(data.data()))
    })
}

/// What is known of the file, with the decoder at its first frame.
fn describe(
    demuxer: &mut Demuxer,
    decoder: &mut Decoder,
    index: &FrameIndex,
    orientation: Orientation,
) -> VideoInfo {
    let stream = demuxer.stream();
    let frame = decoder.frame();
    let stored = (frame.width() as usize, frame.height() as usize);
    let aspect = ffi::pixel_aspect(demuxer.input(), stream, frame);
    let (width, height) = orientation.apply_to_size(stored);
    let (display_width, display_height) = orientation.apply_to_size(display_size(stored, aspect));
    let times = index.times();
    let span = times.last().copied().unwrap_or(0.0);
    let average = (span > 0.0).then(|| (times.len() - 1) as f64 / span);
    let frame_rate = average.or_else(|| demuxer.nominal_rate());
    let last_packet = demuxer
        .records()
        .iter()
        .filter(|record| record.shown)
        .max_by_key(|record| record.presentation);
    let last_frame = last_packet
        .filter(|record| record.duration > 0)
        .map(|record| record.duration as f64 * f64::from(demuxer.time_base()))
        .or(frame_rate.map(|rate| 1.0 / rate));
    VideoInfo {
        path: demuxer.path().to_owned(),
        container: demuxer.container(),
        codec: demuxer.codec().name().to_owned(),
        pixel_format: frame
            .format()
            .descriptor()
            .map_or_else(|| "unknown".to_owned(), |format| format.name().to_owned()),
        color_space: frame.color_space().name().map(str::to_owned),
        full_range: match frame.color_range() {
            color::Range::JPEG => Some(true),
            color::Range::MPEG => Some(false),
            color::Range::Unspecified => None,
        },
        width,
        height,
        display_width,
        display_height,
        pixel_aspect: (aspect.0 > 0 && aspect.1 > 0)
            .then(|| f64::from(aspect.0) / f64::from(aspect.1)),
        rotation: orientation.clockwise_degrees(),
        mirrored: orientation.is_mirrored(),
        frames: Some(index.len()),
        duration: last_frame.map(|last| span + last),
        frame_rate,
        key_frames: demuxer.records().iter().filter(|record| record.key).count(),
        interlaced: frame.is_interlaced(),
        problem: demuxer.problem().map(str::to_owned),
    }
}
