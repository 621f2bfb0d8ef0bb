//! Memory that goes from the tensors of one step to those of the next.
//!
//! A training step asks for the same blocks again and again. Fresh ones cost a page fault for every 4 KiB and the zeros
//! that the system writes; blocks of the pool cost neither. Blocks are kept by size, up to [`KEPT_BYTES`] in all.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::line::Line;

/// Free memory that is kept at most.
pub const KEPT_BYTES: usize = 1 << 30;

struct Free {
    blocks: BTreeMap<usize, Vec<Vec<Line>>>,
    bytes: usize,
}

static FREE: Mutex<Free> = Mutex::new(Free { blocks: BTreeMap::new(), bytes: 0 });

fn free() -> std::sync::MutexGuard<'static, Free> {
    FREE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Memory of a number of float32 numbers, aligned to cache lines; goes back to the pool when it is dropped.
#[derive(Debug)]
pub struct Buffer {
    lines: Vec<Line>,
    length: usize,
}

impl Buffer {
    /// Takes a block that is free, or a new one. What its numbers are is unspecified.
    pub fn new(length: usize) -> Self {
        let count = (length * size_of::<f32>()).div_ceil(Line::BYTES).max(1);
        let mut free = free();
        let block = free.blocks.get_mut(&count).and_then(Vec::pop);
        if block.is_some() {
            free.bytes -= count * Line::BYTES;
        }
        drop(free);
        Self { lines: block.unwrap_or_else(|| vec![Line::ZERO; count]), length }
    }

    /// The numbers.
    pub fn values(&mut self) -> &mut [f32] {
        // SAFETY: the lines are initialised, aligned to 64 bytes and at least `length` numbers long, and any bits are
        // an `f32`.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.length) }
    }

    /// All bytes of the block, which are at least those of the numbers.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the lines are initialised, and that many bytes.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * Line::BYTES) }
    }

    /// As [`Self::bytes`].
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the lines are initialised, and that many bytes; any bits are a line.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.lines.len() * Line::BYTES) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let block = std::mem::take(&mut self.lines);
        let bytes = block.len() * Line::BYTES;
        let mut free = free();
        if free.bytes + bytes <= KEPT_BYTES {
            free.bytes += bytes;
            free.blocks.entry(block.len()).or_default().push(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_comes_back() {
        // A size that no other test uses.
        let mut buffer = Buffer::new(77_777);
        buffer.values().fill(3.0);
        let place = buffer.lines.as_ptr();
        assert_eq!(buffer.bytes()[4 * 77_776..4 * 77_777], 3.0_f32.to_ne_bytes());
        drop(buffer);
        assert_eq!(Buffer::new(77_777).lines.as_ptr(), place);
    }
}
