//! Memory that goes from the tensors of one step to those of the next.
//!
//! A training step asks for the same blocks again and again. Fresh ones cost a page fault for every 4 KiB and the zeros that the
//! system writes; blocks of the pool cost neither. Blocks are kept by size, up to [`KEPT_BYTES`] in all.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::mem::MaybeUninit;
use std::sync::Mutex;

use cubecl_environment::bytes::{AccessError, AccessPolicy, AllocationController, AllocationProperty, Bytes};

/// One cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Lines of a block, all initialised.
type Block = Vec<Line>;

/// Free memory that is kept at most.
const KEPT_BYTES: usize = 1 << 30;

struct Free {
    blocks: BTreeMap<usize, Vec<Block>>,
    bytes: usize,
}

static FREE: Mutex<Free> = Mutex::new(Free { blocks: BTreeMap::new(), bytes: 0 });

fn free() -> std::sync::MutexGuard<'static, Free> {
    FREE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Room for `length` float32 numbers; what they hold is unspecified.
pub(crate) struct Room {
    block: Block,
    length: usize,
}

impl Room {
    /// Takes a block that is free, or a new one.
    pub(crate) fn new(length: usize) -> Self {
        let lines = (length * size_of::<f32>()).div_ceil(64).max(1);
        let mut free = free();
        let block = free.blocks.get_mut(&lines).and_then(Vec::pop);
        if block.is_some() {
            free.bytes -= lines * 64;
        }
        drop(free);
        Self { block: block.unwrap_or_else(|| vec![Line([0; 64]); lines]), length }
    }

    /// The numbers.
    pub(crate) fn values(&mut self) -> &mut [f32] {
        // SAFETY: the lines are initialised, aligned, and at least `length` numbers long; any bits are a number.
        unsafe { std::slice::from_raw_parts_mut(self.block.as_mut_ptr().cast(), self.length) }
    }

    /// The numbers as the memory of a tensor, which gives the block back when it is dropped.
    pub(crate) fn into_bytes(self) -> Bytes {
        let length = self.length * size_of::<f32>();
        // SAFETY: the block holds at least `length` initialised bytes.
        unsafe { Bytes::from_controller(Box::new(Pooled(self.block)), length) }
    }
}

struct Pooled(Block);

impl AllocationController for Pooled {
    fn alloc_align(&self) -> usize {
        64
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    unsafe fn memory_mut(&mut self, _: AccessPolicy) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        // SAFETY: the lines are that many bytes; the caller writes initialised data alone.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), self.0.len() * 64) })
    }

    fn memory(&self, _: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        // SAFETY: the lines are that many bytes.
        Ok(unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * 64) })
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let block = std::mem::take(&mut self.0);
        let bytes = block.len() * 64;
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
        let mut room = Room::new(77_777);
        room.values().fill(3.0);
        let place = room.block.as_ptr();
        let bytes = room.into_bytes();
        assert_eq!(bytes.len(), 4 * 77_777);
        assert_eq!(bytes[4 * 77_776..], 3.0_f32.to_ne_bytes());
        drop(bytes);
        assert_eq!(Room::new(77_777).block.as_ptr(), place);
    }
}
