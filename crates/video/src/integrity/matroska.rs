//! Matroska (RFC 9559): elements of the top level may begin with the checksum of what follows in them (RFC 8794, 11.3.1).

use std::io;

use super::{Bytes, Damage};

const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1f43_b675;
const TRACKS: u32 = 0x1654_ae6b;
const CUES: u32 = 0x1c53_bb6b;
/// What else stands at the top: heads for seeking, information, cues, chapters, attachments, tags, nothing, a checksum.
const OTHERS: [u32; 8] = [0x114d_9b74, 0x1549_a966, CUES, 0x1043_a770, 0x1941_a469, 0x1254_c367, 0xec, 0xbf];
/// Identifier and size of a checksum.
const CHECKSUM: [u8; 2] = [0xbf, 0x84];

/// The clusters that are not what was written. Of tracks that are not, all that is described by them.
pub(super) fn damage(file: &mut Bytes) -> io::Result<Vec<Damage>> {
    let mut found = Vec::new();
    let Some((_, begin, Some(bytes))) = element(file, 0)? else {
        return Ok(found);
    };
    let Some((SEGMENT, mut place, _)) = element(file, begin.saturating_add(bytes))? else {
        return Ok(found);
    };
    while place < file.length {
        let (identifier, begin, end) = match element(file, place)? {
            // Of unknown size are the clusters of a stream that is written as it comes, without checksums.
            Some((CLUSTER, _, None)) => break,
            Some((identifier, begin, Some(bytes)))
                if matches!(identifier, CLUSTER | TRACKS) || OTHERS.contains(&identifier) =>
            {
                (identifier, begin, begin.saturating_add(bytes))
            }
            _ => (0, place, u64::MAX),
        };
        if end > file.length {
            // No element, or one that goes on behind the file; FFmpeg goes on at the next cluster.
            let next = file.find(place + 1, CLUSTER.to_be_bytes())?;
            // What is cut off has no end.
            if next < file.length || file.find(place + 1, CUES.to_be_bytes())? < file.length {
                found.push(Damage { bytes: place..next, cuts_packet: false });
            }
            place = next;
            continue;
        }
        match identifier {
            CLUSTER if !is_intact(file, begin, end)? => {
                found.push(Damage { bytes: place..end, cuts_packet: false });
            }
            TRACKS if !is_intact(file, begin, end)? => found.push(Damage { bytes: 0..u64::MAX, cuts_packet: false }),
            _ => {}
        }
        place = end;
    }
    Ok(found)
}

/// Identifier, where the content begins, and its bytes (`None`: unknown) of the element that stands at a place, if one does.
fn element(file: &mut Bytes, place: u64) -> io::Result<Option<(u32, u64, Option<u64>)>> {
    file.go_to(place)?;
    let (Some(identifier), Some(size)) = (number(file, 4)?, number(file, 8)?) else {
        return Ok(None);
    };
    let ones = (1_u64 << (7 * size.1)) - 1;
    let bytes = size.0 & ones;
    Ok(Some((identifier.0 as u32, file.position, (bytes != ones).then_some(bytes))))
}

/// A number that tells its own length, with the bit that does, and the length.
fn number(file: &mut Bytes, longest: u32) -> io::Result<Option<(u64, u32)>> {
    let Some([first]) = file.array()? else {
        return Ok(None);
    };
    let length = first.leading_zeros() + 1;
    if length > longest {
        return Ok(None);
    }
    let mut value = u64::from(first);
    for _ in 1..length {
        let Some([byte]) = file.array()? else {
            return Ok(None);
        };
        value = value << 8 | u64::from(byte);
    }
    Ok(Some((value, length)))
}

/// Whether the content of an element fits its checksum, if it has one.
fn is_intact(file: &mut Bytes, begin: u64, end: u64) -> io::Result<bool> {
    file.go_to(begin)?;
    if end - begin < 6 {
        return Ok(true);
    }
    let Some([identifier, size, checksum @ ..]) = file.array::<6>()? else {
        return Ok(false);
    };
    if [identifier, size] != CHECKSUM {
        return Ok(true);
    }
    let (mut sum, mut buffer) = (crc32fast::Hasher::new(), vec![0; super::BUFFER]);
    while file.position < end {
        let wanted = usize::try_from(end - file.position).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = file.take(&mut buffer[..wanted])?;
        if count == 0 {
            return Ok(false);
        }
        sum.update(&buffer[..count]);
    }
    Ok(sum.finalize() == u32::from_le_bytes(checksum))
}
