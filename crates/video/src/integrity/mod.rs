//! What a container tells of its own damage: checksums and numbers that FFmpeg's demuxers pass over, or act on without a word.

mod matroska;
mod ogg;
mod program;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use crate::packets::PacketRecord;

/// Bytes that are read at a time.
const BUFFER: usize = 64 << 10;

/// Bytes of a file that are not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Counted from the start of the file. Empty where nothing stands in place of what is missing.
    pub(crate) bytes: Range<u64>,
    /// The packet before it goes on with what follows, which is not its own.
    pub(crate) cuts_packet: bool,
}

/// Finds the damage that the container's own checksums, numbers and lengths tell of, ascending. `packet` is where a packet of the chosen stream lies.
/// Empty for containers that have none. When `late` says so, the search ends.
pub(crate) fn find(path: &Path, container: &str, packet: u64, late: &dyn Fn() -> bool) -> io::Result<Vec<Damage>> {
    let walk: fn(&mut Bytes, u64) -> io::Result<Vec<Damage>> = match container {
        "ogg" => ogg::damage,
        "mpeg" => |reader: &mut Bytes, _| program::damage(reader),
        name if name.starts_with("matroska") => |reader: &mut Bytes, _| matroska::damage(reader),
        _ => return Ok(Vec::new()),
    };
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    walk(&mut Bytes { reader: BufReader::with_capacity(BUFFER, file), position: 0, length, late }, packet)
}

/// Marks the packets that are not what was written, and those that follow a gap and may build on what was in it. `places` are the
/// places of the packets in the file.
pub(crate) fn mark(records: &mut [PacketRecord], places: &[Option<u64>], damage: &[Damage]) {
    for Damage { bytes, cuts_packet } in damage {
        let mut before = None;
        let mut after = None;
        for (number, place) in places.iter().enumerate() {
            let Some(place) = *place else { continue };
            if bytes.contains(&place) {
                records[number].corrupt = true;
            } else if place < bytes.start {
                before = Some(number);
            } else if after.is_none() {
                after = Some(number);
            }
        }
        if let Some(number) = before.filter(|_| *cuts_packet) {
            records[number].corrupt = true;
        }
        if let Some(number) = after.filter(|&number| !records[number].key) {
            records[number].corrupt = true;
        }
    }
}

/// A file that is read from place to place.
struct Bytes<'a> {
    reader: BufReader<File>,
    position: u64,
    length: u64,
    late: &'a dyn Fn() -> bool,
}

impl Bytes<'_> {
    fn go_to(&mut self, position: u64) -> io::Result<()> {
        let distance = i64::try_from(i128::from(position) - i128::from(self.position));
        match distance {
            Ok(distance) => self.reader.seek_relative(distance)?,
            Err(_) => drop(self.reader.seek(SeekFrom::Start(position))?),
        }
        self.position = position;
        Ok(())
    }

    /// The next bytes; fewer at the end of the file.
    fn take(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if (self.late)() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let mut count = 0;
        while count < out.len() {
            match self.reader.read(&mut out[count..])? {
                0 => break,
                read => count += read,
            }
        }
        self.position += count as u64;
        Ok(count)
    }

    /// The next bytes, if there are as many.
    fn array<const N: usize>(&mut self) -> io::Result<Option<[u8; N]>> {
        let mut out = [0; N];
        Ok((self.take(&mut out)? == N).then_some(out))
    }

    /// The next place, at `from` or later, at which these four bytes stand; the end of the file if there is none.
    fn find(&mut self, from: u64, wanted: [u8; 4]) -> io::Result<u64> {
        self.go_to(from)?;
        let wanted = u32::from_be_bytes(wanted);
        let (mut last, mut buffer) = (0_u64, vec![0; BUFFER]);
        loop {
            let begin = self.position;
            let count = self.take(&mut buffer)?;
            for (place, &byte) in buffer[..count].iter().enumerate() {
                // The upper half tells how many bytes there are.
                last = (last << 8 | u64::from(byte)) & 0xffff_ffff;
                let end = begin + place as u64 + 1;
                if last == u64::from(wanted) && end >= from + 4 {
                    return Ok(end - 4);
                }
            }
            if count < buffer.len() {
                return Ok(self.position);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Damage, mark};
    use crate::packets::PacketRecord;

    #[test]
    fn packets_in_the_damage_and_those_that_need_them_are_marked() {
        let record = |key| PacketRecord {
            presentation: None,
            decoding: None,
            duration: 0,
            bytes: 1,
            key,
            shown: true,
            corrupt: false,
            disposable: false,
        };
        let marked = |bytes, cuts_packet| {
            let mut records = [true, false, false, true, false].map(record);
            mark(&mut records, &[Some(10), Some(20), None, Some(30), Some(40)], &[Damage { bytes, cuts_packet }]);
            records.map(|record| record.corrupt)
        };
        assert_eq!(marked(25..30, false), [false; 5], "a key frame follows");
        assert_eq!(marked(25..30, true), [false, true, false, false, false]);
        assert_eq!(marked(35..35, false), [false, false, false, false, true]);
        assert_eq!(marked(30..40, true), [false, true, false, true, true]);
        assert_eq!(marked(0..u64::MAX, false), [true, true, false, true, true]);
    }
}
