//! The packets of the one video stream, by number.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use ffmpeg_next::codec::Id;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Error, Packet, Rational};
use prevision_storage::Version;

use crate::bitstream::access::{Access, access, places_to_start};
use crate::bitstream::disposable::{dependence, is_packed};
use crate::bitstream::hidden::is_hidden;
use crate::bitstream::picture::{Picture, PictureReader};
use crate::bitstream::settings::SettingsReader;
use crate::bitstream::units::Framing;
use crate::packets::{PacketRecord, PacketTable};
use crate::source::Source;
use crate::stream::{Clock, open_stream};
use crate::{VideoError, ffi, integrity};

/// Files whose packets are together at most this large are read once and kept; larger ones are read again as needed.
pub(crate) const KEEP_BYTES: usize = 8 << 20;
/// How many unknown packets after a seek are passed over before the file is read from the start instead.
const SEEK_SLACK: usize = 256;
/// After so many seeks to places that cannot be told, the file is always read from the start.
const MAX_MISSES: usize = 3;

/// Where packets come from after the first pass.
enum Store {
    /// All of them are kept.
    Memory(Vec<Packet>),
    /// They are read again from the file.
    File {
        /// Number of the packet that the container delivers next; `None` when unknown.
        next: Option<usize>,
        /// The packet read last, and its number.
        held: Option<(usize, Packet)>,
        /// How often seeking has led to a place that cannot be told.
        misses: usize,
    },
}

/// Why all packets are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// For what the header says of them: they hold no data, and the container's word counts.
    Header,
    /// To know them.
    First,
    /// To keep them: what they are is known.
    Again,
}

/// An open container with its video stream chosen and all packets of it recorded.
pub(crate) struct Demuxer {
    source: Source,
    input: Input,
    clock: Clock,
    stream: usize,
    codec: Id,
    store: Store,
    packets: Arc<PacketTable>,
    /// Per packet what its bitstream says of the picture, from the first pass.
    pictures: Vec<Option<Picture>>,
    /// Some packets carry several frames.
    packed: bool,
    /// Whether decoding can start at the key frames of the container is not known without decoding them.
    unverified: bool,
    problem: Option<String>,
}

impl Demuxer {
    /// Opens the file and reads all packets of its video stream once, without decoding; they are kept if they take no more
    /// than `keep_bytes`. Of a larger object in storage only what is around the packets is read, where that tells enough.
    pub(crate) fn open(path: &Path, clock: Clock, keep_bytes: usize) -> Result<Self, VideoError> {
        let mut demuxer = Self::at_start(path, None, clock)?;
        let large = demuxer.source.version().is_some_and(|version| version.bytes > keep_bytes as u64);
        if large && header_tells_packets(&demuxer.container(), demuxer.codec) {
            demuxer.source.leave_out(ffi::sample_ranges(&demuxer.input));
            ffi::leave_packets_unparsed(&mut demuxer.input);
            demuxer.read_all(0, Pass::Header)?;
            demuxer.store = Store::File { next: None, held: None, misses: 0 };
            demuxer.reopen()?;
            // A table of key frames is missing where every frame is said to be one.
            let doubtful =
                matches!(demuxer.codec, Id::H264 | Id::HEVC) && demuxer.records().iter().all(|record| record.key);
            if !doubtful {
                return Ok(demuxer);
            }
        }
        let kept = demuxer.read_all(keep_bytes, Pass::First)?;
        demuxer.store = kept.map_or(Store::File { next: None, held: None, misses: 0 }, Store::Memory);
        Ok(demuxer)
    }

