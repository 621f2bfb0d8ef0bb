//! Settings that a stream gives a decoder once: parameter sets, sequence headers, tables and palettes, in its packets or beside them.
//!
//! Decoding that starts at a later key frame needs those in effect there. So the packets that bring them are recorded, and the decoder
//! is given them before ([`Decoder`](crate::decode::Decoder)). Most streams repeat their settings with every key frame, or keep them
//! in the header of the container: then there is nothing to record.

use std::collections::BTreeMap;

use ffmpeg_next::Packet;
use ffmpeg_next::codec::Id;
use ffmpeg_next::codec::packet::side_data;
use serde::{Deserialize, Serialize};

use super::obu;
use super::units::{Bits, Framing, start_codes, units, up_to_start_code};

/// `profile_idc` of H.264's profile for 4:4:4.
const FULL_CHROMA: u8 = 244;

/// What a setting is about. A later one about the same replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Subject {
    /// The codec's configuration record, beside the packet.
    Configuration,
    /// The colours of the picture, beside the packet.
    Palette,
    /// A change of the picture's size, beside the packet.
    Parameters,
    /// A unit or segment in the packet, by its type and its number among those of the type.
    Unit(u8, u32),
}

impl Subject {
    /// What kind of side data brings it, if it stands beside the packet.
    pub(crate) fn side_data(self) -> Option<side_data::Type> {
        match self {
            Self::Configuration => Some(side_data::Type::NewExtraData),
            Self::Palette => Some(side_data::Type::Palette),
            Self::Parameters => Some(side_data::Type::ParamChange),
            Self::Unit(..) => None,
        }
    }
}

/// One setting, where it first came or became another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Setting {
    /// The packet that brings it.
    pub(crate) packet: usize,
    pub(crate) subject: Subject,
    pub(crate) content: Vec<u8>,
}

/// Reads the settings of one stream's packets, in file order.
pub(crate) struct SettingsReader {
    codec: Id,
    framing: Framing,
    /// The decoder's from the beginning: it was opened with them.
    initial: BTreeMap<Subject, Vec<u8>>,
    /// Per subject: its content now, and how many key frames have brought it.
    current: BTreeMap<Subject, (Vec<u8>, usize)>,
    key_frames: usize,
    /// The profile is that of H.264 for 4:4:4 ("High 4:4:4 Predictive").
    full_chroma: bool,
    settings: Vec<Setting>,
}

impl SettingsReader {
    /// For a stream with this configuration record.
    pub(crate) fn new(codec: Id, framing: Framing, configuration: &[u8]) -> Self {
        let mut initial = BTreeMap::new();
        // Records of start codes hold the same units as packets; those of ISO/IEC 14496-15 hold what a decoder keeps beside them.
        if framing == Framing::StartCodes {
            in_packet(codec, framing, configuration, |subject, content| {
                initial.insert(subject, content.to_vec());
            });
        }
        // The profile is the second byte of ISO/IEC 14496-15's record, as it is of a sequence parameter set.
        let full_chroma = codec == Id::H264 && configuration.get(1) == Some(&FULL_CHROMA);
        Self { codec, framing, initial, current: BTreeMap::new(), key_frames: 0, full_chroma, settings: Vec::new() }
    }

    /// Reads the next packet, `number`; says whether it brings any settings.
    pub(crate) fn read(&mut self, number: usize, packet: &Packet) -> bool {
        let key = packet.is_key();
        self.key_frames += usize::from(key);
        let mut found = false;
        for data in packet.side_data() {
            let subject = match data.kind() {
                side_data::Type::NewExtraData => Subject::Configuration,
                side_data::Type::Palette => Subject::Palette,
                side_data::Type::ParamChange => Subject::Parameters,
                _ => continue,
            };
            found = true;
            self.note(number, key, subject, data.data());
        }
        let mut units = Vec::new();
        in_packet(self.codec, self.framing, packet.data().unwrap_or_default(), |subject, content| {
            units.push((subject, content));
        });
        for (subject, content) in units {
            if self.codec == Id::H264 {
                self.full_chroma |= content[0] & 0x1f == 7 && content.get(1) == Some(&FULL_CHROMA);
                if encoder(content).is_some_and(|build| !self.is_odd(build)) {
                    continue;
                }
            }
            found = true;
            self.note(number, key, subject, content);
        }
        found
    }

