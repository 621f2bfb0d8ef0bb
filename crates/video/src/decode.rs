//! The decoder: packets in, identified frames out.

use ffmpeg_next::codec::{Context, threading};
use ffmpeg_next::{Error, decoder, frame};

use crate::demux::Demuxer;
use crate::{VideoError, ffi};

/// Errors in a row after which a decoder that has no more input is given up.
const MAX_ERRORS: usize = 64;

/// A decoder that is fed packets in file order from a start that can be chosen.
pub(crate) struct Decoder {
    decoder: decoder::Video,
    frame: frame::Video,
    /// Packet at which decoding began.
    start: usize,
    /// Packet that is fed next.
    next: usize,
    draining: bool,
    /// Frames that came out since the start.
    count: usize,
    /// Packets found damaged since the start.
    damage: Vec<usize>,
    threads: usize,
}

/// A frame that came out; its pixels are in [`Decoder::frame`].
pub(crate) struct Output {
    /// Number of its packet.
    pub(crate) packet: Option<usize>,
    /// How many came out before it since the start.
    pub(crate) count: usize,
    /// Whether it, or a frame it may build on, is damaged.
    pub(crate) damaged: bool,
}

impl Decoder {
    /// A decoder for the chosen stream, at the start of the file.
    pub(crate) fn open(
        demuxer: &mut Demuxer,
        threads: usize,
        reorder: Option<usize>,
    ) -> Result<Self, VideoError> {
        let stream = demuxer.stream();
        let (path, codec) = (demuxer.path().to_owned(), demuxer.codec().name());
        let failed = |error: Error| VideoError::Decoder {
            path: path.clone(),
            codec: codec.to_owned(),
            reason: error.to_string(),
        };
        let parameters = demuxer
            .input()
            .stream(stream)
            .ok_or_else(|| failed(Error::StreamNotFound))?
            .parameters();
        let mut context = Context::from_parameters(parameters).map_err(failed)?;
        context.set_threading(threading::Config {
            kind: if threads > 1 {
                threading::Type::Frame
            } else {
                threading::Type::Slice
            },
            count: threads,
            ..threading::Config::default()
        });
        if let Some(reorder) = reorder {
            ffi::set_reorder_depth(&mut context, reorder);
        }
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(demuxer.time_base());
        Ok(Self {
            decoder: decoder.video().map_err(failed)?,
            frame: frame::Video::empty(),
            start: 0,
            next: 0,
            draining: false,
            count: 0,
            damage: Vec::new(),
            threads,
        })
    }

    /// Forgets everything and goes on at `packet`.
    pub(crate) fn restart(&mut self, packet: usize) {
        self.decoder.flush();
        self.start = packet;
        self.next = packet;
        self.draining = false;
        self.count = 0;
        self.damage.clear();
    }

    /// The packet at which decoding began.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// The packet that is fed next.
    pub(crate) fn position(&self) -> usize {
        self.next
    }

    /// The frame that came out last.
    pub(crate) fn frame(&mut self) -> &mut frame::Video {
        &mut self.frame
    }

    /// Decodes until a frame comes out; `None` after the last one.
    pub(crate) fn advance(&mut self, demuxer: &mut Demuxer) -> Result<Option<Output>, VideoError> {
        let mut errors = 0;
        loop {
            match self.decoder.receive_frame(&mut self.frame) {
                Ok(()) => {
                    let count = self.count;
                    self.count += 1;
                    let packet = self.frame.pts().and_then(|pts| usize::try_from(pts).ok());
                    if self.frame.is_corrupt() || self.frame.has_decode_errors() {
                        self.damage.push(packet.unwrap_or(self.next));
                    }
                    return Ok(Some(Output {
                        packet,
                        count,
                        damaged: self.is_damaged(packet, demuxer),
                    }));
                }
                Err(Error::Eof) => return Ok(None),
                Err(error) => {
                    let wants_input = error
                        == Error::Other {
                            errno: ffmpeg_next::error::EAGAIN,
                        };
                    if !wants_input {
                        self.note_damage();
                        errors += 1;
                    }
                    if self.draining && (wants_input || errors > MAX_ERRORS) {
                        return Ok(None);
                    }
                    if !self.draining {
                        self.feed(demuxer)?;
                    }
                }
            }
        }
    }

    fn feed(&mut self, demuxer: &mut Demuxer) -> Result<(), VideoError> {
        let sent = match demuxer.packet(self.next)? {
            Some(packet) => {
                self.next += 1;
                self.decoder.send_packet(packet)
            }
            None => {
                self.draining = true;
                self.decoder.send_eof()
            }
        };
        if sent.is_err() {
            self.note_damage();
        }
        Ok(())
    }

    /// The decoder refused something: with several threads it may be any packet still in flight.
    fn note_damage(&mut self) {
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
        self.damage.iter().any(|&damaged| {
            let next_key = (damaged + 1..records.len()).find(|&number| records[number].key);
            packet >= damaged
                && next_key.is_none_or(|key| {
                    packet < key || records[packet].presentation < records[key].presentation
                })
        })
    }
}
