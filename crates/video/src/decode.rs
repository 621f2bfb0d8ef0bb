//! The decoder: packets in, identified frames out.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use ffmpeg_next::codec::decoder::Check;
use ffmpeg_next::codec::discard::Discard;
use ffmpeg_next::codec::{Context, Id, threading};
use ffmpeg_next::picture::Type;
use ffmpeg_next::{Error, decoder, frame};

use crate::bitstream::access::is_understood;
use crate::bitstream::settings::{Setting, Subject, in_effect};
use crate::demux::Demuxer;
use crate::index::MAX_REORDER;
use crate::log::Complaints;
use crate::{VideoError, ffi};

/// The decoder wants more input first.
const AGAIN: Error = Error::Other { errno: ffmpeg_next::error::EAGAIN };
/// Errors in a row after which a decoder that has no more input is given up.
const MAX_ERRORS: usize = 64;
/// Packets before a key frame of which the container's word does not count where streams may have been joined.
const SPLICE_PACKETS: usize = 2;

/// A decoder that is fed packets in file order from a start that can be chosen, and that gives frames in the order they are
/// shown.
///
/// A decoder tells of damage only when the damaged frame comes out, which may be after frames that were built on it. So a
/// frame waits here until all frames of earlier packets are out.
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own")]
pub(crate) struct Decoder {
    codec: decoder::Video,
    /// What it complained of.
    complaints: Complaints,
    /// How many complaints are known.
    heard: usize,
    /// The frame given last.
    frame: frame::Video,
    /// Frames that came out and wait.
    waiting: VecDeque<(frame::Video, Option<usize>)>,
    /// Packets from the start on: whether their frame is out, or will never come.
    settled: Vec<bool>,
    /// How many of `settled` are so without a gap.
    settled_before: usize,
    /// Packet at which decoding began.
    start: usize,
    /// Packet that is fed next.
    next: usize,
    draining: bool,
    ended: bool,
    /// Frames given since the start.
    count: usize,
    /// Packets found damaged since the start.
    damage: Vec<usize>,
    /// Packets whose frames are wanted, ascending; disposable ones that are not among them are left out. `None`: all are.
    wanted: Option<Vec<usize>>,
    /// Packets left out since the start.
    left_out: HashSet<usize>,
    /// Packets decoded so far, over all starts.
    decoded: u64,
    threads: usize,
    /// Damage has to be looked for (see [`strictness`]).
    strict: bool,
    /// Frames that the decoder holds back to put them in order, if known when it was opened.
    reorder: Option<usize>,
    /// Pictures are left rough.
    rough: bool,
    /// The settings that came with packets since the decoder was opened.
    settings: BTreeMap<Subject, Setting>,
    /// The decoder may lack settings that are in effect at the start.
    unsettled: bool,
    /// It keeps its last picture over a flush, and shows parts of it where packets have none: of codecs whose packets are not understood.
    keeps_picture: bool,
    /// It met damage since it was opened: what FFmpeg keeps then may show in pictures that it decodes after a flush.
    troubled: bool,
}

/// What decoders are to check that otherwise give pictures of which data are missing without a word: the rest of them is as another
/// frame left it. The other decoders mark such pictures.
fn strictness(codec: Id) -> Option<Check> {
    match codec {
        Id::PNG | Id::APNG => Some(Check::CRC | Check::EXPLODE),
        Id::MPEG1VIDEO
        | Id::MPEG2VIDEO
        | Id::MPEG4
        | Id::H263
        | Id::FLV1
        | Id::MSMPEG4V3
        | Id::WMV1
        | Id::WMV2
        | Id::MJPEG => Some(Check::EXPLODE),
        _ => None,
    }
}

/// Whether a decoder of this codec may go on after damage and tell of it in its log alone, where it logs no errors otherwise.
fn complains(codec: Id) -> bool {
    matches!(
        codec,
        Id::MPEG1VIDEO
            | Id::MPEG2VIDEO
            | Id::THEORA
            | Id::FFV1
            | Id::FLV1
            | Id::MSMPEG4V3
            | Id::WMV1
            | Id::WMV2
            | Id::GIF
    )
}