    /// Whether FFmpeg decodes the streams of this build of x264 otherwise than those of later ones, as their faults demand (its
    /// `h264_direct.c`, `h264_mvpred.h`).
    fn is_odd(&self, build: u32) -> bool {
        build <= 33 || build < 151 && self.full_chroma
    }

    fn note(&mut self, packet: usize, key: bool, subject: Subject, content: &[u8]) {
        let known = match self.current.get_mut(&subject) {
            Some((current, keys)) => {
                *keys += usize::from(key);
                current.as_slice() == content
            }
            None => self.initial.get(&subject).is_some_and(|initial| initial.as_slice() == content),
        };
        if known {
            return;
        }
        let keys = self.current.get(&subject).map_or(usize::from(key), |(_, keys)| *keys);
        self.current.insert(subject, (content.to_vec(), keys));
        self.settings.push(Setting { packet, subject, content: content.to_vec() });
    }

    /// The settings that some key frames lack, by packet.
    pub(crate) fn finish(self) -> Vec<Setting> {
        let Self { current, key_frames, mut settings, .. } = self;
        // Beside a packet they are lost when it is read again, even if every key frame has them.
        settings.retain(|setting| setting.subject.side_data().is_some() || current[&setting.subject].1 < key_frames);
        settings
    }
}

/// The settings in effect at a packet, its own included: for each subject the last one.
pub(crate) fn in_effect(settings: &[Setting], packet: usize) -> BTreeMap<Subject, &Setting> {
    let before = settings.partition_point(|setting| setting.packet <= packet);
    settings[..before].iter().map(|setting| (setting.subject, setting)).collect()
}

/// Hands on the settings in a packet's data.
fn in_packet<'a>(codec: Id, framing: Framing, data: &'a [u8], mut found: impl FnMut(Subject, &'a [u8])) {
    match codec {
        Id::H264 | Id::HEVC => {
            for unit in units(framing, data).map_while(|unit| unit) {
                let subject = if codec == Id::H264 { h264(unit) } else { hevc(unit) };
                if let Some(subject) = subject {
                    found(subject, if framing == Framing::StartCodes { up_to_start_code(unit) } else { unit });
                }
            }
        }
        Id::MPEG1VIDEO | Id::MPEG2VIDEO | Id::MPEG4 | Id::VC1 => {
            for unit in start_codes(data).flatten() {
                if let Some(number) = mpeg(codec, unit) {
                    found(Subject::Unit(unit[0], number), up_to_start_code(unit));
                }
            }
        }
        Id::AV1 => {
            for (kind, payload) in obu::units(data).filter(|&(kind, _)| kind == obu::SEQUENCE_HEADER) {
                found(Subject::Unit(kind, 0), payload);
            }
        }
        Id::MJPEG => jpeg(data, found),
        _ => {}
    }
}

/// The build of x264 that a unit of supplemental information (H.264, type 6) names.
fn encoder(unit: &[u8]) -> Option<u32> {
    const NAME: &[u8] = b"x264 - core ";
    if unit[0] & 0x1f != 6 {
        return None;
    }
    let place = unit.windows(NAME.len()).position(|text| text == NAME)? + NAME.len();
    let digits = unit[place..].iter().take(6).take_while(|byte| byte.is_ascii_digit());
    digits.fold(None, |number, &digit| Some(number.unwrap_or(0) * 10 + u32::from(digit - b'0')))
}

/// H.264, 7.3.2: sequence parameter sets (7, their extension 13, those of a subset 15) and picture parameter sets (8), by their ids; and
/// the encoder's name.
fn h264(unit: &[u8]) -> Option<Subject> {
    let kind = unit[0] & 0x1f;
    let from = match kind {
        6 if encoder(unit).is_some() => return Some(Subject::Unit(kind, 5)),
        // Profile, constraints and level come first.
        7 | 15 => 4,
        8 | 13 => 1,
        _ => return None,
    };
    Some(Subject::Unit(kind, Bits::new(unit, from).exp_golomb().unwrap_or(u32::MAX)))
}

/// HEVC, 7.3.2: video (32), sequence (33) and picture (34) parameter sets, by their ids.
fn hevc(unit: &[u8]) -> Option<Subject> {
    let kind = (unit[0] >> 1) & 0x3f;
    let mut bits = Bits::new(unit, 2);
    let id = match kind {
        32 => bits.read(4),
        33 => hevc_sequence(&mut bits),
        34 => bits.exp_golomb(),
        _ => return None,
    };
    Some(Subject::Unit(kind, id.unwrap_or(u32::MAX)))
}

