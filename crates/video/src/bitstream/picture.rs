//! What the bitstream says of the picture in a packet: enough to put pictures in the order they are shown without decoding them.

use ffmpeg_next::Packet;
use ffmpeg_next::codec::{Id, Parameters};

use super::parser::PictureParser;
use super::units::{Framing, start_codes, units};
use crate::index::MAX_REORDER;

/// MPEG-4 pictures that are not coded ("as the one before") take no more bytes than this.
const NOT_CODED_BYTES: usize = 12;

/// One packet's picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    /// No picture before this packet is shown after one of the packets from here on.
    pub(crate) reset: bool,
    pub(crate) place: Place,
}

/// When a picture is shown, among the pictures since the last reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// After all pictures before it in the file.
    Next,
    /// After the pictures between this one and the next [`Place::Late`] one.
    Late,
    /// In the order of these numbers.
    Count(i64),
}

/// Reads the packets of one stream in file order.
pub(crate) struct PictureReader {
    codec: Id,
    framing: Framing,
    parser: Option<PictureParser>,
}

impl PictureReader {
    pub(crate) fn new(codec: Id, framing: Framing, parameters: Option<Parameters>) -> Self {
        let parser = parameters.and_then(|parameters| PictureParser::new(codec, parameters));
        Self { codec, framing, parser }
    }

    /// The picture of a packet, if it is certain that the packet holds exactly one, that it is a whole frame, and when it is shown.
    pub(crate) fn read(&mut self, packet: &Packet) -> Option<Picture> {
        let data = packet.data()?;
        let next = Picture { reset: false, place: Place::Next };
        match self.codec {
            Id::H264 | Id::HEVC => {
                let reset = one_picture(self.codec, self.framing, data)?;
                let head = self.parser.as_mut()?.read(packet).ok()?;
                (!head.field).then_some(Picture { reset, place: Place::Count(head.order_count) })
            }
            Id::MPEG1VIDEO | Id::MPEG2VIDEO => mpeg_picture(data),
            Id::MPEG4 => mpeg4_picture(data),
            Id::MJPEG
            | Id::PRORES
            | Id::FFV1
            | Id::PNG
            | Id::GIF
            | Id::THEORA
            | Id::VP8
            | Id::VP9
            | Id::AV1
            | Id::H263
            | Id::FLV1
            | Id::MSMPEG4V3
            | Id::WMV1
            | Id::WMV2 => Some(next),
            _ => None,
        }
    }
}

/// Whether the order of showing is reset before the picture of an H.264 or HEVC packet; `None` unless it holds exactly one.
fn one_picture(codec: Id, framing: Framing, data: &[u8]) -> Option<bool> {
    let (mut pictures, mut reset) = (0, false);
    for unit in units(framing, data) {
        let unit = unit?;
        if codec == Id::H264 {
            // Slices that begin a picture: first_mb_in_slice is 0, which is coded as a single 1 bit (H.264, 7.3.3 and 9.1).
            let kind = unit[0] & 0x1f;
            if matches!(kind, 1 | 2 | 5) && unit.get(1)? & 0x80 != 0 {
                pictures += 1;
                reset |= kind == 5;
            }
        } else {
            // HEVC, 7.3.6.1: first_slice_segment_in_pic_flag; table 7-1: IDR pictures are 19 and 20. After a broken link (16 to
            // 18) or an end of the sequence (36, 37) pictures may be missing.
            match (unit[0] >> 1) & 0x3f {
                16..=18 | 36 | 37 => return None,
                kind @ 0..=31 if unit.get(2)? & 0x80 != 0 => {
                    pictures += 1;
                    reset |= matches!(kind, 19 | 20);
                }
                _ => {}
            }
        }
    }
    (pictures == 1).then_some(reset)
}

/// ISO/IEC 13818-2, 6.2.3: B-pictures are shown as they come, others when the next of their kind comes.
fn mpeg_picture(data: &[u8]) -> Option<Picture> {
    let mut found = None;
    for unit in start_codes(data) {
        let unit = unit?;
        match unit[0] {
            0 => {
                let kind = (unit.get(2)? >> 3) & 7;
                let place = if kind == 3 { Place::Next } else { Place::Late };
                if !matches!(kind, 1..=3) || found.replace(Picture { reset: false, place }).is_some() {
                    return None;
                }
            }
            // Picture coding extension: picture_structure is 3 in a frame.
            0xb5 if unit.get(1)? >> 4 == 8 && unit.get(3)? & 3 != 3 => return None,
            _ => {}
        }
    }
    found
}

/// ISO/IEC 14496-2, 6.2.5: the same with video object planes.
fn mpeg4_picture(data: &[u8]) -> Option<Picture> {
    let mut found = None;
    for unit in start_codes(data) {
        let unit = unit?;
        if unit[0] == 0xb6 {
            let place = if unit.get(1)? >> 6 == 2 { Place::Next } else { Place::Late };
            if unit.len() <= NOT_CODED_BYTES || found.replace(Picture { reset: false, place }).is_some() {
                return None;
            }
        }
    }
    found
}

