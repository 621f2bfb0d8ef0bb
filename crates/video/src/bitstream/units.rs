//! The units of a packet: what codecs of the MPEG family divide their bitstream into.

use ffmpeg_next::codec::Id;

/// How the units of an H.264 or HEVC packet are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// By start codes (Annex B).
    StartCodes,
    /// By lengths of so many bytes before each.
    Lengths(usize),
}

impl Framing {
    /// From the stream's configuration record (`avcC`, `hvcC`: ISO/IEC 14496-15), which begins with its version, 1.
    pub(crate) fn of(codec: Id, extradata: &[u8]) -> Self {
        let place = if codec == Id::HEVC { 21 } else { 4 };
        match (extradata.first(), extradata.get(place)) {
            (Some(1), Some(bits)) => Self::Lengths(usize::from(bits & 3) + 1),
            _ => Self::StartCodes,
        }
    }
}

/// The units of a packet, none of them empty; `None` where they make no sense.
pub(crate) fn units(framing: Framing, data: &[u8]) -> Box<dyn Iterator<Item = Option<&[u8]>> + '_> {
    match framing {
        Framing::StartCodes => Box::new(start_codes(data)),
        Framing::Lengths(size) => Box::new(lengths(size, data)),
    }
}

/// The units, none of them empty; `None` where the lengths make no sense.
fn lengths(size: usize, mut data: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    std::iter::from_fn(move || {
        if data.is_empty() {
            return None;
        }
        let length = data.get(..size).map(|bytes| bytes.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte)));
        let unit = length.filter(|&length| length > 0).and_then(|length| data.get(size..size.saturating_add(length)));
        data = unit.map_or(&[], |unit| &data[size + unit.len()..]);
        Some(unit)
    })
}

/// What follows each start code 00 00 01, up to the end of the data.
pub(crate) fn start_codes(data: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = data[from..].windows(3).position(|bytes| bytes == [0, 0, 1])? + from + 3;
        from = at;
        data.get(at..).filter(|unit| !unit.is_empty()).map(Some)
    })
}

/// What a unit found by [`start_codes`] holds itself: up to the next start code.
pub(crate) fn up_to_start_code(unit: &[u8]) -> &[u8] {
    let end = unit.windows(3).position(|bytes| bytes == [0, 0, 1]).unwrap_or(unit.len());
    let zeros = unit[..end].iter().rev().take_while(|&&byte| byte == 0).count();
    &unit[..end - zeros]
}

/// The bits of a unit, without the bytes that keep start codes from appearing in it.
pub(crate) struct Bits<'a> {
    unit: &'a [u8],
    byte: usize,
    bit: u32,
    zeros: usize,
}

impl<'a> Bits<'a> {
    /// From byte `from` of a unit on.
    pub(crate) fn new(unit: &'a [u8], from: usize) -> Self {
        Self { unit, byte: from, bit: 0, zeros: 0 }
    }

    fn bit(&mut self) -> Option<u32> {
        // H.264, 7.4.1; HEVC, 7.4.2: a 3 after two zeros is not part of the data.
        if self.bit == 0 && self.zeros >= 2 && self.unit.get(self.byte) == Some(&3) {
            self.byte += 1;
            self.zeros = 0;
        }
        let byte = *self.unit.get(self.byte)?;
        let bit = u32::from(byte >> (7 - self.bit) & 1);
        self.bit += 1;
        if self.bit == 8 {
            self.bit = 0;
            self.byte += 1;
            self.zeros = if byte == 0 { self.zeros + 1 } else { 0 };
        }
        Some(bit)
    }

    /// The next `count` bits as a number; at most 32.
    pub(crate) fn read(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0, |number, _| Some(number << 1 | self.bit()?))
    }

    /// Passes over `count` bits.
    pub(crate) fn skip(&mut self, count: u32) -> Option<()> {
        (0..count).try_for_each(|_| self.bit().map(drop))
    }

    /// An unsigned Exp-Golomb code (H.264 and HEVC, 9.1).
    pub(crate) fn exp_golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.read(zeros)?)
    }
}

#[cfg(test)]
mod tests {
    use super::{Bits, up_to_start_code};

    #[test]
    fn bits_without_emulation_prevention() {
        let mut bits = Bits::new(&[9, 0, 0, 3, 1, 0b1010_0110], 1);
        assert_eq!(bits.read(24), Some(1));
        assert_eq!((bits.exp_golomb(), bits.exp_golomb(), bits.exp_golomb()), (Some(0), Some(1), Some(2)));
        assert_eq!((bits.read(1), bits.read(1)), (Some(0), None));
    }

    #[test]
    fn units_end_before_the_next_start_code() {
        assert_eq!(up_to_start_code(&[7, 1, 2, 0, 0, 0, 1, 8]), [7, 1, 2]);
        assert_eq!(up_to_start_code(&[7, 1, 0]), [7, 1]);
    }
}