/// The id of a sequence parameter set comes after its profile, tier and level (HEVC, 7.3.2.2 and 7.3.3).
fn hevc_sequence(bits: &mut Bits) -> Option<u32> {
    bits.skip(4)?;
    let layers = bits.read(3)?;
    bits.skip(1 + 88 + 8)?;
    let flags: Vec<(bool, bool)> =
        (0..layers).map(|_| Some((bits.read(1)? == 1, bits.read(1)? == 1))).collect::<Option<_>>()?;
    if layers > 0 {
        bits.skip(2 * (8 - layers))?;
    }
    for (profile, level) in flags {
        bits.skip(88 * u32::from(profile) + 8 * u32::from(level))?;
    }
    bits.exp_golomb()
}

/// Headers above the picture: of the sequence with its extensions, except that of the picture (ISO/IEC 13818-2, 6.2.2); of the visual
/// object and its layers, and what the encoder says of itself (ISO/IEC 14496-2, 6.2.2 and 6.2.3); of the sequence and the entry point
/// (SMPTE 421M, annex E).
fn mpeg(codec: Id, unit: &[u8]) -> Option<u32> {
    match (codec, unit[0]) {
        (Id::MPEG1VIDEO | Id::MPEG2VIDEO, 0xb3)
        | (Id::MPEG4, 0x20..=0x2f | 0xb0 | 0xb2 | 0xb5)
        | (Id::VC1, 0x0e | 0x0f) => Some(0),
        // Extensions of the sequence (1), its display (2), and matrices of the quantiser (3).
        (Id::MPEG2VIDEO, 0xb5) => Some(u32::from(unit.get(1)? >> 4)).filter(|kind| matches!(kind, 1..=3)),
        _ => None,
    }
}

