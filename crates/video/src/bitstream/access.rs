//! Where decoding can start.
//!
//! Containers flag key frames, and some flag too many: MP4 without a table of them, AVI files of old tools. What the bitstream says
//! counts.

use ffmpeg_next::codec::Id;

use super::obu;
use super::units::{Bits, Framing, start_codes, units};
use crate::ffi;

/// What a packet says of decoding that starts at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// It can: all that is shown later needs nothing of before.
    Point,
    /// Its picture needs no other one, but later ones may need what was before it.
    Intra,
    /// Its picture needs others.
    Inter,
    /// The codec is not understood here.
    Unknown,
}

/// Whether packets of a codec tell where decoding can start.
pub(crate) fn is_understood(codec: Id) -> bool {
    access(codec, Framing::StartCodes, &[]) != Access::Unknown
}

/// Reads it from the packet's data.
pub(crate) fn access(codec: Id, framing: Framing, data: &[u8]) -> Access {
    // What cannot be read is no place to start.
    let point = |found: Option<bool>| if found == Some(true) { Access::Point } else { Access::Inter };
    match codec {
        Id::H264 => h264(framing, data),
        // Table 7-1: random access pictures are 16 to 23.
        Id::HEVC => point(
            units(framing, data)
                .map_while(|unit| unit.map(|unit| (unit[0] >> 1) & 0x3f))
                .find(|&kind| kind < 32)
                .map(|kind| (16..=23).contains(&kind)),
        ),
        // The type of the picture: I is 1, and 0 in MPEG-4.
        Id::MPEG1VIDEO | Id::MPEG2VIDEO => {
            point(first_unit(data, 0).and_then(|unit| Some((unit.get(2)? >> 3) & 7 == 1)))
        }
        Id::MPEG4 => point(first_unit(data, 0xb6).and_then(|unit| Some(unit.get(1)? >> 6 == 0))),
        // RFC 6386, 9.1; VP9, 6.2, after two bits of frame_marker, the profile and show_existing_frame.
        Id::VP8 => point(data.first().map(|first| first & 1 == 0)),
        Id::VP9 => point(data.first().map(|first| {
            let bits = if first & 0x30 == 0x30 { first << 5 } else { first << 4 };
            bits & 0xc0 == 0
        })),
        Id::AV1 => point(av1(data)),
        // Theora, 7.1: a bit of 0 for data, then the type of the frame.
        Id::THEORA => point(data.first().map(|first| first & 0x40 == 0)),
        // The start code of 17 bits, a version of 5, the number of 8, the size, and the type.
        Id::FLV1 => point(flv1(data)),
        Id::H263 => point(h263(data)),
        Id::MSMPEG4V2 | Id::MSMPEG4V3 | Id::WMV1 => point(data.first().map(|first| first >> 6 == 0)),
        Id::WMV2 => point(data.first().map(|first| first >> 7 == 0)),
        // The first bit that the range coder gives with an even state.
        Id::FFV1 => point(data.get(..2).map(|start| u16::from_be_bytes([start[0], start[1]]) >= 0x7f80)),
        // Pictures of these are built on the canvas before them, whatever the flags say.
        Id::GIF | Id::APNG => Access::Inter,
        codec if ffi::is_intra_only(codec) => Access::Point,
        _ => Access::Unknown,
    }
}

/// H.264: an IDR picture, or a recovery point (annex D.1.8) whose own picture is right already.
fn h264(framing: Framing, data: &[u8]) -> Access {
    let mut intra = None;
    for unit in units(framing, data).map_while(|unit| unit) {
        match unit[0] & 0x1f {
            5 => return Access::Point,
            6 if recovers_at_once(unit) => return Access::Point,
            kind @ (1 | 2) => {
                // first_mb_in_slice, then the type: I is 2 or 7, SI 4 or 9.
                let mut bits = Bits::new(unit, 1);
                let slice = bits.exp_golomb().and_then(|_| bits.exp_golomb());
                let is_intra = kind == 1 && slice.is_some_and(|slice| matches!(slice, 2 | 4 | 7 | 9));
                intra = Some(intra.unwrap_or(true) && is_intra);
            }
            _ => {}
        }
    }
    if intra == Some(true) { Access::Intra } else { Access::Inter }
}