/// FFmpeg's decoder for the chosen stream.
fn open_codec(
    demuxer: &mut Demuxer,
    threads: usize,
    reorder: Option<usize>,
    complaints: &Complaints,
) -> Result<decoder::Video, VideoError> {
    let stream = demuxer.stream();
    let (path, codec) = (demuxer.path().to_owned(), demuxer.codec().name());
    let failed =
        |error: Error| VideoError::Decoder { path: path.clone(), codec: codec.to_owned(), reason: error.to_string() };
    let parameters = demuxer.input().stream(stream).ok_or_else(|| failed(Error::StreamNotFound))?.parameters();
    let mut context = Context::from_parameters(parameters).map_err(failed)?;
    context.set_threading(threading::Config {
        kind: if threads > 1 { threading::Type::Frame } else { threading::Type::Slice },
        count: threads,
        ..threading::Config::default()
    });
    if complains(demuxer.codec()) {
        ffi::hear_complaints(&mut context, complaints);
    }
    if let Some(reorder) = reorder {
        ffi::set_reorder_depth(&mut context, reorder);
    }
    let mut decoder = context.decoder();
    decoder.set_packet_time_base(demuxer.time_base());
    if let Some(check) = strictness(demuxer.codec()) {
        decoder.check(check);
    }
    decoder.video().map_err(failed)
}

/// Whether the container's word that a packet is damaged counts. In a transport stream a jump in the numbers just before a key frame may
/// be a place where streams were joined, of which nothing is missing.
fn is_known_damage(packet: usize, demuxer: &Demuxer) -> bool {
    let records = &demuxer.records()[packet.min(demuxer.records().len())..];
    let joined = || {
        demuxer.container().starts_with("mpegts")
            && records.iter().take(1 + SPLICE_PACKETS).skip(1).any(|next| next.key)
    };
    records.first().is_some_and(|record| record.corrupt) && !joined()
}

/// A frame that is given; its pixels are in [`Decoder::frame`].
pub(crate) struct Output {
    /// Number of its packet.
    pub(crate) packet: Option<usize>,
    /// How many were given before it since the start.
    pub(crate) count: usize,
    /// Whether it, or a frame it may build on, is damaged.
    pub(crate) damaged: bool,
}

impl Decoder {
    /// A decoder for the chosen stream, at the start of the file.
    pub(crate) fn open(demuxer: &mut Demuxer, threads: usize, reorder: Option<usize>) -> Result<Self, VideoError> {
        let complaints = Complaints::default();
        Ok(Self {
            codec: open_codec(demuxer, threads, reorder, &complaints)?,
            complaints,
            heard: 0,
            frame: frame::Video::empty(),
            waiting: VecDeque::new(),
            settled: Vec::new(),
            settled_before: 0,
            start: 0,
            next: 0,
            draining: false,
            ended: false,
            count: 0,
            damage: Vec::new(),
            wanted: None,
            left_out: HashSet::new(),
            decoded: 0,
            threads,
            strict: strictness(demuxer.codec()).is_some(),
            reorder,
            rough: false,
            settings: BTreeMap::new(),
            unsettled: false,
            keeps_picture: !is_understood(demuxer.codec()),
            troubled: false,
        })
    }

    /// Forgets everything, what a decoder keeps over a [`Decoder::restart`] too, and goes on at `packet`.
    pub(crate) fn reopen(&mut self, demuxer: &mut Demuxer, packet: usize) -> Result<(), VideoError> {
        self.restart(packet);
        self.replace_codec(demuxer)
    }

    /// From here on the decoder is opened again wherever it starts: a frame has not come out as it should.
    pub(crate) fn distrust(&mut self) {
        self.troubled = true;
    }

    fn replace_codec(&mut self, demuxer: &mut Demuxer) -> Result<(), VideoError> {
        self.codec = open_codec(demuxer, self.threads, self.reorder, &self.complaints)?;
        self.settings.clear();
        self.troubled = false;
        self.leave_pictures_rough(self.rough);
        Ok(())
    }

    /// Forgets everything and goes on at `packet`.
    pub(crate) fn restart(&mut self, packet: usize) {
        self.codec.flush();
        self.start = packet;
        self.next = packet;
        self.draining = false;
        self.ended = false;
        self.count = 0;
        self.waiting.clear();
        self.settled.clear();
        self.settled_before = 0;
        self.damage.clear();
        self.left_out.clear();
        self.unsettled = true;
        self.troubled |= self.keeps_picture;
    }

