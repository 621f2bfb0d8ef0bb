//! What an HDF5 file has before its data, as version 3 of the format has it (HDF5 File Format Specification).
//!
//! A superblock, the root group with a link to each data set, and the header of each data set. Every data set lies in one piece: whole, or as
//! chunks of one row each behind each other (the "implicit" index), so that all places are known before any data are there.

use hdf5_reader::checksum::jenkins_lookup3;

/// Type of the numbers of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    U8,
    I32,
    I64,
    F32,
}

impl Kind {
    fn size(self) -> u64 {
        match self {
            Self::U8 => 1,
            Self::I32 | Self::F32 => 4,
            Self::I64 => 8,
        }
    }
}

/// A data set that is to be written.
pub(super) struct Planned {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) shape: Vec<u64>,
    /// Whether each row is a chunk.
    pub(super) chunked: bool,
}

/// The beginning of a file, and where the data of each data set belong.
pub(super) struct Structure {
    pub(super) bytes: Vec<u8>,
    pub(super) places: Vec<u64>,
    /// Bytes of the whole file.
    pub(super) size: u64,
}

const SUPERBLOCK: u64 = 48;
const NOWHERE: u64 = u64::MAX;

impl Structure {
    /// Lays out a file; nothing if it would be larger than can be counted, or a name longer than 255 bytes or a chunk than 4 GiB.
    pub(super) fn new(planned: &[Planned]) -> Option<Self> {
        let root = |places: &[u64]| root_group(planned.iter().map(|planned| planned.name.as_str()).zip(places));
        let mut next = SUPERBLOCK + root(&vec![0; planned.len()])?.len() as u64;
        let mut headers = Vec::with_capacity(planned.len());
        for planned in planned {
            headers.push(next);
            next += data_set(planned, 0)?.len() as u64;
        }
        let mut places = Vec::with_capacity(planned.len());
        for planned in planned {
            next = next.checked_next_multiple_of(8)?;
            places.push(next);
            next = next.checked_add(bytes(planned)?)?;
        }
        let mut bytes = superblock(next);
        bytes.extend(root(&headers)?);
        for (planned, &place) in planned.iter().zip(&places) {
            bytes.extend(data_set(planned, place)?);
        }
        Some(Self { bytes, places, size: next })
    }
}

/// Bytes of the data of a data set.
fn bytes(planned: &Planned) -> Option<u64> {
    planned.shape.iter().try_fold(planned.kind.size(), |bytes, &extent| bytes.checked_mul(extent))
}

fn superblock(size: u64) -> Vec<u8> {
    let mut bytes = b"\x89HDF\r\n\x1a\n".to_vec();
    // Version 3, addresses and lengths of 8 bytes, not open for writing.
    bytes.extend([3, 8, 8, 0]);
    for address in [0, NOWHERE, size, SUPERBLOCK] {
        bytes.extend(address.to_le_bytes());
    }
    with_checksum(bytes)
}

fn root_group<'a>(links: impl Iterator<Item = (&'a str, &'a u64)>) -> Option<Vec<u8>> {
    // Links are in the header itself: no heap, no index of names.
    let info = [&[0, 0][..], &NOWHERE.to_le_bytes(), &NOWHERE.to_le_bytes()].concat();
    let mut messages = vec![(0x02, info), (0x0a, vec![0, 0])];
    for (name, address) in links {
        // Version 1, with a character set, which is UTF-8.
        let mut link = vec![1, 0x10, 1, u8::try_from(name.len()).ok()?];
        link.extend(name.as_bytes());
        link.extend(address.to_le_bytes());
        messages.push((0x06, link));
    }
    object(&messages)
}

fn data_set(planned: &Planned, place: u64) -> Option<Vec<u8>> {
    let rank = u8::try_from(planned.shape.len()).ok()?;
    let mut space = vec![2, rank, 0, 1];
    space.extend(planned.shape.iter().flat_map(|extent| extent.to_le_bytes()));
    // Zeros, allocated at once.
    let fill = vec![3, 0x09];
    let mut layout = vec![4];
    if planned.chunked {
        let row = planned.shape.iter().skip(1).copied();
        let chunk: Vec<u64> = std::iter::once(1).chain(row).chain([planned.kind.size()]).collect();
        // The fewest bytes in which all extents have room.
        let width = 1 + chunk.iter().max()?.ilog2() as usize / 8;
        layout.extend([2, 0, rank + 1, width as u8]);
        for extent in &chunk {
            layout.extend(&extent.to_le_bytes()[..width]);
        }
        chunk.iter().try_fold(1_u32, |bytes, &extent| bytes.checked_mul(u32::try_from(extent).ok()?))?;
        layout.push(2);
        layout.extend(place.to_le_bytes());
    } else {
        let bytes = bytes(planned)?;
        layout.push(1);
        layout.extend(if bytes == 0 { NOWHERE } else { place }.to_le_bytes());
        layout.extend(bytes.to_le_bytes());
    }
    object(&[(0x01, space), (0x03, datatype(planned.kind)), (0x05, fill), (0x08, layout)])
}

/// Little-endian numbers.
fn datatype(kind: Kind) -> Vec<u8> {
    let size = kind.size() as u8;
    let mut bytes = match kind {
        Kind::U8 => vec![0x10, 0, 0, 0],
        Kind::I32 | Kind::I64 => vec![0x10, 8, 0, 0],
        Kind::F32 => vec![0x11, 0x20, 31, 0],
    };
    bytes.extend([size, 0, 0, 0, 0, 0, size * 8, 0]);
    if kind == Kind::F32 {
        // Place and size of the exponent, of the fraction, and the exponent's bias.
        bytes.extend([23, 8, 0, 23, 127, 0, 0, 0]);
    }
    bytes
}

/// The header of an object, from its messages.
fn object(messages: &[(u8, Vec<u8>)]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    for (kind, message) in messages {
        body.push(*kind);
        body.extend(u16::try_from(message.len()).ok()?.to_le_bytes());
        body.push(0);
        body.extend(message);
    }
    let mut bytes = b"OHDR\x02\x02".to_vec();
    bytes.extend(u32::try_from(body.len()).ok()?.to_le_bytes());
    bytes.extend(body);
    Some(with_checksum(bytes))
}

fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = jenkins_lookup3(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}
