//! The packets of the one video stream, by number.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ffmpeg_next::codec::Id;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{Error, Packet, Rational, media};

use crate::hidden::is_hidden;
use crate::{VideoError, ffi};

/// Files whose packets are together at most this large are read once and kept; larger ones are read again as needed.
const KEEP_BYTES: usize = 8 << 20;
/// Longest time for one step of the container's reader.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many unknown packets after a seek are passed over before the file is read from the start instead.
const SEEK_SLACK: usize = 256;

/// What the container says of one packet. Times are in units of the stream's time base.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PacketRecord {
    pub(crate) presentation: Option<i64>,
    pub(crate) decoding: Option<i64>,
    pub(crate) duration: i64,
    pub(crate) bytes: usize,
    /// Decoding can start here.
    pub(crate) key: bool,
    /// Its frame is for the eye: neither cut away by an edit list nor a hidden reference.
    pub(crate) shown: bool,
    /// The container knows that data are missing.
    pub(crate) corrupt: bool,
}

type Identity = (Option<i64>, Option<i64>, usize);

impl PacketRecord {
    fn identity(&self) -> Identity {
        (self.presentation, self.decoding, self.bytes)
    }
}

/// Where packets come from after the first pass.
enum Store {
    /// All of them are kept.
    Memory(Vec<Packet>),
    /// They are read again from the file.
    File {
        /// Number of the packet that the container delivers next; `None` when unknown.
        next: Option<usize>,
        /// Numbers by identity; `None` where two packets look alike.
        known: HashMap<Identity, Option<usize>>,
        /// The packet read last, and its number.
        held: Option<(usize, Packet)>,
        /// Whether seeking has led to the right place so far.
        seekable: bool,
    },
}

/// An open container with its video stream chosen and all packets of it recorded.
pub(crate) struct Demuxer {
    path: PathBuf,
    input: Input,
    clock: Clock,
    stream: usize,
    codec: Id,
    store: Store,
    records: Vec<PacketRecord>,
    problem: Option<String>,
}

impl Demuxer {
    /// Opens the file and reads all packets of its video stream once, without decoding.
    pub(crate) fn open(path: &Path) -> Result<Self, VideoError> {
        let clock = Clock::new();
        let (input, stream) = open_stream(path, &clock)?;
        let codec = input
            .stream(stream)
            .map_or(Id::None, |stream| stream.parameters().id());
        let mut demuxer = Self {
            path: path.to_owned(),
            input,
            clock,
            stream,
            codec,
            store: Store::Memory(Vec::new()),
            records: Vec::new(),
            problem: None,
        };
        demuxer.read_all()?;
        Ok(demuxer)
    }

    fn read_all(&mut self) -> Result<(), VideoError> {
        let mut kept = Some((Vec::new(), 0));
        loop {
            let mut packet = Packet::empty();
            match self.read(&mut packet) {
                Ok(true) => {}
                Ok(false) => break,
                Err(Error::Exit) => return Err(self.timeout()),
                Err(error) => {
                    let count = self.records.len();
                    self.problem = Some(format!("the container ends after {count} packets: {error}"));
                    break;
                }
            }
            let data = packet.data().unwrap_or_default();
            self.records.push(PacketRecord {
                presentation: packet.pts(),
                decoding: packet.dts(),
                duration: packet.duration(),
                bytes: packet.size(),
                key: packet.is_key(),
                shown: !ffi::is_cut_away(&packet) && !is_hidden(self.codec, data),
                corrupt: packet.is_corrupt(),
            });
            if let Some((packets, bytes)) = &mut kept {
                *bytes += packet.size();
                if *bytes <= KEEP_BYTES {
                    packet.set_pts(Some(packets.len() as i64));
                    packets.push(packet);
                } else {
                    kept = None;
                }
            }
        }
        self.store = match kept {
            Some((packets, _)) => Store::Memory(packets),
            None => Store::File {
                next: None,
                known: self.identities(),
                held: None,
                seekable: true,
            },
        };
        Ok(())
    }