    /// Gives the decoder the settings that are in effect at its start and came with earlier packets, by decoding those packets. What
    /// it keeps of them survives the flush.
    fn settle_in(&mut self, demuxer: &mut Demuxer) -> Result<(), VideoError> {
        self.unsettled = false;
        if self.troubled {
            self.replace_codec(demuxer)?;
        }
        let start = self.start;
        let effective = in_effect(demuxer.table().settings(), start);
        let known = |(subject, setting): (&Subject, &&Setting)| {
            setting.packet == start || self.settings.get(subject).is_some_and(|own| own.content == setting.content)
        };
        if effective.iter().all(known) && self.settings.keys().all(|subject| effective.contains_key(subject)) {
            return Ok(());
        }
        let settings: Vec<Setting> = effective.into_values().filter(|s| s.packet < start).cloned().collect();
        if !self.settings.is_empty() {
            self.replace_codec(demuxer)?;
        }
        let packets: BTreeSet<usize> = settings.iter().map(|setting| setting.packet).collect();
        for number in packets {
            let Some(packet) = demuxer.packet(number)? else {
                continue;
            };
            // The picture may be one that cannot be decoded here. Its settings arrive all the same.
            let mut frame = frame::Video::empty();
            if self.codec.send_packet(packet).is_ok() {
                self.decoded += 1;
                while self.codec.receive_frame(&mut frame).is_ok() {}
            }
        }
        // Several threads take packets that they have not looked into yet along to the end.
        let mut frame = frame::Video::empty();
        if self.codec.send_eof().is_ok() {
            while self.codec.receive_frame(&mut frame).is_ok() {}
        }
        self.codec.flush();
        self.settings = settings.into_iter().map(|setting| (setting.subject, setting)).collect();
        Ok(())
    }

    /// Until told otherwise, frames come out sooner and look wrong: for finding out which there are.
    pub(crate) fn leave_pictures_rough(&mut self, rough: bool) {
        self.rough = rough;
        let discard = || if rough { Discard::All } else { Discard::Default };
        self.codec.skip_loop_filter(discard());
        self.codec.skip_idct(discard());
    }

    /// From here on only the frames of these packets are wanted (ascending), or all with `None`.
    pub(crate) fn want(&mut self, packets: Option<Vec<usize>>) {
        self.wanted = packets;
    }

    /// Whether a packet was left out since the start.
    pub(crate) fn has_left_out(&self, packet: usize) -> bool {
        self.left_out.contains(&packet)
    }

    /// Packets decoded so far, over all starts.
    pub(crate) fn decoded(&self) -> u64 {
        self.decoded
    }

    /// The packet at which decoding began.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// Frames given since the start.
    #[cfg(test)]
    pub(crate) fn given(&self) -> usize {
        self.count
    }

    /// The packet that is fed next.
    pub(crate) fn position(&self) -> usize {
        self.next
    }

    /// The frame that was given last.
    pub(crate) fn frame(&mut self) -> &mut frame::Video {
        &mut self.frame
    }

    /// Decodes until a frame can be given; `None` after the last one.
    pub(crate) fn advance(&mut self, demuxer: &mut Demuxer) -> Result<Option<Output>, VideoError> {
        loop {
            demuxer.check_clock()?;
            if self.next_is_certain() {
                let Some((frame, packet)) = self.waiting.pop_front() else {
                    return Ok(None);
                };
                self.frame = frame;
                let count = self.count;
                self.count += 1;
                return Ok(Some(Output { packet, count, damaged: self.is_damaged(packet, demuxer) }));
            }
            self.step(demuxer)?;
        }
    }

    /// Whether everything is known that could speak against the frame at the head of the queue.
    fn next_is_certain(&self) -> bool {
        if self.ended || self.waiting.len() > MAX_REORDER {
            return true;
        }
        match self.waiting.front() {
            None => false,
            Some((_, None)) => true,
            // What has not come out this long after it was fed will not.
            Some(&(_, Some(packet))) => {
                let late = self.next.saturating_sub(MAX_REORDER + self.threads);
                packet <= (self.start + self.settled_before).max(late)
            }
        }
    }

