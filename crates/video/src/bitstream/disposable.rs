//! Packets that no other packet needs.

use ffmpeg_next::codec::Id;

use super::units::{Framing, start_codes, units};

/// What the bitstream says of one packet's place among the references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dependence {
    /// No picture of the same or a lower temporal layer is built on it.
    pub(crate) leaf: bool,
    /// Its temporal layer.
    pub(crate) layer: u8,
}

impl Dependence {
    const NEEDED: Self = Self { leaf: false, layer: 0 };
}

/// Whether a decoder may leave this packet out without any other frame coming out differently. In doubt it may not.
pub(crate) fn dependence(codec: Id, framing: Framing, data: &[u8]) -> Dependence {
    match codec {
        Id::H264 => all_slices(units(framing, data), |unit| match unit[0] & 0x1f {
            // Slices, whole or partitioned: nal_ref_idc (H.264, 7.4.1).
            1..=5 => Some(Dependence { leaf: unit[0] & 0x60 == 0, layer: 0 }),
            // Parameter sets have to arrive.
            7 | 8 | 13 | 15 => Some(Dependence::NEEDED),
            _ => None,
        }),
        Id::HEVC => all_slices(units(framing, data), |unit| match (unit[0] >> 1) & 0x3f {
            // Sub-layer non-reference pictures have even numbers below 16 (HEVC, table 7-1).
            kind @ 0..=31 => Some(Dependence {
                leaf: kind < 16 && kind % 2 == 0,
                layer: unit.get(1).map_or(0, |byte| (byte & 7).saturating_sub(1)),
            }),
            32..=34 => Some(Dependence::NEEDED),
            _ => None,
        }),
        // ISO/IEC 11172-2 and 13818-2, 6.2.3: the picture type, 3 is B.
        Id::MPEG1VIDEO | Id::MPEG2VIDEO => all_slices(start_codes(data), |unit| match unit[0] {
            0 => Some(Dependence { leaf: unit.get(2).is_some_and(|byte| (byte >> 3) & 7 == 3), layer: 0 }),
            0xb3 => Some(Dependence::NEEDED),
            _ => None,
        }),
        // ISO/IEC 14496-2, 6.2.5: the type of the video object plane, 2 is B.
        Id::MPEG4 => all_slices(start_codes(data), |unit| {
            (unit[0] == 0xb6).then(|| Dependence { leaf: unit.get(1).is_some_and(|byte| byte >> 6 == 2), layer: 0 })
        }),
        _ => Dependence::NEEDED,
    }
}

/// Whether a packet carries several frames: MPEG-4 in AVI packs a frame and the B-frames before it together, and fills up with
/// empty packets. The decoder then takes frames and packets apart, so a packet's number says nothing.
pub(crate) fn is_packed(codec: Id, data: &[u8]) -> bool {
    codec == Id::MPEG4 && start_codes(data).flatten().filter(|unit| unit[0] == 0xb6).count() > 1
}

/// Joins what the units say: a packet is a leaf when it has units that count and all of them are.
fn all_slices<'a>(
    units: impl Iterator<Item = Option<&'a [u8]>>,
    read: impl Fn(&[u8]) -> Option<Dependence>,
) -> Dependence {
    let mut joined: Option<Dependence> = None;
    for unit in units {
        let Some(unit) = unit else {
            return Dependence::NEEDED;
        };
        if let Some(found) = read(unit) {
            let before = joined.unwrap_or(found);
            joined = Some(Dependence { leaf: before.leaf && found.leaf, layer: before.layer.max(found.layer) });
        }
    }
    joined.unwrap_or(Dependence::NEEDED)
}

#[cfg(test)]
mod tests {
    use super::{Dependence, dependence, is_packed};
    use crate::bitstream::units::Framing;
    use ffmpeg_next::codec::Id;

    fn leaf(codec: Id, framing: Framing, data: &[u8]) -> bool {
        dependence(codec, framing, data).leaf
    }

    #[test]
    fn h264_by_nal_ref_idc() {
        let lengths = Framing::Lengths(4);
        assert!(leaf(Id::H264, lengths, &[0, 0, 0, 2, 0x01, 9, 0, 0, 0, 1, 0x06]));
        assert!(!leaf(Id::H264, lengths, &[0, 0, 0, 2, 0x41, 9]), "referred to");
        assert!(!leaf(Id::H264, lengths, &[0, 0, 0, 1, 0x01, 0, 0, 0, 1, 0x21]), "one slice is");
        assert!(!leaf(Id::H264, lengths, &[0, 0, 0, 1, 0x01, 0, 0, 0, 1, 0x08]), "parameter sets");
        assert!(!leaf(Id::H264, lengths, &[0, 0, 0, 9, 0x01]), "cut off");
        assert!(!leaf(Id::H264, lengths, &[0, 0, 0, 1, 0x06]), "no slice");
        assert!(leaf(Id::H264, Framing::StartCodes, &[0, 0, 0, 1, 0x09, 0xf0, 0, 0, 1, 0x01, 7]));
        assert_eq!(Framing::of(Id::H264, &[1, 100, 0, 31, 0xff]), Framing::Lengths(4));
        assert_eq!(Framing::of(Id::H264, &[0, 0, 0, 1, 0x67]), Framing::StartCodes);
    }

    #[test]
    fn hevc_by_type_and_layer() {
        let data = |kind: u8, layer: u8| [0, 0, 1, kind << 1, layer + 1, 7];
        let found = |kind, layer| dependence(Id::HEVC, Framing::StartCodes, &data(kind, layer));
        assert_eq!(found(0, 2), Dependence { leaf: true, layer: 2 });
        assert_eq!(found(1, 2), Dependence { leaf: false, layer: 2 });
        assert_eq!(found(8, 0), Dependence { leaf: true, layer: 0 });
        assert!(!found(20, 0).leaf, "random access points");
    }

    #[test]
    fn mpeg_by_picture_type() {
        let picture = |kind: u8| [0, 0, 1, 0, 0, kind << 3, 0, 0];
        assert!(leaf(Id::MPEG2VIDEO, Framing::StartCodes, &picture(3)));
        assert!(!leaf(Id::MPEG2VIDEO, Framing::StartCodes, &picture(2)));
        assert!(leaf(Id::MPEG4, Framing::StartCodes, &[0, 0, 1, 0xb6, 0x80]));
        assert!(!leaf(Id::MPEG4, Framing::StartCodes, &[0, 0, 1, 0xb6, 0x80, 0, 0, 1, 0xb6, 0x40]), "packed");
        assert!(is_packed(Id::MPEG4, &[0, 0, 1, 0xb6, 0x80, 0, 0, 1, 0xb6, 0x40]));
        assert!(!is_packed(Id::MPEG4, &[0, 0, 1, 0xb0, 1, 0, 0, 1, 0xb6, 0x40]));
        assert!(!leaf(Id::VP9, Framing::StartCodes, &[0x82]));
    }
}