    fn identities(&self) -> HashMap<Identity, Option<usize>> {
        let mut known = HashMap::with_capacity(self.records.len());
        for (number, record) in self.records.iter().enumerate() {
            match known.entry(record.identity()) {
                Entry::Vacant(entry) => {
                    entry.insert(Some(number));
                }
                Entry::Occupied(mut entry) => {
                    entry.insert(None);
                }
            }
        }
        known
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn input(&mut self) -> &mut Input {
        &mut self.input
    }

    pub(crate) fn stream(&self) -> usize {
        self.stream
    }

    pub(crate) fn codec(&self) -> Id {
        self.codec
    }

    pub(crate) fn records(&self) -> &[PacketRecord] {
        &self.records
    }

    /// Why the container could not be read to its end.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Short names of the container, as FFmpeg has them ("mov,mp4,m4a,3gp,3g2,mj2").
    pub(crate) fn container(&self) -> String {
        self.input.format().name().to_owned()
    }

    pub(crate) fn time_base(&self) -> Rational {
        self.input
            .stream(self.stream)
            .map_or(Rational::new(1, 1), |stream| stream.time_base())
    }

    /// Frames per second, as the container tells it.
    pub(crate) fn nominal_rate(&self) -> Option<f64> {
        let stream = self.input.stream(self.stream)?;
        [stream.avg_frame_rate(), stream.rate()]
            .into_iter()
            .find(|rate| rate.numerator() > 0 && rate.denominator() > 0)
            .map(f64::from)
    }

    /// Packet `number`, its presentation time replaced by its number (which the decoder hands on to the frame), or `None`
    /// after the last one.
    pub(crate) fn packet(&mut self, number: usize) -> Result<Option<&Packet>, VideoError> {
        if number >= self.records.len() {
            return Ok(None);
        }
        if !matches!(self.store, Store::Memory(_)) {
            self.load(number)?;
        }
        Ok(match &self.store {
            Store::Memory(packets) => packets.get(number),
            Store::File { held, .. } => held.as_ref().map(|(_, packet)| packet),
        })
    }

    /// Reads packet `number` from the file into `held`.
    fn load(&mut self, number: usize) -> Result<(), VideoError> {
        let Store::File { next, held, .. } = &self.store else {
            return Ok(());
        };
        if held.as_ref().is_some_and(|(at, _)| *at == number) {
            return Ok(());
        }
        if *next != Some(number) && !self.seek_to(number)? {
            self.reopen()?;
        }
        loop {
            let Store::File { next, held, .. } = &self.store else {
                return Ok(());
            };
            if held.as_ref().is_some_and(|(at, _)| *at == number) {
                return Ok(());
            }
            let at = next.unwrap_or(0);
            let mut packet = Packet::empty();
            match self.read(&mut packet) {
                Ok(true) => self.hold(at, packet),
                Err(Error::Exit) => return Err(self.timeout()),
                Ok(false) | Err(_) => {
                    return Err(VideoError::open(
                        &self.path,
                        format!("packet {number} is no longer in the file"),
                    ));
                }
            }
        }
    }

    fn hold(&mut self, number: usize, mut packet: Packet) {
        packet.set_pts(Some(number as i64));
        if let Store::File { next, held, .. } = &mut self.store {
            *next = Some(number + 1);
            *held = Some((number, packet));
        }
    }

    /// Seeks so that packet `number` or an earlier one is held; false when the place cannot be told.
    fn seek_to(&mut self, number: usize) -> Result<bool, VideoError> {
        let record = self.records[number];
        let Store::File { seekable: true, .. } = self.store else {
            return Ok(false);
        };
        let target = [record.decoding, record.presentation]
            .into_iter()
            .flatten()
            .min();
        let mut found = false;
        if let Some(target) = target
            && ffi::seek(&mut self.input, self.stream, target).is_ok()
        {
            for _ in 0..SEEK_SLACK {
                let mut packet = Packet::empty();
                match self.read(&mut packet) {
                    Ok(true) => {}
                    Err(Error::Exit) => return Err(self.timeout()),
                    Ok(false) | Err(_) => break,
                }
                let identity = (packet.pts(), packet.dts(), packet.size());
                let Store::File { known, .. } = &self.store else {
                    break;
                };
                if let Some(&Some(at)) = known.get(&identity) {
                    found = at <= number;
                    self.hold(at, packet);
                    break;
                }
            }
        }
        if let Store::File { seekable, .. } = &mut self.store {
            *seekable = found;
        }
        Ok(found)
    }

    /// Opens the file again, to read from its start.
    fn reopen(&mut self) -> Result<(), VideoError> {
        let (input, stream) = open_stream(&self.path, &self.clock)?;
        self.input = input;
        self.stream = stream;
        if let Store::File { next, held, .. } = &mut self.store {
            *next = Some(0);
            *held = None;
        }
        Ok(())
    }

    /// Reads the next packet of the chosen stream; false at the end.
    fn read(&mut self, packet: &mut Packet) -> Result<bool, Error> {
        let mut idle = 0;
        loop {
            self.clock.start();
            match packet.read(&mut self.input) {
                Ok(()) if packet.stream() == self.stream && packet.size() > 0 => return Ok(true),
                Ok(()) => {}
                Err(Error::Eof) => return Ok(false),
                Err(Error::Other {
                    errno: ffmpeg_next::error::EAGAIN,
                }) if idle < 100 => idle += 1,
                Err(error) => return Err(error),
            }
            *packet = Packet::empty();
        }
    }

    fn timeout(&self) -> VideoError {
        VideoError::Timeout {
            path: self.path.clone(),
            seconds: PATIENCE.as_secs(),
        }
    }
}

/// Opens a container and chooses its video stream.
fn open_stream(path: &Path, clock: &Clock) -> Result<(Input, usize), VideoError> {
    clock.start();
    let mut input = ffi::open_input(path, clock.alarm())
        .map_err(|error| VideoError::open(path, error))?;
    if !header_suffices(&input) {
        clock.start();
        ffi::probe_streams(&mut input).map_err(|error| VideoError::open(path, error))?;
    }
    let stream = choose_stream(&input).ok_or_else(|| VideoError::NoVideo {
        path: path.to_owned(),
        found: inventory(&input),
    })?;
    ffi::keep_stream(&mut input, stream);
    Ok((input, stream))
}

fn is_picture(stream: &ffmpeg_next::Stream) -> bool {
    stream.parameters().medium() == media::Type::Video
        && !stream
            .disposition()
            .contains(Disposition::ATTACHED_PIC)
}

/// Whether the header alone tells all that is needed, so that no packet has to be looked into: one video stream of a
/// well-specified codec, in a container that stores the sizes and both times of each packet.
fn header_suffices(input: &Input) -> bool {
    let container = input.format().name().to_owned();
    let mut videos = input
        .streams()
        .filter(|stream| stream.parameters().medium() == media::Type::Video);
    let (Some(video), None) = (videos.next(), videos.next()) else {
        return false;
    };
    let (width, height) = ffi::stream_size(input, video.index());
    (container.starts_with("mov,") || container.starts_with("matroska"))
        && crate::index::has_frame_packets(video.parameters().id())
        && width > 0
        && height > 0
}

/// FFmpeg's choice of the best video stream, or the largest when that choice is a cover picture.
fn choose_stream(input: &Input) -> Option<usize> {
    let best = input.streams().best(media::Type::Video);
    if let Some(best) = best.filter(is_picture) {
        return Some(best.index());
    }
    input
        .streams()
        .filter(is_picture)
        .map(|stream| stream.index())
        .max_by_key(|&index| {
            let (width, height) = ffi::stream_size(input, index);
            (i64::from(width) * i64::from(height), std::cmp::Reverse(index))
        })
}

/// "1 audio stream and 1 attached picture"
fn inventory(input: &Input) -> String {
    let (mut audio, mut pictures, mut other) = (0, 0, 0);
    for stream in input.streams() {
        match stream.parameters().medium() {
            media::Type::Audio => audio += 1,
            media::Type::Video => pictures += 1,
            _ => other += 1,
        }
    }
    let parts: Vec<String> = [
        (audio, "audio stream"),
        (pictures, "attached picture"),
        (other, "other stream"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, name)| format!("{count} {name}{}", if count == 1 { "" } else { "s" }))
    .collect();
    if parts.is_empty() {
        "no stream at all".to_owned()
    } else {
        parts.join(" and ")
    }
}

/// Ends reads that take longer than [`PATIENCE`].
struct Clock {
    origin: Instant,
    deadline: Arc<AtomicU64>,
}

impl Clock {
    fn new() -> Self {
        Self {
            origin: Instant::now(),
            deadline: Arc::new(AtomicU64::new(u64::MAX)),
        }
    }

    /// A new step begins.
    fn start(&self) {
        let deadline = self.origin.elapsed() + PATIENCE;
        self.deadline
            .store(deadline.as_millis() as u64, Ordering::Relaxed);
    }

    /// Whether the step has taken too long, as a function for FFmpeg to call.
    fn alarm(&self) -> impl FnMut() -> bool + Send + 'static {
        let (origin, deadline) = (self.origin, Arc::clone(&self.deadline));
        move || origin.elapsed().as_millis() as u64 > deadline.load(Ordering::Relaxed)
    }
}
