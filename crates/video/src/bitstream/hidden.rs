//! Packets that are decoded but never shown.

use ffmpeg_next::codec::Id;

/// Whether the codec itself marks this packet's frame as one that is not shown (VP8's and VP9's alternate references).
pub(crate) fn is_hidden(codec: Id, data: &[u8]) -> bool {
    let (Some(&first), Some(&last)) = (data.first(), data.last()) else {
        return true;
    };
    match codec {
        // RFC 6386, section 9.1: bit 0 is the frame type, bits 1 to 3 the version, bit 4 is show_frame.
        Id::VP8 => first & 0x10 == 0,
        // VP9 bitstream specification, section 6.2 and annex B: a superframe always ends with a shown frame.
        Id::VP9 => {
            if last & 0xe0 == 0xc0 {
                return false;
            }
            // frame_marker (2 bits), profile (2), a reserved bit in profile 3, show_existing_frame, frame_type, show_frame
            let bits = if first & 0x30 == 0x30 { first << 5 } else { first << 4 };
            let (show_existing, show) = (bits & 0x80 != 0, bits & 0x20 != 0);
            !show_existing && !show
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_hidden;
    use ffmpeg_next::codec::Id;

    #[test]
    fn alternate_references_are_hidden() {
        assert!(!is_hidden(Id::VP8, &[0x10, 0, 0]));
        assert!(is_hidden(Id::VP8, &[0x01, 0, 0]));
        assert!(!is_hidden(Id::VP9, &[0b1000_0010, 0]));
        assert!(is_hidden(Id::VP9, &[0b1000_0100, 0]));
        assert!(!is_hidden(Id::VP9, &[0b1000_1000, 0]));
        assert!(!is_hidden(Id::VP9, &[0b1000_0100, 0xc1]));
        assert!(!is_hidden(Id::H264, &[0]));
        assert!(is_hidden(Id::H264, &[]));
    }
}
