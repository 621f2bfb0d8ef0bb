//! MPEG program streams (ISO/IEC 13818-1, 2.5; ISO/IEC 11172-1): every packet tells its length, and the next one follows it.

use std::io;

use super::{Bytes, Damage};

const PACK: u8 = 0xba;
const END: u8 = 0xb9;

/// Packets that are not followed by another one: bytes of them are missing, or there are some too many.
pub(super) fn damage(file: &mut Bytes) -> io::Result<Vec<Damage>> {
    let mut found = Vec::new();
    let (mut before, mut place) = (0, 0);
    while place < file.length {
        if let Some(end) = unit(file, place)? {
            before = place;
            place = end;
        } else {
            place = file.find(place + 1, [0, 0, 1, PACK])?;
            found.push(Damage { bytes: before..place, cuts_packet: true });
        }
    }
    Ok(found)
}

/// Where the unit ends that begins here, or after zeros; `None` if none does.
fn unit(file: &mut Bytes, place: u64) -> io::Result<Option<u64>> {
    file.go_to(place)?;
    let mut zeros = 0_u64;
    let kind = loop {
        match file.array()? {
            Some([0]) => zeros += 1,
            Some([1]) if zeros >= 2 => break file.array()?.map(|[kind]| kind),
            None if zeros == file.length - place => return Ok(Some(file.length)),
            _ => return Ok(None),
        }
    };
    let begin = file.position;
    Ok(match kind {
        Some(END) => Some(begin),
        Some(PACK) => {
            let Some(clock) = file.array::<10>()? else {
                return Ok(None);
            };
            // MPEG-2 begins with the bits 01, and MPEG-1 with 0010.
            let bytes = if clock[0] >> 6 == 1 { 10 + u64::from(clock[9] & 7) } else { 8 };
            Some(begin + bytes)
        }
        Some(0xbb..) => file.array()?.map(|length| begin + 2 + u64::from(u16::from_be_bytes(length))),
        _ => None,
    })
}