/// The tables before a JPEG's scan (ITU-T T.81, B.2.4): of the quantiser (DB), of Huffman codes (C4), the restart interval (DD).
fn jpeg<'a>(data: &'a [u8], mut found: impl FnMut(Subject, &'a [u8])) {
    let mut rest = data;
    while let [0xff, marker, tail @ ..] = rest {
        match marker {
            // Fill bytes, and markers that stand alone.
            0xff => rest = &rest[1..],
            0xd8 | 0x01 => rest = tail,
            // The scan begins, or the picture ends.
            0xda | 0xd9 => return,
            _ => {
                let length = tail.get(..2).map_or(0, |bytes| usize::from(bytes[0]) << 8 | usize::from(bytes[1]));
                let Some(segment) = tail.get(2..length) else {
                    return;
                };
                if matches!(marker, 0xdb | 0xc4 | 0xdd) {
                    let number = if *marker == 0xdd { 0 } else { segment.first().map_or(0, |&id| u32::from(id)) };
                    found(Subject::Unit(*marker, number), segment);
                }
                rest = &tail[length..];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SettingsReader, Subject, hevc, in_effect, in_packet};
    use crate::bitstream::units::Framing;
    use ffmpeg_next::Packet;
    use ffmpeg_next::codec::Id;
    use ffmpeg_next::codec::packet::Flags;

    fn packet(data: &[u8], key: bool) -> Packet {
        let mut packet = Packet::copy(data);
        packet.set_flags(if key { Flags::KEY } else { Flags::empty() });
        packet
    }

    /// A sequence header of MPEG-2 with one byte of content, and a picture.
    const A: [u8; 10] = [0, 0, 1, 0xb3, 1, 0, 0, 1, 0, 8];
    const B: [u8; 10] = [0, 0, 1, 0xb3, 2, 0, 0, 1, 0, 8];
    const PICTURE: [u8; 5] = [0, 0, 1, 0, 8];

    fn settings(initial: &[u8], packets: &[(&[u8], bool)]) -> Vec<(usize, Vec<u8>)> {
        let mut reader = SettingsReader::new(Id::MPEG2VIDEO, Framing::StartCodes, initial);
        for (number, (data, key)) in packets.iter().enumerate() {
            reader.read(number, &packet(data, *key));
        }
        reader.finish().into_iter().map(|setting| (setting.packet, setting.content)).collect()
    }

    #[test]
    fn only_what_a_key_frame_may_lack_is_recorded() {
        let once = settings(&[], &[(&A, true), (&PICTURE, true), (&B, true), (&PICTURE, true)]);
        assert_eq!(once, [(0, vec![0xb3, 1]), (2, vec![0xb3, 2])]);
        assert_eq!(settings(&[], &[(&A, true), (&PICTURE, false), (&B, true)]), [], "every key frame has its own");
        assert_eq!(settings(&A, &[(&A, true), (&PICTURE, true), (&A, true)]), [], "the decoder has it from the start");
        assert_eq!(
            settings(&A, &[(&PICTURE, true), (&B, true), (&A, false)]),
            [(1, vec![0xb3, 2]), (2, vec![0xb3, 1])]
        );
    }

    #[test]
    fn encoders_count_where_decoders_make_up_for_their_faults() {
        let picture = [&[0, 0, 1, 6, 5, 40][..], b"x264 - core 120 r2151", &[0, 0, 1, 0x65, 0x88]].concat();
        let settings = |profile: u8| {
            let configuration = [1, profile, 0, 30, 0xff, 0xe0, 0];
            let mut reader = SettingsReader::new(Id::H264, Framing::StartCodes, &configuration);
            reader.read(0, &packet(&picture, true));
            reader.read(1, &packet(&[0, 0, 1, 0x65, 0x88], true));
            reader.finish()
        };
        assert_eq!(settings(100), []);
        let [setting]: [_; 1] = settings(244).try_into().unwrap();
        assert_eq!((setting.packet, setting.subject), (0, Subject::Unit(6, 5)));
        assert_eq!(super::encoder(b"\x06\x05\x10x264 - core 33"), Some(33));
        assert_eq!((super::encoder(b"\x06\x05\x10x265"), super::encoder(b"\x67x264 - core 1")), (None, None));
    }

    #[test]
    fn the_last_one_is_in_effect() {
        let mut reader = SettingsReader::new(Id::MPEG2VIDEO, Framing::StartCodes, &[]);
        for (number, data) in [&A[..], &PICTURE, &B, &PICTURE].into_iter().enumerate() {
            reader.read(number, &packet(data, true));
        }
        let settings = reader.finish();
        let at = |number| in_effect(&settings, number).values().map(|setting| setting.packet).collect::<Vec<_>>();
        assert_eq!((at(0), at(1), at(2), at(3)), (vec![0], vec![0], vec![2], vec![2]));
    }

    #[test]
    fn subjects_by_their_ids() {
        let subjects = |codec, framing, data: &[u8]| {
            let mut found = Vec::new();
            in_packet(codec, framing, data, |subject, content| found.push((subject, content.len())));
            found
        };
        // Sequence set 0, picture sets 0 and 1.
        let h264 = [0, 0, 1, 0x67, 66, 0, 30, 0x80, 0, 0, 1, 0x68, 0x80, 0, 0, 1, 0x68, 0x40, 0, 0, 1, 0x65, 0x88];
        let units = [(Subject::Unit(7, 0), 5), (Subject::Unit(8, 0), 2), (Subject::Unit(8, 1), 2)];
        assert_eq!(subjects(Id::H264, Framing::StartCodes, &h264), units);
        assert_eq!(subjects(Id::H264, Framing::Lengths(1), &[2, 0x68, 0x80, 1, 0x65]), [(Subject::Unit(8, 0), 2)]);
        let jpeg = [0xff, 0xd8, 0xff, 0xdb, 0, 4, 1, 9, 0xff, 0xc4, 0, 3, 0x10, 0xff, 0xda, 0, 0];
        let tables = [(Subject::Unit(0xdb, 1), 2), (Subject::Unit(0xc4, 0x10), 1)];
        assert_eq!(subjects(Id::MJPEG, Framing::StartCodes, &jpeg), tables);
        // Two temporal layers, of which the lower has a level of its own; the id is 2.
        let mut sequence = vec![33 << 1, 1, 0x02];
        sequence.extend([1; 12]);
        sequence.extend([0x40, 0, 7, 0x60]);
        assert_eq!(hevc(&sequence), Some(Subject::Unit(33, 2)));
        assert_eq!(hevc(&[19 << 1, 1, 0x80]), None);
    }
}
