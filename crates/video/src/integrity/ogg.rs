//! Ogg (RFC 3533): every page has a checksum, and a number within its stream.

use std::io;

use super::{Bytes, Damage};

const MAGIC: [u8; 4] = *b"OggS";
/// Bytes of a page's head before the table of its segments.
const HEAD: usize = 27;
/// Flag of a page that begins with the rest of a packet.
const CONTINUED: u8 = 1;
/// Flag of the last page of a stream.
const LAST: u8 = 4;

/// One page that is intact.
struct Page {
    flags: u8,
    serial: u32,
    number: u32,
    bytes: u64,
    /// Its last packet goes on in the next page.
    open: bool,
}

/// What is missing of the stream that has a page at `packet`.
pub(super) fn damage(file: &mut Bytes, packet: u64) -> io::Result<Vec<Damage>> {
    file.go_to(packet)?;
    let Some(page) = read(file)? else {
        return Ok(Vec::new());
    };
    let serial = page.serial;
    let mut found = Vec::new();
    // The page before of the stream, and where it ends.
    let mut last: Option<(Page, u64)> = None;
    let mut place = 0;
    // Where bytes began that are no page.
    let mut odd = None;
    while place < file.length {
        file.go_to(place)?;
        let Some(page) = read(file)? else {
            odd = odd.or(Some(place));
            place = file.find(place + 1, MAGIC)?;
            continue;
        };
        let end = place + page.bytes;
        if page.serial == serial {
            if let Some((before, after)) = &last {
                let follows = page.number == before.number.wrapping_add(1);
                let fits = before.open == (page.flags & CONTINUED != 0);
                if !follows || !fits {
                    found.push(Damage { bytes: *after..place, cuts_packet: before.open });
                }
            }
            last = Some((page, end));
            odd = None;
        }
        place = end;
    }
    if let (Some(begin), Some((page, _))) = (odd, last)
        && page.flags & LAST == 0
    {
        // A packet that does not end is not given.
        found.push(Damage { bytes: begin..file.length, cuts_packet: false });
    }
    Ok(found)
}

/// The page that stands here, if it is intact.
fn read(file: &mut Bytes) -> io::Result<Option<Page>> {
    let Some(mut head) = file.array::<HEAD>()? else {
        return Ok(None);
    };
    if head[..4] != MAGIC || head[4] != 0 {
        return Ok(None);
    }
    let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (serial, number, checksum) = (word(14), word(18), word(22));
    head[22..26].fill(0);
    let mut segments = vec![0; usize::from(head[26])];
    if file.take(&mut segments)? < segments.len() {
        return Ok(None);
    }
    let mut content = vec![0; segments.iter().map(|&bytes| usize::from(bytes)).sum()];
    if file.take(&mut content)? < content.len() {
        return Ok(None);
    }
    let sum = [&head[..], &segments, &content].into_iter().fold(0, update);
    let bytes = (HEAD + segments.len() + content.len()) as u64;
    let open = segments.last() == Some(&255);
    Ok((sum == checksum).then_some(Page { flags: head[5], serial, number, bytes, open }))
}

/// The checksum's polynomial is 0x04c11db7; the highest bit comes first.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = (byte as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum >> 31 == 1 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
};

fn update(sum: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(sum, |sum, &byte| sum << 8 ^ TABLE[usize::from((sum >> 24) as u8 ^ byte)])
}
