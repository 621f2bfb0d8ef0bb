//! The filters of chunks that the HDF5 library leaves to others: Blosc and LZF.

use blusc::{blosc1_cbuffer_sizes, blosc1_decompress};
use hdf5_reader::FilterRegistry;
use hdf5_reader::error::Error;

/// Numbers of filters as the HDF Group registers them.
const BLOSC: u16 = 32001;
const LZF: u16 = 32000;
/// Most bytes of a chunk.
pub(super) const MAX_CHUNK: usize = 256 << 20;

/// The library's own filters, and these.
pub(super) fn registry() -> FilterRegistry {
    let mut registry = FilterRegistry::new();
    // Both filters note the bytes of a chunk among their parameters.
    registry.register(
        BLOSC,
        Box::new(|filter, data, _| {
            blosc(data, size(filter.client_data.get(3))).ok_or_else(|| broken("Blosc", data.len()))
        }),
    );
    registry.register(
        LZF,
        Box::new(|filter, data, _| lzf(data, size(filter.client_data.get(2))).ok_or_else(|| broken("LZF", data.len()))),
    );
    registry
}

fn size(noted: Option<&u32>) -> usize {
    noted.map_or(MAX_CHUNK, |&size| (size as usize).min(MAX_CHUNK))
}

fn broken(filter: &str, size: usize) -> Error {
    Error::DecompressionError(format!("a chunk of {size} bytes is not what the filter {filter} writes"))
}

/// A frame of Blosc 1 with any of its codecs.
fn blosc(data: &[u8], limit: usize) -> Option<Vec<u8>> {
    let (size, _, _) = blosc1_cbuffer_sizes(data);
    if size > limit {
        return None;
    }
    let mut decoded = vec![0; size];
    let written = blosc1_decompress(data, &mut decoded);
    (usize::try_from(written) == Ok(size)).then_some(decoded)
}

/// A block of LZF: runs of literal bytes, and copies of what came before.
fn lzf(data: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    let mut rest = data;
    while let Some((&control, tail)) = rest.split_first() {
        if control < 32 {
            let (literal, tail) = tail.split_at_checked(usize::from(control) + 1)?;
            decoded.extend_from_slice(literal);
            rest = tail;
        } else {
            let (mut length, mut tail) = (usize::from(control >> 5), tail);
            if length == 7 {
                let (&more, after) = tail.split_first()?;
                length += usize::from(more);
                tail = after;
            }
            let (&low, after) = tail.split_first()?;
            let distance = (usize::from(control & 31) << 8 | usize::from(low)) + 1;
            let from = decoded.len().checked_sub(distance)?;
            // Source and target may overlap.
            for place in from..from + length + 2 {
                decoded.push(decoded[place]);
            }
            rest = after;
        }
        if decoded.len() > limit {
            return None;
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::lzf;

    #[test]
    fn lzf_copies_what_came_before() {
        assert_eq!(lzf(b"\x02abc\x20\x02\x00d", 9).unwrap(), b"abcabcd");
        // A copy of 7 + 1 + 2 bytes that overlaps itself.
        assert_eq!(lzf(b"\x00a\xe0\x01\x00", 11).unwrap(), b"aaaaaaaaaaa");
        assert_eq!(lzf(b"\x00a\xe0\x01\x00", 10), None);
        for broken in [&b"\x02ab"[..], b"\x20\x00", b"\x00a\x20\x01", b"\x00a\xe0", b"\x00a\x20"] {
            assert_eq!(lzf(broken, 100), None, "{broken:?}");
        }
    }
}
