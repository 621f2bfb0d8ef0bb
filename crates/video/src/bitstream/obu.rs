//! The open bitstream units of AV1 (AV1 bitstream specification, section 5.3).

/// A sequence header.
pub(super) const SEQUENCE_HEADER: u8 = 1;
/// A frame header alone, and one with its tiles.
pub(super) const FRAME_HEADERS: [u8; 2] = [3, 6];

/// Type and payload of each unit of a temporal unit, as far as their sizes make sense.
pub(super) fn units(mut data: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (&head, mut rest) = data.split_first()?;
        if head & 4 != 0 {
            // The extension: temporal and spatial layer.
            rest = rest.get(1..)?;
        }
        let size = if head & 2 != 0 { size(&mut rest)? } else { rest.len() };
        let payload = rest.get(..size)?;
        data = &rest[size..];
        Some((head >> 3 & 15, payload))
    })
}

/// A number in seven bits a byte, the lowest first (leb128, section 4.10.5).
fn size(data: &mut &[u8]) -> Option<usize> {
    let mut size = 0;
    for place in 0..8 {
        let (&byte, rest) = data.split_first()?;
        *data = rest;
        size |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(size);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::units;

    #[test]
    fn units_with_and_without_sizes() {
        let found: Vec<_> = units(&[0x12, 0, 0x0a, 2, 7, 8, 0x34, 0, 5]).collect();
        assert_eq!(found, [(2, &[][..]), (1, &[7, 8][..]), (6, &[5][..])]);
        assert_eq!(units(&[0x0a, 9, 1]).count(), 0, "cut off");
    }
}