/// Whether supplemental information (H.264, 7.3.2.3) has a recovery point (type 6) with a recovery_frame_cnt of 0.
fn recovers_at_once(unit: &[u8]) -> bool {
    // Type and size are sums of bytes, of which all but the last are 255.
    fn number(bits: &mut Bits) -> Option<u32> {
        let mut sum = 0_u32;
        loop {
            let byte = bits.read(8)?;
            sum = sum.checked_add(byte)?;
            if byte != 0xff {
                return Some(sum);
            }
        }
    }
    let mut bits = Bits::new(unit, 1);
    loop {
        let (Some(kind), Some(bytes)) = (number(&mut bits), number(&mut bits)) else {
            return false;
        };
        if kind == 6 {
            return bits.exp_golomb() == Some(0);
        }
        if (0..bytes).any(|_| bits.skip(8).is_none()) {
            return false;
        }
    }
}

/// What follows the first start code of a kind.
fn first_unit(data: &[u8], kind: u8) -> Option<&[u8]> {
    start_codes(data).flatten().find(|unit| unit[0] == kind)
}

fn av1(data: &[u8]) -> Option<bool> {
    let mut still = false;
    for (kind, payload) in obu::units(data) {
        if kind == obu::SEQUENCE_HEADER {
            // Profile (3 bits), still_picture, reduced_still_picture_header: then no frame has the fields below.
            still = payload.first()? & 0x08 != 0;
        }
        if obu::FRAME_HEADERS.contains(&kind) {
            // show_existing_frame, then frame_type (2 bits), of which key frames are 0.
            return Some(still || payload.first()? & 0xe0 == 0);
        }
    }
    None
}

fn flv1(data: &[u8]) -> Option<bool> {
    let bits = data.get(..9)?.iter().fold(0_u128, |bits, &byte| bits << 8 | u128::from(byte));
    let size = match bits >> (72 - 33) & 7 {
        0 => 16,
        1 => 32,
        _ => 0,
    };
    Some((bits >> (72 - 35 - size)) % 4 == 0)
}

/// H.263, 5.1: a start code of 22 bits, the number of 8, then PTYPE: five flags, the format, and the type. The format 7 is followed by
/// PLUSPTYPE instead, which may have 18 optional bits.
fn h263(data: &[u8]) -> Option<bool> {
    let bits = data.get(..9)?.iter().fold(0_u128, |bits, &byte| bits << 8 | u128::from(byte));
    let at = |place: u32, count: u32| bits >> (72 - place - count) & ((1 << count) - 1);
    if at(35, 3) != 7 {
        return Some(at(38, 1) == 0);
    }
    let optional = if at(38, 3) == 1 { 18 } else { 0 };
    Some(at(41 + optional, 3) == 0)
}