    /// Opens a file whose packets are known already. Where seeking is reliable nothing is read; elsewhere the packets are
    /// kept as [`Demuxer::open`] does.
    ///
    /// # Errors
    /// Also when the file does not hold the packets that it is said to hold.
    pub(crate) fn open_known(
        path: &Path,
        version: Option<&Version>,
        clock: Clock,
        packets: Arc<PacketTable>,
        problem: Option<String>,
        keep_bytes: usize,
    ) -> Result<Self, VideoError> {
        let mut demuxer = Self::at_start(path, version, clock)?;
        if !seeks_well(&demuxer.container()) && packets.bytes() <= keep_bytes {
            let kept = demuxer.read_all(keep_bytes, Pass::Again)?;
            if !demuxer.packets.is_like(&packets) {
                return Err(VideoError::open(path, "it no longer holds the packets of its index"));
            }
            demuxer.store = kept.map_or(Store::File { next: None, held: None, misses: 0 }, Store::Memory);
        } else {
            demuxer.store = Store::File { next: Some(0), held: None, misses: 0 };
        }
        demuxer.packets = packets;
        demuxer.problem = problem;
        Ok(demuxer)
    }

    fn at_start(path: &Path, version: Option<&Version>, clock: Clock) -> Result<Self, VideoError> {
        let mut source = Source::open(path, version, &clock)?;
        let (input, stream) = open_stream(&mut source, &clock)?;
        let codec = input.stream(stream).map_or(Id::None, |stream| stream.parameters().id());
        Ok(Self {
            source,
            input,
            clock,
            stream,
            codec,
            store: Store::Memory(Vec::new()),
            packets: Arc::default(),
            pictures: Vec::new(),
            packed: false,
            unverified: false,
            problem: None,
        })
    }

    /// Records all packets; gives them if they take no more than `keep_bytes`.
    fn read_all(&mut self, keep_bytes: usize, pass: Pass) -> Result<Option<Vec<Packet>>, VideoError> {
        let has_data = pass != Pass::Header;
        let configuration = ffi::extradata(&self.input, self.stream);
        let framing = Framing::of(self.codec, configuration);
        let mut settings = SettingsReader::new(self.codec, framing, configuration);
        let parameters = self.input.stream(self.stream).map(|stream| stream.parameters());
        let mut reader = PictureReader::new(self.codec, framing, parameters);
        let (mut records, mut layers, mut pictures, mut accesses) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut kept = Some((Vec::new(), 0));
        let mut places = Vec::new();
        loop {
            let mut packet = Packet::empty();
            match self.read(&mut packet) {
                Ok(true) => {}
                Ok(false) => break,
                Err(Error::Exit) => return Err(self.interruption()),
                Err(error) => {
                    self.problem = Some(format!("the container ends after {} packets: {error}", records.len()));
                    break;
                }
            }
            let data = packet.data().unwrap_or_default();
            let dependence = dependence(self.codec, framing, data);
            layers.push(dependence.layer);
            self.packed |= is_packed(self.codec, data);
            pictures.push(reader.read(&packet));
            accesses.push(if has_data { access(self.codec, framing, data) } else { Access::Unknown });
            let needed = settings.read(records.len(), &packet);
            places.push(u64::try_from(packet.position()).ok());
            records.push(PacketRecord {
                presentation: packet.pts(),
                decoding: packet.dts(),
                duration: packet.duration(),
                bytes: packet.size(),
                key: packet.is_key(),
                shown: !ffi::is_cut_away(&packet) && !is_hidden(self.codec, data),
                corrupt: packet.is_corrupt(),
                disposable: dependence.leaf && !needed,
            });
            if let Some((packets, bytes)) = &mut kept {
                *bytes += packet.size();
                if *bytes <= keep_bytes {
                    packet.set_pts(Some(packets.len() as i64));
                    packets.push(packet);
                } else {
                    kept = None;
                }
            }
        }
        // A leaf of a lower layer may carry pictures of the layers above.
        let highest = layers.iter().copied().max().unwrap_or(0);
        for (record, layer) in records.iter_mut().zip(layers) {
            record.disposable &= layer == highest;
        }
        let flagged: Vec<bool> = records.iter().map(|record| record.key).collect();
        for (record, start) in records.iter_mut().zip(places_to_start(&flagged, &accesses)) {
            record.key = start;
            record.disposable &= !start;
        }
        self.unverified = has_data
            && records.iter().zip(&accesses).skip(1).any(|(record, &access)| record.key && access == Access::Unknown);
        if pass == Pass::First {
            self.check_integrity(&mut records, &places)?;
        }
        for record in &mut records {
            // What a damaged packet says of itself is not to be believed.
            record.disposable &= !record.corrupt;
        }
        self.packets = Arc::new(PacketTable::new(records, settings.finish()));
        self.pictures = pictures;
        Ok(kept.map(|(packets, _)| packets))
    }