/// The numbers of the packets in the order they are shown. `None` when that is not certain, or a decoder would not give all of
/// them: pictures before the first packet's build on what is not in the file.
pub(crate) fn order(pictures: &[(usize, Picture)]) -> Option<Vec<usize>> {
    let mut order = Vec::with_capacity(pictures.len());
    for part in pictures.chunk_by(|_, next| !next.1.reset) {
        let mut late = None;
        let mut counted = Vec::new();
        for &(number, picture) in part {
            match picture.place {
                Place::Next => order.push(number),
                Place::Late => order.extend(late.replace(number)),
                Place::Count(count) => counted.push((count, number)),
            }
        }
        order.extend(late);
        counted.sort_unstable();
        if counted.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return None;
        }
        order.extend(counted.into_iter().map(|(_, number)| number));
    }
    let far = |(place, &number): (usize, &usize)| pictures[place].0.abs_diff(number) > 2 * MAX_REORDER;
    let begins = order.first() == pictures.first().map(|(number, _)| number);
    (begins && !order.iter().enumerate().any(far)).then_some(order)
}

#[cfg(test)]
mod tests {
    use super::{Picture, Place, mpeg_picture, mpeg4_picture, one_picture, order};
    use crate::bitstream::units::Framing;
    use ffmpeg_next::codec::Id;

    fn pictures(places: &[(bool, Place)]) -> Vec<(usize, Picture)> {
        places.iter().enumerate().map(|(number, &(reset, place))| (number, Picture { reset, place })).collect()
    }

    #[test]
    fn orders() {
        use Place::{Count, Late, Next};
        let by_type = pictures(&[Late, Late, Next, Next, Late, Next].map(|place| (false, place)));
        assert_eq!(order(&by_type), Some(vec![0, 2, 3, 1, 5, 4]));
        let counts = [(true, 0), (false, 8), (false, 4), (false, 2), (true, 0), (false, 2)];
        let counted = pictures(&counts.map(|(reset, count)| (reset, Count(count))));
        assert_eq!(order(&counted), Some(vec![0, 3, 2, 1, 4, 5]));
        let twice = pictures(&[0, 2, 0].map(|count| (false, Count(count))));
        assert_eq!(order(&twice), None, "a number that is there twice");
        let leading = pictures(&[4, 2, 8].map(|count| (false, Count(count))));
        assert_eq!(order(&leading), None, "a picture before the first");
        let mut far: Vec<_> = (0..60).map(|count| (false, Count(count))).collect();
        far.push((false, Count(-1)));
        far[0].1 = Count(-2);
        assert_eq!(order(&pictures(&far)), None, "no decoder holds back as many");
    }

    #[test]
    fn heads() {
        let h264 = |data: &[u8]| one_picture(Id::H264, Framing::StartCodes, data);
        assert_eq!(h264(&[0, 0, 1, 0x09, 0xf0, 0, 0, 1, 0x65, 0x88, 0, 0, 1, 0x65, 0x40]), Some(true));
        assert_eq!(h264(&[0, 0, 1, 0x41, 0x9a, 0, 0, 1, 0x41, 0x9a]), None, "two pictures");
        assert_eq!(h264(&[0, 0, 1, 0x41, 0x9a]), Some(false));
        let hevc = |data: &[u8]| one_picture(Id::HEVC, Framing::StartCodes, data);
        assert_eq!(hevc(&[0, 0, 1, 19 << 1, 1, 0x80]), Some(true));
        assert_eq!(hevc(&[0, 0, 1, 1 << 1, 1, 0x80]), Some(false));
        assert_eq!(hevc(&[0, 0, 1, 16 << 1, 1, 0x80]), None, "a broken link");
        let mpeg = |kind: u8, structure: u8| {
            mpeg_picture(&[0, 0, 1, 0, 0, kind << 3, 0, 0, 0, 0, 1, 0xb5, 0x8f, 0xff, 0xf0 | structure, 0])
        };
        assert_eq!(mpeg(1, 3).map(|picture| picture.place), Some(Place::Late));
        assert_eq!(mpeg(3, 3).map(|picture| picture.place), Some(Place::Next));
        assert_eq!(mpeg(2, 1), None, "a field");
        let coded = [&[0, 0, 1, 0xb6, 0x80][..], &[7; 20]].concat();
        assert_eq!(mpeg4_picture(&coded).map(|picture| picture.place), Some(Place::Next));
        assert_eq!(mpeg4_picture(&[0, 0, 1, 0xb6, 0x40, 7]), None, "perhaps not coded");
        assert_eq!(mpeg4_picture(&[&coded[..], &coded].concat()), None, "packed");
    }
}