/// Which packets are places to start: those that the container flags (`flagged`) and whose bitstream agrees. H.264 pictures that only
/// need no other one count if the flags deserve it: if they are wrong nowhere else.
pub(crate) fn places_to_start(flagged: &[bool], access: &[Access]) -> Vec<bool> {
    let honest = !flagged.iter().zip(access).any(|(&flagged, &access)| flagged && access == Access::Inter);
    let starts = |access| match access {
        Access::Point | Access::Unknown => true,
        Access::Intra => honest,
        Access::Inter => false,
    };
    let mut starts: Vec<bool> =
        flagged.iter().zip(access).map(|(&flagged, &access)| flagged && starts(access)).collect();
    // There is nothing before the first one.
    if let (Some(first), Some(&flagged)) = (starts.first_mut(), flagged.first()) {
        *first = flagged;
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::Access::{Inter, Intra, Point, Unknown};
    use super::{access, places_to_start};
    use crate::bitstream::units::Framing;
    use ffmpeg_next::codec::Id;

    #[test]
    fn h264_by_its_units() {
        let of = |data: &[u8]| access(Id::H264, Framing::StartCodes, data);
        assert_eq!(of(&[0, 0, 1, 0x67, 1, 0, 0, 1, 0x65, 0x88]), Point);
        // Slices of type 7 (first_mb_in_slice 0) and 5.
        assert_eq!(of(&[0, 0, 1, 0x61, 0b1000_1000]), Intra);
        assert_eq!(of(&[0, 0, 1, 0x61, 0b1001_1000]), Inter);
        assert_eq!(of(&[0, 0, 1, 0x61, 0b1000_1000, 0, 0, 1, 0x61, 0b1001_1000]), Inter);
        // A recovery point with recovery_frame_cnt 0, after another message; and with 1.
        let slice = [0, 0, 1, 0x61, 0b1000_1000];
        assert_eq!(of(&[&[0, 0, 1, 6, 5, 1, 9, 6, 1, 0xc0][..], &slice].concat()), Point);
        assert_eq!(of(&[&[0, 0, 1, 6, 6, 1, 0x50][..], &slice].concat()), Intra);
        assert_eq!(of(&[]), Inter);
    }

    #[test]
    fn other_codecs_by_the_type_of_the_picture() {
        let of = |codec, data: &[u8]| access(codec, Framing::StartCodes, data);
        assert_eq!((of(Id::HEVC, &[0, 0, 1, 21 << 1, 1]), of(Id::HEVC, &[0, 0, 1, 1 << 1, 1])), (Point, Inter));
        let mpeg = |kind: u8| [0, 0, 1, 0, 0, kind << 3];
        assert_eq!((of(Id::MPEG2VIDEO, &mpeg(1)), of(Id::MPEG2VIDEO, &mpeg(2))), (Point, Inter));
        let mpeg4 = |kind: u8| [0, 0, 1, 0xb6, kind << 6];
        assert_eq!((of(Id::MPEG4, &mpeg4(0)), of(Id::MPEG4, &mpeg4(1))), (Point, Inter));
        assert_eq!((of(Id::VP8, &[0x10]), of(Id::VP8, &[0x11])), (Point, Inter));
        assert_eq!((of(Id::VP9, &[0b1000_0010]), of(Id::VP9, &[0b1000_0110])), (Point, Inter));
        assert_eq!((of(Id::AV1, &[0x32, 1, 0x10]), of(Id::AV1, &[0x32, 1, 0x30])), (Point, Inter));
        // A size that has a code, and one that is told in 16 bits; types 0 and 1.
        let flv = |rest: [u8; 6]| of(Id::FLV1, &[&[0, 0, 0x84][..], &rest].concat());
        assert_eq!((flv([1, 0, 0, 0, 0, 0]), flv([1, 0x20, 0, 0, 0, 0])), (Point, Inter));
        assert_eq!((flv([0; 6]), flv([0, 0, 0, 0x20, 0, 0])), (Point, Inter));
        assert_eq!((of(Id::MJPEG, &[]), of(Id::RAWVIDEO, &[])), (Point, Point));
        assert_eq!((of(Id::CINEPAK, &[0]), of(Id::GIF, &[0])), (Unknown, Inter));
    }

    #[test]
    fn flags_are_believed_as_far_as_the_bitstream_agrees() {
        assert_eq!(places_to_start(&[true; 4], &[Point, Inter, Intra, Point]), [true, false, false, true]);
        assert_eq!(places_to_start(&[true, false, true], &[Point, Inter, Intra]), [true, false, true]);
        assert_eq!(places_to_start(&[true, true], &[Inter, Unknown]), [true, true]);
        assert_eq!(places_to_start(&[false, false], &[Point, Point]), [false, false]);
    }
}