    /// Marks the packets of a file that the container's own checksums speak against.
    fn check_integrity(&mut self, records: &mut [PacketRecord], places: &[Option<u64>]) -> Result<(), VideoError> {
        let Some(first) = places.iter().flatten().next().filter(|_| self.version().is_none()) else {
            return Ok(());
        };
        let damage = match integrity::find(self.path(), &self.container(), *first, &self.clock.alarm()) {
            Ok(damage) => damage,
            Err(error) if error.kind() == ErrorKind::TimedOut => return Err(self.interruption()),
            Err(error) => return Err(VideoError::open(self.path(), error)),
        };
        integrity::mark(records, places, &damage);
        if let Some(first) = damage.first() {
            let problem = format!(
                "the container's checksums do not fit, or parts are missing, in {} places (first at byte {})",
                damage.len(),
                first.bytes.start
            );
            self.problem.get_or_insert(problem);
        }
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        self.source.path()
    }

    /// The version of the object in storage; `None` for a file.
    pub(crate) fn version(&self) -> Option<&Version> {
        self.source.version()
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
        self.packets.records()
    }

    /// All packets of the stream.
    pub(crate) fn table(&self) -> &Arc<PacketTable> {
        &self.packets
    }

    /// Per packet what its bitstream says of the picture; known once, after the packets have been read.
    pub(crate) fn take_pictures(&mut self) -> Vec<Option<Picture>> {
        std::mem::take(&mut self.pictures)
    }

    /// Whether nothing but decoding tells where decoding can start; known after the packets have been read.
    pub(crate) fn is_unverified(&self) -> bool {
        self.unverified
    }

    /// Decoding can start at these packets alone, ascending.
    pub(crate) fn start_only_at(&mut self, starts: &[usize]) {
        self.packets = Arc::new(self.packets.starting_at(starts));
        self.unverified = false;
    }

