//! How much a compressed chunk holds, before it is decoded: a damaged one may claim any size.

use std::io::Read;

use flate2::read::{GzDecoder, ZlibDecoder};

use super::metadata::{Compressor, Metadata};

/// Checks that a chunk as it is stored holds this many bytes.
///
/// # Errors
/// If it does not, or does not tell.
pub(super) fn check(stored: &[u8], metadata: &Metadata, bytes: usize) -> Result<(), String> {
    let stored = if metadata.checksum {
        stored.split_last_chunk::<4>().ok_or("is shorter than its checksum")?.0
    } else {
        stored
    };
    let holds = match metadata.compressor {
        Compressor::None => Some(stored.len() as u64),
        Compressor::Blosc => blosc(stored),
        // Nothing in front tells.
        Compressor::Gzip => count(GzDecoder::new(stored), bytes),
        Compressor::Zlib => count(ZlibDecoder::new(stored), bytes),
        Compressor::Zstd => zstd(stored),
    };
    match holds {
        Some(holds) if holds == bytes as u64 => Ok(()),
        Some(holds) => Err(format!("holds {holds} bytes, expected {bytes}")),
        None => Err(format!("is damaged: it does not tell the {bytes} bytes that it should hold")),
    }
}

/// What the header of Blosc 1 tells, if the rest is there.
fn blosc(stored: &[u8]) -> Option<u64> {
    let number = |at: usize| Some(u32::from_le_bytes(stored.get(at..at + 4)?.try_into().ok()?));
    (number(12)? as usize == stored.len()).then_some(u64::from(number(4)?))
}

/// What the header of a Zstandard frame tells.
fn zstd(stored: &[u8]) -> Option<u64> {
    let (&[0x28, 0xb5, 0x2f, 0xfd, flags], rest) = stored.split_first_chunk::<5>()? else { return None };
    let (single, dictionary) = ((flags >> 5) & 1, [0, 1, 2, 4][usize::from(flags & 3)]);
    let rest = rest.get(usize::from(1 - single) + dictionary..)?;
    Some(match (flags >> 6, single) {
        (0, 0) => return None,
        (0, _) => u64::from(*rest.first()?),
        (1, _) => u64::from(u16::from_le_bytes(*rest.first_chunk()?)) + 256,
        (2, _) => u64::from(u32::from_le_bytes(*rest.first_chunk()?)),
        _ => u64::from_le_bytes(*rest.first_chunk()?),
    })
}

/// Decodes without keeping anything, a byte more than expected at most.
fn count(decoder: impl Read, bytes: usize) -> Option<u64> {
    std::io::copy(&mut decoder.take(bytes as u64 + 1), &mut std::io::sink()).ok()
}