    /// Takes one frame out of the decoder, or feeds it one packet.
    fn step(&mut self, demuxer: &mut Demuxer) -> Result<(), VideoError> {
        let mut errors = 0;
        loop {
            let mut frame = frame::Video::empty();
            let received = self.codec.receive_frame(&mut frame);
            self.hear();
            match received {
                Ok(()) => {
                    let packet = frame.pts().and_then(|pts| usize::try_from(pts).ok());
                    // A group that begins with a picture built on others shows whatever is in memory.
                    let baseless = self.strict && packet == Some(self.start) && frame.kind() != Type::I;
                    if baseless || frame.is_corrupt() || frame.has_decode_errors() {
                        self.damage.push(packet.unwrap_or(self.next));
                    }
                    if let Some(packet) = packet {
                        self.settle(packet);
                    }
                    self.waiting.push_back((frame, packet));
                    return Ok(());
                }
                Err(AGAIN) if !self.draining => return self.feed(demuxer),
                Err(AGAIN | Error::Eof) => {
                    self.ended = true;
                    return Ok(());
                }
                Err(_) => {
                    self.note_damage();
                    errors += 1;
                    if !self.draining {
                        return self.feed(demuxer);
                    }
                    if errors > MAX_ERRORS {
                        self.ended = true;
                        return Ok(());
                    }
                }
            }
        }
    }

    /// The frame of this packet is out, or will never come.
    fn settle(&mut self, packet: usize) {
        let Some(place) = packet.checked_sub(self.start) else {
            return;
        };
        if self.settled.len() <= place {
            self.settled.resize(place + 1, false);
        }
        self.settled[place] = true;
        while self.settled.get(self.settled_before) == Some(&true) {
            self.settled_before += 1;
        }
    }

    fn feed(&mut self, demuxer: &mut Demuxer) -> Result<(), VideoError> {
        if self.unsettled {
            self.settle_in(demuxer)?;
        }
        let number = self.next;
        let silent = demuxer.records().get(number).is_some_and(|record| {
            let start = &demuxer.records()[self.start];
            !record.shown || record.corrupt || record.presentation < start.presentation
        });
        if silent {
            self.settle(number);
        }
        if is_known_damage(number, demuxer) {
            self.troubled = true;
            self.damage.push(number);
        }
        if self.may_leave_out(number, demuxer) {
            self.settle(number);
            self.left_out.insert(number);
            self.next += 1;
            return Ok(());
        }
        let sent = if let Some(packet) = demuxer.packet(number)? {
            self.next += 1;
            self.decoded += 1;
            let sent = self.codec.send_packet(packet);
            for setting in demuxer.table().settings_of(number) {
                self.settings.insert(setting.subject, setting.clone());
            }
            sent
        } else {
            self.draining = true;
            self.codec.send_eof()
        };
        self.hear();
        if sent.is_err() {
            self.note_damage();
            self.settle(number);
        }
        Ok(())
    }

    fn may_leave_out(&self, number: usize, demuxer: &Demuxer) -> bool {
        self.wanted.as_ref().is_some_and(|wanted| wanted.binary_search(&number).is_err())
            && demuxer.records().get(number).is_some_and(|record| record.disposable)
    }

    /// Takes what the decoder complained of for damage.
    fn hear(&mut self) {
        let heard = self.complaints.count();
        if std::mem::replace(&mut self.heard, heard) != heard {
            self.note_damage();
        }
    }

    /// The decoder refused something: with several threads it may be any packet still in flight.
    fn note_damage(&mut self) {
        self.troubled = true;
        let packet = self.next.saturating_sub(self.threads.max(1));
        if self.damage.last() != Some(&packet) {
            self.damage.push(packet);
        }
    }

    /// Damage spreads to every later frame of the same group of pictures, and to the frames an open next group shares with it.
    fn is_damaged(&self, packet: Option<usize>, demuxer: &Demuxer) -> bool {
        if self.damage.is_empty() {
            return false;
        }
        let Some(packet) = packet else { return true };
        let records = demuxer.records();
        // Whether a later packet's frame is shown before the key frame, and may build on what was before that.
        let leads = |key: usize| match (records[packet].presentation, records[key].presentation) {
            (Some(time), Some(key)) => time < key,
            _ => records[key + 1..=packet].iter().all(|record| record.disposable),
        };
        self.damage.iter().any(|&damaged| {
            let next_key = (damaged + 1..records.len()).find(|&number| records[number].key);
            packet >= damaged && next_key.is_none_or(|key| packet < key || packet > key && leads(key))
        })
    }
}