    /// Whether some packets carry several frames; known after the packets have been read.
    pub(crate) fn is_packed(&self) -> bool {
        self.packed
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
        self.input.stream(self.stream).map_or(Rational::new(1, 1), |stream| stream.time_base())
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
        if number >= self.records().len() {
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

    /// How often a seek led to a place that cannot be told.
    #[cfg(test)]
    pub(crate) fn misses(&self) -> usize {
        match self.store {
            Store::Memory(_) => 0,
            Store::File { misses, .. } => misses,
        }
    }

    /// Reads packet `number` from the file into `held`.
    fn load(&mut self, number: usize) -> Result<(), VideoError> {
        let Store::File { next, held, .. } = &self.store else {
            return Ok(());
        };
        if held.as_ref().is_some_and(|(at, _)| *at == number) {
            return Ok(());
        }
        let mut from_start = false;
        if *next != Some(number) && !self.seek_to(number)? {
            self.reopen()?;
            from_start = true;
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
                Ok(true) => self.hold(at, packet).map_err(|error| VideoError::open(self.path(), error))?,
                Err(Error::Exit) => return Err(self.interruption()),
                // Of files that were joined a demuxer may find the end of the first after a seek.
                Ok(false) | Err(_) if !from_start => {
                    self.reopen()?;
                    from_start = true;
                }
                Ok(false) | Err(_) => {
                    return Err(VideoError::open(self.path(), format!("packet {number} is no longer in the file")));
                }
            }
        }
    }

    fn hold(&mut self, number: usize, mut packet: Packet) -> Result<(), Error> {
        packet.set_pts(Some(number as i64));
        // What stood beside a packet when the file was read from its start may be missing after a seek.
        for setting in self.packets.settings_of(number) {
            if let Some(kind) = setting.subject.side_data() {
                ffi::set_side_data(&mut packet, kind, &setting.content)?;
            }
        }
        if let Store::File { next, held, .. } = &mut self.store {
            *next = Some(number + 1);
            *held = Some((number, packet));
        }
        Ok(())
    }

    /// Seeks so that packet `number` or an earlier one is held; false when the place cannot be told.
    fn seek_to(&mut self, number: usize) -> Result<bool, VideoError> {
        let record = self.records()[number];
        let Store::File { misses, .. } = self.store else {
            return Ok(false);
        };
        if number == 0 || misses >= MAX_MISSES {
            return Ok(false);
        }
        let target = [record.decoding, record.presentation].into_iter().flatten().min();
        let mut found = false;
        if let Some(target) = target
            && ffi::seek(&mut self.input, self.stream, target).is_ok()
        {
            for _ in 0..SEEK_SLACK {
                let mut packet = Packet::empty();
                match self.read(&mut packet) {
                    Ok(true) => {}
                    Err(Error::Exit) => return Err(self.interruption()),
                    Ok(false) | Err(_) => break,
                }
                let identity = (packet.pts(), packet.dts(), packet.size());
                if let Some(at) = self.packets.find(&identity) {
                    found = at <= number;
                    self.hold(at, packet).map_err(|error| VideoError::open(self.path(), error))?;
                    break;
                }
            }
        }
        if self.source.has_failed() {
            return Err(self.interruption());
        }
        if let Store::File { misses, .. } = &mut self.store {
            *misses += usize::from(!found);
        }
        Ok(found)
    }

    /// Opens the file again, to read from its start.
    fn reopen(&mut self) -> Result<(), VideoError> {
        let (input, stream) = open_stream(&mut self.source, &self.clock)?;
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
            let read = packet.read(&mut self.input);
            if self.source.has_failed() {
                // A demuxer may take a failure for the end, or for damage.
                return Err(Error::Exit);
            }
            match read {
                Ok(()) if packet.stream() == self.stream && packet.size() > 0 => return Ok(true),
                Ok(()) => {}
                Err(Error::Eof) => return Ok(false),
                Err(Error::Other { errno: ffmpeg_next::error::EAGAIN }) if idle < 100 => idle += 1,
                Err(error) => return Err(error),
            }
            *packet = Packet::empty();
        }
    }

    /// Starts the clock of a read.
    pub(crate) fn start_clock(&self) {
        self.clock.start();
    }

    /// An error once the read has taken too long.
    pub(crate) fn check_clock(&self) -> Result<(), VideoError> {
        if self.clock.is_late() { Err(self.interruption()) } else { Ok(()) }
    }

    /// Why reading was interrupted.
    fn interruption(&self) -> VideoError {
        let late = || VideoError::Timeout { path: self.path().to_owned(), seconds: self.clock.limit().as_secs_f64() };
        self.source.failure().unwrap_or_else(late)
    }
}

/// Whether a seek in this container leads to the key frame before, and packets are recognised afterwards.
fn seeks_well(container: &str) -> bool {
    container.starts_with("mov,") || container.starts_with("matroska")
}

/// Whether the header alone tells size, times and flags of every packet, and nothing has to be known of what is in it.
fn header_tells_packets(container: &str, codec: Id) -> bool {
    container.starts_with("mov,") && matches!(codec, Id::H264 | Id::HEVC | Id::MJPEG | Id::PRORES)
}
